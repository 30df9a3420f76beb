//! Recipients: found in the directory, with the folder that will hold their message.

use std::sync::Arc;

use proto::smtp::{ForwardPath, Reply};
use store::{Account, Error, FolderId, FolderName};
use transport::Destination;

use super::Reception;
use crate::serve::Site;

/// Who gets a message, and where.
pub struct Recipient {
    /// As the sender wrote it.
    pub path: ForwardPath,
    pub account: Arc<Account>,
    pub inbox: FolderId,
}

/// Accounts that are looked at for the organisation's first one.
const FIRST: usize = 100;

impl Reception<'_> {
    /// `announced`: the message's size, if the client told.
    pub(super) async fn find(&mut self, to: ForwardPath, announced: Option<u64>) -> Result<Recipient, Reply> {
        let site = self.site;
        let (destination, account) = look_up(site, &to).await.map_err(|error| self.trouble(&error))?;
        let account = self.peer.may_receive(&to, &destination, account).map_err(|refusal| self.refused(&refusal))?;
        let inbox = inbox(site, &account, announced).await.map_err(|error| self.trouble(&error))?;
        Ok(Recipient { path: to, account, inbox })
    }
}

async fn look_up(site: &Site, to: &ForwardPath) -> store::Result<(Destination, Option<Arc<Account>>)> {
    let directory = &site.directory;
    let destination = Destination::of(to, &directory.domains().await?);
    let mut account = match destination.address() {
        Some(address) => directory.find(address).await?,
        None => None,
    };
    if account.is_none() && destination.has_stand_in() {
        // The one that was made first has the lowest number.
        account = directory.accounts(None, FIRST).await?.into_iter().min_by_key(|account| account.id);
    }
    Ok((destination, account))
}

/// A full mailbox is told of here, where it concerns its own sender's line only.
async fn inbox(site: &Site, account: &Account, announced: Option<u64>) -> store::Result<FolderId> {
    if !has_room(site, account, announced.unwrap_or(1)).await? {
        return Err(Error::OverQuota);
    }
    let folders = site.mailboxes.folders(account.id).await?;
    Ok(folders.by_name(&FolderName::inbox()).ok_or(Error::Unavailable("there is no INBOX".into()))?.id)
}

async fn has_room(site: &Site, account: &Account, octets: u64) -> store::Result<bool> {
    if account.quota.is_none() {
        return Ok(true);
    }
    let usage = site.mailboxes.usage(account.id).await?;
    Ok(usage.quota.is_none_or(|quota| usage.octets.saturating_add(octets) <= quota))
}
