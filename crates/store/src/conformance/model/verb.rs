//! Random verbs. They name accounts, folders and messages by small numbers, which the run turns into what is there
//! then, so that most verbs hit something and some hit nothing.

use proptest::prelude::*;

use crate::conformance::End;
use crate::{FlagChange, Unit};

pub(super) const LOCALS: [&str; 3] = ["ann", "bob", "cid"];
pub(super) const FOLDERS: [&str; 9] = ["INBOX", "inbox/x", "Sent", "a", "a/b", "a/b/c", "b", "b/c", "A"];
pub(super) const KEYWORDS: [&str; 5] = ["$Work", "$WORK", "a", "B", "c"];

#[derive(Clone, Debug)]
pub(super) enum Verb {
    CreateAccount { who: usize, alias: Option<usize>, quota: Option<u64> },
    ChangeAccount { who: usize, alias: Option<usize>, quota: Option<u64>, password: String },
    RemoveAccount { who: usize },
    AddDomain { name: &'static str },
    Set { changes: Vec<(u8, Option<u8>)> },
    Accept { seed: u64, size: usize, piece: usize, targets: Vec<Target> },
    Apply { place: Place, uids: Pick, edit: Edit, unless: Option<Since> },
    Tree { who: usize, edit: TreeEdit },
    Read { nth: usize, start: u64, length: u64 },
    ClaimRecent { place: Place },
    Lease { name: u8 },
    EndRetention,
    Reopen { end: End },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub who: usize,
    pub folder: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Target {
    pub place: Place,
    pub prefix: usize,
    pub flags: u8,
    pub keywords: Vec<usize>,
    pub date: i64,
    pub delivery: Option<u128>,
}

#[derive(Clone, Debug)]
pub(super) enum Pick {
    All,
    /// The messages at these positions.
    Rows(Vec<usize>),
    /// These UIDs, whether there or not.
    Ranges(Vec<(u32, u32)>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Since {
    Row(usize),
    Highest,
    Never,
}

#[derive(Clone, Debug)]
pub(super) enum Edit {
    Flags { how: FlagChange, flags: u8, keywords: Vec<usize> },
    Expunge,
    Copy { to: Place },
    Move { to: Place },
}

#[derive(Clone, Debug)]
pub(super) enum TreeEdit {
    Create(usize),
    Rename(usize, usize),
    Delete(usize),
    Subscribe(usize, bool),
}

pub(super) fn verbs() -> impl Strategy<Value = Vec<Verb>> {
    prop::collection::vec(verb(), 1..50)
}

fn verb() -> impl Strategy<Value = Verb> {
    let who = || 0..LOCALS.len();
    let alias = || prop::option::of(0..LOCALS.len());
    let quota = || prop::option::weighted(0.6, prop_oneof![Just(0), 500u64..9000, Just(2_000_000)]);
    prop_oneof![
        2 => (who(), alias(), quota()).prop_map(|(who, alias, quota)| Verb::CreateAccount { who, alias, quota }),
        2 => (who(), alias(), quota(), "[a-z]{1,3}")
            .prop_map(|(who, alias, quota, password)| Verb::ChangeAccount { who, alias, quota, password }),
        1 => who().prop_map(|who| Verb::RemoveAccount { who }),
        1 => prop::sample::select(vec!["example.test", "B.test", "b.test", "no domain"])
            .prop_map(|name| Verb::AddDomain { name }),
        1 => prop::collection::vec((0u8..4, prop::option::of(any::<u8>())), 0..4)
            .prop_map(|changes| Verb::Set { changes }),
        14 => (any::<u64>(), size(), prop_oneof![1usize..100, Just(65_536), Just(100_000)], targets())
            .prop_map(|(seed, size, piece, targets)| Verb::Accept { seed, size, piece, targets }),
        14 => (place(), pick(), edit(), prop::option::weighted(0.3, since()))
            .prop_map(|(place, uids, edit, unless)| Verb::Apply { place, uids, edit, unless }),
        8 => (who(), tree_edit()).prop_map(|(who, edit)| Verb::Tree { who, edit }),
        4 => (any::<usize>(), edge(), edge()).prop_map(|(nth, start, length)| Verb::Read { nth, start, length }),
        2 => place().prop_map(|place| Verb::ClaimRecent { place }),
        1 => (0u8..3).prop_map(|name| Verb::Lease { name }),
        1 => Just(Verb::EndRetention),
        3 => prop_oneof![Just(End::Closed), Just(End::Killed)].prop_map(|end| Verb::Reopen { end }),
    ]
}

/// Mostly ann's INBOX, so that folders fill.
fn place() -> impl Strategy<Value = Place> {
    let who = prop_oneof![6 => Just(0usize), 3 => Just(1usize), 1 => Just(2usize)];
    let folder = prop_oneof![4 => Just(0usize), 4 => 0..FOLDERS.len()];
    (who, folder).prop_map(|(who, folder)| Place { who, folder })
}

fn targets() -> impl Strategy<Value = Vec<Target>> {
    let target = (
        place(),
        prop_oneof![4 => Just(0usize), 3 => 8usize..300, 1 => Just(65_536usize)],
        0u8..32,
        keywords(),
        any::<i64>(),
        prop::option::of(0u128..6),
    );
    let target = target.prop_map(|(place, prefix, flags, keywords, date, delivery)| Target {
        place,
        prefix,
        flags,
        keywords,
        date,
        delivery,
    });
    prop::collection::vec(target, 0..5)
}

fn keywords() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..KEYWORDS.len(), 0..3)
}

fn size() -> impl Strategy<Value = usize> {
    let chunk = Unit::CHUNK as usize;
    prop_oneof![
        20 => 0usize..3000,
        2 => chunk - 2..chunk + 2,
        2 => 4 * chunk - 2..4 * chunk + 2,
        1 => 0usize..1_200_000,
    ]
}

/// Where a range may begin, and how long it may be.
fn edge() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..4000, 3 => 0u64..4 * Unit::CHUNK, 1 => Just(Unit::CHUNK), 1 => any::<u64>()]
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        2 => Just(Pick::All),
        4 => prop::collection::vec(0usize..20, 1..5).prop_map(Pick::Rows),
        2 => prop::collection::vec((1u32..30, 1u32..30), 0..4).prop_map(Pick::Ranges),
    ]
}

fn since() -> impl Strategy<Value = Since> {
    prop_oneof![3 => (0usize..20).prop_map(Since::Row), 1 => Just(Since::Highest), 1 => Just(Since::Never)]
}

fn edit() -> impl Strategy<Value = Edit> {
    let how = prop_oneof![Just(FlagChange::Add), Just(FlagChange::Remove), Just(FlagChange::Replace)];
    prop_oneof![
        5 => (how, 0u8..32, keywords()).prop_map(|(how, flags, keywords)| Edit::Flags { how, flags, keywords }),
        1 => Just(Edit::Expunge),
        2 => place().prop_map(|to| Edit::Copy { to }),
        3 => place().prop_map(|to| Edit::Move { to }),
    ]
}

fn tree_edit() -> impl Strategy<Value = TreeEdit> {
    let name = || 0..FOLDERS.len();
    prop_oneof![
        4 => name().prop_map(TreeEdit::Create),
        3 => (name(), name()).prop_map(|(from, to)| TreeEdit::Rename(from, to)),
        2 => name().prop_map(TreeEdit::Delete),
        2 => (name(), any::<bool>()).prop_map(|(name, subscribed)| TreeEdit::Subscribe(name, subscribed)),
    ]
}
