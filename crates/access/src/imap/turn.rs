//! Long work in small turns.

use std::future::poll_fn;
use std::task::Poll;

/// Counts work, so that none of it holds up what else runs on its thread for longer than a millisecond or so.
/// There is no clock here: a unit is about what it takes to look at one octet, and whoever works says how many
/// of them it was.
#[derive(Debug, Default)]
pub struct Turn {
    work: usize,
}

impl Turn {
    /// Work of one turn.
    pub const WORK: usize = 512 * 1024;

    /// Whether the turn is over with this work, and others are to have theirs.
    pub fn is_over(&mut self, work: usize) -> bool {
        self.work = self.work.saturating_add(work);
        let over = self.work >= Self::WORK;
        if over {
            self.work = 0;
        }
        over
    }

    /// Counts this work, and lets others have their turn if it was enough.
    pub async fn spend(&mut self, work: usize) {
        if self.is_over(work) {
            rest().await;
        }
    }
}

/// Gives every other task of the thread its turn, then goes on.
pub async fn rest() {
    let mut rested = false;
    poll_fn(|context| {
        if std::mem::replace(&mut rested, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_over_after_so_much_work_in_pieces_of_any_size() {
        for piece in [1000, Turn::WORK / 2, Turn::WORK, usize::MAX] {
            let mut turn = Turn::default();
            let pieces = (1..).find(|_| turn.is_over(piece));
            assert_eq!(pieces, Some(Turn::WORK.div_ceil(piece)), "{piece}");
        }
    }
}
