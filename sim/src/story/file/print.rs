//! The canonical text of a scenario: one field a line, one step a line.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// JSON on one line with spaces: `{ "at_ms": 0, "deploy": { "api": "orders" } }`.
pub(super) fn line<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Spaced { empty: true });
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        // Writing to memory cannot fail and every map of a scenario has text for keys.
        Err(error) => unreachable!("a scenario is always JSON: {error}"),
    }
}

/// An object with one entry a line, indented by two.
pub(super) fn object(entries: &[(String, String)]) -> String {
    block('{', '}', &entries.iter().map(|(key, value)| entry(key, value)).collect::<Vec<_>>())
}

/// An array with one item a line, indented by two.
pub(super) fn array(items: &[String]) -> String {
    block('[', ']', items)
}

fn entry(key: &str, value: &str) -> String {
    format!("{}: {value}", line(key))
}

fn block(open: char, close: char, lines: &[String]) -> String {
    if lines.is_empty() {
        return format!("{open}{close}");
    }
    let lines: Vec<String> =
        lines.iter().map(|line| format!("  {}", line.replace('\n', "\n  "))).collect();
    format!("{open}\n{}\n{close}", lines.join(",\n"))
}

/// One line, with spaces inside braces, after colons and after commas.
struct Spaced {
    empty: bool,
}

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.empty = true;
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let end: &[u8] = if self.empty { b"}" } else { b" }" };
        self.empty = false;
        writer.write_all(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_spaces_and_empty_braces_have_none() {
        let value = serde_json::json!({ "a": [1, 2], "b": {}, "c": { "d": {} } });
        assert_eq!(line(&value), r#"{ "a": [1, 2], "b": {}, "c": { "d": {} } }"#);
    }

    #[test]
    fn blocks_nest() {
        let inner = object(&[("x".to_owned(), "1".to_owned())]);
        assert_eq!(array(&[inner, "2".to_owned()]), "[\n  {\n    \"x\": 1\n  },\n  2\n]");
        assert_eq!(array(&[]), "[]");
    }
}
