//! The commands that exist: a file for each noun, a row for each command.

mod accepted_domain;
mod app_password;
pub(crate) mod cas_mailbox;
mod logon_record;
mod mailbox;
mod mailbox_permission;
mod moment;
mod receive_connector;
mod server_settings;
mod service;
mod service_settings;
mod settings;
mod smtp_session;
pub mod store;

use crate::Command;

/// Every command, in the order of help.
pub fn all() -> impl Iterator<Item = &'static Command> {
    let services = service::COMMANDS.iter().chain(service_settings::COMMANDS).chain(server_settings::COMMANDS);
    let mailboxes = mailbox::COMMANDS
        .iter()
        .chain(cas_mailbox::COMMANDS)
        .chain(mailbox_permission::COMMANDS)
        .chain(app_password::COMMANDS)
        .chain(logon_record::COMMANDS);
    let transport = accepted_domain::COMMANDS.iter().chain(receive_connector::commands()).chain(smtp_session::COMMANDS);
    services.chain(mailboxes).chain(transport).chain(store::COMMANDS)
}

/// By `Verb-Noun`, without regard to case.
pub fn find(name: &str) -> Option<&'static Command> {
    all().find(|command| command.is_named(name))
}
