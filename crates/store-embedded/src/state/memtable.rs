//! The newest rows, in memory until the index has them; and one view over several layers.

use std::collections::BTreeMap;

use bytes::Bytes;
use store::Result;

use super::Key;
use crate::index::Snapshot;

/// Rows put (`Some`) and taken away (`None`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Memtable {
    rows: BTreeMap<Key, Option<Bytes>>,
    octets: usize,
}

/// What a row costs in memory beside its own octets, about.
const OVERHEAD: usize = 80;

impl Memtable {
    pub fn put(&mut self, key: Key, value: Bytes) {
        self.set(key, Some(value));
    }

    pub fn delete(&mut self, key: Key) {
        self.set(key, None);
    }

    pub fn set(&mut self, key: Key, value: Option<Bytes>) {
        self.octets += key.octets().len() + value.as_ref().map_or(0, Bytes::len) + OVERHEAD;
        self.rows.insert(key, value);
    }

    /// `None` when this layer does not know of the row.
    pub fn get(&self, key: &Key) -> Option<&Option<Bytes>> {
        self.rows.get(key)
    }

    pub fn range(&self, from: &Key, to: &Key) -> impl Iterator<Item = (&Key, &Option<Bytes>)> {
        // An empty range rather than a panic when the ends are the wrong way round.
        (from <= to).then(|| self.rows.range(from..=to)).into_iter().flatten()
    }

    /// Lays newer rows over these.
    pub fn merge(&mut self, newer: Self) {
        self.octets += newer.octets;
        self.rows.extend(newer.rows);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Octets taken, about; rows overwritten count until the table is emptied.
    pub fn octets(&self) -> usize {
        self.octets
    }
}

/// The rows of a range as the layers have them, from the newest to the oldest layer.
pub(crate) fn overlay(layers: &[&Memtable], from: &Key, to: &Key) -> Overlay {
    let mut rows = BTreeMap::new();
    for layer in layers.iter().rev() {
        rows.extend(layer.range(from, to).map(|(key, value)| (key.clone(), value.clone())));
    }
    rows
}

/// Rows that lie over those of the index.
pub(crate) type Overlay = BTreeMap<Key, Option<Bytes>>;

/// At most `limit` rows from `from` to `to`, both included.
pub(crate) fn layered_range(
    overlay: Overlay,
    snapshot: &dyn Snapshot,
    from: &Key,
    to: &Key,
    limit: usize,
) -> Result<Vec<(Key, Bytes)>> {
    let mut overlay = overlay.into_iter().peekable();
    let mut found: Vec<(Key, Bytes)> = Vec::new();
    snapshot.range(from, to, &mut |key, value| {
        while let Some((newer, row)) = overlay.next_if(|(newer, _)| *newer < key) {
            found.extend(row.map(|row| (newer, row)));
        }
        match overlay.next_if(|(newer, _)| *newer == key) {
            Some((_, row)) => found.extend(row.map(|row| (key, row))),
            None => found.push((key, Bytes::copy_from_slice(value))),
        }
        found.len() < limit
    })?;
    found.extend(overlay.filter_map(|(key, row)| Some((key, row?))).take(limit.saturating_sub(found.len())));
    found.truncate(limit);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::SegmentId;

    struct Fixed(Vec<(Key, Bytes)>);

    impl Snapshot for Fixed {
        fn get(&self, key: &Key) -> Result<Option<Bytes>> {
            Ok(self.0.iter().find(|(found, _)| found == key).map(|(_, value)| value.clone()))
        }

        fn range(&self, from: &Key, to: &Key, visit: &mut dyn FnMut(Key, &[u8]) -> bool) -> Result<()> {
            for (key, value) in self.0.iter().filter(|(key, _)| from <= key && key <= to) {
                if !visit(key.clone(), value) {
                    break;
                }
            }
            Ok(())
        }
    }

    #[test]
    fn newer_layers_cover_older_ones_row_by_row() {
        let key = |n| Key::segment(SegmentId(n));
        let value = |text: &'static str| Bytes::from_static(text.as_bytes());
        let oldest = Fixed(vec![(key(1), value("a")), (key(2), value("b")), (key(4), value("d"))]);
        let (mut middle, mut newest) = (Memtable::default(), Memtable::default());
        middle.put(key(2), value("B"));
        middle.put(key(3), value("C"));
        newest.delete(key(3));
        newest.put(key(5), value("e"));
        let layers = [&newest, &middle];
        for (n, expected) in [(1, Some("a")), (2, Some("B")), (3, None), (4, Some("d")), (5, Some("e")), (6, None)] {
            let found = layered_range(overlay(&layers, &key(n), &key(n)), &oldest, &key(n), &key(n), 1).unwrap();
            assert_eq!(found.into_iter().map(|(_, row)| row).next(), expected.map(value), "{n}");
        }
        let all = [(1, "a"), (2, "B"), (4, "d"), (5, "e")];
        for limit in 0..=5 {
            let found = layered_range(overlay(&layers, &key(0), &key(9)), &oldest, &key(0), &key(9), limit).unwrap();
            let expected: Vec<_> = all.iter().take(limit).map(|&(n, text)| (key(n), value(text))).collect();
            assert_eq!(found, expected, "limit {limit}");
        }
    }
}
