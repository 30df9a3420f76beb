//! The log: structured lines to standard error or a file that can be reopened.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Numbers sessions, so that the lines of one are found together.
#[derive(Debug, Default)]
pub struct SessionNumbers(AtomicU64);

impl SessionNumbers {
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Where the log goes; clones share it.
#[derive(Clone, Debug)]
pub struct Log(Arc<Target>);

#[derive(Debug)]
enum Target {
    StandardError,
    File { path: PathBuf, file: Mutex<File> },
}

impl Log {
    /// Begins to log. Text that comes from peers is a value of its line, quoted and with its control bytes
    /// escaped, so that nobody can forge a line.
    pub fn begin(path: Option<&Path>) -> io::Result<Self> {
        let log = Self(Arc::new(match path {
            None => Target::StandardError,
            Some(path) => {
                let file = open(path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
                Target::File { path: path.to_owned(), file: Mutex::new(file) }
            }
        }));
        // RUST_LOG=debug shows more.
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_target(false);
        let begun = subscriber.with_writer(log.clone()).try_init();
        begun.map_err(io::Error::other)?;
        // A fault of this program belongs where its other lines are.
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            tracing::error!(place, what = panic.payload_as_str(), "a fault of this program");
        }));
        Ok(log)
    }

    /// SIGHUP: goes on in a file of the same name, after the old one was moved away.
    pub fn reopen(&self) {
        if let Target::File { path, file } = &*self.0 {
            match open(path) {
                Ok(fresh) => *file.lock().unwrap_or_else(PoisonError::into_inner) = fresh,
                Err(error) => tracing::error!(%error, file = %path.display(), "the log could not be reopened"),
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Log;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// A line comes as one write.
impl Write for &Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &*self.0 {
            Target::StandardError => io::stderr().write_all(line)?,
            Target::File { file, .. } => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
