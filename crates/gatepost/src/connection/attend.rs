//! Work for a client, as long as there is one.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Connection, End, Received};

/// How long work goes on for a client that has nothing more to say. It may only have closed its own direction
/// and wait for the answer, as `printf ... | nc` does; more likely it is gone.
const LEAVE: Duration = Duration::from_secs(10);

/// What becomes of work when the service stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It is done: it may change something.
    Finishes,
    /// It is given up, and the client told so: it only looks, and may take long.
    GivesWay,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Does `work`, and gives it up when the client has left. What the client sends meanwhile is kept for the
    /// session, as far as there is room.
    pub async fn attend<T>(&mut self, kind: Work, work: impl Future<Output = T>) -> Result<T, End> {
        let mut work = pin!(work);
        let mut leave = None;
        let mut drain = self.drain.clone();
        let mut draining = pin!(drain.wait());
        let attended = poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            while leave.is_none() && self.received.unread().len() < Received::MAX {
                match self.received.poll_fill(cx, &mut self.stream) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(count)) if count > 0 => self.octets_in += count as u64,
                    // TLS may end without close_notify, as with many clients.
                    Poll::Ready(Err(error)) if error.kind() != ErrorKind::UnexpectedEof => {
                        return Poll::Ready(Err(End::Broken(error)));
                    }
                    Poll::Ready(_) => leave = Some(self.now() + LEAVE),
                }
            }
            if kind == Work::GivesWay && draining.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(End::Drained));
            }
            self.alarm.poll(cx, leave).map(|()| Err(End::Closed))
        })
        .await;
        if matches!(attended, Err(End::Drained)) {
            self.told_to_leave = true;
            self.out.extend_from_slice(&self.terms.protocol.refusal("The server is going down; connect again later."));
            return Err(self.finish().await);
        }
        attended
    }
}
