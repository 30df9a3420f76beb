//! The commands that exist: a file for each noun, a row for each command.

mod mailbox;
mod service;
mod service_settings;
pub mod store;

use crate::Command;

/// Every command, in the order of help.
pub fn all() -> impl Iterator<Item = &'static Command> {
    service::COMMANDS.iter().chain(service_settings::COMMANDS).chain(mailbox::COMMANDS).chain(store::COMMANDS)
}

/// By `Verb-Noun`, without regard to case.
pub fn find(name: &str) -> Option<&'static Command> {
    all().find(|command| command.is_named(name))
}
