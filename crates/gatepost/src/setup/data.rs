//! The one directory that holds everything; nothing in it names its own place, so it can be moved.

use std::fs::{self, DirBuilder};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::SetupError;

/// Where the parts of a server's data are.
#[derive(Clone, Debug)]
pub struct DataDirectory(PathBuf);

impl DataDirectory {
    /// Makes the directory if it is not there, for the server's own user only. It may stand for itself as a
    /// relative path; what is shown to people is absolute.
    pub fn create(path: &Path) -> Result<Self, SetupError> {
        private_directory(path)?;
        let data = Self::open(path)?;
        // The directory itself may have been there before, open to all; mail is nobody else's business still.
        private_directory(&data.store())?;
        Ok(data)
    }

    /// The directory must be there.
    pub fn open(path: &Path) -> Result<Self, SetupError> {
        fs::canonicalize(path).map(Self).map_err(SetupError::file(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
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
