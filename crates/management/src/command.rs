//! One administrative act as a declaration.

use serde_json::{Map, Value};
use store::Future;

use crate::settings::SettingValue;
use crate::{Failure, Outcome, World};

/// A verb and a noun, its parameters and what it does.
pub struct Command {
    pub verb: &'static str,
    pub noun: &'static str,
    pub synopsis: &'static str,
    pub parameters: &'static [Parameter],
    /// Said before it is done, when it destroys something: `remove the mailbox and all its mail`.
    pub destroys: Option<&'static str>,
    pub run: for<'a> fn(&'a dyn World, Given<'a>) -> Future<'a, Result<Outcome, Failure>>,
}

impl Command {
    pub fn name(&self) -> String {
        format!("{}-{}", self.verb, self.noun)
    }

    /// Without regard to case, as PowerShell has it.
    pub fn is_named(&self, name: &str) -> bool {
        name.split_once('-')
            .is_some_and(|(verb, noun)| verb.eq_ignore_ascii_case(self.verb) && noun.eq_ignore_ascii_case(self.noun))
    }

    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// The one that needs no name on the command line.
    pub fn positional(&self) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.positional)
    }

    /// Why `-name` is not understood, with what was probably meant.
    pub(crate) fn no_parameter(&self, name: &str) -> String {
        let known: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name).collect();
        let meant = nearest(name, known.iter().copied().chain(CLIENT_PARAMETERS));
        let meant = meant.map(|meant| format!(" Did you mean -{meant}?")).unwrap_or_default();
        let all = known.into_iter().chain(CLIENT_PARAMETERS).map(|known| format!("-{known}")).collect::<Vec<_>>();
        format!("{} has no parameter -{name}.{meant} It takes: {}.", self.name(), all.join(", "))
    }

    pub(crate) fn needs(&self, parameter: &Parameter) -> String {
        format!("{} needs -{}: {}", self.name(), parameter.name, parameter.meaning)
    }

    /// Checks names and presence, then runs.
    pub async fn run(&self, world: &dyn World, parameters: &Map<String, Value>) -> Result<Outcome, Failure> {
        for name in parameters.keys() {
            if self.parameter(name).is_none() {
                return Err(Failure(self.no_parameter(name)));
            }
        }
        let given = Given { parameters };
        for parameter in self.parameters.iter().filter(|parameter| parameter.required) {
            if given.value(parameter.name).is_none() {
                return Err(Failure(self.needs(parameter)));
            }
        }
        (self.run)(world, given).await
    }
}

/// One parameter of a command.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// A word without a name is its value. One of a command at most.
    pub positional: bool,
    pub meaning: &'static str,
    /// What the value may be, where the meaning does not say.
    pub form: Option<fn() -> String>,
}

impl Parameter {
    /// One that may be left out and has its name.
    pub const fn new(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { name, kind, required: false, positional: false, meaning, form: None }
    }

    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub const fn positional(self) -> Self {
        Self { positional: true, ..self }
    }
}

/// What every command takes on the command line, for the client's own use.
const CLIENT_PARAMETERS: [&str; 1] = ["Format"];

/// The candidate that a word was probably meant to be.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let word = word.to_ascii_lowercase();
    let alike = |candidate: &str| strsim::jaro_winkler(&word, &candidate.to_ascii_lowercase());
    let rated =
        candidates.into_iter().map(|candidate| (alike(candidate), candidate)).filter(|(alike, _)| *alike > ALIKE);
    rated.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, candidate)| candidate)
}

/// How a parameter's value is written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Parts with commas between.
    List,
    /// Never on the command line itself: by prompt, from standard input or a file.
    Secret,
}

/// The parameters that were given; names without regard to case.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    parameters: &'a Map<String, Value>,
}

impl<'a> Given<'a> {
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.parameters.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Failure(format!("-{name} takes one text"))),
        }
    }

    /// For a parameter that is declared as required, and so is there.
    pub fn required(&self, name: &str) -> Result<&'a str, Failure> {
        self.text(name)?.ok_or_else(|| Failure(format!("-{name} is missing")))
    }

    /// A value of a type that settings have.
    pub fn read<T: SettingValue>(&self, name: &str) -> Result<Option<T>, Failure> {
        let Some(value) = self.value(name) else { return Ok(None) };
        T::read(value).map(Some).map_err(|why| Failure(format!("-{name}: {why}")))
    }

    pub fn list(&self, name: &str) -> Result<Option<Vec<&'a str>>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(vec![text])),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(|| Failure(format!("-{name} takes texts"))))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(Failure(format!("-{name} takes a list of texts"))),
        }
    }
}
