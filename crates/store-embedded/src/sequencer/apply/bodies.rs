//! Bodies and messages come, move and go.

use store::{BodyId, FolderId, MessageId, Result, Timestamp, Uid};

use crate::log::{BodyRecord, MessageRecord, SegmentId, Stored};
use crate::sequencer::Pending;
use crate::state::{BodyRow, Key, MessageRow, Place, RetainedPage};

impl Pending {
    pub(super) fn apply_body(&mut self, body: &BodyRecord) -> Result<()> {
        let (segment, bodies_at) = self.bodies_at();
        let place = match body.stored {
            Stored::Here(at) => Place::Segment { segment, offset: bodies_at + u64::from(at) },
            Stored::File(number) => Place::File(number),
        };
        self.counters.content = self.counters.content.max(body.id.0 + u64::from(body.messages.max(1)) - 1);
        let row = body.row(segment, place);
        if self.is_worse(body.id, &row)? {
            return Ok(());
        }
        if let Place::File(number) = place {
            self.put(Key::file(number), &body.id)?;
        }
        self.count_live(segment, row.live());
        self.put(Key::body(body.id), &row)?;
        self.put_octets(Key::outline(body.id), &body.outline);
        Ok(())
    }

    /// An index made anew meets a body at each place that it ever lay: the later one may never have become durable, or
    /// may be damaged or gone while an earlier one is whole.
    fn is_worse(&self, id: BodyId, row: &BodyRow) -> Result<bool> {
        Ok(self.rebuilding && self.get(&Key::body(id))?.is_some() && !self.engine.is_whole(row)?)
    }

    pub(super) fn apply_message(&mut self, message: &MessageRecord) -> Result<()> {
        let (segment, _) = self.bodies_at();
        let row = MessageRow { body: message.body, segment, prefix: message.prefix.clone().into() };
        self.count_live(segment, row.live());
        self.put(Key::message(message.id), &row)
    }

    pub(super) fn apply_purge(&mut self, folder: FolderId, at: Timestamp, first: Uid) -> Result<()> {
        let key = Key::expunged(at, folder, first.get());
        let Some(RetainedPage { rows, .. }) = self.row(&key)? else { return Ok(()) };
        self.delete(key);
        for row in rows {
            self.delete(Key::reference(row.message, folder, row.uid.get()));
            self.free_message(row.message)?;
        }
        Ok(())
    }

    /// Takes a message away that nothing refers to any more, and its body with the last message of it.
    pub fn free_message(&mut self, id: MessageId) -> Result<()> {
        let from = Key::reference(id, FolderId(0), 0);
        let to = Key::reference(id, FolderId(u64::MAX), u32::MAX);
        if !self.range(&from, &to, 1)?.is_empty() {
            return Ok(());
        }
        let Some(message) = self.row::<MessageRow>(&Key::message(id))? else { return Ok(()) };
        self.delete(Key::message(id));
        self.count_live(message.segment, -message.live());
        self.free_body(message.body)
    }

    /// Takes a body away that no message uses any more.
    pub fn free_body(&mut self, id: BodyId) -> Result<()> {
        let Some(body) = self.row::<BodyRow>(&Key::body(id))? else { return Ok(()) };
        let from = Key::message(MessageId(id.0));
        let to = Key::message(MessageId(id.0 + u64::from(body.messages.max(1)) - 1));
        if !self.range(&from, &to, 1)?.is_empty() {
            return Ok(());
        }
        self.delete(Key::body(id));
        self.delete(Key::outline(id));
        self.count_live(body.segment, -body.live());
        if let Place::File(number) = body.place {
            self.delete(Key::file(number));
            self.forming.unneeded.push(number);
        }
        Ok(())
    }

    pub(super) fn apply_moved(&mut self, id: BodyId, from: (SegmentId, Place), to: (SegmentId, Place)) -> Result<()> {
        let Some(mut body) = self.row::<BodyRow>(&Key::body(id))? else { return Ok(()) };
        if (body.segment, body.place) != from {
            return Ok(());
        }
        let before = body.clone();
        (body.segment, body.place) = to;
        if self.is_worse(id, &body)? {
            return Ok(());
        }
        self.count_live(before.segment, -before.live());
        self.count_live(body.segment, body.live());
        self.put(Key::body(id), &body)
    }

    pub(super) fn apply_message_moved(&mut self, id: MessageId, from: SegmentId, to: SegmentId) -> Result<()> {
        let Some(mut message) = self.row::<MessageRow>(&Key::message(id))? else { return Ok(()) };
        if message.segment != from {
            return Ok(());
        }
        self.count_live(from, -message.live());
        self.count_live(to, message.live());
        message.segment = to;
        self.put(Key::message(id), &message)
    }
}
