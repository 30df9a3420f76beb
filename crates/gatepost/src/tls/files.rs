//! The files that hold keys and certificates.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::TlsError;

/// `ca.pem` in the data directory, where people look for it, and the rest in `tls`.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    authority: PathBuf,
    directory: PathBuf,
}

impl TlsFiles {
    pub fn new(data: &Path) -> Self {
        Self { authority: data.join("ca.pem"), directory: data.join("tls") }
    }

    /// The local authority's certificate: what clients are to trust.
    pub fn authority(&self) -> PathBuf {
        self.authority.clone()
    }

    pub fn authority_key(&self) -> PathBuf {
        self.directory.join("ca-key.pem")
    }

    /// The server's certificate, and its chain if it is not from the local authority.
    pub fn server(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    pub fn server_key(&self) -> PathBuf {
        self.directory.join("server-key.pem")
    }

    pub fn make_directory(&self) -> Result<(), TlsError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory).map_err(at(&self.directory))
    }
}

pub fn read(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(at(path))
}

/// Replaces the file as a whole, durably; only the server's own user may read it.
pub fn write_private(path: &Path, text: &str) -> Result<(), TlsError> {
    let beside = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
    };
    write().map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.display().to_string();
    |error| TlsError::File { path, error }
}
