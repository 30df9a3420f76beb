//! The record of log-ons: who came, from where, how, and what became of it. It outlives the server, has its own bound on
//! the disk, and nothing waits for it: a line may be lost in a crash or a flood, mail never depends on one.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use management::LogOn;
use store::Address;

/// Octets of one file; the oldest goes when there is one more than [`FILES`].
const FILE_OCTETS: u64 = 8 * 1024 * 1024;
const FILES: u64 = 8;
/// Lines that wait to be written.
const WAITING: usize = 4096;

/// Writes down log-ons; clones write to the same place.
#[derive(Clone)]
pub struct Recorder {
    folder: Arc<Path>,
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

impl Recorder {
    /// In this folder, which is made if it is not there.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let (lines, receiver) = sync_channel(WAITING);
        let writer = Writer { folder: folder.to_owned(), current: None };
        std::thread::Builder::new().name("log-on record".to_owned()).spawn(move || writer.run(&receiver))?;
        Ok(Self { folder: folder.into(), lines, lost: Arc::default() })
    }

    pub fn write(&self, log_on: &LogOn) {
        let Ok(line) = serde_json::to_string(log_on) else { return };
        if self.lines.try_send(line).is_err() && self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("the record of log-ons cannot keep up; lines of it are lost");
        }
    }

    /// The last ones, newest first: at most `limit`, and of one mailbox where it is named. Reads all that is kept.
    pub fn recent(&self, address: Option<&Address>, limit: usize) -> io::Result<Vec<LogOn>> {
        let mut found: VecDeque<LogOn> = VecDeque::new();
        self.each(|log_on| {
            if address.is_none_or(|address| log_on.identity == address.as_str()) {
                found.push_back(log_on);
                if found.len() > limit {
                    found.pop_front();
                }
            }
        })?;
        Ok(found.into_iter().rev().collect())
    }

    /// All that are kept, oldest first.
    pub fn each(&self, mut see: impl FnMut(LogOn)) -> io::Result<()> {
        for number in numbers(&self.folder)? {
            let file = match File::open(path(&self.folder, number)) {
                Ok(file) => file,
                // It went meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for line in BufReader::new(file).split(b'\n') {
                // A crash may have left half of one, and of a character.
                let Ok(log_on) = serde_json::from_slice::<LogOn>(&line?) else { continue };
                see(log_on);
            }
        }
        Ok(())
    }
}

struct Writer {
    folder: PathBuf,
    /// The file and its octets.
    current: Option<(File, u64)>,
}

impl Writer {
    fn run(mut self, lines: &Receiver<String>) {
        let mut failed = false;
        while let Ok(line) = lines.recv() {
            match self.write(&line) {
                Ok(()) => failed = false,
                Err(error) => {
                    self.current = None;
                    if !std::mem::replace(&mut failed, true) {
                        tracing::warn!(folder = %self.folder.display(), %error, "the record of log-ons is not written");
                    }
                }
            }
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let (mut file, octets) = match self.current.take() {
            Some((file, octets)) if octets < FILE_OCTETS => (file, octets),
            _ => self.next()?,
        };
        file.write_all(format!("{line}\n").as_bytes())?;
        self.current = Some((file, octets + line.len() as u64 + 1));
        Ok(())
    }

    /// The newest file if it has room, or a new one.
    fn next(&self) -> io::Result<(File, u64)> {
        let numbers = numbers(&self.folder)?;
        let last = numbers.last().copied().unwrap_or(0);
        let open = |number| OpenOptions::new().append(true).create(true).mode(0o600).open(path(&self.folder, number));
        let mut file = open(last)?;
        let octets = file.metadata()?.len();
        if octets < FILE_OCTETS {
            // What a crash cut short is a line of its own.
            file.write_all(b"\n")?;
            return Ok((file, octets + 1));
        }
        for old in numbers.iter().filter(|&&number| number + FILES <= last + 1) {
            fs::remove_file(path(&self.folder, *old))?;
        }
        Ok((open(last + 1)?, 0))
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.jsonl"))
}

/// Of the files, oldest first.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_on(identity: &str, time: i64) -> LogOn {
        LogOn {
            time,
            identity: identity.to_owned(),
            remote: "192.0.2.1".to_owned(),
            protocol: "IMAP4".to_owned(),
            mechanism: "PLAIN".to_owned(),
            tls: Some("TLS1.3".to_owned()),
            granted: true,
            reason: "granted".to_owned(),
        }
    }

    fn writer(folder: &Path) -> Writer {
        Writer { folder: folder.to_owned(), current: None }
    }

    fn recent(folder: &Path, address: Option<&str>, limit: usize) -> Vec<i64> {
        let recorder = Recorder::open(folder).unwrap();
        let address = address.map(|text| Address::parse(text).unwrap());
        recorder.recent(address.as_ref(), limit).unwrap().into_iter().map(|one| one.time).collect()
    }

    #[test]
    fn the_last_ones_come_first_and_of_one_mailbox_alone_where_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path());
        for time in 0..10 {
            let identity = if time % 2 == 0 { "ann@example.test" } else { "bob@example.test" };
            writer.write(&serde_json::to_string(&log_on(identity, time)).unwrap()).unwrap();
        }
        assert_eq!(recent(folder.path(), None, 3), [9, 8, 7]);
        assert_eq!(recent(folder.path(), Some("ann@example.test"), 100), [8, 6, 4, 2, 0]);
        assert!(recent(folder.path(), Some("cid@example.test"), 100).is_empty());
    }

    #[test]
    fn a_line_that_a_crash_cut_short_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let line = |time| serde_json::to_string(&log_on("ann@example.test", time)).unwrap();
        writer(folder.path()).write(&line(1)).unwrap();
        writer(folder.path()).write("?").unwrap();
        let mut cut = OpenOptions::new().append(true).open(path(folder.path(), 0)).unwrap();
        cut.write_all(&[line(2).as_bytes(), b"\xc3"].concat()[15..]).unwrap();
        writer(folder.path()).write(&line(3)).unwrap();
        assert_eq!(recent(folder.path(), None, 100), [3, 1]);
    }

    #[test]
    fn the_oldest_file_goes_when_there_is_one_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let filler = "x".repeat(usize::try_from(FILE_OCTETS).unwrap());
        for time in 0..12 {
            let mut writer = writer(folder.path());
            writer.write(&serde_json::to_string(&log_on("ann@example.test", time)).unwrap()).unwrap();
            writer.write(&filler).unwrap();
        }
        assert_eq!(numbers(folder.path()).unwrap().len() as u64, FILES);
        assert_eq!(recent(folder.path(), None, 100), [11, 10, 9, 8, 7, 6, 5, 4]);
    }
}
