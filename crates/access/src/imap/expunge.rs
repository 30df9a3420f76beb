//! EXPUNGE, UID EXPUNGE and CLOSE (RFC 3501 §6.4.2, §6.4.3; RFC 4315 §2.1).

use proto::imap::command::SequenceSet;
use store::{Change, Flags, Mailboxes, UidSet};

use super::answer::Answer;
use super::refusal::{Outcome, Refusal};
use super::session::{Selected, Session};
use super::set;
use crate::view::Expunges;

/// The caller tells the expunges with everything else.
pub async fn expunge(
    session: &mut Session,
    mailboxes: &dyn Mailboxes,
    only: Option<SequenceSet>,
    answer: &mut Answer,
) -> Outcome {
    let form = session.form(false);
    let selected = session.writable()?;
    let updates = selected.refresh(mailboxes, None, Expunges::HeldBack).await?;
    selected.push_updates(updates, form, answer);
    let only = only.map(|set| set::uids(&selected.view, &set));
    remove_deleted(selected, mailboxes, only.as_ref()).await
}

/// RFC 3501 §6.4.2: expunges and tells nothing; nothing is expunged from what was opened with EXAMINE.
pub async fn close(session: &mut Session, mailboxes: &dyn Mailboxes) -> Outcome {
    let mut selected = session.selected.take().ok_or(Refusal::NOT_SELECTED)?;
    if !selected.read_only {
        selected.refresh(mailboxes, None, Expunges::Told).await?;
        remove_deleted(&selected, mailboxes, None).await?;
    }
    Ok(())
}

async fn remove_deleted(selected: &Selected, mailboxes: &dyn Mailboxes, only: Option<&UidSet>) -> Outcome {
    let listing = selected.view.listing();
    let deleted: UidSet = listing
        .rows()
        .filter(|row| row.flags.contains(Flags::DELETED) && only.is_none_or(|only| only.contains(row.uid)))
        .map(|row| row.uid)
        .collect();
    if !deleted.is_empty() {
        // A message whose \Deleted another session takes away at this moment is kept.
        let as_seen = Some(listing.highest_modseq());
        mailboxes.apply(selected.folder, deleted, Change::Expunge, as_seen).await?;
    }
    Ok(())
}
