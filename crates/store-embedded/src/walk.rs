//! A walk through all rows of a table, beside the work of the store.

use bytes::Bytes;
use store::Result;

use crate::engine::Engine;
use crate::state::{Key, Table};

/// Rows looked at together.
const ROWS: usize = 1000;

impl Engine {
    /// Visits all rows of a table, some at a time: no long transaction holds back the index.
    pub fn each_row(&self, table: Table, mut visit: impl FnMut(&Key, &Bytes) -> Result<()>) -> Result<()> {
        let mut from = Key::first(table);
        loop {
            let rows = self.range(&from, &Key::last(table), ROWS)?;
            let is_last = rows.len() < ROWS;
            for (key, octets) in &rows {
                visit(key, octets)?;
            }
            match rows.into_iter().next_back() {
                Some((key, _)) if !is_last => from = key.successor(),
                _ => return Ok(()),
            }
        }
    }
}
