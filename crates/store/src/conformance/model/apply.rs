//! Changes of messages, on engine and model.

use std::collections::BTreeSet;

use super::Run;
use super::state::{Fault, Folder, Row, agreed};
use super::verb::{Edit, KEYWORDS, Pick, Place, Since};
use crate::conformance::trial::{keyword, set, uid};
use crate::{Change, FlagChange, Flags, FolderId, ModSeq, Uid, UidSet};

impl Run {
    pub fn apply(&mut self, place: Place, pick: &Pick, edit: &Edit, unless: Option<Since>) {
        let id = self.folder_id(place);
        let change = match edit {
            Edit::Flags { how, flags, keywords } => Change::Flags {
                how: *how,
                flags: Flags::from_bits(*flags),
                keywords: keywords.iter().map(|&at| keyword(KEYWORDS[at])).collect(),
            },
            Edit::Expunge => Change::Expunge,
            Edit::Copy { to } => Change::Copy { to: self.folder_id(*to) },
            Edit::Move { to } => Change::Move { to: self.folder_id(*to) },
        };
        let folder = self.folder(id);
        let (uids, unless) = match &folder {
            Some(folder) => (picked(folder, pick), unless.map(|since| moment(folder, since))),
            None => (UidSet::all(), None),
        };
        let (mut chosen, mut conflicts) = (Vec::new(), Vec::new());
        for (number, row) in folder.iter().flat_map(|folder| &folder.rows) {
            let late = unless.is_some_and(|unless| row.modseq > Some(unless));
            if uids.contains(uid(*number)) {
                if late { &mut conflicts } else { &mut chosen }.push(*number);
            }
        }
        let faults = self.faults(id, &change, &chosen);
        let Some(applied) = agreed(self.trial.apply_unless(id, &uids, change.clone(), unless), &faults) else { return };
        let as_set = |numbers: &[u32]| set(numbers.iter().filter_map(|number| Uid::new(*number)));
        assert_eq!((applied.changed, applied.conflicts), (as_set(&chosen), as_set(&conflicts)));
        let copied = match change {
            Change::Flags { how, flags, .. } => {
                let Edit::Flags { keywords, .. } = edit else { unreachable!() };
                let keywords = keywords.iter().map(|&at| KEYWORDS[at].to_ascii_lowercase()).collect();
                self.flag(id, &chosen, how, flags.bits(), &keywords);
                None
            }
            Change::Expunge => {
                self.take(id, &chosen);
                None
            }
            Change::Copy { to } => Some(self.copy(id, &chosen, to)),
            Change::Move { to } => {
                let pairs = self.copy(id, &chosen, to);
                self.take(id, &chosen);
                Some(pairs)
            }
        };
        assert_eq!(applied.copied, copied);
    }

    fn folder(&mut self, id: FolderId) -> Option<&mut Folder> {
        self.model.accounts.get_mut(&id.account())?.by_id(id)
    }

    fn faults(&mut self, id: FolderId, change: &Change, chosen: &[u32]) -> Vec<Fault> {
        let mut faults = Vec::new();
        let Some(folder) = self.folder(id) else { return vec![Fault::NotFound] };
        let octets: u64 = chosen.iter().map(|number| folder.rows[number].letter.size()).sum();
        if let Change::Copy { to } | Change::Move { to } = *change {
            if to.account() != id.account() {
                faults.push(Fault::Invalid);
            }
            if self.folder(to).is_none() {
                faults.push(Fault::NotFound);
            }
            let copies = matches!(change, Change::Copy { .. }) && !chosen.is_empty();
            if copies && !self.model.accounts[&id.account()].fits(octets) {
                faults.push(Fault::OverQuota);
            }
        }
        faults
    }

    fn flag(&mut self, id: FolderId, chosen: &[u32], how: FlagChange, flags: u8, keywords: &BTreeSet<String>) {
        let mailbox = self.model.accounts.get_mut(&id.account()).unwrap();
        let folder = mailbox.by_id(id).unwrap();
        let mut changed = false;
        for number in chosen {
            let row = folder.rows.get_mut(number).unwrap();
            let (bits, names) = match how {
                FlagChange::Add => (row.flags | flags, &row.keywords | keywords),
                FlagChange::Remove => (row.flags & !flags, &row.keywords - keywords),
                FlagChange::Replace => (flags, keywords.clone()),
            };
            if (bits, &names) != (row.flags, &row.keywords) {
                (row.flags, row.keywords, row.modseq) = (bits, names, None);
                changed = true;
            }
        }
        folder.changed |= changed;
        mailbox.changed |= changed;
    }

    fn take(&mut self, id: FolderId, chosen: &[u32]) {
        let mailbox = self.model.accounts.get_mut(&id.account()).unwrap();
        let folder = mailbox.by_id(id).unwrap();
        for number in chosen {
            assert!(folder.rows.remove(number).is_some());
        }
        folder.changed |= !chosen.is_empty();
        mailbox.changed |= !chosen.is_empty();
    }

    fn copy(&mut self, id: FolderId, chosen: &[u32], to: FolderId) -> (crate::UidValidity, Vec<(Uid, Uid)>) {
        let mailbox = self.model.accounts.get_mut(&id.account()).unwrap();
        let source = mailbox.by_id(id).unwrap();
        let rows: Vec<Row> = chosen.iter().map(|number| Row { modseq: None, ..source.rows[number].clone() }).collect();
        let target = mailbox.by_id(to).unwrap();
        let pairs = chosen.iter().zip(rows).map(|(from, row)| (uid(*from), uid(target.push(row)))).collect();
        let uid_validity = target.uid_validity.unwrap();
        mailbox.changed |= !chosen.is_empty();
        (uid_validity, pairs)
    }
}

fn picked(folder: &Folder, pick: &Pick) -> UidSet {
    let numbers: Vec<u32> = folder.rows.keys().copied().collect();
    let mut uids = UidSet::new();
    match pick {
        Pick::All => return UidSet::all(),
        Pick::Rows(positions) => {
            let found = positions.iter().filter_map(|at| Uid::new(*numbers.get(at % numbers.len().max(1))?));
            found.for_each(|uid| uids.insert(uid));
        }
        Pick::Ranges(ranges) => {
            for (from, to) in ranges {
                uids.insert_range(uid(*from)..=uid(*to));
            }
        }
    }
    uids
}

fn moment(folder: &Folder, since: Since) -> ModSeq {
    match since {
        Since::Never => ModSeq(0),
        Since::Highest => folder.highest_modseq,
        Since::Row(at) => {
            let rows: Vec<&Row> = folder.rows.values().collect();
            rows.get(at % rows.len().max(1)).and_then(|row| row.modseq).unwrap_or_default()
        }
    }
}
