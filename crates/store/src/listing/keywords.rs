//! A folder's keywords, and the sets of them that its rows name by number.

use std::collections::{HashMap, HashSet};

use crate::{Error, Keyword, Result};

pub(super) const MAX_KEYWORDS: usize = 4096;

/// A set of keywords by its number in the folder's table; number 0 is the empty set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeywordSet(pub u32);

/// Numbers and positions that a row uses never move, so rows need not be rewritten when others are released.
#[derive(Clone, Debug)]
pub(super) struct KeywordTable {
    names: Vec<Keyword>,
    by_name: HashMap<String, u16>,
    /// Empty at number 0 and at the numbers in `free`.
    sets: Vec<Box<[u16]>>,
    by_members: HashMap<Box<[u16]>, u32>,
    free: Vec<u32>,
    /// Sets in use when they were last counted.
    used: usize,
}

impl Default for KeywordTable {
    fn default() -> Self {
        let empty: Box<[u16]> = Box::default();
        Self {
            names: Vec::new(),
            by_name: HashMap::new(),
            sets: vec![empty.clone()],
            by_members: HashMap::from([(empty, 0)]),
            free: Vec::new(),
            used: 1,
        }
    }
}

impl KeywordTable {
    pub fn restore(names: Vec<Keyword>, sets: Vec<Vec<u16>>) -> Option<Self> {
        if names.len() > MAX_KEYWORDS || sets.first().is_some_and(|first| !first.is_empty()) {
            return None;
        }
        let mut table = Self::default();
        for name in names {
            let double = table.by_name.insert(lower(&name), table.names.len() as u16);
            if double.is_some() {
                return None;
            }
            table.names.push(name);
        }
        for members in sets.into_iter().skip(1) {
            let ascending = members.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            if !ascending || members.last().is_some_and(|&last| usize::from(last) >= table.names.len()) {
                return None;
            }
            let number = table.sets.len() as u32;
            let members: Box<[u16]> = members.into();
            if members.is_empty() {
                table.free.push(number);
            } else if table.by_members.insert(members.clone(), number).is_some() {
                return None;
            }
            table.sets.push(members);
        }
        table.used = table.sets.len() - table.free.len();
        Some(table)
    }

    pub fn names(&self) -> &[Keyword] {
        &self.names
    }

    pub fn sets(&self) -> impl Iterator<Item = &[u16]> {
        self.sets.iter().map(|set| &**set)
    }

    pub fn has(&self, set: KeywordSet) -> bool {
        self.sets.get(set.0 as usize).is_some_and(|members| set.0 == 0 || !members.is_empty())
    }

    pub fn members(&self, set: KeywordSet) -> impl Iterator<Item = &Keyword> {
        self.positions(set).iter().filter_map(|&at| self.names.get(usize::from(at)))
    }

    pub fn positions(&self, set: KeywordSet) -> &[u16] {
        self.sets.get(set.0 as usize).map_or(&[], |set| set)
    }

    pub fn position(&self, keyword: &Keyword) -> Option<u16> {
        self.by_name.get(&lower(keyword)).copied()
    }

    /// The ascending positions of those keywords that are there.
    pub fn known(&self, keywords: &[Keyword]) -> Vec<u16> {
        ascending(keywords.iter().filter_map(|keyword| self.position(keyword)).collect())
    }

    /// Whether all of the keywords are there or find room beside the others.
    pub fn has_room(&self, keywords: &[Keyword]) -> bool {
        let new = keywords.iter().filter(|keyword| self.position(keyword).is_none());
        self.names.len() + new.map(lower).collect::<HashSet<_>>().len() <= MAX_KEYWORDS
    }

    /// The ascending positions of the keywords, made where new: at the end, or when the folder has its fill in
    /// place of a `spare` one; then `Limit`.
    pub fn intern(&mut self, keywords: &[Keyword], mut spare: Vec<u16>) -> Result<Vec<u16>> {
        let mut members = Vec::with_capacity(keywords.len());
        for keyword in keywords {
            let at = match self.position(keyword) {
                Some(at) => at,
                None => self.add(keyword, &mut spare)?,
            };
            members.push(at);
        }
        Ok(ascending(members))
    }

    fn add(&mut self, keyword: &Keyword, spare: &mut Vec<u16>) -> Result<u16> {
        let at = if self.names.len() < MAX_KEYWORDS {
            self.names.push(keyword.clone());
            (self.names.len() - 1) as u16
        } else {
            let limit = || Error::Limit(format!("a folder holds at most {MAX_KEYWORDS} different keywords"));
            let at = spare.pop().ok_or_else(limit)?;
            let name = self.names.get_mut(usize::from(at)).ok_or_else(limit)?;
            let forgotten = std::mem::replace(name, keyword.clone());
            self.by_name.remove(&lower(&forgotten));
            at
        };
        self.by_name.insert(lower(keyword), at);
        Ok(at)
    }

    pub fn find_set(&self, members: &[u16]) -> Option<KeywordSet> {
        self.by_members.get(members).map(|&number| KeywordSet(number))
    }

    /// The set with these members (ascending, without doubles), made when it is new.
    pub fn intern_set(&mut self, members: Vec<u16>) -> KeywordSet {
        if let Some(set) = self.find_set(&members) {
            return set;
        }
        let members: Box<[u16]> = members.into();
        let number = self.free.pop().unwrap_or(self.sets.len() as u32);
        self.by_members.insert(members.clone(), number);
        match self.sets.get_mut(number as usize) {
            Some(free) => *free = members,
            None => self.sets.push(members),
        }
        KeywordSet(number)
    }

    /// Whether so many sets were made since the last count that a new one is worth its while.
    pub fn is_crowded(&self) -> bool {
        const FEW: usize = 1024;
        self.free.is_empty() && self.sets.len() > FEW.max(2 * self.used)
    }

    /// Frees the numbers of all sets but those in use.
    pub fn release(&mut self, in_use: &HashSet<KeywordSet>) {
        self.free.clear();
        for (number, members) in self.sets.iter_mut().enumerate().skip(1) {
            let number = number as u32;
            if !in_use.contains(&KeywordSet(number)) {
                self.by_members.remove(members);
                *members = Box::default();
                self.free.push(number);
            }
        }
        self.by_members.insert(Box::default(), 0);
        self.used = self.sets.len() - self.free.len();
    }

    /// Positions of keywords in none of the sets and not among `wanted`.
    pub fn spare(&self, wanted: &[u16]) -> Vec<u16> {
        let used: HashSet<u16> = self.sets.iter().flat_map(|set| set.iter()).chain(wanted).copied().collect();
        (0..self.names.len() as u16).filter(|at| !used.contains(at)).collect()
    }
}

fn lower(keyword: &Keyword) -> String {
    keyword.as_str().to_ascii_lowercase()
}

fn ascending(mut positions: Vec<u16>) -> Vec<u16> {
    positions.sort_unstable();
    positions.dedup();
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(names: &[&str]) -> Vec<Keyword> {
        names.iter().filter_map(|name| Keyword::new(name)).collect()
    }

    fn restored(names: &[&str], sets: &[&[u16]]) -> Option<KeywordTable> {
        KeywordTable::restore(words(names), sets.iter().map(|set| set.to_vec()).collect())
    }

    #[test]
    fn a_table_with_released_sets_comes_back_as_it_was() {
        let mut table = KeywordTable::default();
        for names in [&["a"][..], &["a", "b"], &["c"]] {
            let members = table.intern(&words(names), Vec::new()).unwrap();
            table.intern_set(members);
        }
        table.release(&HashSet::from([KeywordSet(2)]));
        let mut back =
            KeywordTable::restore(table.names().to_vec(), table.sets().map(<[u16]>::to_vec).collect()).unwrap();
        assert_eq!(back.sets().collect::<Vec<_>>(), [&[][..], &[], &[0, 1], &[]]);
        assert_eq!([0, 1, 2, 3, 4].map(|n| back.has(KeywordSet(n))), [true, false, true, false, false]);
        assert!(back.intern_set(vec![2]).0 != 2);
        assert_eq!((back.find_set(&[]), back.sets().count()), (Some(KeywordSet(0)), 4));
    }

    #[test]
    fn damaged_tables_are_refused() {
        assert!(restored(&["a", "b"], &[&[], &[0, 1]]).is_some());
        assert!(restored(&["a", "A"], &[]).is_none(), "one keyword twice");
        assert!(restored(&["a"], &[&[0]]).is_none(), "the first set is the empty one");
        assert!(restored(&["a", "b"], &[&[], &[1, 0]]).is_none());
        assert!(restored(&["a"], &[&[], &[1]]).is_none());
        assert!(restored(&["a"], &[&[], &[0], &[0]]).is_none(), "one set twice");
    }
}
