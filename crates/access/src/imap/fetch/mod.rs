//! FETCH and UID FETCH (RFC 3501 §6.4.5, RFC 7162 §3.1.4).

mod cursor;
mod section;

use proto::imap::command::{Fetch, FetchItem};
use store::{Change, FlagChange, Flags, Mailboxes, ModSeq, UidSet};

pub use self::cursor::Cursor;
use super::answer::{Answer, Part};
use super::refusal::Outcome;
use super::session::{Selected, Session};
use super::set;
use crate::view::{Expunges, Positions};

pub async fn fetch(session: &mut Session, mailboxes: &dyn Mailboxes, fetch: Fetch, answer: &mut Answer) -> Outcome {
    let (by_uid, form) = (fetch.uid, session.form(fetch.uid));
    let selected = session.selected()?;
    // Numbers are those the client knew when it asked; UIDs mean also what is new.
    let by_number = match fetch.uid {
        true => None,
        false => Some(set::of_numbers(&selected.view, &fetch.set)?),
    };
    let since = fetch.changed_since.map(ModSeq);
    let mut updates = selected.refresh(mailboxes, None, Expunges::HeldBack).await?;
    let positions = by_number.unwrap_or_else(|| set::of_uids(&selected.view, &fetch.set));
    let mut seen = UidSet::new();
    if !selected.read_only && fetch.items.iter().any(FetchItem::sets_seen) {
        seen = unseen(selected, &positions, since);
        let change = Change::Flags { how: FlagChange::Add, flags: Flags::SEEN, keywords: Vec::new() };
        // Reading goes before remembering that it was read: a store that cannot write still shows its mail.
        if !seen.is_empty()
            && let Ok(applied) = mailboxes.apply(selected.folder, seen.clone(), change, None).await
        {
            let more = selected.refresh(mailboxes, Some(applied.listing), Expunges::HeldBack).await?;
            updates.exists = more.exists.or(updates.exists);
            updates.recent = more.recent.or(updates.recent);
            updates.keywords |= more.keywords;
            set::join(&mut updates.changed, &more.changed);
        }
    }
    // Changes that the responses themselves tell are not told twice.
    let all_flags = fetch.items.contains(&FetchItem::Flags);
    let fetched = selected.view.uids(&positions);
    updates.changed = updates
        .changed
        .iter()
        .filter(|uid| {
            let shown = (all_flags || seen.contains(*uid)) && fetched.contains(*uid);
            let chosen = selected.view.get(*uid).is_some_and(|row| since.is_none_or(|since| row.modseq > since));
            !(shown && chosen)
        })
        .collect();
    selected.push_updates(updates, form, answer);
    let cursor = Cursor::new(selected.view.clone(), positions, fetch, seen, form.modseq);
    answer.push(Part::Fetch(Box::new(cursor)));
    if by_uid {
        selected.push_expunges(form, answer);
    }
    Ok(())
}

/// Messages that will be seen by this FETCH and were not before.
fn unseen(selected: &Selected, positions: &Positions, since: Option<ModSeq>) -> UidSet {
    let view = &selected.view;
    let rows = positions.iter().flat_map(|range| view.rows_from(range.start).take(range.len()));
    rows.filter(|row| !row.flags.contains(Flags::SEEN) && since.is_none_or(|since| row.modseq > since))
        .filter(|row| !view.is_ghost(row.uid))
        .map(|row| row.uid)
        .collect()
}
