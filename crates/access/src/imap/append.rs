//! APPEND (RFC 3501 §6.3.11): the target is judged before the message is invited; then the message streams
//! into the store, and is placed once it is whole.

use bytes::Bytes;
use proto::imap::command::{Append, Tag};
use proto::imap::write::Code;
use store::{Accept, BodyWriter, Error, Mailboxes, Placement, Timestamp};

use super::answer::Answer;
use super::flags;
use super::refusal::{Outcome, Refusal};
use super::session::{Session, find};

/// A message on its way in. Dropping it leaves nothing behind.
pub struct Appending {
    tag: Tag,
    placement: Placement,
    /// Or why the rest of the message is passed over.
    writer: store::Result<Box<dyn BodyWriter>>,
}

impl Appending {
    /// Takes the next octets. An error is told at the end: until then the client sends on.
    pub async fn write(&mut self, octets: &[u8]) {
        if let Ok(writer) = &mut self.writer
            && let Err(error) = writer.write(octets).await
        {
            self.writer = Err(error);
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
            Ok((placement, writer)) => Ok(Appending { tag, placement, writer: Ok(writer) }),
            Err(refusal) => {
                let mut answer = Answer::to(tag);
                answer.refuse(refusal);
                Err(answer)
            }
        }
    }

    /// Makes the whole message durable.
    pub async fn append_end(&mut self, mailboxes: &dyn Mailboxes, appending: Appending) -> Answer {
        let Appending { tag, placement, writer } = appending;
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
    writer: store::Result<Box<dyn BodyWriter>>,
) -> Outcome<(u32, u32)> {
    let body = writer?.finish().await?;
    let placed = mailboxes.accept(Accept::each(body, vec![placement])).await?;
    let placed = placed.into_iter().next().unwrap_or(Err(Error::NotFound("the folder")));
    let placed = placed.map_err(|error| Refusal::from(error).of_target())?;
    Ok((placed.uid_validity.0.get(), placed.uid.get()))
}
