//! Whose a data directory is: what another user makes in it the server could not open later.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::SetupError;

/// Refuses to work on the data of another user.
pub fn be_its_owner(data: &Path) -> Result<(), SetupError> {
    let store = data.join("store");
    let owner = match fs::metadata(&store) {
        Ok(store) => store.uid(),
        // A new store: only root could make one that is not its directory's owner's.
        Err(error) if error.kind() == ErrorKind::NotFound && !is_root() => return Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            fs::metadata(data).map_err(SetupError::file(data))?.uid()
        }
        Err(error) => return Err(SetupError::file(&store)(error)),
    };
    if owner == own() { Ok(()) } else { Err(foreign(data, owner)) }
}

/// For one who was not let in.
pub fn belongs_to_another(data: &Path) -> SetupError {
    match fs::metadata(data) {
        Ok(directory) if directory.uid() != own() => foreign(data, directory.uid()),
        _ => SetupError::file(data)(ErrorKind::PermissionDenied.into()),
    }
}

fn foreign(data: &Path, owner: u32) -> SetupError {
    SetupError::Refused(format!(
        "the data in {} is another user's; run this as that one: sudo -u '#{owner}' gatepost ...",
        data.display()
    ))
}

fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
