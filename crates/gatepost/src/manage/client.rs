//! The client's side: a command line becomes a request, the response becomes text.

use std::io::{BufRead, BufReader, ErrorKind, IsTerminal, Read, Write, stderr, stdin, stdout};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use management::{Command, Line, Outcome, Request, Response, SecretSource, parse_line, render_table};
use serde_json::Value;
use zeroize::Zeroizing;

use super::MAX_LINE;
use crate::setup::{DataDirectory, belongs_to_another};

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    NotOurs(crate::setup::SetupError),
    #[error("no server runs on {data} ({error}); start it with: gatepost serve --data {data}")]
    NoServer { data: String, error: std::io::Error },
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// The management command that the first word of a command line names.
pub fn command_named(word: &str) -> Option<&'static Command> {
    management::find(word)
}

/// Carries out a management command on the server that `--data DIR` names and shows what it answers.
pub fn run(command: &'static Command, words: &[String], default_data: &Path) -> Result<(), ManageError> {
    let (words, options) = Options::split(words, default_data)?;
    if options.help {
        return Ok(write!(stdout(), "{}", help(command))?);
    }
    let line = parse_line(command, &words).map_err(|error| ManageError::Usage(error.0))?;
    let Line { mut request, secrets, unconfirmed, .. } = line;
    let destroys = command.destroys.filter(|_| !unconfirmed);
    let asks = destroys.is_some() || secrets.iter().any(|(_, source)| *source == SecretSource::Ask);
    if let Some(look) = look_first(command, &request).filter(|_| asks && stdin().is_terminal()) {
        // Nobody is asked about what is not there.
        ask(server(&options.data)?, &look)?;
    }
    if let Some(what) = destroys {
        confirm(what, command.positional().and_then(|named| request.parameters.get(named.name)))?;
    }
    for (name, source) in secrets {
        let secret = fetch(name, &source)?;
        request.parameters.insert(name.to_owned(), Value::String(secret.as_str().to_owned()));
    }
    show(ask(server(&options.data)?, &request)?, options.json)
}

/// Has the server that runs on this data carry a command out; `None` when none runs.
pub fn ask_if_running(data: &DataDirectory, request: &Request) -> Result<Option<Outcome>, ManageError> {
    match connect(data) {
        Ok(stream) => ask(stream, request).map(Some),
        // A socket without a listener was left behind by a server that was killed.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What belongs to the client and not to the command.
struct Options {
    data: PathBuf,
    json: bool,
    help: bool,
}

impl Options {
    fn split(words: &[String], default_data: &Path) -> Result<(Vec<String>, Self), ManageError> {
        let mut options = Self { data: default_data.to_owned(), json: false, help: false };
        let mut rest = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once(['=', ':']) {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || {
                let value = inline.clone().or_else(|| words.next().cloned());
                value.ok_or_else(|| ManageError::Usage(format!("{name} needs a value")))
            };
            match name.to_ascii_lowercase().as_str() {
                "--data" => options.data = value()?.into(),
                "-format" | "--format" => match value()?.to_ascii_lowercase().as_str() {
                    "json" => options.json = true,
                    "table" => options.json = false,
                    _ => return Err(ManageError::Usage("-Format is json or table".to_owned())),
                },
                "--help" | "-h" | "-?" => options.help = true,
                _ => rest.push(word.clone()),
            }
        }
        Ok((rest, options))
    }
}

/// The parameters of a command.
pub fn help(command: &Command) -> String {
    let mut text = format!("{}: {}\n\nParameters:\n", command.name(), command.synopsis);
    for parameter in command.parameters {
        let needed = if parameter.required { " (needed)" } else { "" };
        text += &format!("  -{:36} {}{needed}\n", parameter.name, parameter.meaning);
        if let Some(form) = parameter.form {
            text += &format!("   {:36} {}\n", "", form());
        }
    }
    text += "  --data DIR                            the data directory of the server (./gatepost-data)\n";
    text += "  -Format json|table                    how results are written\n";
    text
}

/// What shows the one that a command is about: `Get-Mailbox ann` for `Remove-Mailbox ann`.
fn look_first(command: &Command, request: &Request) -> Option<Request> {
    let shows = management::find(&format!("Get-{}", command.noun)).filter(|_| command.verb != "New")?;
    let named = shows.positional()?.name;
    let value = request.parameters.get(named)?.clone();
    Some(Request { command: shows.name(), parameters: [(named.to_owned(), value)].into_iter().collect() })
}

fn confirm(what: &str, named: Option<&Value>) -> Result<(), ManageError> {
    if !stdin().is_terminal() {
        return Err(ManageError::Usage(format!(
            "this is to {what}; give -Confirm:$false to do it without being asked"
        )));
    }
    let named = named.and_then(Value::as_str).map(|named| format!(": {named}")).unwrap_or_default();
    write!(stderr(), "This is to {what}{named}. Go on? [y/N] ")?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(ManageError::Failed("nothing was done".to_owned()))
    }
}

/// A password, from where others cannot see it.
fn fetch(name: &str, source: &SecretSource) -> Result<Zeroizing<String>, ManageError> {
    let text = match source {
        SecretSource::Ask if stdin().is_terminal() => {
            let first = Zeroizing::new(rpassword::prompt_password(format!("{name}: "))?);
            let second = Zeroizing::new(rpassword::prompt_password(format!("{name} again: "))?);
            if first != second {
                return Err(ManageError::Failed("the two differ; nothing was done".to_owned()));
            }
            first
        }
        SecretSource::Ask => first_line(&mut stdin().lock())?,
        SecretSource::File(path) if path.as_os_str() == "-" => first_line(&mut stdin().lock())?,
        SecretSource::File(path) => {
            let file = std::fs::File::open(path)
                .map_err(|error| ManageError::Usage(format!("{}: {error}", path.display())))?;
            first_line(&mut BufReader::new(file))?
        }
    };
    Ok(text)
}

fn first_line(reader: &mut impl BufRead) -> Result<Zeroizing<String>, ManageError> {
    let mut line = Zeroizing::new(String::new());
    reader.take(64 * 1024).read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The server of a data directory.
fn server(data: &Path) -> Result<UnixStream, ManageError> {
    let connected = match std::fs::canonicalize(data) {
        Ok(_) => DataDirectory::open(data).map_err(ManageError::NotOurs).map(|data| connect(&data))?,
        Err(error) => Err(error),
    };
    connected.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => ManageError::NotOurs(belongs_to_another(data)),
        _ => ManageError::NoServer { data: data.display().to_string(), error },
    })
}

fn connect(data: &DataDirectory) -> std::io::Result<UnixStream> {
    UnixStream::connect(data.management_socket().path())
}

fn ask(mut stream: UnixStream, request: &Request) -> Result<Outcome, ManageError> {
    let mut line = Zeroizing::new(serde_json::to_vec(request).map_err(std::io::Error::from)?);
    line.push(b'\n');
    // Who is refused at the door may find it closed, with the reason waiting.
    let sent = stream.write_all(&line);
    let mut answer = String::new();
    BufReader::new(stream).take(MAX_LINE).read_line(&mut answer)?;
    if answer.is_empty() {
        sent?;
        return Err(ManageError::Failed("the server ended before it answered".to_owned()));
    }
    match serde_json::from_str(&answer).map_err(std::io::Error::from)? {
        Response::Done(outcome) => Ok(outcome),
        Response::Failed(why) => Err(ManageError::Failed(why)),
    }
}

/// Shows what a command did; what it found to be wrong is an error.
pub fn show(outcome: Outcome, json: bool) -> Result<(), ManageError> {
    for warning in &outcome.warnings {
        writeln!(stderr(), "WARNING: {warning}")?;
    }
    if json {
        let text = serde_json::to_string_pretty(&outcome.results).map_err(std::io::Error::from)?;
        writeln!(stdout(), "{text}")?;
    } else {
        write!(stdout(), "{}", render_table(&outcome.results))?;
    }
    outcome.fault.map_or(Ok(()), |fault| Err(ManageError::Failed(fault)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_prompt_is_about_is_looked_for_first() {
        let looks = |words: &str| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let command = management::find(&words[0]).unwrap();
            let line = parse_line(command, &words[1..]).ok().unwrap();
            look_first(command, &line.request).map(|look| (look.command, look.parameters["Identity"].clone()))
        };
        let ann = Some(("Get-Mailbox".to_owned(), Value::from("ann@example.test")));
        assert_eq!(looks("Remove-Mailbox ann@example.test"), ann);
        assert_eq!(looks("Set-Mailbox ann@example.test -Password"), ann);
        assert_eq!(looks("New-Mailbox ann@example.test"), None);
        assert_eq!(looks("Set-ImapSettings -Banner x"), None);
    }

    #[test]
    fn options_of_the_client_are_taken_out_wherever_they_stand() {
        let words: Vec<String> =
            ["-Format", "json", "POP3", "--data=/d", "-StartupType", "Manual"].map(str::to_owned).into();
        let (rest, options) = Options::split(&words, Path::new("x")).ok().unwrap();
        assert_eq!(rest, ["POP3", "-StartupType", "Manual"]);
        assert_eq!((options.data, options.json), (PathBuf::from("/d"), true));
        assert!(Options::split(&["--data".to_owned()], Path::new("x")).is_err());
        assert!(Options::split(&["-Format:xml".to_owned()], Path::new("x")).is_err());
    }
}
