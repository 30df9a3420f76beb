//! Which messages are marked as deleted.

/// One bit a message, from the first mark on.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    words: Vec<u64>,
    count: u32,
}

impl Marks {
    pub fn has(&self, index: u32) -> bool {
        self.words.get(Self::word(index)).is_some_and(|word| word & Self::bit(index) != 0)
    }

    pub fn set(&mut self, index: u32) {
        if self.has(index) {
            return;
        }
        let at = Self::word(index);
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word |= Self::bit(index);
            self.count += 1;
        }
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    /// Those that are set, ascending.
    pub fn indices(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.words).flat_map(|(at, &word)| {
            let first = at * u64::BITS;
            (0..u64::BITS).filter(move |bit| word & 1 << bit != 0).map(move |bit| first + bit)
        })
    }

    const fn word(index: u32) -> usize {
        (index / u64::BITS) as usize
    }

    const fn bit(index: u32) -> u64 {
        1 << (index % u64::BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_those_set_and_counted_once() {
        let mut marks = Marks::default();
        for index in [0, 63, 64, 1000, 64] {
            assert_eq!(marks.has(index), index == 64 && marks.count() == 4);
            marks.set(index);
        }
        assert_eq!(marks.indices().collect::<Vec<_>>(), [0, 63, 64, 1000]);
        assert!((0..2000).filter(|&index| marks.has(index)).eq(marks.indices()));
        assert_eq!(marks.count(), 4);
    }
}
