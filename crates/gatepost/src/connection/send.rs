//! Pulls a reply to its end, octets of messages included.

use std::ops::Range;

use access::reply::{Coding, LOW_WATER, Reply, Splice, Step, Supply};
use bytes::{Bytes, BytesMut};
use proto::dot::Stuffer;
use store::{MessageId, Unit};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Connection, End};

/// Pieces of a message up to this size are put behind what is waiting to be sent; larger ones are sent as
/// they are.
const GATHER: usize = LOW_WATER;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends a reply. Its last octets may wait in the buffer until the session waits for the client.
    pub async fn send<R: Reply + ?Sized>(
        &mut self,
        reply: &mut R,
        mailboxes: &dyn store::Mailboxes,
    ) -> Result<(), End> {
        loop {
            let step = reply.output(&mut self.out);
            self.flush_above_low_water().await?;
            match step {
                Step::Done => return Ok(()),
                Step::More => {}
                Step::Rest => tokio::task::yield_now().await,
                Step::Splice(splice) => self.splice(splice, mailboxes).await?,
                Step::Outlines(messages) => {
                    let outlines = match mailboxes.outlines(&messages).await {
                        Ok(outlines) => outlines,
                        Err(error) => messages.iter().map(|_| Err(error.clone())).collect(),
                    };
                    reply.supply(Supply::Outlines(outlines));
                }
                Step::Octets { message, range } => {
                    reply.supply(Supply::Octets(read_all(mailboxes, message, range).await));
                }
            }
        }
    }

    /// A message that cannot be read to its end ends the connection: the client was promised its octets, and
    /// whatever came in their place would pass for them.
    async fn splice(&mut self, splice: Splice, mailboxes: &dyn store::Mailboxes) -> Result<(), End> {
        let Range { start: mut at, end } = splice.range;
        let mut stuffer = match splice.coding {
            Coding::Plain => None,
            Coding::DotStuffed { lines } => Some(Stuffer::new(lines)),
        };
        while at < end && !stuffer.as_ref().is_some_and(Stuffer::is_done) {
            let until = end.min(at.saturating_add(Unit::CHUNK));
            let chunk = mailboxes.read(splice.message, at..until).await.map_err(End::Message)?;
            if chunk.is_empty() {
                return Err(End::Message(store::Error::Gone));
            }
            at = at.saturating_add(chunk.len() as u64);
            if let Some(stuffer) = &mut stuffer {
                for piece in chunk.chunks(GATHER) {
                    stuffer.push(piece, &mut self.out);
                    self.flush_above_low_water().await?;
                }
            } else if chunk.len() > GATHER {
                self.flush().await?;
                self.write_all(&chunk).await?;
            } else {
                self.out.extend_from_slice(&chunk);
                self.flush_above_low_water().await?;
            }
        }
        if let Some(stuffer) = stuffer {
            stuffer.finish(&mut self.out);
        }
        Ok(())
    }

    pub(super) async fn flush_above_low_water(&mut self) -> Result<(), End> {
        if self.out.len() >= LOW_WATER { self.flush().await } else { Ok(()) }
    }
}

/// An engine may answer with fewer octets than asked for.
async fn read_all(mailboxes: &dyn store::Mailboxes, message: MessageId, range: Range<u64>) -> store::Result<Bytes> {
    let end = range.end.min(range.start.saturating_add(Step::MAX_READ));
    let mut octets = mailboxes.read(message, range.start..end).await?;
    let mut at = range.start.saturating_add(octets.len() as u64);
    if at >= end || octets.is_empty() {
        return Ok(octets);
    }
    let mut all = BytesMut::from(octets);
    loop {
        octets = mailboxes.read(message, at..end).await?;
        at = at.saturating_add(octets.len() as u64);
        all.extend_from_slice(&octets);
        if at >= end || octets.is_empty() {
            return Ok(all.freeze());
        }
    }
}
