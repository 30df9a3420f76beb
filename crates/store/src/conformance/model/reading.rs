//! Reading, claiming, locking and the end of retention, on engine and model.

use super::Run;
use super::verb::Place;
use crate::conformance::trial::wait;
use crate::{Error, MessageId};

impl Run {
    /// A range and the outline of any message that ever was.
    pub fn read(&mut self, nth: usize, start: u64, length: u64) {
        let messages: Vec<MessageId> = self.model.messages.keys().copied().collect();
        let Some(message) = messages.get(nth % messages.len().max(1)).copied() else { return };
        let end = start.saturating_add(length);
        let answer = self.trial.read(message, start, end);
        let outline = wait(self.trial.mailboxes().outlines(&[message])).unwrap().remove(0);
        if self.model.gone.contains(&message) {
            assert!(start >= end || answer == Err(Error::Gone), "{answer:?}");
            assert!(matches!(outline, Err(Error::Gone)), "{outline:?}");
            return;
        }
        let letter = &self.model.messages[&message];
        let whole = [&letter.prefix[..], &letter.body[..]].concat();
        let cut = |at: u64| at.min(whole.len() as u64) as usize;
        assert!(answer.unwrap() == whole[cut(start)..cut(end)], "{start}..{end} of {} octets", whole.len());
        let outline = outline.unwrap();
        assert_eq!(outline.prefix as usize, letter.prefix.len());
        assert_eq!(*outline.outline, mime::parse(&letter.body, mime::Limits::default()));
    }

    pub fn claim_recent(&mut self, place: Place) {
        let id = self.folder_id(place);
        let answer = wait(self.trial.mailboxes().claim_recent(id));
        match self.model.accounts.get_mut(&id.account()).and_then(|mailbox| mailbox.by_id(id)) {
            None => assert!(matches!(answer, Err(Error::NotFound(_))), "{answer:?}"),
            Some(folder) => {
                assert_eq!(answer.unwrap().get(), folder.recent_from);
                folder.recent_from = folder.uid_next;
            }
        }
    }

    /// Takes a lease, or gives it back when it is held.
    pub fn lease(&mut self, name: u8) {
        let answer = wait(self.trial.mailboxes().lease(format!("lease{name}")));
        match self.leases.remove(&name) {
            Some(_held) => assert_eq!(answer.err(), Some(Error::Busy)),
            None => drop(self.leases.insert(name, answer.unwrap_or_else(|error| panic!("{error}")))),
        }
    }

    pub fn end_retention(&mut self) {
        if self.trial.end_retention() {
            let held = self.model.held_messages();
            let over = self.model.messages.keys().filter(|message| !held.contains(message));
            self.model.gone.extend(over.copied());
        }
    }
}
