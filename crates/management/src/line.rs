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
            let free = command.positional().filter(|p| !line.request.parameters.contains_key(p.name));
            let free = free.ok_or_else(|| LineError(stray_word(command)))?;
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
        let Some(parameter) = command.parameter(name) else {
            return Err(LineError(command.no_parameter(name)));
        };
        let next_is_value = words.peek().is_some_and(|next| is_value(next));
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
    for parameter in command.parameters.iter().filter(|p| p.required) {
        if parameter.kind != Kind::Secret {
            // Said before anybody is asked for a password.
            if !line.request.parameters.contains_key(parameter.name) {
                return Err(LineError(command.needs(parameter)));
            }
        } else if line.secrets.iter().all(|(name, _)| *name != parameter.name) {
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

/// A number may be negative, if only to be told that it may not.
fn is_value(word: &str) -> bool {
    let rest = word.strip_prefix('-');
    rest.is_none_or(|rest| rest.is_empty() || rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Why a word without a name is not taken. It is not repeated: it may be a password.
fn stray_word(command: &Command) -> String {
    let names = command.parameters.iter().map(|p| format!("-{}", p.name)).collect::<Vec<_>>().join(", ");
    let takes = match command.positional() {
        Some(one) => format!("one word without a name, its -{}; what else it takes has a name", one.name),
        None if names.is_empty() => "no words".to_owned(),
        None => "no word without a name".to_owned(),
    };
    let secret = command.parameters.iter().find(|p| p.kind == Kind::Secret).map_or_else(String::new, |secret| {
        format!(
            ". A password does not stand on the command line, where others can see it: -{0} alone asks for it, -{0}File FILE reads it",
            secret.name
        )
    });
    let names = if names.is_empty() { names } else { format!(" ({names})") };
    format!("{} takes {takes}{names}{secret}.", command.name())
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
        let misspelt = parse("Get-ImapSettings -Formt json").err().unwrap().0;
        assert!(misspelt.contains("Did you mean -Format?"), "{misspelt}");
    }

    #[test]
    fn a_second_word_without_a_name_is_refused_and_not_repeated() {
        for text in
            ["New-Mailbox d@example.test hunter22xx", "Get-Service POP3 hunter22xx", "Set-ImapSettings hunter22xx"]
        {
            let refused = parse(text).err().unwrap().0;
            assert!(!refused.contains("hunter22xx"), "{refused}");
        }
        assert!(parse("New-Mailbox d@example.test x").err().unwrap().0.contains("-PasswordFile FILE"));
        assert!(parse("Set-ImapSettings Automatic").is_err(), "a setting always has its name");
    }

    #[test]
    fn a_negative_number_is_a_value_and_a_missing_parameter_is_named_before_a_password_is_asked_for() {
        let line = parse("Set-ImapSettings -MaxConnections -5").ok().unwrap();
        assert_eq!(line.request.parameters["MaxConnections"], "-5");
        assert!(parse("New-Mailbox").err().unwrap().0.contains("needs -Identity"));
    }

    #[test]
    fn confirmation_can_be_switched_off() {
        assert!(parse("Remove-Mailbox ann@example.test -Confirm:$false").ok().unwrap().unconfirmed);
        assert!(!parse("Remove-Mailbox ann@example.test").ok().unwrap().unconfirmed);
    }
}
