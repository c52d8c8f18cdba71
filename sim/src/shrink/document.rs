//! A story as the JSON document that its file is.

use serde_json::{Map, Value};

use crate::story::file::Scenario;

/// The document of a story.
pub(super) fn of(story: &Scenario) -> Value {
    let document: Value = serde_json::from_str(&story.to_json()).unwrap_or_default();
    // A story of a seed claims nothing, which a file has to leave out.
    if story.expect.is_empty() { with(&document, "expect", None) } else { document }
}

/// The story of a document; `None` where the file format refuses it.
pub(super) fn story(document: &Value) -> Option<Scenario> {
    Scenario::parse_unclaimed(&document.to_string()).ok()
}

/// The steps of a document.
pub(super) fn steps(document: &Value) -> &[Value] {
    document.get("steps").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The document with other steps.
pub(super) fn with_steps(document: &Value, steps: Vec<Value>) -> Value {
    with(document, "steps", Some(Value::Array(steps)))
}

/// The document with another value in a field, or without the field.
pub(super) fn with(document: &Value, field: &str, value: Option<Value>) -> Value {
    let mut fields = document.as_object().cloned().unwrap_or_default();
    set(&mut fields, field, value);
    Value::Object(fields)
}

fn set(fields: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(fields.insert(field.to_owned(), value)),
        None => drop(fields.remove(field)),
    }
}

/// Every number in a value, by the pointer to it.
pub(super) fn numbers(value: &Value, pointer: &str, found: &mut Vec<(String, i64)>) {
    match value {
        Value::Number(number) => {
            found.extend(number.as_i64().map(|number| (pointer.to_owned(), number)));
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                numbers(item, &format!("{pointer}/{place}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                numbers(field, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Every field below a value that may be left out, by the pointer to what holds it and its name.
pub(super) fn fields(value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                fields(item, &format!("{pointer}/{place}"), found);
            }
        }
        Value::Object(inner) => {
            for (name, field) in inner {
                found.push((pointer.to_owned(), name.clone()));
                fields(field, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// The document with one number replaced.
pub(super) fn with_number(document: &Value, pointer: &str, number: i64) -> Value {
    let mut document = document.clone();
    if let Some(value) = document.pointer_mut(pointer) {
        *value = Value::from(number);
    }
    document
}

/// The document without one field.
pub(super) fn without_field(document: &Value, pointer: &str, name: &str) -> Value {
    let mut document = document.clone();
    if let Some(Value::Object(fields)) = document.pointer_mut(pointer) {
        fields.remove(name);
    }
    document
}
