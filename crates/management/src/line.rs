//! A command as it stands on a command line: `Set-PopSettings -LoginType SecureLogin`.

use std::path::PathBuf;

use serde_json::Value;

use crate::{Command, Kind, Parameter, Request};

/// A command line, understood.
pub struct Line {
    pub command: &'static Command,
    pub request: Request,
    /// Secrets still to be fetched, by parameter name.
    pub secrets: Vec<(&'static str, SecretSource)>,
    /// `-Confirm:$false`: do not ask before something is destroyed.
    pub unconfirmed: bool,
}

/// Where a secret comes from: never from the command line, which other users of the machine can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A prompt, or a line of standard input if that is no terminal.
    Ask,
    /// The first line of a file; `-` is standard input.
    File(PathBuf),
}

/// Why a line was not understood; the text tells the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LineError(pub String);

/// Understands `words` (those after the command's own name).
pub fn parse_line(command: &'static Command, words: &[String]) -> Result<Line, LineError> {
    let mut line = Line {
        command,
        request: Request { command: command.name(), parameters: serde_json::Map::new() },
        secrets: Vec::new(),
        unconfirmed: false,
    };
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix('-').filter(|name| !name.is_empty()) else {
            let free = command
                .parameters
                .iter()
                .find(|p| p.kind != Kind::Secret && !line.request.parameters.contains_key(p.name));
            let free =
                free.ok_or_else(|| LineError(format!("{word:?} belongs to no parameter of {}", command.name())))?;
            line.request.parameters.insert(free.name.into(), value(free, word));
            continue;
        };
        let (name, mut inline) = match name.split_once(':') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        if name.eq_ignore_ascii_case("Confirm") {
            line.unconfirmed = inline.is_some_and(|v| v.trim_start_matches('$').eq_ignore_ascii_case("false"));
            continue;
        }
        if let Some(secret) = secret_file(command, name) {
            let path = inline.or_else(|| words.next().cloned());
            let path = path.ok_or_else(|| LineError(format!("-{name} needs a file name, or - for standard input")))?;
            line.secrets.push((secret.name, SecretSource::File(path.into())));
            continue;
        }
        let Some(parameter) = command.parameter(name) else { return Err(unknown(command, name)) };
        let next_is_value = words.peek().is_some_and(|next| !next.starts_with('-') || next.len() == 1);
        if inline.is_none() && next_is_value && parameter.kind != Kind::Secret {
            inline = words.next().cloned();
        }
        match (parameter.kind, inline) {
            (Kind::Secret, None) if !next_is_value => line.secrets.push((parameter.name, SecretSource::Ask)),
            (Kind::Secret, _) => {
                return Err(LineError(format!(
                    "a password on the command line can be seen by others; give -{0} alone to be asked for it, or -{0}File FILE",
                    parameter.name
                )));
            }
            (_, None) => return Err(LineError(format!("-{} needs a value: {}", parameter.name, parameter.meaning))),
            (_, Some(text)) => {
                line.request.parameters.insert(parameter.name.into(), value(parameter, &text));
            }
        }
    }
    for parameter in command.parameters.iter().filter(|p| p.required && p.kind == Kind::Secret) {
        if line.secrets.iter().all(|(name, _)| *name != parameter.name) {
            line.secrets.push((parameter.name, SecretSource::Ask));
        }
    }
    Ok(line)
}

fn value(parameter: &Parameter, text: &str) -> Value {
    match parameter.kind {
        Kind::List => text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect(),
        Kind::Text | Kind::Secret => text.into(),
    }
}

/// `-PasswordFile` goes with a secret parameter `Password`.
fn secret_file(command: &Command, name: &str) -> Option<&'static Parameter> {
    let stem = name.get(..name.len().checked_sub(4)?)?;
    let is_file = name.get(stem.len()..)?.eq_ignore_ascii_case("File");
    command.parameter(stem).filter(|parameter| is_file && parameter.kind == Kind::Secret)
}

fn unknown(command: &Command, name: &str) -> LineError {
    let known = command.parameters.iter().map(|p| format!("-{}", p.name)).collect::<Vec<_>>().join(", ");
    LineError(format!("{} has no parameter -{name}. It takes: {known}.", command.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Line, LineError> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let command = crate::find(&words[0]).expect("the command exists");
        parse_line(command, &words[1..])
    }

    #[test]
    fn names_are_found_in_any_case_and_the_first_word_is_the_identity() {
        let line = parse("set-mailbox ann@example.test -quota 2GB").ok().unwrap();
        assert_eq!(line.request.command, "Set-Mailbox");
        assert_eq!(
            serde_json::to_string(&line.request.parameters).unwrap(),
            r#"{"Identity":"ann@example.test","Quota":"2GB"}"#
        );
    }

    #[test]
    fn a_password_never_stands_on_the_line() {
        for text in ["Set-Mailbox ann@example.test -Password secret", "Set-Mailbox ann@example.test -Password:secret"] {
            let refused = parse(text).err().unwrap().0;
            assert!(refused.contains("-PasswordFile") && !refused.contains("secret"), "{refused}");
        }
        let asked = parse("Set-Mailbox ann@example.test -Password").ok().unwrap();
        assert_eq!(asked.secrets, [("Password", SecretSource::Ask)]);
        let from_file = parse("Set-Mailbox ann@example.test -passwordfile -").ok().unwrap();
        assert_eq!(from_file.secrets, [("Password", SecretSource::File("-".into()))]);
    }

    #[test]
    fn lists_are_split_and_unknown_parameters_are_named_with_the_known_ones() {
        let line = parse("Set-Mailbox ann@example.test -EmailAddresses a@example.test,b@example.test").ok().unwrap();
        assert_eq!(line.request.parameters["EmailAddresses"], serde_json::json!(["a@example.test", "b@example.test"]));
        assert!(parse("Set-ImapSettings -Logintyp x").err().unwrap().0.contains("-LoginType"));
        assert!(parse("Get-Service a b").err().unwrap().0.contains("\"b\""));
    }

    #[test]
    fn confirmation_can_be_switched_off() {
        assert!(parse("Remove-Mailbox ann@example.test -Confirm:$false").ok().unwrap().unconfirmed);
        assert!(!parse("Remove-Mailbox ann@example.test").ok().unwrap().unconfirmed);
    }
}
