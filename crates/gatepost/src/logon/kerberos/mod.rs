//! Log-on by Kerberos: tickets that a key of ours opens, and whose mailbox their principal is.

#[cfg(feature = "kerberos")]
mod acceptor;
#[cfg(feature = "kerberos")]
mod keytab;
mod log_on;
mod principal;
#[cfg(not(feature = "kerberos"))]
mod without;

use management::settings::ServerSettings;

#[cfg(feature = "kerberos")]
use acceptor::Acceptor;
#[cfg(feature = "kerberos")]
pub use keytab::{begin_anew, is_in_use};
#[cfg(not(feature = "kerberos"))]
use without::Acceptor;
#[cfg(not(feature = "kerberos"))]
pub use without::{begin_anew, is_in_use};

/// What is taken of which realms.
#[derive(Default)]
pub struct Kerberos {
    acceptor: Option<Acceptor>,
    /// Its users have their mailboxes in the default domain; empty for none.
    realm: String,
}

impl Kerberos {
    /// `Err` says why nobody can log on.
    pub fn new(settings: &ServerSettings) -> Result<Self, String> {
        if settings.kerberos_keytab.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self { acceptor: Some(Acceptor::new()?), realm: settings.kerberos_realm.clone() })
    }

    pub fn is_taken(&self) -> bool {
        self.acceptor.is_some()
    }
}
