//! Accounts: their addresses lead to them, and their counters are the sums of their folders.

use store::{Account, AccountId, Address, Error, FolderId, Folders, Result};

use super::Verified;
use crate::engine::Engine;
use crate::sequencer::Pending;
use crate::state::{AccountState, Key, Table, decode};
use crate::visible::FolderState;

pub(super) fn verify(engine: &Engine, found: &mut Verified) -> Result<()> {
    engine.each_row(Table::Account, |_, octets| {
        let account: Account = decode(octets)?;
        found.accounts += 1;
        if is_sound(engine, &account).is_ok_and(|sound| sound) {
            return Ok(());
        }
        // A change may have come between the two sides: again, in the order of changes.
        match engine.run_blocking(move |pending| fault(pending, account.id)) {
            // Gone since, or a folder of it is damaged, which is found with the folders.
            Err(Error::NotFound(_) | Error::Corrupt(_)) | Ok(None) => {}
            Ok(Some((id, what))) => found.fault(Some(id), what),
            Err(error) => return Err(error),
        }
        Ok(())
    })?;
    engine.each_row(Table::Address, |key, octets| {
        let id: AccountId = decode(octets)?;
        if engine.get(&Key::account(id))?.is_none() && engine.get(key)?.is_some() {
            let address = String::from_utf8_lossy(key.octets());
            found.fault(None, format!("the address {address} leads to no account"));
        }
        Ok(())
    })
}

fn is_sound(engine: &Engine, account: &Account) -> Result<bool> {
    for address in addresses(account) {
        if engine.row(&Key::address(address))? != Some(account.id) {
            return Ok(false);
        }
    }
    let state: AccountState = engine.row(&Key::account_state(account.id))?.unwrap_or_default();
    let sums = sums(&*engine.tree(account.id)?, |id| engine.folder(id))?;
    Ok((state.octets, state.messages) == sums)
}

fn fault(pending: &mut Pending, id: AccountId) -> Result<Option<(AccountId, String)>> {
    let account = pending.account(id)?;
    for address in addresses(&account) {
        if pending.row(&Key::address(address))? != Some(id) {
            return Ok(Some((id, format!("its address {address} does not lead to it"))));
        }
    }
    let AccountState { octets, messages, .. } = pending.account_now(id)?.state;
    let sums = sums(&*pending.tree(id)?, |id| pending.folder(id))?;
    Ok(((octets, messages) != sums).then(|| {
        let what =
            format!("{messages} messages of {octets} octets are counted, its folders have {} of {}", sums.1, sums.0);
        (id, what)
    }))
}

fn addresses(account: &Account) -> impl Iterator<Item = &Address> {
    [&account.address].into_iter().chain(&account.aliases)
}

/// Octets and messages of all folders.
fn sums(tree: &Folders, folder: impl Fn(FolderId) -> Result<FolderState>) -> Result<(u64, u64)> {
    let (mut octets, mut messages) = (0, 0);
    for known in &tree.folders {
        let listing = folder(known.id)?.listing;
        octets += listing.octets();
        messages += u64::from(listing.len());
    }
    Ok((octets, messages))
}
