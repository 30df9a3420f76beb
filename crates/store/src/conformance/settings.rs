//! Claims about settings.

use serde_json::{Value, json};

use super::harness::Open;
use super::trial::{Trial, wait};
use crate::SettingsMap;

fn named(pairs: &[(&str, Value)]) -> SettingsMap {
    pairs.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

fn change(trial: &Trial, changes: &[(&str, Option<Value>)]) {
    let changes = changes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    wait(trial.settings().change(changes)).unwrap();
}

pub fn settings_change_together_and_stay(open: Open) {
    let mut trial = Trial::new(open);
    assert!(wait(trial.settings().snapshot()).unwrap().is_empty());
    change(&trial, &[("a", Some(json!(1))), ("b", Some(json!({"x": [null, "ü", 1.5]}))), ("c", Some(Value::Null))]);
    change(&trial, &[("a", Some(json!("new"))), ("c", None), ("never", None)]);
    trial.holds(|trial| {
        let expected = named(&[("a", json!("new")), ("b", json!({"x": [null, "ü", 1.5]}))]);
        assert_eq!(*wait(trial.settings().snapshot()).unwrap(), expected);
    });
    change(&trial, &[("a", Some(json!(1))), ("a", None), ("b", None), ("b", Some(json!(2)))]);
    trial.holds(|trial| {
        assert_eq!(*wait(trial.settings().snapshot()).unwrap(), named(&[("b", json!(2))]), "in the order given");
    });
}

pub fn a_snapshot_held_does_not_change(open: Open) {
    let trial = Trial::new(open);
    change(&trial, &[("a", Some(json!(1)))]);
    let held = wait(trial.settings().snapshot()).unwrap();
    change(&trial, &[("a", Some(json!(2)))]);
    assert_eq!(*held, named(&[("a", json!(1))]));
    assert_eq!(*wait(trial.settings().snapshot()).unwrap(), named(&[("a", json!(2))]));
}
