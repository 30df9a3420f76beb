//! STATUS (RFC 3501 §6.3.10, RFC 7162 §3.1.7).

use proto::imap::command::{Status, StatusItem};
use proto::imap::write;
use store::Mailboxes;

use super::answer::{Answer, Part};
use super::refusal::Outcome;
use super::session::{Session, find};

pub async fn status(session: &Session, mailboxes: &dyn Mailboxes, status: &Status, answer: &mut Answer) -> Outcome {
    let folder = find(session.account, mailboxes, status.mailbox.as_str()).await?;
    let listing = mailboxes.listing(folder.id).await?;
    let mut items = Vec::with_capacity(status.items.len());
    for &item in &status.items {
        let value = match item {
            StatusItem::Messages => listing.len().into(),
            StatusItem::Recent => {
                let first = mailboxes.first_recent(folder.id).await?;
                listing.len().saturating_sub(listing.index_of(first).unwrap_or_else(|place| place)).into()
            }
            StatusItem::UidNext => listing.uid_next().get().into(),
            StatusItem::UidValidity => listing.uid_validity().0.get().into(),
            StatusItem::Unseen => listing.unseen().into(),
            StatusItem::HighestModSeq => listing.highest_modseq().0.max(1),
        };
        items.push((item, value));
    }
    let mut out = Vec::new();
    write::status(&mut out, folder.name.as_str(), items);
    answer.push(Part::Text(out));
    Ok(())
}
