//! Whether a command that the code gives is the one that the history has.

use serde_json::Value;

use crate::history::{EventKind, Failure};
use crate::payload::Payload;

/// What differs, if anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference {
    None,
    /// They are of one kind and ask for one thing, but differ in this field.
    Field(String),
    /// They are two different steps.
    Step,
}

/// Compares what is part of a decision; places in the source and settings such as retries are not.
pub(super) fn compare(recorded: &EventKind, asked: &EventKind) -> Difference {
    use EventKind as E;
    match (recorded, asked) {
        (
            E::ActivityScheduled { command, name, input, .. },
            E::ActivityScheduled { command: asked_command, name: asked_name, input: asked_input, .. },
        ) => step(command == asked_command && name == asked_name, || payloads("input", input, asked_input)),
        (E::TimerSet { command, fire_at, .. }, E::TimerSet { command: asked_command, fire_at: asked_at, .. }) => {
            step(command == asked_command, || field(fire_at == asked_at, "fire_at"))
        }
        (E::EventAwaited { command, name, .. }, E::EventAwaited { command: asked_command, name: asked_name, .. })
        | (
            E::SideEffectRecorded { command, name, .. },
            E::SideEffectRecorded { command: asked_command, name: asked_name, .. },
        ) => step(command == asked_command && name == asked_name, || Difference::None),
        (E::KvRead { command, key, .. }, E::KvRead { command: asked_command, key: asked_key, .. }) => {
            step(command == asked_command && key == asked_key, || Difference::None)
        }
        (E::Patched { id }, E::Patched { id: asked_id }) => step(id == asked_id, || Difference::None),
        (E::ChildStarted { .. }, E::ChildStarted { .. }) => children(recorded, asked),
        (E::CommandCancelled { command }, E::CommandCancelled { command: asked_command }) => {
            step(command == asked_command, || Difference::None)
        }
        (E::Completed { output }, E::Completed { output: asked_output }) => payloads("output", output, asked_output),
        (E::Failed { failure }, E::Failed { failure: asked_failure }) => failures(failure, asked_failure),
        (E::Cancelled { .. }, E::Cancelled { .. }) => Difference::None,
        (
            E::ContinuedAsNew { name, version, input },
            E::ContinuedAsNew { name: asked_name, version: asked_version, input: asked_input },
        ) => step(name == asked_name && version == asked_version, || payloads("input", input, asked_input)),
        _ => Difference::Step,
    }
}

fn children(recorded: &EventKind, asked: &EventKind) -> Difference {
    let (
        EventKind::ChildStarted { command, name, version, instance, input, detached, .. },
        EventKind::ChildStarted {
            command: asked_command,
            name: asked_name,
            version: asked_version,
            instance: asked_instance,
            input: asked_input,
            detached: asked_detached,
            ..
        },
    ) = (recorded, asked)
    else {
        return Difference::Step;
    };
    let same = command == asked_command && name == asked_name && version == asked_version && detached == asked_detached;
    step(same, || match field(instance == asked_instance, "instance") {
        Difference::None => payloads("input", input, asked_input),
        difference => difference,
    })
}

/// Panics are compared by kind only: their place moves with every line above it.
fn failures(recorded: &Failure, asked: &Failure) -> Difference {
    match (recorded, asked) {
        (Failure::Failed { error }, Failure::Failed { error: asked_error }) => payloads("error", error, asked_error),
        _ => step(std::mem::discriminant(recorded) == std::mem::discriminant(asked), || Difference::None),
    }
}

fn step(same: bool, rest: impl FnOnce() -> Difference) -> Difference {
    if same { rest() } else { Difference::Step }
}

fn field(same: bool, name: &str) -> Difference {
    if same { Difference::None } else { Difference::Field(name.to_owned()) }
}

fn payloads(name: &str, recorded: &Payload, asked: &Payload) -> Difference {
    if recorded == asked { Difference::None } else { json_difference(name, recorded, asked) }
}

/// The texts differ; whether the values do, and where first.
fn json_difference(name: &str, recorded: &Payload, asked: &Payload) -> Difference {
    let (Ok(recorded), Ok(asked)) = (recorded.decode::<Value>(), asked.decode::<Value>()) else {
        return Difference::Field(name.to_owned());
    };
    // Equal values in another text (the order of a map's keys) are the same decision.
    if recorded == asked { Difference::None } else { Difference::Field(first_difference(name, &recorded, &asked)) }
}

fn first_difference(path: &str, recorded: &Value, asked: &Value) -> String {
    let deeper = match (recorded, asked) {
        (Value::Object(recorded), Value::Object(asked)) => (recorded.keys().chain(asked.keys()))
            .find(|key| recorded.get(*key) != asked.get(*key))
            .map(|key| (format!("{path}.{key}"), recorded.get(key), asked.get(key))),
        (Value::Array(recorded), Value::Array(asked)) => (0..recorded.len().max(asked.len()))
            .find(|index| recorded.get(*index) != asked.get(*index))
            .map(|index| (format!("{path}[{index}]"), recorded.get(index), asked.get(index))),
        _ => None,
    };
    match deeper {
        Some((path, Some(recorded), Some(asked))) => first_difference(&path, recorded, asked),
        Some((path, ..)) => path,
        None => path.to_owned(),
    }
}
