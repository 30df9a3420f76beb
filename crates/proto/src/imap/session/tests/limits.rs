//! What a session takes, and for how long.

use super::*;

#[test]
fn ten_bad_commands_end_the_session() {
    let bad = "1 BAD The command is not known.\r\n";
    let bye = "* BYE Too many bad commands (10); closing the connection.\r\n";
    let mut peer = Peer::logged_on();
    peer.send("1 X\r\n".repeat(9));
    peer.send("1 NAMESPACE\r\n");
    assert!(peer.take().ends_with("1 OK NAMESPACE completed.\r\n"));
    peer.send("1 X\r\n".repeat(11));
    assert_eq!(peer.take(), format!("{}{bye}", bad.repeat(10)));
    assert!(peer.session.is_closed());
}

#[test]
fn a_command_may_be_as_long_as_the_limit_and_not_one_octet_more() {
    let limit = Settings::default().max_command;
    let line = |length: usize| format!("1 ID (\"a\" \"{}\")\r\n", "x".repeat(length - 15));
    assert_eq!(line(100).len(), 100);
    let no = format!("1 NO [LIMIT] A command may have at most {limit} octets.\r\n");
    let noop = "2 OK NOOP completed.\r\n";
    for piece in [1000, 1024, limit, limit + 1, limit + 40] {
        let said = |length: usize| {
            let mut peer = in_private();
            let sent = format!("{}2 NOOP\r\n", line(length));
            sent.as_bytes().chunks(piece).for_each(|piece| peer.send(piece));
            assert!(peer.session.pending_octets() <= limit);
            peer.take()
        };
        assert_eq!(said(limit), format!("* ID (\"name\" \"Gatepost\")\r\n1 OK ID completed.\r\n{noop}"));
        assert_eq!(said(limit + 1), format!("{no}{noop}"));
        assert_eq!(said(limit * 2 - 100), format!("{no}{noop}"));
    }
}

#[test]
fn literals_count_towards_the_limit_and_are_not_invited_beyond_it() {
    let limit = Settings::default().max_command;
    let head = "1 LOGIN ann {65536}\r\n";
    let fits = limit - head.len();
    dialogue(in_private, &format!("1 LOGIN ann {{{fits}}}\r\n"), "+ Ready\r\n");
    let no = format!("1 NO [LIMIT] A command may have at most {limit} octets.\r\n");
    dialogue(in_private, &format!("1 LOGIN ann {{{}}}\r\n", fits + 1), &no);
    dialogue(in_private, "1 LOGIN ann {99999999999999999999}\r\n", &no);
    let bye = "* BYE A literal that comes unasked may have at most 1048576 octets here.\r\n";
    dialogue(in_private, "1 LOGIN ann {1048577+}\r\n", &format!("{no}{bye}"));
    // Also when an administrator lets commands be longer: not before log-on.
    let settings = Settings { max_command: 1 << 20, ..Settings::default() };
    let mut peer = Peer::with(settings, private());
    peer.send("1 LOGIN ann {65536}\r\n");
    assert_eq!(peer.take(), no);
    peer.send("1 LOGIN ann secret\r\n2 CREATE {65536}\r\n");
    assert!(peer.take().ends_with("+ Ready\r\n"));
}

#[test]
fn endless_input_is_passed_over_and_then_ended() {
    let mut peer = in_private();
    let limit = Settings::MAX_REFUSED_BEFORE_LOGON as usize;
    for sent in (0..limit + 2 * Settings::MAX_BEFORE_LOGON).step_by(10_000) {
        assert!(sent < limit || peer.session.pending_octets() == 0);
        peer.send([b'x'; 10_000]);
    }
    assert!(peer.session.is_closed());
    assert_eq!(
        peer.take(),
        "* BAD [LIMIT] A command may have at most 65536 octets.\r\n\
         * BYE More than 1048576 octets came with a command that was refused.\r\n"
    );
}

#[test]
fn a_long_line_ends_an_exchange_but_not_the_session() {
    let mut peer = in_private();
    peer.send("1 AUTHENTICATE PLAIN\r\n");
    peer.send("A".repeat(20_000));
    peer.send("\r\n2 NOOP\r\n");
    assert_eq!(peer.take(), "+ \r\n1 BAD [LIMIT] A line may have at most 12288 octets.\r\n2 OK NOOP completed.\r\n");
}

#[test]
fn a_client_has_a_minute_to_log_on_and_then_half_an_hour_between_commands() {
    let minute = Duration::from_secs(60);
    let mut peer = in_private();
    let begin = peer.now;
    peer.now += minute / 2;
    peer.send("1 NOOP\r\n2 NO");
    assert_eq!(peer.session.deadline(), Some(begin + minute));
    peer.take();
    peer.session.timeout(begin + minute);
    assert_eq!(peer.take(), "* BYE No log-on within 60 seconds; closing the connection.\r\n");
    assert!(peer.session.is_closed());

    let mut peer = Peer::logged_on();
    assert_eq!(peer.session.deadline(), Some(peer.now + 30 * minute));
    peer.now += 29 * minute;
    peer.send("1 IDLE\r\n");
    assert_eq!(peer.session.deadline(), Some(peer.now + 30 * minute));
    // Octets that are no command leave the clock alone.
    let idle = peer.now;
    peer.now += 29 * minute;
    peer.send("DON");
    assert_eq!(peer.session.deadline(), Some(idle + 30 * minute));
    peer.take();
    peer.session.timeout(idle + 30 * minute);
    assert_eq!(peer.take(), "* BYE No command for 1800 seconds; closing the connection.\r\n");
}

#[test]
fn a_waiting_session_is_small_and_holds_no_octets() {
    assert!(size_of::<Session>() <= 256, "{}", size_of::<Session>());
    let mut peer = Peer::selected();
    peer.send("1 SEARCH TEXT {30000+}\r\n");
    peer.send([b'x'; 30_000]);
    peer.send("\r\n2 FETCH 1 ALL\r\n3 IDLE\r\n");
    peer.take();
    assert_eq!(peer.session.held_octets(), 0);
}
