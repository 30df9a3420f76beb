use std::iter;
use std::num::NonZeroU32;

use bytes::Bytes;
use proto::dot::Stuffer;
use store::{Error, Flags, KeywordSet, MessageId, MessageSize, ModSeq, Uid, UidValidity, Unit};

use super::*;
use crate::reply::Coding;

/// A maildrop with these messages; `MessageId` is the position.
fn maildrop(messages: &[Bytes]) -> Maildrop {
    let mut listing = Listing::new(UidValidity(NonZeroU32::new(7).unwrap()));
    for (n, message) in (0..).zip(messages) {
        listing.push(ModSeq(n + 1), MessageId(n), MessageSize::of(message), 0, Flags::NONE, KeywordSet(0)).unwrap();
    }
    Maildrop::new(listing)
}

fn sized(count: u32) -> Maildrop {
    let mut listing = Listing::new(UidValidity(NonZeroU32::new(7).unwrap()));
    for n in 0..count {
        listing
            .push(ModSeq(1), MessageId(n.into()), (100 + u64::from(n)).into(), 0, Flags::NONE, KeywordSet(0))
            .unwrap();
    }
    Maildrop::new(listing)
}

/// Does what a driver does; messages are read from `messages`.
fn run(answer: &mut Answer<'_>, messages: &dyn Fn(MessageId) -> store::Result<Bytes>) -> String {
    let mut sent = Vec::new();
    loop {
        let mut out = Vec::new();
        let step = answer.output(&mut out);
        assert!(out.len() <= crate::reply::LOW_WATER + 2 * Unit::CHUNK as usize);
        sent.append(&mut out);
        match step {
            Step::Done => return String::from_utf8(sent).unwrap(),
            Step::More | Step::Rest => {}
            Step::Octets { message, range } => {
                let octets = messages(message).map(|octets| octets.slice(range.start as usize..range.end as usize));
                answer.supply(Supply::Octets(octets));
            }
            Step::Splice(splice) => {
                let Coding::DotStuffed { lines } = splice.coding else { panic!("{splice:?}") };
                let octets = messages(splice.message).unwrap();
                assert_eq!(splice.range, 0..octets.len() as u64);
                let mut stuffer = Stuffer::new(lines);
                stuffer.push(&octets, &mut sent);
                stuffer.finish(&mut sent);
            }
            Step::Outlines(_) => panic!("POP3 needs no outlines"),
        }
    }
}

fn say(maildrop: &mut Maildrop, command: Transaction) -> String {
    run(&mut maildrop.execute(command), &|_| panic!("nothing is to be read"))
}

const ONE: Option<Number> = Some(Number(1));

#[test]
fn stat_list_and_uidl_tell_what_is_left() {
    let mut maildrop = sized(3);
    assert_eq!(say(&mut maildrop, Transaction::Stat), "+OK 3 303\r\n");
    assert_eq!(say(&mut maildrop, Transaction::List(ONE)), "+OK 1 100\r\n");
    assert_eq!(say(&mut maildrop, Transaction::Uidl(ONE)), "+OK 1 7.1\r\n");
    assert_eq!(say(&mut maildrop, Transaction::Dele(Number(2))), "+OK The message is marked as deleted.\r\n");
    assert_eq!(say(&mut maildrop, Transaction::Stat), "+OK 2 202\r\n");
    assert_eq!(say(&mut maildrop, Transaction::List(None)), "+OK 2 messages (202 octets)\r\n1 100\r\n3 102\r\n.\r\n");
    assert_eq!(say(&mut maildrop, Transaction::Uidl(None)), "+OK 2 messages (202 octets)\r\n1 7.1\r\n3 7.3\r\n.\r\n");
}

/// RFC 1939 §11: the size is that of what RETR sends, without the dots that it adds.
#[test]
fn sizes_are_of_what_is_sent_whether_the_last_line_has_an_end_or_not() {
    let large = |end: &str| ["line\r\n".repeat(20_000).as_str(), end].concat();
    let endings = ["", "a", "a\r", "a\n", "a\r\n", "a\r\n\r\nb"].map(str::to_owned);
    let messages: Vec<Bytes> = endings.into_iter().chain([large(""), large("b")]).map(Bytes::from).collect();
    let mut total = 0;
    for (number, message) in (1..).map(Number).zip(&messages) {
        let mut maildrop = maildrop(&messages);
        let sent = run(&mut maildrop.execute(Transaction::Retr(number)), &|_| Ok(message.clone()));
        let (status, rest) = sent.split_once("\r\n").unwrap();
        let octets = rest.strip_suffix(".\r\n").unwrap().len() as u64;
        assert_eq!(status, format!("+OK {octets} octets"));
        assert_eq!(
            say(&mut maildrop, Transaction::List(Some(number))),
            format!("+OK {} {octets}\r\n", number.0),
            "{message:?}"
        );
        total += octets;
    }
    let mut maildrop = maildrop(&messages);
    assert_eq!(say(&mut maildrop, Transaction::Stat), format!("+OK {} {total}\r\n", messages.len()));
    say(&mut maildrop, Transaction::Dele(Number(2)));
    assert_eq!(say(&mut maildrop, Transaction::Stat), format!("+OK {} {}\r\n", messages.len() - 1, total - 3));
}

#[test]
fn an_empty_maildrop_has_an_empty_list() {
    let mut maildrop = sized(0);
    assert_eq!(say(&mut maildrop, Transaction::Stat), "+OK 0 0\r\n");
    assert_eq!(say(&mut maildrop, Transaction::List(None)), "+OK 0 messages (0 octets)\r\n.\r\n");
    assert_eq!(
        say(&mut maildrop, Transaction::Retr(Number(1))),
        "-ERR No such message; there are 0 in the maildrop.\r\n"
    );
}

#[test]
fn numbers_that_are_no_message_are_refused_everywhere() {
    for number in [Number(0), Number(4), Number(u32::MAX)] {
        let commands = [
            Transaction::List(Some(number)),
            Transaction::Uidl(Some(number)),
            Transaction::Retr(number),
            Transaction::Top(number, 0),
            Transaction::Dele(number),
        ];
        for command in commands {
            let said = say(&mut sized(3), command);
            assert_eq!(said, "-ERR No such message; there are 3 in the maildrop.\r\n", "{command:?}");
        }
    }
}

#[test]
fn a_marked_message_is_there_for_nothing_but_rset() {
    let mut maildrop = sized(3);
    say(&mut maildrop, Transaction::Dele(Number(1)));
    let commands = [
        Transaction::List(ONE),
        Transaction::Uidl(ONE),
        Transaction::Retr(Number(1)),
        Transaction::Top(Number(1), 0),
        Transaction::Dele(Number(1)),
    ];
    for command in commands {
        assert_eq!(say(&mut maildrop, command), "-ERR The message is marked as deleted.\r\n", "{command:?}");
    }
    assert_eq!(maildrop.marked().to_string(), "1");
    assert_eq!(say(&mut maildrop, Transaction::Rset), "+OK 3 messages (303 octets)\r\n");
    assert!(maildrop.marked().is_empty());
    assert_eq!(say(&mut maildrop, Transaction::List(ONE)), "+OK 1 100\r\n");
}

#[test]
fn what_is_marked_is_given_as_uids() {
    let mut maildrop = sized(300);
    for n in (1..=300).rev().filter(|n| n % 2 == 0 || *n > 200) {
        say(&mut maildrop, Transaction::Dele(Number(n)));
    }
    let uids: Vec<u32> = maildrop.marked().iter().map(Uid::get).collect();
    assert_eq!(uids, (1..=300).filter(|n| n % 2 == 0 || *n > 200).collect::<Vec<_>>());
}

#[test]
fn a_list_of_100_000_comes_in_small_pieces_and_is_complete() {
    let mut maildrop = sized(100_000);
    say(&mut maildrop, Transaction::Dele(Number(50_000)));
    let said = say(&mut maildrop, Transaction::List(None));
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("+OK 99999 messages (5009899901 octets)"));
    for n in (1..=100_000u64).filter(|n| *n != 50_000) {
        assert_eq!(lines.next(), Some(format!("{n} {}", 99 + n).as_str()));
    }
    assert_eq!((lines.next(), lines.next()), (Some("."), None));
}

#[test]
fn sizes_past_32_bits_are_exact() {
    let mut listing = Listing::new(UidValidity(NonZeroU32::MIN));
    for n in 0..2 {
        listing.push(ModSeq(1), MessageId(n), 5_000_000_000.into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
    }
    let mut maildrop = Maildrop::new(listing);
    assert_eq!(say(&mut maildrop, Transaction::Stat), "+OK 2 10000000000\r\n");
    assert_eq!(say(&mut maildrop, Transaction::List(ONE)), "+OK 1 5000000000\r\n");
}

#[test]
fn a_unique_id_has_70_octets_at_most() {
    let mut listing = Listing::new(UidValidity(NonZeroU32::MAX));
    listing.raise(Uid::new(u32::MAX - 1).unwrap(), ModSeq(0));
    listing.push(ModSeq(1), MessageId(0), 1.into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
    assert_eq!(say(&mut Maildrop::new(listing), Transaction::Uidl(ONE)), "+OK 1 4294967295.4294967294\r\n");
}

#[test]
fn retr_and_top_send_the_same_whatever_the_size() {
    let chunk = Unit::CHUNK as usize;
    for size in [0, 1, 20, chunk - 1, chunk, chunk + 1, 3 * chunk] {
        let text = "Subject: x\r\n\r\n.one\r\ntwo\r\n".bytes().chain(iter::repeat(*b".234567\r\n").flatten());
        let message: Bytes = text.take(size).collect();
        let mut maildrop = maildrop(std::slice::from_ref(&message));
        for lines in [None, Some(0), Some(1), Some(1_000_000)] {
            let mut expected = match lines {
                None => format!("+OK {} octets\r\n", MessageSize::of(&message).octets_in_lines()).into_bytes(),
                Some(_) => b"+OK Top of message follows.\r\n".to_vec(),
            };
            let mut stuffer = Stuffer::new(lines);
            stuffer.push(&message, &mut expected);
            stuffer.finish(&mut expected);
            let command = lines.map_or(Transaction::Retr(Number(1)), |lines| Transaction::Top(Number(1), lines));
            let said = run(&mut maildrop.execute(command), &|_| Ok(message.clone()));
            assert!(said.as_bytes() == expected, "{size} octets, TOP {lines:?}");
        }
    }
}

#[test]
fn the_top_of_a_large_message_needs_its_first_chunk_alone() {
    let message: Bytes = [b"A: b\r\n\r\n".to_vec(), vec![b'x'; 1_000_000]].concat().into();
    let mut maildrop = maildrop(std::slice::from_ref(&message));
    let mut answer = maildrop.execute(Transaction::Top(Number(1), 0));
    let mut out = Vec::new();
    assert_eq!(answer.output(&mut out), Step::Octets { message: MessageId(0), range: 0..Unit::CHUNK });
    answer.supply(Supply::Octets(Ok(message.slice(..Unit::CHUNK as usize))));
    assert_eq!(answer.output(&mut out), Step::Done);
    assert_eq!(out, b"+OK Top of message follows.\r\nA: b\r\n\r\n.\r\n");
}

#[test]
fn a_short_read_is_not_taken_for_the_whole_message() {
    let mut maildrop = sized(1);
    let mut answer = maildrop.execute(Transaction::Retr(Number(1)));
    let mut out = Vec::new();
    assert_eq!(answer.output(&mut out), Step::Octets { message: MessageId(0), range: 0..100 });
    answer.supply(Supply::Octets(Ok(Bytes::from_static(b"short"))));
    assert!(matches!(answer.output(&mut out), Step::Splice(splice) if splice.range == (0..100)));
    assert_eq!(out, b"+OK 100 octets\r\n");
    out.clear();
    assert_eq!((answer.output(&mut out), out.as_slice()), (Step::Done, b"".as_slice()));
}

#[test]
fn what_cannot_be_read_is_refused_before_anything_is_sent() {
    for (error, code) in [
        (Error::Gone, "SYS/PERM"),
        (Error::Corrupt("x".into()), "SYS/PERM"),
        (Error::Unavailable("x".into()), "SYS/TEMP"),
    ] {
        for command in [Transaction::Retr(Number(1)), Transaction::Top(Number(1), 5)] {
            let said = run(&mut sized(1).execute(command), &|_| Err(error.clone()));
            assert!(said.starts_with(&format!("-ERR [{code}] ")) && said.lines().count() == 1, "{said}");
        }
    }
}

#[test]
fn the_maildrop_does_not_move_with_the_folder() {
    let mut listing = Listing::new(UidValidity(NonZeroU32::MIN));
    for n in 0..3 {
        listing.push(ModSeq(1), MessageId(n), 10.into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
    }
    let mut maildrop = Maildrop::new(listing.clone());
    listing.remove(&UidSet::all(), ModSeq(2));
    assert_eq!(say(&mut maildrop, Transaction::Stat), "+OK 3 30\r\n");
}
