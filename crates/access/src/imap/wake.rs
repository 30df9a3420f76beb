//! Long work in small turns.

use std::future::poll_fn;
use std::task::Poll;

/// Rows or chunks that may be worked through before others get their turn.
pub const TURN: usize = 1024;

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
