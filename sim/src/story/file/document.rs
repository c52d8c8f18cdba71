//! JSON with positions: every value and every key knows its line and column.
//!
//! Only what a scenario can hold is read: integers and no fractions, no key twice, no deep
//! nesting. The grammar itself is checked by `serde_json`, whose messages say where.

use serde::de::IgnoredAny;

use super::refusal::Refusal;

/// How deep values may be nested; a scenario needs six.
const DEPTH_MAX: usize = 16;

/// What some editors put before a text. JSON has no such thing.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A place in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TextPlace {
    /// The line, from 1.
    pub(super) line: usize,
    /// The column in characters, from 1.
    pub(super) column: usize,
}

impl TextPlace {
    /// A refusal at this place.
    pub(super) fn refuse(self, problem: impl Into<String>, hint: Option<String>) -> Refusal {
        Refusal { line: self.line, column: self.column, problem: problem.into(), hint }
    }
}

/// A JSON value and where it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    /// Where the value begins.
    pub(super) place: TextPlace,
    /// The value.
    pub(super) value: Value,
}

/// A JSON value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer; fractions and exponents are refused.
    Integer(i128),
    /// A string, unescaped.
    Text(String),
    /// An array.
    Array(Vec<Node>),
    /// An object, in the order of the text.
    Object(Vec<(TextKey, Node)>),
}

/// A key of an object and where it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TextKey {
    /// Where the key begins.
    pub(super) place: TextPlace,
    /// The key, unescaped.
    pub(super) name: String,
}

/// The column in characters, from 1, of what `serde_json` says is so many bytes into a line.
fn column_of(text: &str, line: usize, bytes: usize) -> usize {
    let line = text.split('\n').nth(line - 1).unwrap_or_default();
    let before = line.char_indices().take_while(|(at, _)| *at < bytes).count();
    (before + bytes.saturating_sub(line.len())).max(1)
}

impl Node {
    /// Reads a whole text.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.starts_with(BYTE_ORDER_MARK) {
            let place = TextPlace { line: 1, column: 1 };
            let hint = "save it as UTF-8 without one".to_owned();
            return Err(place.refuse("the file begins with a byte order mark", Some(hint)));
        }
        if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
            let line = error.line().max(1);
            let place = TextPlace { line, column: column_of(text, line, error.column()) };
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or("not JSON");
            return Err(place.refuse(format!("not JSON: {what}"), None));
        }
        let mut reader = Reader { text, at: 0, place: TextPlace { line: 1, column: 1 } };
        reader.value(0)
    }

    /// The entries of an object; none for anything else.
    pub(super) fn entries(&self) -> &[(TextKey, Self)] {
        match &self.value {
            Value::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The items of an array; none for anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// The value below a key.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// Where the value below a path of keys begins, or the deepest part of it that is there.
    pub(super) fn place_of(&self, path: &[&str]) -> TextPlace {
        let mut node = self;
        for name in path {
            match node.get(name) {
                Some(below) => node = below,
                None => break,
            }
        }
        node.place
    }

    /// Where the key of that name begins, or this value when there is none.
    pub(super) fn place_of_key(&self, name: &str) -> TextPlace {
        let key = self.entries().iter().find(|(key, _)| key.name == name);
        key.map_or(self.place, |(key, _)| key.place)
    }
}

/// Walks a text that is known to be JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    place: TextPlace,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        if char == '\n' {
            self.place = TextPlace { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(char)
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// Takes `wanted` after space, if it is next.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, Refusal> {
        self.skip_space();
        let place = self.place;
        if depth > DEPTH_MAX {
            return Err(place.refuse("nested too deep", None));
        }
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Value::Text(self.string()?),
            Some('-' | '0'..='9') => self.integer()?,
            Some('t') => self.word("true", Value::Bool(true)),
            Some('f') => self.word("false", Value::Bool(false)),
            Some('n') => self.word("null", Value::Null),
            _ => return Err(place.refuse("not JSON: expected a value", None)),
        };
        Ok(Node { place, value })
    }

    fn word(&mut self, word: &str, value: Value) -> Value {
        for _ in word.chars() {
            self.next();
        }
        value
    }

    fn object(&mut self, depth: usize) -> Result<Value, Refusal> {
        let mut entries: Vec<(TextKey, Node)> = Vec::new();
        self.next();
        while !self.take('}') {
            self.take(',');
            self.skip_space();
            let key = TextKey { place: self.place, name: self.string()? };
            if entries.iter().any(|(other, _)| other.name == key.name) {
                return Err(key.place.refuse(format!("`{}` is there twice", key.name), None));
            }
            self.take(':');
            entries.push((key, self.value(depth + 1)?));
        }
        Ok(Value::Object(entries))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Refusal> {
        let mut items = Vec::new();
        self.next();
        while !self.take(']') {
            self.take(',');
            items.push(self.value(depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn string(&mut self) -> Result<String, Refusal> {
        let (place, start) = (self.place, self.at);
        self.next();
        while let Some(char) = self.next() {
            match char {
                '\\' => {
                    self.next();
                }
                '"' => break,
                _ => {}
            }
        }
        let literal = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(literal)
            .map_err(|_| place.refuse("a string that is not Unicode text", None))
    }

    fn integer(&mut self) -> Result<Value, Refusal> {
        let (place, start) = (self.place, self.at);
        while self
            .peek()
            .is_some_and(|char| matches!(char, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'))
        {
            self.next();
        }
        let literal = self.text.get(start..self.at).unwrap_or_default();
        literal.parse().map(Value::Integer).map_err(|_| {
            place.refuse(format!("`{literal}` is not an integer"), Some(whole_numbers()))
        })
    }
}

fn whole_numbers() -> String {
    "a scenario holds whole numbers only".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        Node::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_json_is_told_by_its_column_in_characters() {
        for (text, line, column) in [("{\n \"ééé\" x}", 2, 8), ("{ \"é\u{feff}é", 1, 6)] {
            let refusal = Node::parse(text).unwrap_err();
            assert_eq!((refusal.line, refusal.column), (line, column), "{text}");
        }
    }

    #[test]
    fn values_know_where_they_begin() {
        let node = Node::parse("{\n  \"é\": [1,\n    { \"b\": \"x\\n\" }]\n}").unwrap();
        let list = node.get("é").unwrap();
        assert_eq!(list.place, TextPlace { line: 2, column: 8 });
        let inner = &list.items()[1];
        assert_eq!(inner.get("b").unwrap().value, Value::Text("x\n".to_owned()));
        assert_eq!(inner.place_of(&["b", "c"]), TextPlace { line: 3, column: 12 });
    }

    #[test]
    fn what_a_scenario_cannot_hold_is_refused_with_its_place() {
        assert_eq!(refused("{\"a\": 1, \"a\": 2}"), "1:10: `a` is there twice");
        assert!(refused("{\"a\": 1.5}").starts_with("1:7: `1.5` is not an integer"));
        assert!(refused("{\n\"a\" 1}").starts_with("2:5: not JSON: expected `:`"));
        assert!(refused("").starts_with("1:1: not JSON: EOF"));
        let marked = "1:1: the file begins with a byte order mark; save it as UTF-8 without one";
        assert_eq!(refused("\u{feff}{}"), marked);
        assert!(refused(&"[".repeat(40)).contains("not JSON"));
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        assert_eq!(refused(&deep), "1:18: nested too deep");
    }
}
