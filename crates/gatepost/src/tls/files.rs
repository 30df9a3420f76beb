//! The files that hold keys and certificates.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

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

    /// Copies all that is there, for the own user alone.
    pub fn copy_to(&self, other: &Self) -> Result<(), TlsError> {
        other.make_directory()?;
        let copy = |from: &Path, to: &Path| match fs::read(from).map(Zeroizing::new) {
            Ok(content) => write_private(to, content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(at(from)(error)),
        };
        copy(&self.authority, &other.authority)?;
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(at(&self.directory))?,
        };
        for entry in entries {
            let from = entry.map_err(at(&self.directory))?.path();
            if let Some(name) = from.file_name().filter(|_| from.is_file()) {
                copy(&from, &other.directory.join(name))?;
            }
        }
        Ok(())
    }
}

pub fn read(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(at(path))
}

/// Replaces the file as a whole, durably; only the server's own user may read it.
pub fn write_private(path: &Path, content: impl AsRef<[u8]>) -> Result<(), TlsError> {
    let beside = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(content.as_ref())?;
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
