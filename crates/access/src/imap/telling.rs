//! Untagged responses that bring a client's picture of its mailbox up to date.

use std::ops::Range;

use proto::imap::write::{self, Code, Condition};
use store::{Flags, Keyword, Row};

use crate::reply::Step;
use crate::view::{Positions, Updates, View};

/// How message data is written: what it has beside the flags.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    /// RFC 3501 §6.4.8: responses to UID commands carry the UID.
    pub uid: bool,
    /// RFC 7162 §3.1: once the client asked for it, changes carry MODSEQ.
    pub modseq: bool,
}

/// Tells the [`Updates`] of a view, piece by piece.
pub struct Telling {
    view: View,
    /// Told from the back.
    expunged: Vec<Range<u32>>,
    head: Vec<u8>,
    changed: Changed,
    form: Form,
}

/// Rows to tell, and those of them whose flags the client knows already.
#[derive(Default)]
struct Changed {
    positions: Positions,
    at: usize,
    /// Only MODSEQ is told.
    silent: store::UidSet,
}

impl Telling {
    /// `view` is as it was advanced when it answered `updates`.
    pub fn new(view: &View, updates: Updates, form: Form, read_only: bool) -> Self {
        let mut head = Vec::new();
        if let Some(exists) = updates.exists {
            write::untagged_number(&mut head, exists.into(), "EXISTS");
        }
        if let Some(recent) = updates.recent {
            write::untagged_number(&mut head, recent.into(), "RECENT");
        }
        if updates.keywords {
            known_flags(&mut head, view, read_only);
        }
        let changed = Changed { positions: view.positions(&updates.changed), ..Changed::default() };
        Self { view: view.clone(), expunged: updates.expunged, head, changed, form }
    }

    /// Leaves out the flags of these messages.
    pub fn silent(mut self, silent: store::UidSet) -> Self {
        self.changed.silent = silent;
        self
    }

    pub fn output(&mut self, out: &mut Vec<u8>, full: usize) -> Step {
        while let Some(range) = self.expunged.last_mut() {
            if out.len() >= full {
                return Step::More;
            }
            match range.next_back() {
                Some(number) => write::untagged_number(out, number.into(), "EXPUNGE"),
                None => drop(self.expunged.pop()),
            }
        }
        out.append(&mut self.head);
        while let Some(range) = self.changed.positions.get_mut(self.changed.at) {
            let Some(position) = range.next() else {
                self.changed.at += 1;
                continue;
            };
            let Some(row) = self.view.row_at(position) else { continue };
            self.changed.write(out, &self.view, position, row, self.form);
            if out.len() >= full {
                return Step::More;
            }
        }
        Step::Done
    }
}

impl Changed {
    fn write(&self, out: &mut Vec<u8>, view: &View, position: u32, row: &Row, form: Form) {
        let silent = !self.silent.is_empty() && self.silent.contains(row.uid);
        if silent && !form.modseq {
            return;
        }
        write::fetch_begin(out, position + 1);
        if form.uid {
            out.extend_from_slice(b"UID ");
            write::number(out, row.uid.get().into());
            out.push(b' ');
        }
        if !silent {
            out.extend_from_slice(b"FLAGS ");
            row_flags(out, view, row);
        }
        if form.modseq {
            if !silent {
                out.push(b' ');
            }
            write::mod_seq(out, row.modseq.0);
        }
        write::fetch_end(out);
    }
}

/// System flags by name, in the order they are told.
pub const SYSTEM: [(Flags, &str); 5] = [
    (Flags::ANSWERED, "\\Answered"),
    (Flags::FLAGGED, "\\Flagged"),
    (Flags::DELETED, "\\Deleted"),
    (Flags::SEEN, "\\Seen"),
    (Flags::DRAFT, "\\Draft"),
];

/// `(\Seen \Recent keyword)`.
pub fn row_flags(out: &mut Vec<u8>, view: &View, row: &Row) {
    let start = out.len() + 1;
    out.push(b'(');
    let mut add = |name: &str| {
        if out.len() > start {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    };
    for (flag, name) in SYSTEM {
        if row.flags.contains(flag) {
            add(name);
        }
    }
    if view.has_recent() && view.is_recent(row.uid) {
        add("\\Recent");
    }
    view.listing().keywords(row.keywords).for_each(|keyword| add(keyword.as_str()));
    out.push(b')');
}

/// `* FLAGS` and PERMANENTFLAGS: every flag that the folder knows (RFC 3501 §7.2.6).
pub fn known_flags(out: &mut Vec<u8>, view: &View, read_only: bool) {
    let keywords = view.listing().keyword_names().iter().map(Keyword::as_str);
    let all: Vec<&str> = SYSTEM.into_iter().map(|(_, name)| name).chain(keywords).collect();
    out.extend_from_slice(b"* FLAGS ");
    write::flags(out, all.iter().copied());
    out.extend_from_slice(b"\r\n");
    // RFC 3501 §7.1: the empty list tells that nothing can be changed for good.
    let (code, text) = if read_only {
        (Code::PermanentFlags { flags: &[], any: false }, "No flags can be changed.")
    } else {
        (Code::PermanentFlags { flags: &all, any: true }, "Flags that can be changed, and new keywords.")
    };
    write::untagged(out, Condition::Ok, Some(code), text);
}
