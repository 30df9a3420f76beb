//! Lines to and from the server.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub struct Wire {
    stream: BufReader<TcpStream>,
}

/// One message as an audit sees it.
pub struct Message {
    pub uid: u32,
    pub subject: String,
    pub flagged: bool,
}

impl Wire {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub fn imap(address: SocketAddr, user: &str, password: &str) -> io::Result<Self> {
        let mut wire = Self::connect(address)?;
        wire.ask("", "* OK")?;
        wire.ask(&format!("l LOGIN {user} \"{password}\"\r\n"), "l OK")?;
        Ok(wire)
    }

    pub fn smtp(address: SocketAddr) -> io::Result<Self> {
        let mut wire = Self::connect(address)?;
        wire.ask("", "220 ")?;
        wire.ask("EHLO kill.test\r\n", "250 ")?;
        Ok(wire)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line),
        }
    }

    /// Sends, and reads up to the line that begins with `expected`. A server that goes away is an error; one that
    /// refuses is a failed test.
    pub fn ask(&mut self, command: &str, expected: &str) -> io::Result<String> {
        self.stream.get_mut().write_all(command.as_bytes())?;
        loop {
            let line = self.line()?;
            if line.starts_with(expected) {
                return Ok(line);
            }
            // A server that is told to stop, or dies, may still say so.
            if line.starts_with("421") || line.starts_with("* BYE") {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let untagged = line.starts_with("* ") || line.starts_with("250-");
            assert!(untagged, "after {:?} expected {expected:?}, got {line:?}", &command[..command.len().min(60)]);
        }
    }

    /// UIDs of the messages with exactly this subject.
    pub fn search(&mut self, subject: &str) -> io::Result<Vec<u32>> {
        let messages = self.fetch()?;
        Ok(messages.into_iter().filter(|message| message.subject == subject).map(|message| message.uid).collect())
    }

    /// All messages of the selected folder.
    fn fetch(&mut self) -> io::Result<Vec<Message>> {
        self.stream.get_mut().write_all(b"u UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n")?;
        let mut messages = Vec::new();
        loop {
            let line = self.line()?;
            if line.starts_with("u OK") {
                return Ok(messages);
            }
            if !line.contains(" FETCH (") {
                continue;
            }
            let number = |key: &str, line: &str| -> Option<u32> {
                let digits = line.split(key).nth(1)?;
                digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
            };
            let uid = number("UID ", &line).expect("a UID");
            let octets = line.trim_end().strip_suffix('}').and_then(|rest| rest.rsplit('{').next()?.parse().ok());
            let mut literal = vec![0; octets.expect("the subject comes as a literal")];
            self.stream.read_exact(&mut literal)?;
            let rest = self.line()?;
            let text = String::from_utf8_lossy(&literal);
            let subject = text.trim().strip_prefix("Subject: ").expect("a whole subject").to_owned();
            messages.push(Message { uid, subject, flagged: line.contains("\\Flagged") || rest.contains("\\Flagged") });
        }
    }
}

/// UIDVALIDITY and messages of a folder.
pub fn listing(imap: &mut Wire, folder: &str) -> io::Result<(u32, Vec<Message>)> {
    imap.stream.get_mut().write_all(format!("s SELECT {folder}\r\n").as_bytes())?;
    let mut validity = None;
    loop {
        let line = imap.line()?;
        if let Some(rest) = line.split("[UIDVALIDITY ").nth(1) {
            validity = rest.split(']').next().and_then(|digits| digits.parse().ok());
        }
        if line.starts_with("s ") {
            assert!(line.starts_with("s OK"), "{line}");
            break;
        }
    }
    Ok((validity.expect("UIDVALIDITY is told"), imap.fetch()?))
}
