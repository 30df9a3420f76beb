//! What goes to a command and what comes back: requests, results, and a result as a table.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One result: named values in the order they are to be shown.
pub type Object = Map<String, Value>;

/// A command to be run, as it travels on the management socket: one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// `Set-PopSettings`.
    pub command: String,
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

/// What a command did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub results: Vec<Object>,
    /// Shown on standard error; they do not change the exit status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The command did what it could, and this is wrong: shown on standard error, with an exit status that is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Outcome {
    pub fn of(results: Vec<Object>) -> Self {
        Self { results, ..Self::default() }
    }
}

/// Why a command did nothing; the text tells the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self(error.to_string())
    }
}

/// The answer to a [`Request`], one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Response {
    Done(Outcome),
    Failed(String),
}

impl From<Result<Outcome, Failure>> for Response {
    fn from(result: Result<Outcome, Failure>) -> Self {
        match result {
            Ok(outcome) => Self::Done(outcome),
            Err(Failure(text)) => Self::Failed(text),
        }
    }
}

/// Results for reading: a table while they have few values each, else a list of `name : value` lines.
pub fn render_table(results: &[Object]) -> String {
    const WIDEST_TABLE: usize = 6;
    let Some(first) = results.first() else { return String::new() };
    if first.len() > WIDEST_TABLE { list(results) } else { table(first, results) }
}

fn list(results: &[Object]) -> String {
    const WIDEST_VALUE: usize = 80;
    let mut text = String::new();
    for object in results {
        let width = object.keys().map(String::len).max().unwrap_or(0);
        for (name, value) in object {
            match value {
                // Sentences: one under the other.
                Value::Array(items) if plain(value).len() > WIDEST_VALUE => {
                    for (at, item) in items.iter().enumerate() {
                        let (name, colon) = if at == 0 { (name.as_str(), ':') } else { ("", ' ') };
                        let _ = writeln!(text, "{name:width$} {colon} {}", plain(item));
                    }
                }
                _ => {
                    let _ = writeln!(text, "{name:width$} : {}", plain(value));
                }
            }
        }
        text.push('\n');
    }
    text
}

fn table(first: &Object, results: &[Object]) -> String {
    let columns: Vec<(&str, usize)> = first
        .keys()
        .map(|name| {
            let widest = results.iter().filter_map(|object| object.get(name)).map(|value| plain(value).chars().count());
            (name.as_str(), widest.max().unwrap_or(0).max(name.len()))
        })
        .collect();
    let mut lines = vec![
        columns.iter().map(|(name, width)| format!("{name:width$}")).collect::<Vec<_>>(),
        columns.iter().map(|(name, width)| format!("{:width$}", "-".repeat(name.len()))).collect(),
    ];
    lines.extend(results.iter().map(|object| {
        let cell = |name: &str, width: usize| format!("{:width$}", object.get(name).map(plain).unwrap_or_default());
        columns.iter().map(|&(name, width)| cell(name, width)).collect()
    }));
    lines.into_iter().map(|cells| cells.join("  ").trim_end().to_owned() + "\n").collect()
}

/// A value without JSON's quotes; lists with commas, objects as `name=value`.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(map) => map.iter().map(|(k, v)| format!("{k}={}", plain(v))).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn few_values_make_a_table_and_many_a_list() {
        let rows =
            [object(json!({"Name": "POP3", "Status": "Running"})), object(json!({"Name": "IMAP4", "Status": null}))];
        assert_eq!(render_table(&rows), "Name   Status\n----   ------\nPOP3   Running\nIMAP4\n");
        let wide = object(json!({"A": 1, "Bb": [1, "x"], "C": true, "D": "d", "E": {"k": "v"}, "F": 0, "G": ""}));
        assert_eq!(render_table(&[wide]), "A  : 1\nBb : 1, x\nC  : true\nD  : d\nE  : k=v\nF  : 0\nG  : \n\n");
        let (one, two) = ("1".repeat(50), "2".repeat(50));
        let long = object(json!({"A": 1, "B": 2, "C": 3, "D": 4, "E": 5, "Ff": [one, two], "G": 7}));
        let text = render_table(&[long]);
        assert!(text.contains(&format!("\nFf : {one}\n     {two}\nG  : 7\n")), "{text}");
    }
}
