//! Plays a transcript's conversation against a server.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::pattern::{Names, fits, octets};
use crate::script::{Port, Script, Step};

/// Both directions of a connection.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// What a transcript is played against.
pub trait Server {
    /// A connection before any TLS, to the port with implicit TLS or to the other.
    fn connect(&self, port: Port, tls: bool) -> Pin<Box<dyn Future<Output = Box<dyn Wire>> + '_>>;

    /// What a client trusts.
    fn trust(&self) -> Arc<ClientConfig>;

    /// The server's name in its certificate and greetings.
    fn host(&self) -> &str;

    /// The ports with TLS from the first octet, as configured: `pop3s`, `imaps`, `submissions`.
    fn tls_ports(&self) -> [(&'static str, u16); 3];
}

/// How long the server may take for a line: long enough for the slowest machine, as only failures wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection, and a line that was looked at but not taken.
struct Conversation {
    wire: BufReader<Box<dyn Wire>>,
    looked_at: Option<String>,
}

impl Conversation {
    fn over(wire: Box<dyn Wire>) -> Self {
        Self { wire: BufReader::new(wire), looked_at: None }
    }

    async fn line(&mut self) -> Result<String, String> {
        if let Some(line) = self.looked_at.take() {
            return Ok(line);
        }
        let mut line = Vec::new();
        match timeout(PATIENCE, self.wire.read_until(b'\n', &mut line)).await {
            Ok(Ok(0)) => Err("the server closed the connection".to_owned()),
            Ok(Ok(_)) => whole(&line),
            Ok(Err(error)) => Err(format!("cannot receive: {error}")),
            Err(_) => Err(format!("the server says nothing more than {:?}", String::from_utf8_lossy(&line))),
        }
    }

    async fn send(&mut self, octets: &[u8]) -> Played {
        let sent = async {
            self.wire.write_all(octets).await?;
            self.wire.flush().await
        };
        match timeout(PATIENCE, sent).await {
            Ok(sent) => sent.map_err(|error| format!("cannot send: {error}")),
            Err(_) => Err("the server takes nothing".to_owned()),
        }
    }

    /// The server has nothing more to say and closes.
    async fn end(mut self) -> Played {
        let mut rest = self.looked_at.take().unwrap_or_default().into_bytes();
        match timeout(PATIENCE, self.wire.read_to_end(&mut rest)).await {
            Ok(_) if rest.is_empty() => Ok(()),
            Ok(_) => Err(format!("the server also said {:?}", String::from_utf8_lossy(&rest))),
            Err(_) => Err("the server does not close the connection".to_owned()),
        }
    }
}

/// What went wrong, with the line of the file.
pub type Played = Result<(), String>;

pub async fn play(script: &Script, server: &dyn Server) -> Played {
    let ports = server.tls_ports().map(|(name, port)| (name.to_owned(), port.to_string()));
    let mut names = Names::from(ports);
    names.insert("host".to_owned(), server.host().to_owned());
    let mut player = Player { server, names, wires: BTreeMap::new() };
    let mut steps = script.steps.iter().peekable();
    while let Some((line, step)) = steps.next() {
        let next = steps.peek().map(|(_, step)| step);
        player.step(step, next).await.map_err(|why| format!("line {line}: {why}"))?;
    }
    let open: Vec<u32> = player.wires.keys().copied().collect();
    for number in open {
        player.close(number).await.map_err(|why| format!("at the end: {why}"))?;
    }
    Ok(())
}

struct Player<'a> {
    server: &'a dyn Server,
    names: Names,
    wires: BTreeMap<u32, Conversation>,
}

impl Player<'_> {
    async fn step(&mut self, step: &Step, next: Option<&Step>) -> Played {
        match step {
            Step::Connect { number, port, tls } => {
                let mut wire = self.server.connect(*port, *tls).await;
                if *tls {
                    wire = encrypted(self.server, wire).await?;
                }
                self.wires.insert(*number, Conversation::over(wire));
            }
            Step::Send { number, text } => {
                let octets = octets(text, &self.names);
                self.wire(*number)?.send(&octets).await?;
            }
            Step::Expect { number, pattern } if pattern == "<lines>" => {
                let Some(Step::Expect { number: same, pattern }) = next else {
                    return Err("<lines> needs a line to come after".to_owned());
                };
                if same != number {
                    return Err("<lines> needs a line to come after".to_owned());
                }
                let names = self.names.clone();
                let conversation = self.wire(*number)?;
                loop {
                    let line = conversation.line().await?;
                    if fits(pattern, &line, &mut names.clone()) {
                        // It is the next step's.
                        conversation.looked_at = Some(line);
                        break;
                    }
                }
            }
            Step::Expect { number, pattern } => {
                let line = self.wire(*number)?.line().await?;
                if !fits(pattern, &line, &mut self.names) {
                    return Err(format!("expected {pattern:?}, but the server said {line:?}"));
                }
            }
            Step::ExpectClosed { number } => self.taken(*number)?.end().await?,
            Step::StartTls { number } => {
                let conversation = self.taken(*number)?;
                let early = conversation.wire.buffer();
                if !early.is_empty() || conversation.looked_at.is_some() {
                    return Err(format!("the server said {:?} before TLS", String::from_utf8_lossy(early)));
                }
                let wire = encrypted(self.server, conversation.wire.into_inner()).await?;
                self.wires.insert(*number, Conversation::over(wire));
            }
            Step::Close { number } => self.close(*number).await?,
        }
        Ok(())
    }

    fn wire(&mut self, number: u32) -> Result<&mut Conversation, String> {
        self.wires.get_mut(&number).ok_or_else(|| format!("there is no connection {number}"))
    }

    fn taken(&mut self, number: u32) -> Result<Conversation, String> {
        self.wires.remove(&number).ok_or_else(|| format!("there is no connection {number}"))
    }

    async fn close(&mut self, number: u32) -> Played {
        let mut conversation = self.taken(number)?;
        // The server may have closed it already.
        let _ = timeout(PATIENCE, conversation.wire.shutdown()).await;
        conversation.end().await
    }
}

/// TLS over a wire.
pub async fn encrypted(server: &dyn Server, wire: Box<dyn Wire>) -> Result<Box<dyn Wire>, String> {
    let connector = TlsConnector::from(server.trust());
    let name = ServerName::try_from(server.host().to_owned()).map_err(|error| error.to_string())?;
    match timeout(PATIENCE, connector.connect(name, wire)).await {
        Ok(Ok(wire)) => Ok(Box::new(wire)),
        Ok(Err(error)) => Err(format!("TLS failed: {error}")),
        Err(_) => Err("TLS does not begin".to_owned()),
    }
}

/// A line without its end, which is CRLF in all three protocols.
fn whole(line: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(line);
    match text.strip_suffix("\r\n") {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("{text:?} does not end in CRLF")),
    }
}
