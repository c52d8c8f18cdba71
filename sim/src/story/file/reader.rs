//! Reads serde's types out of a [`Node`], so that every refusal says where.
//!
//! The derived implementations report unknown fields and variants together with the valid names;
//! here those become a place and the nearest valid name.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::document::{Node, TextKey, TextPlace, Value};
use super::refusal::{Refusal, hint};

/// Reads a value of type `T`.
pub(super) fn read<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Refusal> {
    T::deserialize(node).map_err(|problem| problem.into_refusal(node.place))
}

/// Reads an externally tagged variant from one entry of an object.
pub(super) fn read_entry<'de, T: Deserialize<'de>>(
    key: &'de TextKey,
    node: &'de Node,
) -> Result<T, Refusal> {
    T::deserialize(ObjectEntry { key, node }).map_err(|problem| problem.into_refusal(node.place))
}

/// What is wrong; the place is added by the innermost value that knows one.
#[derive(Debug)]
pub(super) struct Problem {
    place: Option<TextPlace>,
    problem: String,
    hint: Option<String>,
}

impl Problem {
    fn at(mut self, place: TextPlace) -> Self {
        self.place.get_or_insert(place);
        self
    }

    fn into_refusal(self, outer: TextPlace) -> Refusal {
        self.place.unwrap_or(outer).refuse(self.problem, self.hint)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { place: None, problem: message.to_string(), hint: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let problem = format!("unknown field `{field}`");
        Self { place: None, problem, hint: Some(hint(field, expected)) }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let problem = format!("unknown name `{variant}`");
        Self { place: None, problem, hint: Some(hint(variant, expected)) }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let problem = format!("found {}", found_in_words(found));
        let hint = format!("expected {}", expected_in_words(&expected.to_string()));
        Self { place: None, problem, hint: Some(hint) }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_value(found, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self { place: None, problem: format!("`{field}` is missing"), hint: None }
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let read = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => visit_integer(*value, visitor),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter());
                let value = visitor.visit_seq(&mut items);
                value.and_then(|value| items.end().map(|()| value))
            }
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, node)| (key, node));
                visitor.visit_map(MapDeserializer::new(entries))
            }
        };
        read.map_err(|problem| problem.at(self.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self).map_err(|problem| problem.at(self.place))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self).map_err(|problem| problem.at(self.place))
    }

    /// Derived structs would also take an array of their fields, which no file should hold.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if matches!(self.value, Value::Object(_)) {
            return self.deserialize_any(visitor);
        }
        let hint = match fields {
            [] => "expected `{}`".to_owned(),
            _ => format!("expected an object with {}", quoted(fields)),
        };
        Err(Problem {
            place: Some(self.place),
            problem: "not an object".to_owned(),
            hint: Some(hint),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let read = match &self.value {
            Value::Text(name) => {
                visitor.visit_enum(IntoDeserializer::<Problem>::into_deserializer(name.as_str()))
            }
            Value::Object(entries) => match entries.as_slice() {
                [(key, node)] => visitor.visit_enum(ObjectEntry { key, node }),
                _ => Err(Problem {
                    place: None,
                    problem: format!("{} names, where one is expected", entries.len()),
                    hint: Some(hint("", variants)),
                }),
            },
            _ => Err(Problem {
                place: None,
                problem: "not a name".to_owned(),
                hint: Some(hint("", variants)),
            }),
        };
        read.map_err(|problem| problem.at(self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// A value as people call it.
fn found_in_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Str(text) => format!("the text \"{text}\""),
        Unexpected::Unit => "`null`".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// The types of fields as people call them; what serde calls them otherwise is in words.
const TYPES: [(&str, &str); 13] = [
    ("u8", "a number from 0 to 255"),
    ("u16", "a number from 0 to 65535"),
    ("u32", "a number from 0 to 4294967295"),
    ("u64", "a number, not below 0"),
    ("i32", "a number"),
    ("i64", "a number"),
    ("a nonzero u8", "a number from 1 to 255"),
    ("a nonzero u32", "a number from 1 to 4294967295"),
    ("a nonzero u64", "a number from 1 on"),
    ("a string", "a text"),
    ("a boolean", "`true` or `false`"),
    ("a sequence", "a list"),
    ("a map", "an object"),
];

fn expected_in_words(expected: &str) -> &str {
    TYPES.iter().find(|(name, _)| *name == expected).map_or(expected, |(_, words)| words)
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn visit_integer<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, Problem> {
    if let Ok(value) = u64::try_from(value) {
        visitor.visit_u64(value)
    } else if let Ok(value) = i64::try_from(value) {
        visitor.visit_i64(value)
    } else {
        Err(de::Error::custom(format!("{value} does not fit 64 bits")))
    }
}

impl<'de> IntoDeserializer<'de, Problem> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> IntoDeserializer<'de, Problem> for &'de TextKey {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de TextKey {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let name: StrDeserializer<'de, Problem> = self.name.as_str().into_deserializer();
        name.deserialize_any(visitor).map_err(|problem| problem.at(self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// One entry of an object, read as an externally tagged variant.
struct ObjectEntry<'de> {
    key: &'de TextKey,
    node: &'de Node,
}

impl<'de> Deserializer<'de> for ObjectEntry<'de> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> EnumAccess<'de> for ObjectEntry<'de> {
    type Error = Problem;
    type Variant = &'de Node;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, &'de Node), Problem> {
        Ok((seed.deserialize(self.key)?, self.node))
    }
}

impl<'de> VariantAccess<'de> for &'de Node {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        let problem = "a value, where the bare name is expected".to_owned();
        Err(Problem { place: Some(self.place), problem, hint: None })
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Problem> {
        seed.deserialize(self).map_err(|problem| problem.at(self.place))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_any(visitor)
    }
}
