//! A second reading of JSON: a tree that keeps what a sender wrote twice, and the rules of fields
//! on it.
//!
//! The production readers borrow from the text, pass over what they do not know and remember
//! wrong types. This one builds the whole tree first and asks it afterwards, so that the two share
//! nothing but the tokenizer.

use std::borrow::Cow;
use std::fmt;

use driftless_gateway::time::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value; `'a` is the text that it was read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Json<'a> {
    /// `null`, or a field that is not there.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number that is not negative.
    Number(u64),
    /// Another number, as text that reads as one.
    OtherNumber(&'static str),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    Items(Vec<Self>),
    /// An object: its fields in their order, those that are there twice among them.
    Fields(Vec<(Cow<'a, str>, Self)>),
}

/// What the tree says about an input that a production reader was given, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// It has to be refused.
    Wrong,
    /// A whole tree cannot be built although a reader that passes over a field may be right to
    /// accept: a number out of range, nesting beyond the tokenizer's limit, half a surrogate.
    CannotTell,
}

/// What came of reading by the rules.
pub(super) type Read<T> = Result<T, Refused>;

/// What stands in for a field that is not there.
const NULL: &Json<'static> = &Json::Null;

/// Reads all of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Read<Json<'_>> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let passed_over = [
            "recursion limit",
            "number out of range",
            "surrogate",
            "unicode code point",
            "end of hex escape",
        ];
        if passed_over.iter().any(|what| text.contains(what)) {
            Refused::CannotTell
        } else {
            Refused::Wrong
        }
    })
}

impl<'a> Json<'a> {
    /// The fields, each of `known` at most once.
    pub(super) fn object(&self, known: &[&str]) -> Read<Object<'_, 'a>> {
        let Self::Fields(fields) = self else { return Err(Refused::Wrong) };
        let object = Object(fields);
        object.has_each_once(known)?;
        Ok(object)
    }

    /// The fields of a value that may be anything: of an object each of `known` at most once.
    pub(super) fn optional_object(&self, known: &[&str]) -> Read<Option<Object<'_, 'a>>> {
        match self {
            Self::Fields(_) => self.object(known).map(Some),
            _ => Ok(None),
        }
    }

    /// The items.
    pub(super) fn items(&self) -> Read<&[Self]> {
        match self {
            Self::Items(items) => Ok(items),
            _ => Err(Refused::Wrong),
        }
    }

    /// Whether there is anything.
    pub(super) const fn is_there(&self) -> bool {
        !matches!(self, Self::Null)
    }

    /// The text, `None` for none and for an empty one.
    pub(super) fn optional_text(&self) -> Read<Option<&str>> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(&**text).filter(|text| !text.is_empty())),
            _ => Err(Refused::Wrong),
        }
    }

    /// The text, which has to say something.
    pub(super) fn text(&self) -> Read<&str> {
        self.optional_text()?.ok_or(Refused::Wrong)
    }

    /// An id: up to 255 bytes on one line that are not blank.
    pub(super) fn optional_id(&self) -> Read<Option<&str>> {
        self.optional_text()?.map(|text| one_line(text, 255)).transpose()
    }

    /// An id that has to be there.
    pub(super) fn id(&self) -> Read<&str> {
        one_line(self.text()?, 255)
    }

    /// A name: like an id, and longer.
    pub(super) fn optional_name(&self) -> Read<Option<&str>> {
        self.optional_text()?.map(|text| one_line(text, 2048)).transpose()
    }

    /// A name that has to be there.
    pub(super) fn name(&self) -> Read<&str> {
        one_line(self.text()?, 2048)
    }

    /// A moment; an empty text is no way to say "none".
    pub(super) fn time(&self) -> Read<Option<Timestamp>> {
        match self {
            Self::Null => Ok(None),
            there => Timestamp::parse(there.text()?).map(Some).map_err(|_| Refused::Wrong),
        }
    }

    /// A whole number.
    pub(super) const fn number(&self) -> Read<Option<u64>> {
        match self {
            Self::Null => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            _ => Err(Refused::Wrong),
        }
    }

    /// The text of the tree, what is there twice twice.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::OtherNumber(text) => out.push_str(text),
            Self::Text(text) => quote(text, out),
            Self::Items(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Fields(fields) => {
                out.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    quote(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Appends a JSON string.
fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn one_line(text: &str, most: usize) -> Read<&str> {
    let blank = text.chars().all(char::is_whitespace);
    if text.len() > most || blank || text.chars().any(char::is_control) {
        return Err(Refused::Wrong);
    }
    Ok(text)
}

/// The fields of an object.
#[derive(Clone, Copy)]
pub(super) struct Object<'j, 'a>(&'j [(Cow<'a, str>, Json<'a>)]);

impl<'j, 'a> Object<'j, 'a> {
    /// The field of that name.
    pub(super) fn get(self, name: &str) -> &'j Json<'a> {
        self.0.iter().find(|(field, _)| field == name).map_or(NULL, |(_, value)| value)
    }

    fn has_each_once(self, known: &[&str]) -> Read<()> {
        for name in known {
            if self.0.iter().filter(|(field, _)| field == name).count() > 1 {
                return Err(Refused::Wrong);
            }
        }
        Ok(())
    }
}

/// What a word of a sender's is shown as: 64 characters of it, on one line.
pub(super) fn label(word: &str) -> String {
    let mut shown: String = word
        .chars()
        .take(64)
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect();
    if word.chars().count() > 64 {
        shown.push('…');
    }
    shown
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Json::OtherNumber("-1"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Json::OtherNumber("0.5"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Items(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<Json<'de>, Json<'de>>()? {
            if let Json::Text(name) = name {
                fields.push((name, value));
            }
        }
        Ok(Json::Fields(fields))
    }
}
