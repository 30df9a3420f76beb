//! Reads transcripts; the format is described in `tests/transcripts/README.md`.

use std::fmt;

use management::Service;

/// A file as it is to be played.
#[derive(Debug, Default)]
pub struct Script {
    pub accounts: Vec<(String, String)>,
    pub messages: Vec<Message>,
    pub settings: Vec<(String, String)>,
    /// With the number of the line that each began on.
    pub steps: Vec<(usize, Step)>,
}

#[derive(Debug)]
pub struct Message {
    pub address: String,
    pub folder: String,
    /// As IMAP writes them, without parentheses.
    pub flags: String,
    pub octets: Vec<u8>,
}

#[derive(Debug)]
pub enum Step {
    Connect {
        number: u32,
        port: Port,
        tls: bool,
    },
    /// Text before anything in it is replaced, line ends included.
    Send {
        number: u32,
        text: String,
    },
    Expect {
        number: u32,
        pattern: String,
    },
    ExpectClosed {
        number: u32,
    },
    StartTls {
        number: u32,
    },
    Close {
        number: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Pop3,
    Imap,
    Smtp,
    Submission,
}

impl Port {
    pub const ALL: [Self; 4] = [Self::Pop3, Self::Imap, Self::Smtp, Self::Submission];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pop3 => "pop3",
            Self::Imap => "imap",
            Self::Smtp => "smtp",
            Self::Submission => "submission",
        }
    }

    /// Where the settings of its service are kept.
    pub fn settings(self) -> &'static str {
        match self {
            Self::Pop3 => Service::Pop3.group(),
            Self::Imap => Service::Imap4.group(),
            Self::Smtp | Self::Submission => "Server",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|port| port.name() == name)
    }
}

/// What is wrong with a file, with its line number.
#[derive(Debug)]
pub struct Wrong(pub usize, pub String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.0, self.1)
    }
}

impl Script {
    /// `port`: that of the folder's protocol.
    pub fn parse(text: &str, port: Port) -> Result<Self, Wrong> {
        let mut script = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            script.line(number, line, port).map_err(|why| Wrong(number, why))?;
        }
        Ok(script)
    }

    fn line(&mut self, at: usize, line: &str, port: Port) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(text) = line.strip_prefix('|') {
            let message = self.messages.last_mut().ok_or("there is no message before this line")?;
            message.octets.extend_from_slice(text.as_bytes());
            message.octets.extend_from_slice(b"\r\n");
            return Ok(());
        }
        if let Some(step) = spoken(line)? {
            match (self.steps.last_mut(), step) {
                // Lines in a row are one write.
                (Some((_, Step::Send { number, text })), Step::Send { number: same, text: more })
                    if *number == same =>
                {
                    text.push_str(&more);
                }
                (_, step) => self.steps.push((at, step)),
            }
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["account", address, password] => self.accounts.push((address.to_string(), password.to_string())),
            ["message", address, folder, flags @ ..] => {
                let flags = flags.join(" ").trim_matches(['(', ')']).to_owned();
                let (address, folder) = (address.to_string(), folder.to_string());
                self.messages.push(Message { address, folder, flags, octets: Vec::new() });
            }
            ["setting", name, value @ ..] => self.settings.push((name.to_string(), value.join(" "))),
            ["connect", rest @ ..] => self.steps.push((at, connect(rest, port)?)),
            ["<close>"] => self.steps.push((at, Step::Close { number: 1 })),
            ["<starttls>"] => self.steps.push((at, Step::StartTls { number: 1 })),
            ["<close", number] => self.steps.push((at, Step::Close { number: marked(number)? })),
            ["<starttls", number] => self.steps.push((at, Step::StartTls { number: marked(number)? })),
            _ => return Err(format!("{line:?} means nothing")),
        }
        Ok(())
    }
}

/// `C:`, `C2:`, `C-`, `C2-`, `S:`, `S2:`.
fn spoken(line: &str) -> Result<Option<Step>, String> {
    let (head, text) = line.split_once(' ').unwrap_or((line, ""));
    let (Some(who @ ('C' | 'S')), Some(end @ (':' | '-'))) = (head.chars().next(), head.chars().next_back()) else {
        return Ok(None);
    };
    let number = match head.trim_matches(['C', 'S', ':', '-']) {
        "" => 1,
        number => number.parse().map_err(|_| format!("{head:?} names no connection"))?,
    };
    Ok(Some(match (who, end, text) {
        ('C', ':', text) => Step::Send { number, text: format!("{text}\r\n") },
        ('C', _, text) => Step::Send { number, text: text.to_owned() },
        (_, ':', "<closed>") => Step::ExpectClosed { number },
        (_, ':', pattern) => Step::Expect { number, pattern: pattern.to_owned() },
        _ => return Err(format!("{head:?} means nothing")),
    }))
}

fn connect(words: &[&str], port: Port) -> Result<Step, String> {
    let (words, number) = match words {
        [words @ .., "as", number] => (words, number.parse().map_err(|_| format!("{number:?} is no number"))?),
        words => (words, 1),
    };
    let (port, how) = match words {
        [name, how] => (Port::parse(name).ok_or_else(|| format!("{name:?} is no port"))?, *how),
        [how] => (port, *how),
        _ => return Err("connect [PORT] tls|clear [as NUMBER]".to_owned()),
    };
    match how {
        "tls" => Ok(Step::Connect { number, port, tls: true }),
        "clear" => Ok(Step::Connect { number, port, tls: false }),
        how => Err(format!("{how:?} is neither tls nor clear")),
    }
}

fn marked(number: &str) -> Result<u32, String> {
    number.trim_end_matches('>').parse().map_err(|_| format!("{number:?} is no number"))
}
