//! Holds the crate graph of ARCHITECTURE.md: which crate of ours may use which, and which crates from elsewhere
//! belong to the outermost layers alone.

use std::process::Command;

use serde_json::Value;

/// A crate, and those of ours that it may use. Nothing else is a crate of ours.
const MAY_USE: &[(&str, &[&str])] = &[
    ("mime", &[]),
    ("proto", &["mime"]),
    ("store", &["mime"]),
    ("store-embedded", &["store", "mime"]),
    ("identity", &["proto"]),
    ("transport", &["store", "identity", "proto", "mime"]),
    ("access", &["store", "identity", "proto", "mime"]),
    ("management", &["store", "identity", "access", "transport"]),
    ("gatepost", &["management", "access", "transport", "identity", "store-embedded", "store", "proto", "mime"]),
    ("exercise", &["store-embedded", "proto", "mime"]),
    ("benches", &["proto"]),
    ("xtask", &[]),
];

/// Crates that do I/O or need a runtime, and who may use them outside tests.
const ONLY_FOR: &[(&str, &[&str])] = &[
    ("redb", &["store-embedded"]),
    ("tokio", &["gatepost", "store-embedded"]),
    ("rustls", &["gatepost", "benches"]),
    ("tokio-rustls", &["gatepost"]),
    ("hyper", &["gatepost"]),
    ("hyper-util", &["gatepost"]),
    ("jsonwebtoken", &["gatepost"]),
    ("libgssapi", &["gatepost"]),
    ("ldap3", &["gatepost"]),
    ("argon2", &["gatepost", "benches"]),
];

pub fn check() -> Result<(), String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata lists no packages")?;
    let faults: Vec<String> = packages.iter().flat_map(faults).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What one package uses that it may not.
fn faults(package: &Value) -> Vec<String> {
    let name = text(package, "name");
    let Some((_, allowed)) = MAY_USE.iter().find(|(krate, _)| *krate == name) else {
        return vec![format!("{name} has no row in xtask/src/graph.rs: say there what it may use")];
    };
    let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    // Tests may reach anywhere.
    let dependencies = dependencies.filter(|dependency| dependency.get("kind").is_none_or(Value::is_null));
    dependencies
        .map(|dependency| text(dependency, "name"))
        .filter(|used| {
            let ours = MAY_USE.iter().any(|(krate, _)| krate == used);
            let reserved = ONLY_FOR.iter().find(|(krate, _)| krate == used);
            ours && !allowed.contains(used) || reserved.is_some_and(|(_, users)| !users.contains(&name))
        })
        .map(|used| format!("{name} may not use {used}"))
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_upward_or_reserved_dependency_is_a_fault_and_a_test_dependency_is_not() {
        let package =
            |uses: &str, kind: Value| json!({"name": "proto", "dependencies": [{"name": uses, "kind": kind}]});
        assert!(faults(&package("mime", Value::Null)).is_empty());
        assert_eq!(faults(&package("store", Value::Null)), ["proto may not use store"]);
        assert_eq!(faults(&package("tokio", Value::Null)), ["proto may not use tokio"]);
        assert!(faults(&package("tokio", json!("dev"))).is_empty());
    }

    #[test]
    fn no_row_points_upwards() {
        for (at, (name, uses)) in MAY_USE.iter().enumerate() {
            for used in *uses {
                let beneath = MAY_USE.iter().position(|(krate, _)| krate == used);
                assert!(beneath.is_some_and(|beneath| beneath < at), "{name} -> {used}");
            }
        }
    }
}
