//! The sequencer's thread: gathers verbs while the last durable point is on its way to disk.

use std::sync::Arc;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, select_biased};
use store::{Error, Result};

use super::{Held, Pending};
use crate::engine::Engine;
use crate::log::{FrameHeader, Lsn, Position, Predecessor, SegmentHeader};
use crate::state::{Counters, Key};
use crate::visible::Changes;

/// Tells a caller how it ended.
pub(crate) type Answer = Box<dyn FnOnce(Result<()>) + Send>;
pub(crate) type Verb = Box<dyn FnOnce(Result<&mut Pending>) -> Option<Answer> + Send>;

pub(crate) enum Message {
    Verb(Verb),
    Close,
}

/// How a batch ended.
pub(crate) enum Written {
    Durable,
    /// Nothing of it counts; the log goes on at this place, or in a segment yet to be begun.
    Lost {
        resume: Option<Position>,
    },
}

/// One durable point on its way.
pub(crate) struct Batch {
    pub lsn: Lsn,
    pub frame: Position,
    /// Set when its segment is to be begun first.
    pub begins: Option<SegmentHeader>,
    pub bodies: Vec<Bytes>,
    /// What its bodies hold until it is durable.
    pub held: Vec<Held>,
    pub records: Vec<u8>,
    pub changes: Arc<Changes>,
    pub answers: Vec<Answer>,
}

impl Batch {
    pub fn end(&self) -> Position {
        let bodies: usize = self.bodies.iter().map(Bytes::len).sum();
        let length = if self.records.is_empty() { 0 } else { FrameHeader::LENGTH + bodies + self.records.len() };
        Position { offset: self.frame.offset + length as u64, ..self.frame }
    }
}

pub(crate) struct Sequencer {
    engine: Arc<Engine>,
    pending: Pending,
    inbox: Receiver<Message>,
    writer: Sender<Batch>,
    /// The writer is done with the batch it was given.
    written: Receiver<Written>,
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
        (writer, written): (Sender<Batch>, Receiver<Written>),
        (end, begin_segment): (Position, bool),
        last: Lsn,
    ) -> Self {
        let pending = Pending::new(engine.clone(), counters);
        let mut sequencer =
            Self { engine, pending, inbox, writer, written, answers: Vec::new(), end, last, begins: None };
        if begin_segment {
            sequencer.begin_segment();
        }
        sequencer
    }

    /// Runs until the store closes: then everything asked before is durable.
    ///
    /// What was decided goes on its way as soon as the writer is free; meanwhile the next batch forms. A full one
    /// waits for the writer, and callers with it.
    pub fn run(mut self) {
        let mut closing = false;
        while !self.engine.is_poisoned() {
            self.hand_over();
            if closing && self.pending.flying.is_none() {
                break;
            }
            if closing || self.is_full() {
                match self.written.recv() {
                    Ok(written) => self.written(written),
                    Err(_) => break,
                }
                continue;
            }
            select_biased! {
                recv(self.written) -> written => match written {
                    Ok(written) => self.written(written),
                    Err(_) => break,
                },
                recv(self.inbox) -> message => match message {
                    Ok(Message::Verb(verb)) => self.decide(verb),
                    Ok(Message::Close) | Err(_) => closing = true,
                },
            }
        }
    }

    fn is_full(&self) -> bool {
        self.pending.bodies_length + self.pending.records.len() >= self.engine.options.batch_size
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

    fn hand_over(&mut self) {
        if self.pending.flying.is_some() || self.answers.is_empty() {
            return;
        }
        self.last = self.pending.lsn;
        if !self.pending.records.is_empty() {
            let counters = self.pending.counters;
            // A few plain numbers can always be encoded.
            let _ = self.pending.put(Key::counters(), &counters);
        }
        let changes = Arc::new(self.pending.take_forming());
        let batch = Batch {
            lsn: self.last,
            frame: self.pending.frame,
            begins: if self.pending.records.is_empty() { None } else { self.begins.take() },
            bodies: std::mem::take(&mut self.pending.bodies),
            held: std::mem::take(&mut self.pending.held),
            records: std::mem::take(&mut self.pending.records),
            changes: changes.clone(),
            answers: std::mem::take(&mut self.answers),
        };
        self.pending.bodies_length = 0;
        self.end = batch.end();
        self.pending.flying = Some(changes);
        if self.writer.send(batch).is_err() {
            self.engine.poison();
        }
    }

    /// Nothing that was gathered counts.
    fn abandon_batch(&mut self) {
        self.pending.forget();
        for answer in std::mem::take(&mut self.answers) {
            answer(Err(Error::Unavailable("a change before this one failed; nothing was changed".into())));
        }
    }

    fn written(&mut self, written: Written) {
        match written {
            Written::Durable => {
                self.pending.flying = None;
            }
            Written::Lost { resume } => {
                self.pending.flying = None;
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
