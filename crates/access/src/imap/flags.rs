//! STORE and UID STORE (RFC 3501 §6.4.6, RFC 7162 §3.1.3).

use std::collections::{HashMap, HashSet};

use proto::imap::command::{Flag, Store, StoreHow};
use proto::imap::write::Code;
use store::{Applied, Change, FlagChange, Flags, Keyword, KeywordSet, Listing, Mailboxes, ModSeq, UidSet};

use super::answer::{Answer, Part};
use super::refusal::{Outcome, Refusal};
use super::session::Session;
use super::set;
use super::telling::Telling;
use crate::view::{Expunges, View};

pub async fn store(session: &mut Session, mailboxes: &dyn Mailboxes, store: Store, answer: &mut Answer) -> Outcome {
    let mut form = session.form(store.uid);
    // RFC 7162 §3.1.3: the new MODSEQ is told also with .SILENT.
    form.modseq |= store.unchanged_since.is_some();
    let selected = session.writable()?;
    let positions = set::positions(&selected.view, &store.set, store.uid)?;
    let uids = selected.view.uids(&positions);
    let (flags, keywords) = stored(&store.flags)?;
    let how = match store.how {
        StoreHow::Replace => FlagChange::Replace,
        StoreHow::Add => FlagChange::Add,
        StoreHow::Remove => FlagChange::Remove,
    };
    let change = Change::Flags { how, flags, keywords };
    let before = selected.view.clone();
    let (listing, changed, conflicts) = if uids.is_empty() {
        (None, UidSet::new(), UidSet::new())
    } else {
        let unless = store.unchanged_since.map(ModSeq);
        let Applied { listing, changed, conflicts, .. } =
            mailboxes.apply(selected.folder, uids.clone(), change.clone(), unless).await?;
        (Some(listing), changed, conflicts)
    };
    let mut updates = selected.refresh(mailboxes, listing, Expunges::HeldBack).await?;
    let mut silent = UidSet::new();
    if store.silent {
        silent = as_asked(&before, &selected.view, &changed, &change);
    } else {
        set::join(&mut updates.changed, &changed);
    }
    if !updates.is_empty() {
        let telling = Telling::new(&selected.view, updates, form, selected.read_only).silent(silent);
        answer.push(Part::Telling(telling));
    }
    let gone = !store.uid && selected.view.holds_ghost(&uids);
    if store.uid {
        selected.push_expunges(form, answer);
    }
    if gone && !store.silent {
        // RFC 2180 §4.2.2
        return Err(Refusal::EXPUNGED);
    }
    if !conflicts.is_empty() {
        let named = match store.uid {
            true => conflicts.to_string(),
            false => set::numbers(&before.positions(&conflicts)),
        };
        answer.complete(Some(Code::Modified(&named)), "Messages that changed meanwhile were left alone.");
    }
    Ok(())
}

/// Of what changed: the messages that now are just what the client makes of its own command.
fn as_asked(before: &View, after: &View, by_us: &UidSet, change: &Change) -> UidSet {
    let Change::Flags { how, flags, keywords } = change else { return UidSet::new() };
    let mut expected = before.listing().clone();
    let highest = expected.highest_modseq();
    if expected.set_flags_where(by_us, highest, *how, *flags, keywords, None).is_err() {
        return UidSet::new();
    }
    let mut alike = Alike { expected: &expected, after: after.listing(), known: HashMap::new() };
    by_us
        .iter()
        .filter(|uid| match (expected.get(*uid), after.listing().get(*uid)) {
            (Some(old), Some(new)) => old.flags == new.flags && alike.are(old.keywords, new.keywords),
            _ => false,
        })
        .collect()
}

/// Compares keyword sets of two listings, whose numbers need not agree: by name, each pair once.
struct Alike<'a> {
    expected: &'a Listing,
    after: &'a Listing,
    known: HashMap<(KeywordSet, KeywordSet), bool>,
}

impl Alike<'_> {
    fn are(&mut self, old: KeywordSet, new: KeywordSet) -> bool {
        let names = |listing: &Listing, set| -> HashSet<String> {
            listing.keywords(set).map(|keyword| keyword.as_str().to_ascii_lowercase()).collect()
        };
        let (expected, after) = (self.expected, self.after);
        *self.known.entry((old, new)).or_insert_with(|| names(expected, old) == names(after, new))
    }
}

/// As the store has them.
pub fn stored(given: &[Flag]) -> Outcome<(Flags, Vec<Keyword>)> {
    let mut flags = Flags::NONE;
    let mut keywords = Vec::new();
    for flag in given {
        match flag {
            Flag::Answered => flags = flags.with(Flags::ANSWERED),
            Flag::Flagged => flags = flags.with(Flags::FLAGGED),
            Flag::Deleted => flags = flags.with(Flags::DELETED),
            Flag::Seen => flags = flags.with(Flags::SEEN),
            Flag::Draft => flags = flags.with(Flags::DRAFT),
            Flag::Keyword(name) => keywords.push(
                Keyword::new(name)
                    .ok_or(Refusal::No(Some(Code::Limit), "A keyword is an atom of at most 255 characters."))?,
            ),
        }
    }
    Ok((flags, keywords))
}
