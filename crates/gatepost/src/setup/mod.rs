//! Makes a server out of nothing, and brings one that is there up to what the command line says.

mod admit;
mod card;
mod data;
mod marks;
mod owner;
mod people;
mod ports;
mod provision;

pub use admit::{admit, shown};
pub use card::{Password, Ports, Ready, User};
pub use data::{DataDirectory, SocketPath};
pub use marks::{NotShown, Unfinished};
pub use owner::{be_its_owner, belongs_to_another};
pub use people::{Person, parse_password_file};
pub use ports::{Listen, Plan, SHIFT};
pub use provision::{Configuration, configure, host_name, is_provisioned};

use crate::listen::BindError;

/// Why nothing was set up; the text tells the cure.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{0}")]
    Refused(String),
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Setting(#[from] management::settings::Invalid),
    #[error(transparent)]
    Password(#[from] crate::logon::HashError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Vault(#[from] crate::logon::VaultError),
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
}

impl SetupError {
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        |error| Self::File { path, error }
    }
}
