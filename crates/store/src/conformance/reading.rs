//! Claims about reading messages.

use bytes::Bytes;

use super::harness::Open;
use super::letters::{letter, prefix};
use super::trial::{Trial, placement, wait};
use crate::{Error, MessageId, Placement, Unit};

pub fn any_range_gives_exactly_its_octets(open: Open) {
    let mut trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    let chunk = Unit::CHUNK;
    for (front, size) in
        [(0, 3 * chunk + 5), (100, 3 * chunk), (Placement::MAX_PREFIX, 700_000), (chunk as usize - 1, 1)]
    {
        let placed = Placement { prefix: Bytes::from(prefix(front)), ..placement(inbox) };
        let octets = letter(size, size as usize);
        let uid = trial.accept_one(&octets, placed).unwrap().uid;
        let whole = [prefix(front), octets].concat();
        let front = front as u64;
        let edges = [0, 1, front, front + 1, chunk, front + chunk, 2 * chunk, front + 2 * chunk, whole.len() as u64];
        let near: Vec<u64> = edges.iter().flat_map(|edge| [edge.saturating_sub(1), *edge, edge + 1]).collect();
        trial.holds(|trial| {
            let message = trial.message(inbox, uid);
            for &start in &near {
                for length in [0, 1, 2, chunk - 1, chunk, chunk + 1, 2 * chunk] {
                    let cut = |at: u64| (at as usize).min(whole.len());
                    let expected = &whole[cut(start)..cut(start + length)];
                    assert!(
                        trial.read(message, start, start + length).unwrap() == expected,
                        "{start}+{length} of {front}+{size}"
                    );
                }
            }
        });
    }
}

pub fn a_range_past_the_end_is_empty(open: Open) {
    let trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    for size in [0, 10, 500_000] {
        let uid = trial.deliver(inbox, &letter(1, size as usize));
        let message = trial.message(inbox, uid);
        #[allow(clippy::reversed_empty_ranges, reason = "nonsense must be harmless")]
        for range in [size..size + 1, size + 1..size + 9, 5..5, 9..3, u64::MAX - 1..u64::MAX, u64::MAX..0] {
            assert_eq!(wait(trial.mailboxes().read(message, range.clone())), Ok(Bytes::new()), "{range:?} of {size}");
        }
        let beyond = trial.read(message, size.saturating_sub(3), u64::MAX).unwrap();
        assert_eq!(beyond.len() as u64, size.min(3));
    }
}

pub fn outlines_come_in_the_order_asked(open: Open) {
    let mut trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    let bodies = [
        letter(1, 300),
        b"Subject: two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n--b--\r\n".to_vec(),
        letter(3, 900_000),
        b"no header at all".to_vec(),
    ];
    for (front, body) in bodies.iter().enumerate() {
        let placed =
            Placement { prefix: Bytes::from(prefix(if front == 0 { 0 } else { 10 * front })), ..placement(inbox) };
        trial.accept_one(body, placed).unwrap();
    }
    trial.holds(|trial| {
        let messages: Vec<MessageId> = trial.rows(inbox).iter().map(|row| row.message).collect();
        let order = [2, 0, 3, 1, 1, 0];
        let outlines = wait(trial.mailboxes().outlines(&order.map(|at| messages[at]))).unwrap();
        assert_eq!(outlines.len(), order.len());
        for (answer, at) in outlines.iter().zip(order) {
            let answer = answer.as_ref().unwrap();
            assert_eq!(answer.prefix as usize, 10 * at);
            assert_eq!(*answer.outline, mime::parse(&bodies[at], mime::Limits::default()));
        }
        assert!(wait(trial.mailboxes().outlines(&[])).unwrap().is_empty());
    });
}

pub fn an_unknown_message_is_an_error_of_its_own(open: Open) {
    let trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    let uid = trial.deliver(inbox, &letter(1, 100));
    let (known, unknown) = (trial.message(inbox, uid), MessageId(u64::MAX / 2));
    let missing = |error: Option<Error>| matches!(error, Some(Error::NotFound(_) | Error::Gone));
    assert!(missing(wait(trial.mailboxes().read(unknown, 0..1)).err()));
    let answers = wait(trial.mailboxes().outlines(&[unknown, known])).unwrap();
    assert!(missing(answers[0].clone().err()) && answers[1].is_ok());
}
