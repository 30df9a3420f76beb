//! The client side of SMTP and IMAP, just enough to load a server: lines over any stream.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection that speaks in lines. An unexpected answer is an error that shows it.
pub struct Lines<S: Read + Write> {
    stream: BufReader<S>,
    line: String,
}

/// Longer than anything measured here: a hang becomes an error.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn connect(address: SocketAddr) -> io::Result<Lines<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(Lines::new(stream))
}

impl<S: Read + Write> Lines<S> {
    pub fn new(stream: S) -> Self {
        Self { stream: BufReader::with_capacity(256 * 1024, stream), line: String::new() }
    }

    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(octets)?;
        self.stream.get_mut().flush()
    }

    /// The next line, without its end.
    pub fn read(&mut self) -> io::Result<&str> {
        self.line.clear();
        if self.stream.read_line(&mut self.line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        Ok(self.line.trim_end())
    }

    /// Reads lines up to one that begins with `prefix`; how many octets there were in all.
    pub fn until(&mut self, prefix: &str) -> io::Result<u64> {
        let mut octets = 0;
        loop {
            let line = self.read()?;
            if line.starts_with(prefix) {
                return Ok(octets + self.line.len() as u64);
            }
            let tag = prefix.split(' ').next().unwrap_or_default();
            let refused = line.split(' ').next() == Some(tag) || line.starts_with('5') || line.starts_with('4');
            if refused && !prefix.starts_with('*') {
                return Err(io::Error::other(format!("expected {prefix:?}, got {line:?}")));
            }
            octets += self.line.len() as u64;
        }
    }

    /// Sends a command and waits for the answer that begins with `prefix`.
    pub fn ask(&mut self, command: &str, prefix: &str) -> io::Result<u64> {
        self.send(format!("{command}\r\n").as_bytes())?;
        self.until(prefix)
    }
}

/// Logs on and stays in the authenticated state.
pub fn imap<S: Read + Write>(stream: Lines<S>, user: &str, password: &str) -> io::Result<Lines<S>> {
    let mut imap = stream;
    imap.until("* OK")?;
    imap.ask(&format!("a LOGIN \"{user}\" \"{password}\""), "a OK")?;
    Ok(imap)
}

/// Says EHLO and is ready for MAIL.
pub fn smtp(address: SocketAddr) -> io::Result<Lines<TcpStream>> {
    let mut smtp = connect(address)?;
    smtp.until("220 ")?;
    smtp.ask("EHLO bench.test", "250 ")?;
    Ok(smtp)
}

/// Hands over one message and returns when it is accepted.
pub fn deliver(smtp: &mut Lines<TcpStream>, recipient: &str, message: &[u8]) -> io::Result<()> {
    smtp.ask("MAIL FROM:<bench@elsewhere.test>", "250 ")?;
    smtp.ask(&format!("RCPT TO:<{recipient}>"), "250 ")?;
    smtp.ask("DATA", "354")?;
    let mut data = message.to_vec();
    data.extend_from_slice(b".\r\n");
    smtp.send(&data)?;
    smtp.until("250 ").map(drop)
}

/// The number of messages in INBOX, by STATUS.
pub fn count<S: Read + Write>(imap: &mut Lines<S>) -> io::Result<u64> {
    imap.send(b"s STATUS INBOX (MESSAGES)\r\n")?;
    let mut count = 0;
    loop {
        let line = imap.read()?;
        if let Some(rest) = line.strip_prefix("* STATUS ") {
            let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
            count = digits.parse().map_err(io::Error::other)?;
        } else if line.starts_with("s OK") {
            return Ok(count);
        } else if line.starts_with("s ") {
            return Err(io::Error::other(format!("STATUS: {line}")));
        }
    }
}

/// A message of about `octets`, with lines of 76 and the header fields that clients ask for.
pub fn message(number: usize, octets: usize) -> Vec<u8> {
    let mut text = format!(
        "From: Bench <bench@elsewhere.test>\r\nTo: Ann <ann@example.test>\r\nSubject: message {number}\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{number}@bench.test>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    .into_bytes();
    while text.len() < octets {
        text.extend_from_slice(b"The quick brown fox jumps over the lazy dog and goes on to the next gate.\r\n");
    }
    text
}
