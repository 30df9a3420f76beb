//! How a disk's failure is told to those who called.

use std::io;

use store::Error;

/// `doing`: for the log, as in "writing a segment".
pub(crate) fn disk_error(doing: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull,
        _ => Error::Unavailable(format!("{doing}: {error}")),
    }
}

pub(crate) fn damaged(what: &str) -> Error {
    Error::Corrupt(what.to_owned())
}

/// The engine's threads are gone: it was closed, or one of them panicked.
pub(crate) fn stopped() -> Error {
    Error::Unavailable("the store has stopped".into())
}

/// As [`stopped`], for who asked before: the change may have become durable, and the next start knows.
pub(crate) fn stopped_meanwhile() -> Error {
    Error::Unknown("the store has stopped".into())
}
