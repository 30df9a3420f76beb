//! Writes, bounded in time by what the peer takes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Connection, End};

/// Output buffers larger than this are given back once written.
const KEEP: usize = 32 * 1024;

/// How long, and for how many octets, what a client still sends is taken and dropped before the close.
/// Closing with octets unread would reset the connection and take the last reply with it (RFC 1122
/// §4.2.2.13).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: u64 = 256 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Writes out all there is and gives the buffer back.
    pub async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let mut out = std::mem::take(&mut self.out);
        self.write_all(&out).await?;
        let stream = &mut self.stream;
        let (alarm, deadline) = (&mut self.alarm, tokio::time::Instant::now() + self.terms.stall);
        poll_fn(|cx| match Pin::new(&mut *stream).poll_flush(cx) {
            Poll::Ready(flushed) => Poll::Ready(flushed.map_err(End::Broken)),
            Poll::Pending => alarm.poll(cx, Some(deadline.into_std())).map(|()| Err(End::Stalled)),
        })
        .await?;
        if out.capacity() <= KEEP {
            out.clear();
            self.out = out;
        }
        Ok(())
    }

    /// Writes `octets` past the buffer, which must be empty. Each octet taken gives the peer time again.
    pub(super) async fn write_all(&mut self, mut octets: &[u8]) -> Result<(), End> {
        let stall = self.terms.stall;
        let Self { stream, alarm, octets_out, .. } = self;
        while !octets.is_empty() {
            let deadline = (tokio::time::Instant::now() + stall).into_std();
            let taken = poll_fn(|cx| match Pin::new(&mut *stream).poll_write(cx, octets) {
                Poll::Ready(Ok(0)) => Poll::Ready(Err(End::Closed)),
                Poll::Ready(taken) => Poll::Ready(taken.map_err(End::Broken)),
                Poll::Pending => alarm.poll(cx, Some(deadline)).map(|()| Err(End::Stalled)),
            })
            .await?;
            *octets_out += taken as u64;
            octets = octets.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Writes what is left, closes, and says why.
    pub(super) async fn finish(&mut self) -> End {
        let end = match (self.timed_out, self.told_to_leave) {
            (true, _) => End::TimedOut,
            (_, true) => End::Drained,
            _ => End::Finished,
        };
        if let Err(broken) = self.flush().await {
            return broken;
        }
        self.close().await;
        end
    }

    /// Writes what is left and closes, without a session.
    pub async fn leave(&mut self) {
        self.finish().await;
    }

    /// Ends the stream in an orderly way (under TLS: `close_notify`, RFC 8446 §6.1).
    pub(super) async fn close(&mut self) {
        let stream = &mut self.stream;
        let close = async {
            stream.shutdown().await?;
            tokio::io::copy(&mut stream.take(LINGER_OCTETS), &mut tokio::io::sink()).await
        };
        // Whether the peer still listens makes no difference any more.
        let _ = tokio::time::timeout(LINGER, close).await;
    }
}
