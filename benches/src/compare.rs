//! The two servers that are measured, behind one face.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::gatepost::Gatepost;
use crate::postfix::PostfixDovecot;

/// A running server; dropping it ends it.
pub enum Server {
    Gatepost(Gatepost),
    Peer(PostfixDovecot),
}

impl Server {
    /// Both, one after the other: neither runs while the other is measured.
    pub const NAMES: [&'static str; 2] = ["Postfix + Dovecot", "Gatepost"];

    pub fn start(name: &str, users: usize, scratch: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(match name {
            "Gatepost" => Self::Gatepost(Gatepost::start(users, &scratch.join("gatepost"), &[])?),
            _ => Self::Peer(PostfixDovecot::start(&scratch.join("peer"))?),
        })
    }

    pub fn smtp(&self) -> SocketAddr {
        match self {
            Self::Gatepost(server) => server.smtp,
            Self::Peer(server) => server.smtp,
        }
    }

    pub fn imap(&self) -> SocketAddr {
        match self {
            Self::Gatepost(server) => server.imap,
            Self::Peer(server) => server.imap(),
        }
    }
}

/// A directory of this run, on the disk that holds the repository; removed when dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> std::io::Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../target/benches")
            .join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        path.canonicalize().map(Self)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
