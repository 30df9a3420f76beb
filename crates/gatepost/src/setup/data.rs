//! The one directory that holds everything; nothing in it names its own place, so it can be moved.

use std::fs::{self, DirBuilder};
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
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(SetupError::file(path))?;
        Self::open(path)
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

    pub fn management_socket(&self) -> PathBuf {
        self.0.join("management.sock")
    }
}
