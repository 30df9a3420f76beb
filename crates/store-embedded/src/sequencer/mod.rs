//! The one order of changes: verbs are decided here one after the other, against what was decided before them,
//! and gathered into durable points.

mod accept;
mod accounts;
mod apply;
mod change;
mod folders;
mod pending;
mod run;

pub(crate) use accept::{ReadyBody, ReadyContent};
pub(crate) use pending::Pending;
pub(crate) use run::{Answer, Batch, Message, Sequencer, Written};
