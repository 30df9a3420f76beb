//! CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7).

use proto::imap::command::Mailbox;
use store::{AccountId, Error, FolderChange, FolderName, Mailboxes};

use super::refusal::{Outcome, Refusal};

pub async fn create(account: AccountId, mailboxes: &dyn Mailboxes, name: &Mailbox) -> Outcome {
    // RFC 3501 §6.3.3: a separator at the end only tells that names will be made beneath.
    let name = name.as_str();
    let name = new_name(name)?;
    if name.is_inbox() {
        return Err(Error::Exists("the folder").into());
    }
    Ok(mailboxes.change_folders(account, FolderChange::Create { name, special_use: None }).await?)
}

pub async fn delete(account: AccountId, mailboxes: &dyn Mailboxes, name: &Mailbox) -> Outcome {
    let name = existing(name)?;
    let deleted = mailboxes.change_folders(account, FolderChange::Delete { name: name.clone() }).await;
    if let Err(Error::Invalid(_)) = &deleted
        && mailboxes.folders(account).await?.has_children(&name)
    {
        // RFC 3501 §6.3.4 would also have it emptied and kept as \Noselect: more than its user asked for.
        return Err(Refusal::HAS_CHILDREN);
    }
    Ok(deleted?)
}

pub async fn rename(account: AccountId, mailboxes: &dyn Mailboxes, from: &Mailbox, to: &Mailbox) -> Outcome {
    let to = new_name(to.as_str())?;
    let from = existing(from)?;
    Ok(mailboxes.change_folders(account, FolderChange::Rename { from, to }).await?)
}

/// RFC 3501 §6.3.6: a name may be subscribed to that is no folder, or no longer one.
pub async fn subscribe(account: AccountId, mailboxes: &dyn Mailboxes, name: &Mailbox, subscribed: bool) -> Outcome {
    let name = FolderName::new(name.as_str())?;
    Ok(mailboxes.change_folders(account, FolderChange::Subscribe { name, subscribed }).await?)
}

/// RFC 9051 §5.1: a name with a wildcard of LIST in it could not be asked for.
fn new_name(name: &str) -> Outcome<FolderName> {
    if name.contains(['*', '%']) {
        return Err(Refusal::WILDCARD);
    }
    Ok(FolderName::new(name.strip_suffix(FolderName::SEPARATOR).unwrap_or(name))?)
}

/// A name that no folder can have is that of none.
fn existing(name: &Mailbox) -> Result<FolderName, Error> {
    FolderName::new(name.as_str()).map_err(|_| Error::NotFound("the folder"))
}
