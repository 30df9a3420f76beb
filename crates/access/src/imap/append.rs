//! APPEND (RFC 3501 §6.3.11): the target is judged before the message is invited; then the driver streams it
//! into a [`store::BodyWriter`] and hands over what was staged.

use bytes::Bytes;
use proto::imap::command::{Append, Tag};
use proto::imap::write::Code;
use store::{Accept, Error, Flags, FolderId, Keyword, Mailboxes, Placement, Staged, Timestamp};

use super::answer::Answer;
use super::flags;
use super::refusal::{Outcome, Refusal};
use super::session::{Session, find};

/// Where an invited message will go.
#[derive(Debug)]
pub struct Destination {
    folder: FolderId,
    flags: Flags,
    keywords: Vec<Keyword>,
    internal_date: Timestamp,
}

impl Session {
    /// Judges the target; the inner answer refuses, and its message must not be invited. `now` is the
    /// internal date where the client gives none.
    pub async fn append_begin(
        &self,
        mailboxes: &dyn Mailboxes,
        now: Timestamp,
        tag: &Tag,
        append: &Append,
    ) -> Result<Destination, Answer> {
        self.destination(mailboxes, now, append).await.map_err(|refusal| refused(tag, refusal))
    }

    /// Makes the streamed message durable; `staged` is an error if it could not be taken whole.
    pub async fn append_end(
        &mut self,
        mailboxes: &dyn Mailboxes,
        tag: &Tag,
        destination: Destination,
        staged: store::Result<Staged>,
    ) -> Answer {
        let mut answer = Answer::to(tag.clone());
        match place(mailboxes, destination, staged).await {
            Ok((uid_validity, uid)) => {
                // RFC 3501 §6.3.11: if it went to the selected mailbox, EXISTS tells so at once.
                let _ = self.tell(mailboxes, &mut answer).await;
                answer.complete(Some(Code::AppendUid { uid_validity, uid }), "APPEND completed.");
            }
            Err(refusal) => answer.refuse(refusal),
        }
        answer
    }

    async fn destination(&self, mailboxes: &dyn Mailboxes, now: Timestamp, append: &Append) -> Outcome<Destination> {
        let found = find(self.account, mailboxes, append.mailbox.as_str()).await;
        let folder = found.map_err(Refusal::of_target)?.id;
        let (flags, keywords) = flags::stored(&append.flags)?;
        let usage = mailboxes.usage(self.account).await?;
        if usage.quota.is_some_and(|quota| usage.octets.saturating_add(append.size) > quota) {
            return Err(Error::OverQuota.into());
        }
        let internal_date = append.date.map_or(now, |date| date.seconds);
        Ok(Destination { folder, flags, keywords, internal_date })
    }
}

async fn place(
    mailboxes: &dyn Mailboxes,
    destination: Destination,
    staged: store::Result<Staged>,
) -> Outcome<(u32, u32)> {
    let Destination { folder, flags, keywords, internal_date } = destination;
    let placement = Placement { folder, prefix: Bytes::new(), flags, keywords, internal_date, delivery: None };
    let placed = mailboxes.accept(Accept { body: staged?, placements: vec![placement] }).await?;
    let placed = placed.into_iter().next().unwrap_or(Err(Error::NotFound("the folder")));
    let placed = placed.map_err(|error| Refusal::from(error).of_target())?;
    Ok((placed.uid_validity.0.get(), placed.uid.get()))
}

fn refused(tag: &Tag, refusal: Refusal) -> Answer {
    let mut answer = Answer::to(tag.clone());
    answer.refuse(refusal);
    answer
}
