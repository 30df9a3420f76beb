//! Waits for a session's next request.

use std::future::{Future, pending, poll_fn};
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Instant;

use proto::Session;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Connection, End, Received};
use crate::connection::stream::Stream;

/// What came first.
#[derive(Debug)]
pub enum Wake<R, T> {
    Request(R),
    Event(T),
}

/// Why the wait for octets was over.
enum Woken<T> {
    Received(usize),
    Event(T),
    Deadline,
    Drain,
    /// The time to finish what is under way is over.
    DrainOver,
    LogOnOver,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Drives the session to its next request. The end of the connection is the error: the service
    /// function returns it.
    pub async fn next<P: Session>(&mut self, session: &mut P) -> Result<P::Request, End> {
        match self.next_or(session, pending::<std::convert::Infallible>()).await? {
            Wake::Request(request) => Ok(request),
            Wake::Event(never) => match never {},
        }
    }

    /// As [`next`](Self::next), or the outcome of `event` if the session is waiting when it comes: so that
    /// IDLE hears of changes. `event` is dropped when a request comes first.
    pub async fn next_or<P: Session, T>(
        &mut self,
        session: &mut P,
        event: impl Future<Output = T>,
    ) -> Result<Wake<P::Request, T>, End> {
        let mut event = pin!(event);
        // Whether the session may make something of what there is without more being received.
        let mut hungry = true;
        loop {
            session.output(&mut self.out);
            if session.is_closed() {
                return Err(self.finish().await);
            }
            self.flush_above_low_water().await?;
            let wants_input = session.wants_input();
            if wants_input && hungry {
                self.received.begin_input();
                let (consumed, request) = session.input(self.now(), self.received.unread());
                self.received.consume(consumed);
                if let Some(request) = request {
                    // What was said with the request comes before what is done for it: STARTTLS's go-ahead, and
                    // the answers to commands before a reply.
                    session.output(&mut self.out);
                    return Ok(Wake::Request(request));
                }
                hungry = consumed > 0;
                continue;
            }
            let held = self.received.unread().len();
            if wants_input && held >= Received::MAX {
                return Err(End::Overrun(held));
            }
            self.flush().await?;
            match self.wait(session.deadline(), wants_input, event.as_mut()).await? {
                Woken::Received(_) => hungry = true,
                Woken::Event(event) => return Ok(Wake::Event(event)),
                Woken::Deadline => {
                    self.timed_out = true;
                    let now = self.now();
                    session.timeout(now);
                    if !session.is_closed() && session.deadline().is_some_and(|deadline| deadline <= now) {
                        return Err(End::TimedOut);
                    }
                }
                Woken::Drain => {
                    self.told_to_leave = true;
                    session.shutdown();
                }
                Woken::DrainOver => return Err(self.dismiss(GOING_DOWN, End::Drained).await),
                Woken::LogOnOver => return Err(self.dismiss(LOG_ON_OVER, End::LogOnOver).await),
            }
        }
    }

    /// Waits until something is received, `event` comes, the deadline passes or the service stops.
    async fn wait<T>(
        &mut self,
        deadline: Option<Instant>,
        read: bool,
        event: Pin<&mut impl Future<Output = T>>,
    ) -> Result<Woken<T>, End> {
        let first = self.octets_in == 0;
        let woken = self.wait_once(deadline, read, event).await?;
        if let Woken::Received(count) = woken {
            self.octets_in += count as u64;
            if first && self.received.unread().first() == Some(&TLS_HANDSHAKE) {
                return Err(self.refuse_tls().await);
            }
        }
        Ok(woken)
    }

    async fn wait_once<T>(
        &mut self,
        deadline: Option<Instant>,
        read: bool,
        mut event: Pin<&mut impl Future<Output = T>>,
    ) -> Result<Woken<T>, End> {
        let Self { stream, received, out, alarm, drain, log_on, told_to_leave, .. } = self;
        let is_leaving = *told_to_leave;
        let mut draining = pin!(async { if is_leaving { drain.wait_for_end().await } else { drain.wait().await } });
        let mut log_on_over = pin!(async {
            match log_on {
                Some(log_on) => log_on.wait_for_end().await,
                None => pending().await,
            }
        });
        poll_fn(|cx| {
            if read && let Poll::Ready(filled) = received.poll_fill(cx, stream) {
                return Poll::Ready(match filled {
                    Ok(0) => Err(End::Closed),
                    Ok(count) => Ok(Woken::Received(count)),
                    // TLS ended without close_notify, as many clients do.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(End::Closed),
                    Err(error) => Err(End::Broken(error)),
                });
            }
            if let Poll::Ready(event) = event.as_mut().poll(cx) {
                return Poll::Ready(Ok(Woken::Event(event)));
            }
            if draining.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(if is_leaving { Woken::DrainOver } else { Woken::Drain }));
            }
            if log_on_over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Woken::LogOnOver));
            }
            if out.is_empty() {
                *out = Vec::new();
            }
            alarm.poll(cx, deadline).map(|()| Ok(Woken::Deadline))
        })
        .await
    }

    /// A ClientHello where a greeting was already sent: TLS cannot begin any more, and the client is told so
    /// in its own terms.
    async fn refuse_tls(&mut self) -> End {
        if !matches!(self.stream, Stream::Plain(_)) {
            return End::Broken(ErrorKind::InvalidData.into());
        }
        self.out.extend_from_slice(&UNEXPECTED_MESSAGE);
        self.finish().await;
        End::TlsOnClearPort
    }
}

const GOING_DOWN: &str = "The server is going down, and what was under way took too long.";
const LOG_ON_OVER: &str = "The mailbox's password was changed or the mailbox was removed. Log on again.";

/// RFC 8446 §5.1: the content type of a handshake record, with which every ClientHello begins.
pub(super) const TLS_HANDSHAKE: u8 = 22;

/// RFC 8446 §6: a fatal alert, `unexpected_message`.
const UNEXPECTED_MESSAGE: [u8; 7] = [21, 3, 1, 0, 2, 2, 10];
