//! The sequencer's thread: gathers verbs while the last durable point is on its way to disk, then makes that visible and
//! answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, select_biased};
use store::{Error, Result};

use super::{Held, Pending};
use crate::engine::Engine;
use crate::log::{FrameHeader, Lsn, Position, Predecessor, SegmentHeader};
use crate::state::{Counters, Key};
use crate::writer::Writer;

/// Tells a caller how it ended.
pub(crate) type Answer = Box<dyn FnOnce(Result<()>) + Send>;
pub(crate) type Verb = Box<dyn FnOnce(Result<&mut Pending>) -> Option<Answer> + Send>;

pub(crate) enum Message {
    Verb(Verb),
    Close,
}

/// How a batch ended.
pub(crate) enum Written {
    /// After so long.
    Durable(Duration),
    /// Nothing of it counts; the log goes on at this place, or in a segment yet to be begun.
    Lost { error: Error, resume: Option<Position> },
}

/// What the writer is to make durable in one.
pub(crate) struct Batch {
    pub lsn: Lsn,
    pub frame: Position,
    /// Set when its segment is to be begun first.
    pub begins: Option<SegmentHeader>,
    pub bodies: Vec<Bytes>,
    /// What its bodies hold until it is durable.
    pub held: Vec<Held>,
    pub records: Vec<u8>,
}

/// A batch on its way to disk: what is to be done when it is there. Its changes are [`Pending::flying`].
struct Flight {
    lsn: Lsn,
    /// The end of its frame; a batch without records has none, and only waits for those before it.
    end: Option<Position>,
    answers: Vec<Answer>,
}

/// When what was decided sets out.
enum Due {
    Now,
    At(Instant),
    /// Not before something else happens.
    Unknown,
}

/// A batch smaller than the last one waits for more.
struct Patience {
    /// How many the last one answered.
    last: usize,
    until: Instant,
    /// Nobody asked for anything while the last one was written.
    is_quiet: bool,
}

impl Patience {
    /// The part of a write's time for which it waits, and how long at most.
    const PART: u32 = 4;
    const LIMIT: Duration = Duration::from_millis(2);
}

/// The way to the writer's thread and back: the writer goes along with each batch.
pub(crate) type WriterThread = (Sender<(Writer, Batch)>, Receiver<(Writer, Written)>);

pub(crate) struct Sequencer {
    engine: Arc<Engine>,
    pending: Pending,
    inbox: Receiver<Message>,
    /// Away while a batch is on its way to disk.
    writer: Option<Writer>,
    batches: Sender<(Writer, Batch)>,
    written: Receiver<(Writer, Written)>,
    flight: Option<Flight>,
    patience: Patience,
    answers: Vec<Answer>,
    /// The end of the last batch handed over.
    end: Position,
    last: Lsn,
    begins: Option<SegmentHeader>,
}

impl Sequencer {
    /// `end`: where the log goes on; `begin_segment`: in a new segment rather than right there.
    pub fn new(
        engine: Arc<Engine>,
        counters: Counters,
        inbox: Receiver<Message>,
        writer: Writer,
        (batches, written): WriterThread,
        (end, begin_segment): (Position, bool),
        last: Lsn,
    ) -> Self {
        let pending = Pending::new(engine.clone(), counters);
        let patience = Patience { last: 0, until: Instant::now(), is_quiet: true };
        let (writer, flight, answers, begins) = (Some(writer), None, Vec::new(), None);
        let mut sequencer =
            Self { engine, pending, inbox, writer, batches, written, flight, patience, answers, end, last, begins };
        if begin_segment {
            sequencer.begin_segment();
        }
        sequencer
    }

    /// Runs until the store closes: then everything asked before is durable.
    ///
    /// What was decided goes on its way when the writer is free; meanwhile the next batch forms. A full one waits for
    /// the writer, and callers with it.
    pub fn run(mut self) {
        let (mut closing, never) = (false, crossbeam_channel::never());
        while !self.engine.is_poisoned() {
            let due = self.due(closing);
            let wake = match due {
                Due::Now if self.is_alone() => {
                    self.write_here();
                    continue;
                }
                Due::Now => {
                    self.hand_over();
                    crossbeam_channel::never()
                }
                Due::At(time) => crossbeam_channel::at(time),
                Due::Unknown => crossbeam_channel::never(),
            };
            if closing && self.flight.is_none() {
                break;
            }
            let inbox = if closing || self.is_full() || self.is_behind() { &never } else { &self.inbox };
            select_biased! {
                recv(self.written) -> written => match written {
                    Ok((writer, written)) => {
                        self.writer = Some(writer);
                        self.written(written, closing);
                    }
                    Err(_) => break,
                },
                recv(inbox) -> message => match message {
                    Ok(Message::Verb(verb)) => self.decide(verb),
                    Ok(Message::Close) | Err(_) => closing = true,
                },
                recv(wake) -> _ => {}
            }
        }
    }

    fn is_full(&self) -> bool {
        self.pending.bodies_length + self.pending.records.len() >= self.engine.options.batch_size
    }

    /// The index is so far behind that the next batch cannot begin, while one is still to be answered.
    fn is_behind(&self) -> bool {
        let limit = self.engine.options.unapplied_limit;
        self.flight.is_some() && self.answers.is_empty() && self.engine.unapplied() > limit
    }

    fn decide(&mut self, verb: Verb) {
        // As long as nobody waits for an answer, nothing was gathered.
        if self.answers.is_empty() && !self.begin_batch() {
            let behind = Error::Unavailable("the index cannot follow".into());
            // Nothing was decided, so there is nothing to answer later.
            let _ = verb(Err(behind));
            return;
        }
        let before = self.pending.alterations;
        match verb(Ok(&mut self.pending)) {
            Some(answer) => self.answers.push(answer),
            None if self.pending.alterations != before => self.abandon_batch(),
            None => {}
        }
    }

    /// `false` when so much waits for the index that no more can be taken.
    fn begin_batch(&mut self) -> bool {
        if !self.wait_for_index() {
            return false;
        }
        if self.begins.is_none() && self.end.offset >= self.engine.options.segment_size {
            self.begin_segment();
        }
        self.pending.lsn = Lsn(self.last.0 + 1);
        self.pending.frame = self.end;
        self.pending.disk_full = self.engine.is_disk_full();
        true
    }

    /// The next batch begins a segment of its own.
    fn begin_segment(&mut self) {
        let id = self.engine.new_segment();
        let predecessor = Predecessor(self.end);
        self.begins = Some(SegmentHeader { id, generation: 0, epoch: self.engine.epoch, predecessor });
        self.end = Position { segment: id, offset: SegmentHeader::LENGTH as u64 };
    }

    /// What the index has not got yet is bounded: past it, writers wait, or are refused while the index fails.
    fn wait_for_index(&self) -> bool {
        let follow = &self.engine.follow;
        let mut state = follow.lock();
        // A failure of before may be over: only one of now counts, and one commit may be under way.
        let tried = state.served + 2;
        while self.engine.unapplied() > self.engine.options.unapplied_limit {
            if state.failing && state.served >= tried || state.closing || self.engine.is_poisoned() {
                return false;
            }
            state.asked = state.served + 1;
            follow.changed.notify_all();
            state = follow.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        true
    }

    fn due(&self, closing: bool) -> Due {
        if self.writer.is_none() || self.answers.is_empty() {
            return Due::Unknown;
        }
        // Callers who were answered together come back together: a sync for the first of them alone would make all
        // others wait for it.
        let is_small = self.answers.len() < self.patience.last && !closing && !self.is_full();
        if is_small && Instant::now() < self.patience.until { Due::At(self.patience.until) } else { Due::Now }
    }

    /// Whether one caller after the other is answered, with nobody else about.
    fn is_alone(&self) -> bool {
        self.answers.len() == 1 && self.patience.last <= 1 && self.patience.is_quiet && self.inbox.is_empty()
    }

    fn hand_over(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        let batch = self.take_batch();
        if self.batches.send((writer, batch)).is_err() {
            self.engine.poison();
        }
    }

    /// With nothing else to decide meanwhile: to wake the writer's thread and be woken by it would cost more.
    fn write_here(&mut self) {
        let Some(mut writer) = self.writer.take() else { return };
        let written = writer.make_durable(self.take_batch());
        self.writer = Some(writer);
        self.written(written, false);
    }

    fn take_batch(&mut self) -> Batch {
        self.last = self.pending.lsn;
        if !self.pending.records.is_empty() {
            let counters = self.pending.counters;
            // A few plain numbers can always be encoded.
            let _ = self.pending.put(Key::counters(), &counters);
        }
        let batch = Batch {
            lsn: self.last,
            frame: self.pending.frame,
            begins: if self.pending.records.is_empty() { None } else { self.begins.take() },
            bodies: std::mem::take(&mut self.pending.bodies),
            held: std::mem::take(&mut self.pending.held),
            records: std::mem::take(&mut self.pending.records),
        };
        let length = FrameHeader::LENGTH + std::mem::take(&mut self.pending.bodies_length) + batch.records.len();
        let end = Position { offset: batch.frame.offset + length as u64, ..batch.frame };
        let end = (!batch.records.is_empty()).then_some(end);
        self.end = end.unwrap_or(self.end);
        self.pending.flying = Some(self.pending.take_forming());
        let answers = std::mem::take(&mut self.answers);
        self.patience.last = answers.len();
        self.flight = Some(Flight { lsn: self.last, end, answers });
        batch
    }

    /// Nothing that was gathered counts.
    fn abandon_batch(&mut self) {
        self.pending.forget();
        for answer in std::mem::take(&mut self.answers) {
            answer(Err(Error::Unavailable("a change before this one failed; nothing was changed".into())));
        }
    }

    fn written(&mut self, written: Written, closing: bool) {
        let (Some(flight), Some(changes)) = (self.flight.take(), self.pending.flying.take()) else { return };
        self.patience.is_quiet = self.inbox.is_empty();
        match written {
            Written::Durable(after) => {
                self.patience.until = Instant::now() + (after / Patience::PART).min(Patience::LIMIT);
                // The next batch is on its way while readers and callers are told of this one.
                if let Due::Now = self.due(closing) {
                    self.hand_over();
                }
                self.engine.publish(changes, flight.lsn, flight.end);
                flight.answers.into_iter().for_each(|answer| answer(Ok(())));
            }
            Written::Lost { error, resume } => {
                flight.answers.into_iter().for_each(|answer| answer(Err(error.clone())));
                self.abandon_batch();
                self.begins = None;
                match resume {
                    Some(end) => self.end = end,
                    None => {
                        self.end = self.engine.visible().position;
                        self.begin_segment();
                    }
                }
            }
        }
    }
}
