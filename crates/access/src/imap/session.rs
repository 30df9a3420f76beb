//! What a logged-on connection keeps between commands, and the way of a command to its file.

use proto::imap::command::{Body, Command};
use store::{AccountId, Error, Folder, FolderId, FolderName, Listing, Mailboxes};

use super::answer::{Answer, Part};
use super::refusal::{Outcome, Refusal};
use super::telling::{Form, Telling};
use super::{copy, expunge, fetch, flags, folder, list, search, select, status};
use crate::view::{Expunges, Updates, View};

/// One client's state; small, since many of them wait in IDLE.
pub struct Session {
    pub(super) account: AccountId,
    /// RFC 7162 §3.1: untagged FETCH responses carry MODSEQ.
    pub(super) condstore: bool,
    pub(super) selected: Option<Box<Selected>>,
}

pub(super) struct Selected {
    pub folder: FolderId,
    /// Opened with EXAMINE.
    pub read_only: bool,
    pub view: View,
}

impl Session {
    pub fn new(account: AccountId) -> Self {
        Self { account, condstore: false, selected: None }
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn has_selected(&self) -> bool {
        self.selected.is_some()
    }

    /// Carries out a command. APPEND has verbs of its own, since its message streams, and the commands about
    /// the connection itself never come here.
    pub async fn execute(&mut self, mailboxes: &dyn Mailboxes, command: Command) -> Answer {
        let Command { tag, body } = command;
        let mut answer = Answer::to(tag);
        if body.enables_condstore() && !std::mem::replace(&mut self.condstore, true) {
            self.tell_baseline(&body, &mut answer);
        }
        let name = body.name();
        match self.run(mailboxes, body, &mut answer).await {
            Ok(()) if answer.is_complete() => {}
            Ok(()) => answer.complete(None, &format!("{name} completed.")),
            Err(refusal) => answer.refuse(refusal),
        }
        answer
    }

    /// What changed since the client was last told; for IDLE, where all of it may be told (RFC 2177 §3).
    pub async fn updates(&mut self, mailboxes: &dyn Mailboxes) -> Answer {
        let mut answer = Answer::untagged();
        // A store that cannot answer now has nothing to tell; the next change or command asks again.
        let _ = self.tell(mailboxes, &mut answer).await;
        answer
    }

    async fn run(&mut self, mailboxes: &dyn Mailboxes, body: Body, answer: &mut Answer) -> Outcome {
        match body {
            Body::Noop | Body::Check => return self.tell(mailboxes, answer).await,
            Body::Select(select) => return select::select(self, mailboxes, select, false, answer).await,
            Body::Examine(select) => return select::select(self, mailboxes, select, true, answer).await,
            Body::Close => return expunge::close(self, mailboxes).await,
            Body::Unselect => return self.selected.take().map(drop).ok_or(Refusal::NOT_SELECTED),
            Body::Fetch(fetch) => return fetch::fetch(self, mailboxes, fetch, answer).await,
            Body::Store(store) => return flags::store(self, mailboxes, store, answer).await,
            Body::Search(search) => return search::search(self, mailboxes, search, answer).await,
            Body::Expunge => expunge::expunge(self, mailboxes, None, answer).await?,
            Body::UidExpunge(set) => expunge::expunge(self, mailboxes, Some(set), answer).await?,
            Body::Copy(copy) => copy::copy(self, mailboxes, copy, answer).await?,
            Body::Move(copy) => copy::move_(self, mailboxes, copy, answer).await?,
            Body::Enable { condstore } => {
                // RFC 5161 §3.2: what was enabled, also if that is nothing.
                let names: &[u8] = if condstore { b"* ENABLED CONDSTORE\r\n" } else { b"* ENABLED\r\n" };
                answer.push(Part::Text(names.to_vec()));
            }
            // RFC 2342 §5: one namespace, of the user's own.
            Body::Namespace => answer.push(Part::Text(b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n".to_vec())),
            Body::Create(name) => folder::create(self.account, mailboxes, &name).await?,
            Body::Delete(name) => folder::delete(self.account, mailboxes, &name).await?,
            Body::Rename { from, to } => folder::rename(self.account, mailboxes, &from, &to).await?,
            Body::Subscribe(name) => folder::subscribe(self.account, mailboxes, &name, true).await?,
            Body::Unsubscribe(name) => folder::subscribe(self.account, mailboxes, &name, false).await?,
            Body::List(list) => list::list(self.account, mailboxes, &list, answer).await?,
            Body::Lsub { reference, pattern } => {
                list::lsub(self.account, mailboxes, &reference, &pattern, answer).await?;
            }
            Body::Status(status) => status::status(self, mailboxes, &status, answer).await?,
            Body::Append(_)
            | Body::Capability
            | Body::Logout
            | Body::Id
            | Body::StartTls
            | Body::Authenticate { .. }
            | Body::Login { .. }
            | Body::Idle => return Err(Refusal::Bad("Command is not valid in this state.")),
        }
        // The command was carried out; that the store cannot say now what else changed does not undo it.
        let _ = self.tell(mailboxes, answer).await;
        Ok(())
    }

    /// Tells everything that changed, expunges too.
    pub(super) async fn tell(&mut self, mailboxes: &dyn Mailboxes, answer: &mut Answer) -> Outcome {
        let form = self.form(false);
        let Some(selected) = &mut self.selected else { return Ok(()) };
        let updates = selected.refresh(mailboxes, None, Expunges::Told).await?;
        selected.push_updates(updates, form, answer);
        Ok(())
    }

    /// RFC 7162 §3.1.2.1: from which mod-sequence on a client, which has just begun to ask for them, is told.
    fn tell_baseline(&self, body: &Body, answer: &mut Answer) {
        if let Some(selected) = &self.selected
            && !matches!(body, Body::Select(_) | Body::Examine(_))
        {
            let mut out = Vec::new();
            select::highest_mod_seq(&mut out, &selected.view);
            answer.push(Part::Text(out));
        }
    }

    pub(super) fn form(&self, uid: bool) -> Form {
        // RFC 7162 §3.2.4 wants the UID with a mod-sequence for QRESYNC; it is of use to whoever keeps either.
        Form { uid: uid || self.condstore, modseq: self.condstore }
    }

    pub(super) fn selected(&mut self) -> Outcome<&mut Selected> {
        self.selected.as_deref_mut().ok_or(Refusal::NOT_SELECTED)
    }

    /// The selected folder, if it may be changed.
    pub(super) fn writable(&mut self) -> Outcome<&mut Selected> {
        let selected = self.selected()?;
        if selected.read_only { Err(Refusal::READ_ONLY) } else { Ok(selected) }
    }
}

impl Selected {
    /// Takes in the folder as it is now, or as a change just left it.
    pub async fn refresh(
        &mut self,
        mailboxes: &dyn Mailboxes,
        after_change: Option<Listing>,
        expunges: Expunges,
    ) -> Outcome<Updates> {
        let mut listing = match after_change {
            Some(listing) => listing,
            None => self.listing(mailboxes).await?,
        };
        let mut recent = None;
        if listing.uid_next() > self.view.listing().uid_next() {
            // RFC 3501 §2.3.2: whoever claims them first has them as recent. Claimed before the listing is
            // read, so that none is recent for nobody.
            recent = Some(match self.read_only {
                true => mailboxes.first_recent(self.folder).await?,
                false => mailboxes.claim_recent(self.folder).await?,
            });
            listing = self.listing(mailboxes).await?;
        }
        Ok(self.view.advance(listing, recent, expunges))
    }

    pub fn push_updates(&self, updates: Updates, form: Form, answer: &mut Answer) {
        if !updates.is_empty() {
            answer.push(Part::Telling(Telling::new(&self.view, updates, form, self.read_only)));
        }
    }

    /// What remains to be told at the end of a UID command: expunges may be told then
    /// (RFC 3501 §7.4.1).
    pub fn push_expunges(&mut self, form: Form, answer: &mut Answer) {
        let listing = self.view.listing().clone();
        let updates = self.view.advance(listing, None, Expunges::Told);
        self.push_updates(updates, form, answer);
    }

    async fn listing(&self, mailboxes: &dyn Mailboxes) -> Outcome<Listing> {
        match mailboxes.listing(self.folder).await {
            Ok(listing) => Ok(listing),
            // RFC 2180 §3.3: a folder that was deleted under its reader looks as if emptied.
            Err(Error::NotFound(_)) => Ok(Listing::new(self.view.listing().uid_validity())),
            Err(error) => Err(error.into()),
        }
    }
}

/// The folder of that name.
pub(super) async fn find(account: AccountId, mailboxes: &dyn Mailboxes, name: &str) -> Outcome<Folder> {
    let folders = mailboxes.folders(account).await?;
    // A name that no folder can have is that of none.
    let name = FolderName::new(name).map_err(|_| Error::NotFound("the folder"))?;
    Ok(folders.by_name(&name).ok_or(Error::NotFound("the folder"))?.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_session_is_small() {
        assert!(size_of::<Session>() <= 24, "{}", size_of::<Session>());
        assert!(size_of::<Selected>() <= 72, "{}", size_of::<Selected>());
    }
}
