//! `gatepost help`, `Get-Help`, `Get-Command`, and what was probably meant where nothing was found.

use std::io::{Write, stdout};

use clap::CommandFactory;

use super::Cli;
use super::serve::Ran;
use crate::manage;

/// The first word of a command line that asks for help, with what it asks about.
pub fn topic(words: &[String]) -> Option<&[String]> {
    let (first, rest) = words.split_first()?;
    let is_asked = ["help", "Get-Help", "Get-Command"].iter().any(|name| name.eq_ignore_ascii_case(first));
    is_asked.then_some(rest)
}

pub fn run(topic: &[String]) -> Ran {
    let text = match topic {
        [] => overview(),
        [word] if word.eq_ignore_ascii_case("settings") => management::settings::reference()?,
        [word, rest @ ..] => match manage::command_named(word) {
            Some(command) => manage::help(command),
            None => verb(word, rest)?,
        },
    };
    Ok(stdout().write_all(text.as_bytes())?)
}

fn overview() -> String {
    format!(
        "{}\nMore: gatepost help NAME. Every setting with its default: gatepost help settings\n",
        Cli::command().render_help()
    )
}

/// A verb of the command line itself, such as `store backup`.
fn verb(word: &str, rest: &[String]) -> Result<String, String> {
    let mut command = Cli::command();
    command.build();
    let mut found = command.find_subcommand_mut(word).ok_or_else(|| unknown(word))?;
    for word in rest {
        found = found.find_subcommand_mut(word).ok_or_else(|| unknown(word))?;
    }
    Ok(found.render_help().to_string())
}

/// Why a word names no command.
pub fn unknown(word: &str) -> String {
    let names: Vec<String> = management::all().map(management::Command::name).collect();
    let meant = management::nearest(word, names.iter().map(String::as_str));
    let meant = meant.map(|meant| format!(" Did you mean {meant}?")).unwrap_or_default();
    format!("there is no command {word:?}.{meant} gatepost --help names them all")
}
