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

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Does `work`, and gives it up when the client has left. What the client sends meanwhile is kept for the
    /// session, as far as there is room.
    pub async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut work = pin!(work);
        let mut leave = None;
        poll_fn(|cx| {
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
            self.alarm.poll(cx, leave).map(|()| Err(End::Closed))
        })
        .await
    }
}
