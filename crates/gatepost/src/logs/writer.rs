//! Lines on their way out: whoever logs never waits, and a log that cannot be written never ends the server.
//!
//! The lines that wait are one buffer of bounded size; a thread of its own writes it out as a whole. What does not
//! fit, or could not be written, is lost and counted, and the count is logged once writing works again. The crate
//! tracing-appender would do much of this, but complains on standard error when that is what hangs.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Octets that may wait to be written.
const CAPACITY: usize = 1 << 20;

/// Takes lines from anywhere; clones share it.
#[derive(Clone, Debug)]
pub struct Lines(Arc<Shared>);

/// Opens the target anew, after what was taken before was written to the old one.
pub type Reopen<W> = fn(&mut W);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    /// Lines lost and not yet told of.
    lost: u64,
    reopen: bool,
    /// What was taken last is being written.
    writing: bool,
}

impl Lines {
    /// Starts the thread, which lives as long as the process.
    pub fn begin<W: Write + Send + 'static>(target: W, reopen: Reopen<W>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let lines = Self(shared.clone());
        std::thread::Builder::new().name("log".to_owned()).spawn(move || shared.write(target, reopen))?;
        Ok(lines)
    }

    /// Takes one whole line, or counts it as lost.
    pub fn push(&self, line: &[u8]) {
        let mut state = self.0.state();
        if state.lines.len() + line.len() > CAPACITY {
            state.lost += 1;
        } else {
            state.lines.extend_from_slice(line);
        }
        drop(state);
        self.0.filled.notify_one();
    }

    pub fn reopen(&self) {
        self.0.state().reopen = true;
        self.0.filled.notify_one();
    }

    /// Waits until all lines were written; not for a reader that takes none.
    pub fn flush(&self, patience: Duration) {
        let waits = |state: &mut State| state.writing || !state.lines.is_empty();
        drop(self.0.written.wait_timeout_while(self.0.state(), patience, waits));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<W: Write>(&self, mut target: W, reopen: Reopen<W>) {
        let mut batch = Vec::new();
        loop {
            let idle = |state: &mut State| state.lines.is_empty() && !state.reopen;
            let waited = self.filled.wait_while(self.state(), idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            batch.clear();
            std::mem::swap(&mut batch, &mut state.lines);
            let reopens = std::mem::take(&mut state.reopen);
            state.writing = true;
            drop(state);

            let lost = write_out(&mut target, &batch);
            if reopens {
                reopen(&mut target);
            }
            let mut state = self.state();
            state.writing = false;
            state.lost += lost;
            let told = if lost == 0 && !batch.is_empty() { std::mem::take(&mut state.lost) } else { 0 };
            drop(state);
            self.written.notify_all();
            if told > 0 {
                tracing::warn!(lines = told, "the log could not be written for a while; so many lines are missing");
            }
        }
    }
}

/// Answers how many lines were lost.
fn write_out(target: &mut impl Write, mut lines: &[u8]) -> u64 {
    while !lines.is_empty() {
        match target.write(lines) {
            Ok(count) if count > 0 => lines = lines.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return lines.iter().filter(|octet| **octet == b'\n').count() as u64,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A target whose writes succeed as told, one after the other.
    struct Told {
        outcomes: Receiver<io::Result<()>>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Told {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let _ = self.written.send(octets.to_vec());
            self.outcomes.recv().unwrap()?;
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told() -> (Lines, Sender<io::Result<()>>, Receiver<Vec<u8>>) {
        let ((tell, outcomes), (sender, written)) = (channel(), channel());
        (Lines::begin(Told { outcomes, written: sender }, |_| ()).unwrap(), tell, written)
    }

    #[test]
    fn lines_are_written_whole_and_in_their_order() {
        let (lines, tell, written) = told();
        lines.push(b"one\n");
        assert_eq!(written.recv().unwrap(), b"one\n");
        lines.push(b"two\n");
        lines.push(b"three\n");
        tell.send(Ok(())).unwrap();
        assert_eq!(written.recv().unwrap(), b"two\nthree\n");
        tell.send(Ok(())).unwrap();
        lines.flush(Duration::from_secs(60));
        assert!(lines.0.state().lines.is_empty());
    }

    #[test]
    fn a_reader_that_takes_nothing_holds_nobody_up_and_what_is_lost_is_counted() {
        let (lines, tell, written) = told();
        lines.push(b"stuck\n");
        written.recv().unwrap();
        let line = [b'x'; 1024];
        for _ in 0..CAPACITY / line.len() + 7 {
            lines.push(&line);
        }
        assert_eq!(lines.0.state().lost, 7);
        lines.flush(Duration::from_millis(1));
        tell.send(Ok(())).unwrap();
        // Told when it works again.
        written.recv().unwrap();
        assert_eq!(lines.0.state().lost, 0);
    }

    #[test]
    fn lines_that_could_not_be_written_are_counted_and_the_next_ones_are_tried() {
        let (lines, tell, written) = told();
        lines.push(b"one\ntwo\n");
        written.recv().unwrap();
        lines.push(b"three\n");
        tell.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        assert_eq!(written.recv().unwrap(), b"three\n");
        assert_eq!(lines.0.state().lost, 2);
        tell.send(Ok(())).unwrap();
    }
}
