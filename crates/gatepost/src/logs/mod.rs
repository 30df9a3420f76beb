//! The log: structured lines to standard error or a file that can be reopened.

mod writer;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use writer::Lines;

/// Numbers sessions, so that the lines of one are found together.
#[derive(Debug, Default)]
pub struct SessionNumbers(AtomicU64);

impl SessionNumbers {
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// How long the last lines may take to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the log goes; clones share it.
#[derive(Clone, Debug)]
pub struct Log {
    lines: Lines,
    on_terminal: bool,
}

/// Which lines are written unless `RUST_LOG` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Every session.
    Sessions,
    /// On a terminal what goes wrong only, for a person reads there; elsewhere every session.
    ForPeople,
}

impl Log {
    /// Begins to log. Text that comes from peers is a value of its line, quoted and with its control bytes
    /// escaped, so that nobody can forge a line.
    pub fn begin(path: Option<&Path>, detail: Detail) -> io::Result<Self> {
        let target = Target::open(path)?;
        let on_terminal = path.is_none() && io::stderr().is_terminal();
        let log = Self { lines: Lines::begin(target, Target::reopen)?, on_terminal };
        let level = if on_terminal && detail == Detail::ForPeople { "warn" } else { "info" };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_target(false);
        let begun = subscriber.log_internal_errors(false).with_writer(log.clone()).try_init();
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
        self.lines.reopen();
    }

    /// Whether SIGHUP says that nobody can read the log any more: its terminal was closed.
    pub fn ends_with_its_terminal(&self) -> bool {
        self.on_terminal
    }

    /// Waits for the last lines to be written.
    pub fn flush(&self) {
        self.lines.flush(PATIENCE);
    }
}

/// What lines are written to.
struct Target {
    file: File,
    /// `None`: standard error, by a descriptor of its own, so that nobody waits for its lock.
    path: Option<PathBuf>,
}

impl Target {
    fn open(path: Option<&Path>) -> io::Result<Self> {
        let file = match path {
            None => io::stderr().as_fd().try_clone_to_owned()?.into(),
            Some(path) => open(path).map_err(|error| {
                let cure = "name another file with --log-file, or leave it out to log to standard error";
                io::Error::other(format!("the log cannot be written to {}: {error}; {cure}", path.display()))
            })?,
        };
        Ok(Self { file, path: path.map(Path::to_owned) })
    }

    fn reopen(&mut self) {
        let Some(path) = &self.path else { return };
        match open(path) {
            Ok(fresh) => self.file = fresh,
            Err(error) => tracing::error!(%error, file = %path.display(), "the log could not be reopened"),
        }
    }
}

impl Write for Target {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.file.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
        self.lines.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
