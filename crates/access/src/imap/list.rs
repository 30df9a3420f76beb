//! LIST and LSUB (RFC 3501 §6.3.8, §6.3.9) with CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154).

use std::collections::{BTreeMap, HashSet};

use proto::imap::command::{List, ListPattern, Mailbox};
use proto::imap::write;
use store::{AccountId, FolderName, Mailboxes, SpecialUse};

use super::answer::{Answer, Part};
use super::pattern::Pattern;
use super::refusal::Outcome;
use super::turn::Turn;

/// What is told of one name.
#[derive(Default)]
struct Entry {
    /// Only a parent of names that the pattern does not reach.
    no_select: bool,
    special_use: Option<SpecialUse>,
}

pub async fn list(account: AccountId, mailboxes: &dyn Mailboxes, list: &List, answer: &mut Answer) -> Outcome {
    let mut out = Vec::new();
    if list.pattern.0.is_empty() {
        // RFC 3501 §6.3.8: the empty pattern asks for the separator and the root of the reference.
        write::list(&mut out, "LIST", ["\\Noselect"], FolderName::SEPARATOR, "");
        answer.push(Part::Text(out));
        return Ok(());
    }
    let folders = mailboxes.folders(account).await?;
    let parents: HashSet<&str> = folders.folders.iter().flat_map(|folder| parents(folder.name.as_str())).collect();
    let pattern = pattern(&list.reference, &list.pattern);
    let mut found = BTreeMap::new();
    let mut turn = Turn::default();
    for folder in &folders.folders {
        let name = folder.name.as_str();
        if list.special_use_only && folder.special_use.is_none() {
            continue;
        }
        turn.spend(pattern.work(name)).await;
        if pattern.matches(name) {
            found.insert(name, Entry { no_select: false, special_use: folder.special_use });
        }
    }
    if !list.special_use_only {
        add_parents(&mut found, &pattern, &parents, &mut turn).await;
    }
    for (name, entry) in found {
        let children = if parents.contains(name) { "\\HasChildren" } else { "\\HasNoChildren" };
        let special = entry.special_use.map(special_name);
        let no_select = entry.no_select.then_some("\\Noselect");
        let attributes = no_select.into_iter().chain([children]).chain(special);
        write::list(&mut out, "LIST", attributes, FolderName::SEPARATOR, name);
    }
    answer.push(Part::Text(out));
    Ok(())
}

pub async fn lsub(
    account: AccountId,
    mailboxes: &dyn Mailboxes,
    reference: &Mailbox,
    wanted: &ListPattern,
    answer: &mut Answer,
) -> Outcome {
    let folders = mailboxes.folders(account).await?;
    let pattern = pattern(reference, wanted);
    let mut found = BTreeMap::new();
    let mut above = HashSet::new();
    let mut turn = Turn::default();
    let subscribed = folders.folders.iter().filter(|folder| folder.subscribed).map(|folder| folder.name.as_str());
    for name in subscribed.chain(folders.subscribed_names.iter().map(FolderName::as_str)) {
        turn.spend(pattern.work(name)).await;
        if pattern.matches(name) {
            // RFC 3501 §6.3.9: a name that is no folder any more stays, and cannot be selected.
            let exists = folders.folders.binary_search_by(|folder| folder.name.as_str().cmp(name)).is_ok();
            found.insert(name, Entry { no_select: !exists, special_use: None });
        } else {
            above.extend(parents(name));
        }
    }
    // RFC 3501 §6.3.9: with `%`, a name that is not subscribed to but has such beneath it is told with \Noselect.
    add_parents(&mut found, &pattern, &above, &mut turn).await;
    let mut out = Vec::new();
    for (name, entry) in found {
        write::list(&mut out, "LSUB", entry.no_select.then_some("\\Noselect"), FolderName::SEPARATOR, name);
    }
    answer.push(Part::Text(out));
    Ok(())
}

/// RFC 3501 §6.3.8: the reference stands in front of the pattern.
fn pattern(reference: &Mailbox, pattern: &ListPattern) -> Pattern {
    Pattern::new(&FolderName::normalized(&format!("{}{}", reference.as_str(), pattern.0)))
}

/// Those of the names above others that `%` finds though they may be no folders themselves.
async fn add_parents<'a>(
    found: &mut BTreeMap<&'a str, Entry>,
    pattern: &Pattern,
    parents: &HashSet<&'a str>,
    turn: &mut Turn,
) {
    for &parent in parents.iter().filter(|_| pattern.has_percent()) {
        if !found.contains_key(parent) {
            turn.spend(pattern.work(parent)).await;
            if pattern.matches(parent) {
                found.insert(parent, Entry { no_select: true, special_use: None });
            }
        }
    }
}

/// `a/b` and `a` for `a/b/c`.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.rmatch_indices(FolderName::SEPARATOR).filter_map(|(at, _)| name.get(..at))
}

/// RFC 6154 §2.
fn special_name(special_use: SpecialUse) -> &'static str {
    match special_use {
        SpecialUse::Drafts => "\\Drafts",
        SpecialUse::Sent => "\\Sent",
        SpecialUse::Junk => "\\Junk",
        SpecialUse::Trash => "\\Trash",
        SpecialUse::Archive => "\\Archive",
    }
}
