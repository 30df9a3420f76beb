//! A folder's keywords, and the sets of them that its rows name by number.

use std::collections::HashMap;

use crate::{Error, Keyword, Result};

pub(super) const MAX_KEYWORDS: usize = 4096;

/// A set of keywords by its number in the folder's table; number 0 is the empty set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeywordSet(pub u32);

#[derive(Clone, Debug)]
pub(super) struct KeywordTable {
    names: Vec<Keyword>,
    by_name: HashMap<String, u16>,
    sets: Vec<Box<[u16]>>,
    by_members: HashMap<Box<[u16]>, u32>,
}

impl Default for KeywordTable {
    fn default() -> Self {
        let empty: Box<[u16]> = Box::default();
        Self {
            names: Vec::new(),
            by_name: HashMap::new(),
            sets: vec![empty.clone()],
            by_members: HashMap::from([(empty, 0)]),
        }
    }
}

impl KeywordTable {
    pub fn restore(names: Vec<Keyword>, sets: Vec<Vec<u16>>) -> Option<Self> {
        if names.len() > MAX_KEYWORDS {
            return None;
        }
        let mut table = Self::default();
        for name in names {
            table.by_name.insert(name.as_str().to_ascii_lowercase(), table.names.len() as u16);
            table.names.push(name);
        }
        for members in sets.into_iter().skip(1) {
            let ascending = members.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            if !ascending || members.last().is_some_and(|&last| usize::from(last) >= table.names.len()) {
                return None;
            }
            let members: Box<[u16]> = members.into();
            table.by_members.insert(members.clone(), table.sets.len() as u32);
            table.sets.push(members);
        }
        Some(table)
    }

    pub fn names(&self) -> &[Keyword] {
        &self.names
    }

    pub fn sets(&self) -> impl Iterator<Item = &[u16]> {
        self.sets.iter().map(|set| &**set)
    }

    pub fn has(&self, set: KeywordSet) -> bool {
        (set.0 as usize) < self.sets.len()
    }

    pub fn members(&self, set: KeywordSet) -> impl Iterator<Item = &Keyword> {
        self.positions(set).iter().filter_map(|&at| self.names.get(usize::from(at)))
    }

    pub fn positions(&self, set: KeywordSet) -> &[u16] {
        self.sets.get(set.0 as usize).map_or(&[], |set| set)
    }

    pub fn position(&self, keyword: &Keyword) -> Option<u16> {
        self.by_name.get(&keyword.as_str().to_ascii_lowercase()).copied()
    }

    /// The position of a keyword, made when it is new; `Limit` when the folder has its fill.
    pub fn intern(&mut self, keyword: &Keyword) -> Result<u16> {
        if let Some(at) = self.position(keyword) {
            return Ok(at);
        }
        if self.names.len() >= MAX_KEYWORDS {
            return Err(Error::Limit(format!("a folder holds at most {MAX_KEYWORDS} different keywords")));
        }
        let at = self.names.len() as u16;
        self.by_name.insert(keyword.as_str().to_ascii_lowercase(), at);
        self.names.push(keyword.clone());
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
        let number = self.sets.len() as u32;
        self.by_members.insert(members.clone(), number);
        self.sets.push(members);
        KeywordSet(number)
    }
}
