//! The one order of changes: verbs are decided here one after the other, against what was decided before them,
//! and gathered into durable points.

mod accept;
mod accounts;
mod apply;
mod bring_back;
mod change;
mod folders;
mod pending;
mod run;

pub(crate) use accept::{Held, ReadyBody};
pub(crate) use bring_back::BroughtBack;
pub(crate) use pending::Pending;
pub(crate) use run::{Answer, Batch, Message, Sequencer, Written};
