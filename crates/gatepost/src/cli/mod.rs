//! The command line. Passwords never stand on it: others can see it.

mod help;
mod init;
mod quickstart;
mod serve;
mod store;

use std::ffi::OsString;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::store::Address;
use clap::{Args, Parser, Subcommand};
use management::settings::{HostName, KERBEROS_IS_MISSING, SettingValue as _, needs_kerberos};
use rustix::fs::Mode;

use crate::manage;
use crate::setup::Listen;

/// Where data is unless `--data` says otherwise.
const DEFAULT_DATA: &str = "./gatepost-data";

/// A whole mail server for any POP3, IMAP and SMTP client.
#[derive(Parser)]
#[command(name = "gatepost", version, after_help = after_help(), disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Set up a mail server and run it; run again, it resumes
    Quickstart(Quickstart),
    /// Set up a data directory without running anything: services stopped, Manual
    Init(Init),
    /// Run the server of a data directory in the foreground
    Serve(Serve),
    /// Verify, repair, back up or restore the store of a data directory
    #[command(subcommand)]
    Store(store::Store),
}

#[derive(Args)]
struct Quickstart {
    /// The first mailbox; its domain becomes the accepted domain
    #[arg(value_parser = address)]
    address: Address,
    /// Everything that is kept is kept here
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    /// The name that clients connect to [default: localhost]
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<HostName>,
    /// The address to listen on [default: 127.0.0.1]; with :0, on free ports
    #[arg(long, value_name = "ADDR")]
    listen: Option<Listen>,
    /// Every port is its standard one plus N
    #[arg(long, value_name = "N", value_parser = port_offset)]
    port_offset: Option<u16>,
    /// A further mailbox; may be given again
    #[arg(long = "user", value_name = "ADDRESS", value_parser = address)]
    users: Vec<Address>,
    /// Passwords of new mailboxes: lines of `address password`; the rest are made up and shown once
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
    /// A setting or limit, such as Imap.MaxConnectionsPerUser=32; may be given again
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, serde_json::Value)>,
    #[command(flatten)]
    run: Run,
}

#[derive(Args)]
struct Init {
    /// Everything that is kept is kept here
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    /// The accepted domain
    #[arg(long, value_name = "D")]
    domain: String,
    /// The mailboxes: lines of `address password`
    #[arg(long, value_name = "F")]
    users_file: PathBuf,
    /// The name that clients connect to [default: this machine's own]
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<HostName>,
}

#[derive(Args)]
struct Serve {
    /// The data directory of the server
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    #[command(flatten)]
    run: Run,
}

#[derive(Args, Clone)]
struct Run {
    /// Where the log goes [default: standard error]
    #[arg(long, value_name = "F")]
    log_file: Option<PathBuf>,
    /// One line of JSON on standard output when ready, in place of the settings card
    #[arg(long)]
    json: bool,
}

/// Carries out a command line. What went wrong is said on standard error, with an exit status that is not 0.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    // What is made is nobody else's to write, whatever the caller allows; a stricter mask stays.
    let mask = rustix::process::umask(Mode::empty());
    rustix::process::umask(mask | Mode::WGRP | Mode::RWXO);
    let words = words(&arguments);
    if let Some(topic) = help::topic(&words) {
        return finish(help::run(topic));
    }
    match management_words(&words) {
        Some((command, words)) => finish(manage::run(command, &words, Path::new(DEFAULT_DATA))),
        None if is_verb_and_noun(&words) => finish(Err(help::unknown(words.first().map_or("", String::as_str)))),
        None => match Cli::try_parse_from(arguments).map(|cli| cli.verb) {
            Ok(Verb::Quickstart(given)) => finish(quickstart::run(given)),
            Ok(Verb::Init(given)) => finish(init::run(&given)),
            Ok(Verb::Serve(given)) => finish(serve::run(&given)),
            Ok(Verb::Store(given)) => finish(store::run(given)),
            Err(error) => {
                // Help and version come this way too, with a status of their own.
                let _ = error.print();
                ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
            }
        },
    }
}

fn finish<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "gatepost: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The words after the program's name, as far as they are text; `--data DIR` may stand before a command's name too.
fn words(arguments: &[OsString]) -> Vec<String> {
    let mut words: Vec<String> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let before = match words.first().map(String::as_str) {
        Some("--data") => 2,
        Some(word) if word.starts_with("--data=") => 1,
        _ => 0,
    };
    if words.get(before).is_some_and(|word| is_verb_and_noun(std::slice::from_ref(word))) {
        words.rotate_left(before);
    }
    words
}

/// `Verb-Noun` and what follows it, if the command line is one of those.
fn management_words(words: &[String]) -> Option<(&'static management::Command, Vec<String>)> {
    let (name, rest) = words.split_first()?;
    Some((manage::command_named(name)?, rest.to_vec()))
}

/// `Get-Something`: meant as a management command, though perhaps none is named so.
fn is_verb_and_noun(words: &[String]) -> bool {
    let verb = words.first().and_then(|word| word.split_once('-')).map(|(verb, _)| verb);
    verb.is_some_and(|verb| verb.starts_with(|letter: char| letter.is_ascii_alphabetic()))
}

fn after_help() -> String {
    let mut text =
        "Management commands, for a server that runs (each takes --help, --data DIR and -Format json):\n".to_owned();
    for command in management::all() {
        text += &format!("  {:24} {}\n", command.name(), command.synopsis);
    }
    text
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|error| error.to_string())
}

fn host(text: &str) -> Result<HostName, String> {
    let name = HostName::parse(text).map_err(|invalid| invalid.0)?;
    if name.as_str().is_empty() { Err(format!("expected {}", HostName::FORM)) } else { Ok(name) }
}

fn port_offset(text: &str) -> Result<u16, String> {
    // Port 995 is the highest standard one.
    const MOST: u16 = u16::MAX - 995;
    let offset = text.parse().ok().filter(|offset| *offset <= MOST);
    offset.ok_or_else(|| format!("expected a number from 0 to {MOST}, which is added to every standard port"))
}

fn setting(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let (name, value) = management::settings::parse(name.trim(), value.trim()).map_err(|invalid| invalid.0)?;
    if needs_kerberos(&name, &value) && !cfg!(feature = "kerberos") {
        return Err(KERBEROS_IS_MISSING.to_owned());
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_declared_soundly() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_verb_and_noun_go_to_management_in_any_case() {
        let words = |text: &str| management_words(&words(&text.split(' ').map(OsString::from).collect::<Vec<_>>()));
        let (command, rest) = words("gatepost get-service POP3").unwrap();
        assert_eq!((command.name().as_str(), &rest[..]), ("Get-Service", &["POP3".to_owned()][..]));
        for line in ["gatepost --data /d Get-Service POP3", "gatepost --data=/d Get-Service POP3"] {
            assert_eq!(words(line).unwrap().0.name(), "Get-Service");
        }
        assert!(words("gatepost serve").is_none());
        assert!(words("gatepost Get-Nothing").is_none());
    }

    #[test]
    fn help_is_given_for_everything_and_what_was_meant_is_named() {
        assert!(help::unknown("Get-Servce").contains("Did you mean Get-Service?"));
        for topic in ["", "settings", "Set-ImapSettings", "quickstart", "store backup"] {
            let words: Vec<String> = topic.split_whitespace().map(str::to_owned).collect();
            assert!(help::run(&words).is_ok(), "{topic}");
        }
        assert!(help::run(&["Get-Everything".to_owned()]).is_err());
        let asked = |text: &str| help::topic(&text.split(' ').map(str::to_owned).collect::<Vec<_>>()).map(<[_]>::len);
        assert_eq!((asked("get-help Get-Service"), asked("Get-Command"), asked("serve")), (Some(1), Some(0), None));
    }

    #[test]
    fn a_port_offset_is_held_to_the_ports_there_are() {
        assert_eq!(port_offset("64540"), Ok(64_540));
        for wrong in ["64541", "x", "-1"] {
            assert!(port_offset(wrong).unwrap_err().contains("0 to 64540"));
        }
    }

    #[test]
    fn settings_and_hosts_are_checked_where_they_are_given() {
        assert_eq!(setting("imap.maxconnectionsperuser = 32").unwrap().0, "Imap.MaxConnectionsPerUser");
        assert!(setting("Imap.Nothing=1").is_err());
        assert!(setting("Imap.LoginType").is_err());
        assert_eq!(setting("Server.KerberosKeytab=/etc/mail.keytab").is_ok(), cfg!(feature = "kerberos"));
        assert_eq!(host("Mail.Example.Test").unwrap().as_str(), "mail.example.test");
        for wrong in ["", "é.test"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
