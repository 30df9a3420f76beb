//! The server's side: one line of JSON for each request, one for its response.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;
use std::time::Duration;

use management::{Failure, Request, Response};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::{MAX_LINE, Ports};
use crate::setup::{SetupError, SocketPath};

/// Clients served at a time.
const CLIENTS: usize = 16;
/// How long a client may take for its request.
const PATIENCE: Duration = Duration::from_secs(60);

/// The socket while the server runs.
pub struct ManagementSocket {
    socket: SocketPath,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl ManagementSocket {
    /// Listens there. The store's lock already keeps a second server away, so what is found there was
    /// left behind by one that was killed.
    ///
    /// When it is stopped, what is being carried out has `patience` to end.
    pub fn open(socket: SocketPath, ports: Ports, patience: Duration) -> Result<Self, SetupError> {
        let path = socket.path();
        let listen = || {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            // The directory lets nobody else in; this holds where somebody opened it.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok((listener, fs::metadata(&path)?.uid()))
        };
        let (listener, owner) = listen().map_err(SetupError::file(socket.shown()))?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, owner, Arc::new(ports), stopped, patience));
        Ok(Self { socket, stop, task })
    }

    /// What is being carried out is finished, unless it takes too long.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
        let _ = fs::remove_file(self.socket.path());
    }
}

async fn accept(
    listener: UnixListener,
    owner: u32,
    ports: Arc<Ports>,
    mut stopped: watch::Receiver<bool>,
    patience: Duration,
) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    let mut clients = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            Some(_) = clients.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(250)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            let busy = format!("{CLIENTS} management commands are being carried out; try again when one has ended");
            // One write that waits for nothing.
            let told = line(&Response::Failed(busy)).map(|line| stream.try_write(&line));
            tracing::warn!(?told, "a management client was one too many");
            continue;
        };
        let (ports, mut stopped) = (ports.clone(), stopped.clone());
        clients.spawn(async move {
            let _place = place;
            if let Err(error) = serve(stream, owner, &ports, &mut stopped).await {
                tracing::debug!(%error, "a management client went away");
            }
        });
    }
    drop(listener);
    let all = async { while clients.join_next().await.is_some() {} };
    if tokio::time::timeout(patience, all).await.is_err() {
        // The rest of a verification or a backup: nothing is lost with it, and a backup is not marked as whole.
        tracing::warn!("a management command takes longer than the end of the server may; it is broken off");
        clients.shutdown().await;
    }
}

/// Requests until the client has no more.
async fn serve(
    stream: UnixStream,
    owner: u32,
    ports: &Ports,
    stopped: &mut watch::Receiver<bool>,
) -> std::io::Result<()> {
    let user = stream.peer_cred()?.uid();
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader.take(MAX_LINE));
    if user != owner && user != 0 {
        tracing::warn!(user, "a management client of another user was refused");
        let refusal = Response::Failed("only the server's own user and root may manage it".to_owned());
        return writer.write_all(&line(&refusal)?).await;
    }
    let mut text = Vec::new();
    loop {
        text.clear();
        reader.get_mut().set_limit(MAX_LINE);
        let read = tokio::select! {
            read = tokio::time::timeout(PATIENCE, reader.read_until(b'\n', &mut text)) => read,
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
        };
        if read.map_err(std::io::Error::other)?? == 0 {
            return Ok(());
        }
        let response = match serde_json::from_slice::<Request>(&text) {
            Ok(request) => carry_out(ports, user, request).await,
            Err(error) => Response::Failed(format!("not a request: {error}")),
        };
        writer.write_all(&line(&response)?).await?;
    }
}

async fn carry_out(ports: &Ports, user: u32, request: Request) -> Response {
    let Some(command) = management::find(&request.command) else {
        return Response::Failed(format!("there is no command {:?}", request.command));
    };
    // Names only: a value may be a secret.
    let parameters: Vec<&str> = request.parameters.keys().map(String::as_str).collect();
    tracing::info!(command = command.name(), ?parameters, user, "management command begins");
    let result: Result<_, Failure> = command.run(ports, &request.parameters).await;
    let failure = result.as_ref().err().map(|Failure(why)| why.as_str());
    tracing::info!(command = command.name(), ?parameters, user, failure, "management command");
    result.into()
}

fn line(response: &Response) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(response)?;
    line.push(b'\n');
    Ok(line)
}
