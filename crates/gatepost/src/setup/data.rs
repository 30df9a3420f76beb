//! The one directory that holds everything; nothing in it names its own place, so it can be moved.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{SetupError, be_its_owner};

/// Where the parts of a server's data are.
#[derive(Clone, Debug)]
pub struct DataDirectory(PathBuf);

impl DataDirectory {
    /// Makes the directory if it is not there, for the server's own user only. It may stand for itself as a
    /// relative path; what is shown to people is absolute.
    pub fn create(path: &Path) -> Result<Self, SetupError> {
        private_directory(path).map_err(|error| {
            SetupError::Refused(format!("{error}; give a place where you may make a directory with --data DIR"))
        })?;
        let data = Self::open(path)?;
        be_its_owner(data.path())?;
        data.warn_if_open();
        // The directory itself may have been there before, open to all; mail is nobody else's business still.
        private_directory(&data.store())?;
        Ok(data)
    }

    /// The directory must be there.
    pub fn open(path: &Path) -> Result<Self, SetupError> {
        fs::canonicalize(path).map(Self).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Self::nothing_in(path),
            _ => SetupError::file(path)(error),
        })
    }

    /// The directory of a server that was set up.
    pub fn of_server(path: &Path) -> Result<Self, SetupError> {
        let data = Self::open(path)?;
        be_its_owner(data.path())?;
        // Looked for first: opening a store makes one.
        if !data.store().is_dir() {
            return Err(Self::nothing_in(path));
        }
        data.warn_if_open();
        Ok(data)
    }

    pub fn nothing_in(path: &Path) -> SetupError {
        let path = path.display();
        SetupError::Refused(format!(
            "nothing is set up in {path}; use: gatepost quickstart ADDRESS --data {path}, or: gatepost init --data {path} --domain D --users-file F"
        ))
    }

    fn warn_if_open(&self) {
        let mode = fs::metadata(&self.0).map_or(0, |directory| directory.mode());
        if mode & 0o022 != 0 {
            tracing::warn!(
                data = %self.0.display(),
                "other users may write in the data directory, and so put keys of theirs in the place of the server's; chmod 700 keeps them out"
            );
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Of the record of log-ons.
    pub fn logons(&self) -> PathBuf {
        self.0.join("logons")
    }

    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    pub fn management_socket(&self) -> SocketPath {
        let path = self.0.join("management.sock");
        // A socket's address has room for 107 octets; the directory's descriptor stands for a longer path.
        let directory = (path.as_os_str().len() > 107).then(|| fs::File::open(&self.0).ok()).flatten();
        SocketPath { path, directory }
    }
}

fn private_directory(path: &Path) -> Result<(), SetupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(SetupError::file(path))
}

/// A path under which a socket can be bound and connected to, as long as this lives.
pub struct SocketPath {
    path: PathBuf,
    directory: Option<fs::File>,
}

impl SocketPath {
    pub fn path(&self) -> PathBuf {
        match (&self.directory, self.path.file_name()) {
            (Some(directory), Some(name)) => {
                Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name)
            }
            _ => self.path.clone(),
        }
    }

    /// For people.
    pub fn shown(&self) -> &Path {
        &self.path
    }
}
