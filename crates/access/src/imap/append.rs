//! APPEND (RFC 3501 §6.3.11): the target is judged before the message is invited; then the message streams
//! into the store, and is placed once it is whole.

use bytes::Bytes;
use memchr::memchr;
use proto::imap::command::{Append, Tag};
use proto::imap::write::Code;
use store::{Accept, BodyWriter, Error, Mailboxes, Placement, Timestamp};

use super::answer::Answer;
use super::flags;
use super::refusal::{Outcome, Refusal};
use super::session::{Session, find};
use crate::reply::Step;

/// A message on its way in. Dropping it leaves nothing behind.
pub struct Appending {
    tag: Tag,
    placement: Placement,
    header: HeaderLength,
    /// Or why the rest of the message is passed over.
    writer: Outcome<Box<dyn BodyWriter>>,
}

impl Appending {
    /// Takes the next octets. An error is told at the end: until then the client sends on.
    pub async fn write(&mut self, octets: &[u8]) {
        let Ok(writer) = &mut self.writer else { return };
        let written = if memchr(0, octets).is_some() {
            Err(Refusal::HOLDS_NUL)
        } else if self.header.is_beyond(octets) {
            Err(Refusal::HEADER_NOT_TAKEN)
        } else {
            writer.write(octets).await.map_err(Refusal::from)
        };
        if let Err(refusal) = written {
            self.writer = Err(refusal);
        }
    }
}

impl Session {
    /// Judges the target. An answer instead refuses, and the message must not be invited. `now` is the
    /// internal date where the client gives none.
    pub async fn append_begin(
        &self,
        mailboxes: &dyn Mailboxes,
        now: Timestamp,
        tag: Tag,
        append: &Append,
    ) -> Result<Appending, Answer> {
        let begun = async {
            let placement = self.placement(mailboxes, now, append).await?;
            Ok((placement, mailboxes.stage(Some(append.size)).await?))
        };
        match begun.await {
            Ok((placement, writer)) => {
                Ok(Appending { tag, placement, header: HeaderLength::default(), writer: Ok(writer) })
            }
            Err(refusal) => {
                let mut answer = Answer::to(tag);
                answer.refuse(refusal);
                Err(answer)
            }
        }
    }

    /// Makes the whole message durable.
    pub async fn append_end(&mut self, mailboxes: &dyn Mailboxes, appending: Appending) -> Answer {
        let Appending { tag, placement, writer, .. } = appending;
        let mut answer = Answer::to(tag);
        match place(mailboxes, placement, writer).await {
            Ok((uid_validity, uid)) => {
                // RFC 3501 §6.3.11: if it went to the selected mailbox, EXISTS tells so at once.
                let _ = self.tell(mailboxes, &mut answer).await;
                answer.complete(Some(Code::AppendUid { uid_validity, uid }), "APPEND completed.");
            }
            Err(refusal) => answer.refuse(refusal),
        }
        answer
    }

    async fn placement(&self, mailboxes: &dyn Mailboxes, now: Timestamp, append: &Append) -> Outcome<Placement> {
        let found = find(self.account, mailboxes, append.mailbox.as_str()).await;
        let folder = found.map_err(Refusal::of_target)?.id;
        let (flags, keywords) = flags::stored(&append.flags)?;
        let usage = mailboxes.usage(self.account).await?;
        if usage.quota.is_some_and(|quota| usage.octets.saturating_add(append.size) > quota) {
            return Err(Error::OverQuota.into());
        }
        let internal_date = append.date.map_or(now, |date| date.seconds);
        Ok(Placement { folder, prefix: Bytes::new(), flags, keywords, internal_date, delivery: None })
    }
}

async fn place(
    mailboxes: &dyn Mailboxes,
    placement: Placement,
    writer: Outcome<Box<dyn BodyWriter>>,
) -> Outcome<(u32, u32)> {
    let body = writer?.finish().await?;
    let placed = mailboxes.accept(Accept::each(body, vec![placement])).await?;
    let placed = placed.into_iter().next().unwrap_or(Err(Error::NotFound("the folder")));
    let placed = placed.map_err(|error| Refusal::from(error).of_target())?;
    Ok((placed.uid_validity.0.get(), placed.uid.get()))
}

/// Octets of the header, while it comes in.
#[derive(Default)]
struct HeaderLength {
    octets: u64,
    /// Whether the line so far has anything but its end.
    line: bool,
    ended: bool,
}

impl HeaderLength {
    /// Whether the header is longer with these octets than it may be: what would not be read of it later by
    /// ENVELOPE, SEARCH and HEADER.FIELDS is not taken.
    fn is_beyond(&mut self, octets: &[u8]) -> bool {
        let mut lines = octets.split_inclusive(|&octet| octet == b'\n');
        while !self.ended
            && let Some(line) = lines.next()
        {
            self.octets += line.len() as u64;
            self.line |= line.iter().any(|octet| !matches!(octet, b'\r' | b'\n'));
            if line.ends_with(b"\n") {
                self.ended = !std::mem::take(&mut self.line);
            }
        }
        self.octets > Step::MAX_READ
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_be_as_long_as_the_limit_and_not_one_octet_more() {
        for (length, beyond) in [(Step::MAX_READ as usize, false), (Step::MAX_READ as usize + 1, true)] {
            for piece in [7, 64 * 1024, usize::MAX] {
                let header = format!("a: {}\r\n\r\n", "x".repeat(length - 7));
                let message = header + &"body\r\n".repeat(1000);
                let mut header = HeaderLength::default();
                let told = message.as_bytes().chunks(piece.min(message.len())).any(|piece| header.is_beyond(piece));
                assert_eq!(told, beyond, "{length} in pieces of {piece}");
            }
        }
    }
}
