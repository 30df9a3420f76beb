//! Messages come in.

use std::any::Any;
use std::collections::HashMap;

use bytes::Bytes;
use store::{
    AccountId, BodyId, Content, DeliveryId, Error, MessageId, MessageSize, ModSeq, Placed, Placement, Result, Staged,
    Uid, UidValidity,
};

use super::Pending;
use crate::log::{BodyRecord, MessageRecord, PlaceRecord, Record, Stored, checksums};
use crate::stage::Spilled;
use crate::state::{DeliveryRow, Key};

/// A body that was staged, with its checksums taken.
pub(crate) struct ReadyBody {
    pub size: MessageSize,
    pub checksums: Vec<u32>,
    pub outline: Vec<u8>,
    pub content: ReadyContent,
}

pub(crate) enum ReadyContent {
    Inline(Bytes),
    File(u64),
}

/// What a body holds until it is durable: its part of the budget, or its file, which goes when this is dropped.
pub(crate) enum Held {
    Budget { _permit: Box<dyn Any + Send + Sync> },
    File(Box<Spilled>),
}

impl Held {
    /// The log speaks of it now, or may: from here on only the log decides whether a file is needed.
    pub fn used(self) {
        if let Self::File(mut spilled) = self {
            spilled.used = true;
        }
    }
}

/// What a placement comes to.
enum Judged {
    New(ModSeq, UidValidity),
    Known(Placed),
}

impl ReadyBody {
    /// `Invalid` for a body that was staged with another engine.
    pub fn of(staged: Staged) -> Result<(Self, Held)> {
        let Staged { size, outline, content } = staged;
        let outline = outline.encode();
        match content {
            Content::Inline { bytes, permit } => {
                let (checksums, content) = (checksums(&bytes), ReadyContent::Inline(bytes));
                Ok((Self { size, checksums, outline, content }, Held::Budget { _permit: permit }))
            }
            Content::Spilled { handle } => {
                let mut spilled = handle
                    .downcast::<Spilled>()
                    .map_err(|_| Error::Invalid("the body was staged with another store".into()))?;
                let checksums = std::mem::take(&mut spilled.checksums);
                let content = ReadyContent::File(spilled.number);
                Ok((Self { size, checksums, outline, content }, Held::File(spilled)))
            }
        }
    }
}

impl Pending {
    pub fn accept(
        &mut self,
        body: ReadyBody,
        placements: Vec<Placement>,
        all_or_none: bool,
    ) -> Result<Vec<Result<Placed>>> {
        if self.disk_full {
            return Err(Error::DiskFull);
        }
        if placements.is_empty() {
            return Ok(Vec::new());
        }
        if all_or_none {
            self.judge_all(body.size.octets(), &placements)?;
        }
        let id = BodyId(self.counters.content + 1);
        // Placements with the same prefix are the same message.
        let mut made: Vec<(MessageId, Bytes)> = Vec::new();
        let mut next = id.0;
        let mut answers = Vec::with_capacity(placements.len());
        for placement in placements {
            let known = made.iter().find(|(_, prefix)| *prefix == placement.prefix).map(|(message, _)| *message);
            let message = known.unwrap_or(MessageId(next));
            let prefix = placement.prefix.clone();
            let placed = self.place(message, body.size, placement)?;
            let is_new = matches!(&placed, Ok(placed) if !placed.duplicate);
            if is_new && known.is_none() {
                let record = MessageRecord { id: message, body: id, prefix: prefix.to_vec() };
                self.apply_and_log(&Record::Message(record))?;
                made.push((message, prefix));
                next += 1;
            }
            answers.push(placed);
        }
        if made.is_empty() {
            return Ok(answers);
        }
        let messages = made.len() as u32;
        let ReadyBody { size, checksums, outline, content } = body;
        let stored = self.take_body(content)?;
        let size = size.octets();
        let record = BodyRecord { id, size, stored, checksums, outline, messages };
        self.apply_and_log(&Record::Body(record))?;
        Ok(answers)
    }

    /// Takes a body into the frame being gathered.
    pub fn take_body(&mut self, content: ReadyContent) -> Result<Stored> {
        match content {
            ReadyContent::Inline(octets) => {
                let at = u32::try_from(self.bodies_length);
                let at = at.map_err(|_| Error::Unavailable("a batch over 4 GiB".into()))?;
                self.bodies_length += octets.len();
                self.bodies.push(octets);
                Ok(Stored::Here(at))
            }
            ReadyContent::File(number) => Ok(Stored::File(number)),
        }
    }

    /// The inner error is this placement's own: nothing was altered for it. After an outer one nothing of the whole
    /// batch counts.
    fn place(&mut self, message: MessageId, body: MessageSize, placement: Placement) -> Result<Result<Placed>> {
        let size = body.after(placement.prefix.len());
        let (modseq, uid_validity) = match self.judge(&placement, size.octets()) {
            Ok(Judged::New(modseq, uid_validity)) => (modseq, uid_validity),
            Ok(Judged::Known(placed)) => return Ok(Ok(placed)),
            Err(error) => return Ok(Err(error)),
        };
        let Placement { folder, flags, keywords, internal_date, delivery, .. } = placement;
        let uid = Uid::MIN;
        let record =
            PlaceRecord { folder, uid_validity, uid, modseq, message, size, internal_date, flags, keywords, delivery };
        let uid = match self.apply_place(&record) {
            Ok(uid) => uid,
            // One keyword too many, or no more UIDs.
            Err(error @ Error::Limit(_)) => return Ok(Err(error)),
            Err(error) => return Err(error),
        };
        let record = PlaceRecord { uid, ..record };
        self.remember_delivery(&record)?;
        self.log(&Record::Place(record))?;
        Ok(Ok(Placed { folder, uid_validity, uid, duplicate: false }))
    }

    /// The error of the first placement that could not be made after those before it.
    fn judge_all(&mut self, body: u64, placements: &[Placement]) -> Result<()> {
        let mut added: HashMap<AccountId, (u64, u64)> = HashMap::new();
        for placement in placements {
            let account = placement.folder.account();
            let size = placement.prefix.len() as u64 + body;
            if let Judged::New(..) = self.judge(placement, size)? {
                let (octets, messages) = added.entry(account).or_default();
                (*octets, *messages) = (*octets + size, *messages + 1);
                self.admit(account, *octets, *messages)?;
            }
        }
        Ok(())
    }

    fn judge(&mut self, placement: &Placement, size: u64) -> Result<Judged> {
        if placement.prefix.len() > Placement::MAX_PREFIX {
            return Err(Error::Limit(format!("a prefix has at most {} octets", Placement::MAX_PREFIX)));
        }
        let account = placement.folder.account();
        if let Some(known) = placement.delivery.map(|id| self.delivered(account, id)).transpose()?.flatten() {
            let DeliveryRow { folder, uid_validity, uid, .. } = known;
            return Ok(Judged::Known(Placed { folder, uid_validity, uid, duplicate: true }));
        }
        let uid_validity = self.folder(placement.folder)?.listing.uid_validity();
        Ok(Judged::New(self.admit(account, size, 1)?, uid_validity))
    }

    /// The next modseq of the account; `OverQuota` or `Limit` when it has no room for so much more.
    pub fn admit(&mut self, account: AccountId, octets: u64, messages: u64) -> Result<ModSeq> {
        let now = self.account_now(account)?;
        if now.quota.is_some_and(|quota| now.state.octets.saturating_add(octets) > quota) {
            return Err(Error::OverQuota);
        }
        let most = self.engine.options.max_messages;
        if now.state.messages.saturating_add(messages) > most {
            return Err(Error::Limit(format!("a mailbox holds at most {most} messages")));
        }
        Ok(ModSeq(now.state.modseq.0 + 1))
    }

    /// Where a delivery id was placed, as long as it is remembered.
    pub fn delivered(&mut self, account: AccountId, id: DeliveryId) -> Result<Option<DeliveryRow>> {
        Ok(self.find_delivery(account, id)?.map(|(_, row)| row))
    }

    fn find_delivery(&mut self, account: AccountId, id: DeliveryId) -> Result<Option<(Key, DeliveryRow)>> {
        let newest = self.engine.options.delivery_generation(self.now());
        for generation in (newest.saturating_sub(2)..=newest.saturating_add(1)).rev() {
            let key = Key::delivery(generation, account, id);
            if self.has_deliveries(generation)?
                && let Some(row) = self.row(&key)?
            {
                return Ok(Some((key, row)));
            }
        }
        Ok(None)
    }

    /// Whether any id of that generation may be remembered: most often only one generation has to be looked into.
    fn has_deliveries(&mut self, generation: u32) -> Result<bool> {
        if let Some(known) = self.delivery_generations.get(&generation) {
            return Ok(*known);
        }
        let from = Key::delivery(generation, AccountId(0), DeliveryId(0));
        let to = Key::delivery(generation, AccountId(u32::MAX), DeliveryId(u128::MAX));
        let any = !self.range(&from, &to, 1)?.is_empty();
        self.delivery_generations.insert(generation, any);
        Ok(any)
    }

    /// The log says it anew, in the segment being written.
    pub fn move_delivery(&mut self, account: AccountId, id: DeliveryId) -> Result<()> {
        let Some((key, row)) = self.find_delivery(account, id)? else { return Ok(()) };
        let (segment, _) = self.bodies_at();
        self.count_live(row.segment, -DeliveryRow::LIVE);
        self.count_live(segment, DeliveryRow::LIVE);
        self.put(key, &DeliveryRow { segment, ..row })
    }

    pub fn remember(&mut self, account: AccountId, id: DeliveryId, row: &DeliveryRow) -> Result<()> {
        // The generation is that of the engine's own time, not of the message's date, which may lie anywhere.
        let generation = self.engine.options.delivery_generation(self.now());
        let key = Key::delivery(generation, account, id);
        // A snapshot may say again what a record said.
        if self.rebuilding
            && let Some(before) = self.row::<DeliveryRow>(&key)?
        {
            self.count_live(before.segment, -DeliveryRow::LIVE);
        }
        let (segment, _) = self.bodies_at();
        self.count_live(segment, DeliveryRow::LIVE);
        self.delivery_generations.insert(generation, true);
        self.put(key, &DeliveryRow { segment, ..*row })
    }
}
