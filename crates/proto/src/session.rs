//! The one signature of all protocol sessions.

use std::time::Instant;

/// One connection's protocol state. The driver owns the socket and the receive buffer and does, in turn:
///
/// 1. [`output`](Self::output), and writes it out when the session waits or the buffer is well filled;
/// 2. [`input`](Self::input) with what was received, only while [`wants_input`](Self::wants_input);
/// 3. with a request, [`output`](Self::output) first, then what it asks, then [`answer`](Self::answer).
///
/// It reads no more while a request is unanswered: that is the whole flow control.
pub trait Session {
    /// What the session asks of its driver.
    type Request;
    /// What the driver tells it.
    type Answer;

    /// False while an answer is awaited or the session has ended.
    fn wants_input(&self) -> bool;

    /// Takes received octets: how many it consumed, and at most one request. The driver calls again with the
    /// rest while either is more than nothing. Octets that were consumed are never needed again; of those
    /// that were not, the driver holds at most what the session's limits allow.
    fn input(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Self::Request>);

    /// Answers the one outstanding request.
    fn answer(&mut self, now: Instant, answer: Self::Answer);

    /// Moves what is to be sent to the end of `out`.
    fn output(&mut self, out: &mut Vec<u8>);

    /// When [`timeout`](Self::timeout) is to be called unless something is received before.
    fn deadline(&self) -> Option<Instant>;

    /// The deadline has passed: takes leave in the protocol's words and ends.
    fn timeout(&mut self, now: Instant);

    /// The server is going down: takes leave in the protocol's words and ends. What is under way may finish.
    fn shutdown(&mut self);

    /// Whether the driver is to close once all output is written.
    fn is_closed(&self) -> bool;
}
