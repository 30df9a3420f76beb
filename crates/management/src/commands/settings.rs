//! What all `Get-…Settings` and `Set-…Settings` have in common: a parameter for each declared setting.

use serde_json::Value;

use crate::settings::Declaration;
use crate::{Failure, Given, Kind, Object, Parameter};

/// A parameter for each declared setting.
pub const fn parameters<const COUNT: usize>(declarations: &[Declaration]) -> [Parameter; COUNT] {
    let mut parameters = [Parameter::new("", Kind::Text, ""); COUNT];
    let mut at = 0;
    while at < COUNT {
        #[expect(clippy::indexing_slicing, reason = "run by the compiler, which checks it")]
        let (parameter, declaration): (&mut Parameter, &Declaration) = (&mut parameters[at], &declarations[at]);
        parameter.name = declaration.name;
        parameter.meaning = declaration.meaning;
        parameter.form = Some(declaration.form);
        at += 1;
    }
    parameters
}

/// The stored settings; where what runs has others, those too.
pub fn describe(stored: &[(&'static str, Value)], running: Option<Vec<(&'static str, Value)>>) -> Object {
    let mut object: Object = stored.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let in_force: Object = running
        .unwrap_or_default()
        .into_iter()
        .zip(stored)
        .filter(|((name, old), (_, new))| *name != "StartupType" && old != new)
        .map(|((name, old), _)| (name.to_owned(), old))
        .collect();
    object.insert("PendingRestart".into(), (!in_force.is_empty()).into());
    object.insert("InForceUntilRestart".into(), Value::Object(in_force));
    object
}

/// What is to be kept of the settings that were given.
pub fn changes(
    group: &str,
    declarations: &[Declaration],
    given: Given<'_>,
) -> Result<Vec<(String, Option<Value>)>, Failure> {
    let mut changes = Vec::new();
    for declaration in declarations {
        let Some(value) = given.value(declaration.name) else { continue };
        let value = (declaration.check)(value).map_err(|why| Failure(format!("-{}: {why}", declaration.name)))?;
        changes.push((format!("{group}.{}", declaration.name), Some(value)));
    }
    if changes.is_empty() {
        return Err(Failure(format!("name a setting to change; Get-{group}Settings shows them all")));
    }
    Ok(changes)
}
