//! JSON as untrusted senders write it: fields that may be of any type, objects that may be
//! something else, arrays that are read item by item without being held as a whole.
//!
//! The types here never fail on a wrong type. They remember it, so that a decoder can name the
//! field, or pass over one bad row, where the parser alone would give up on the whole body.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::Serialize;

use super::DecodeError;
use crate::time::Timestamp;

/// Answers the same to everything but the one shape that is wanted.
macro_rules! other_shapes {
    ($($visit:ident($type:ty)),*) => {
        $(fn $visit<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(Self::Value::Other)
        })*

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::Missing)
        }
    };
}
pub(super) use other_shapes;

/// The longest id that is taken from the wire, in bytes. APIM's have 36.
const ID_BYTES_MAX: usize = 255;

/// The longest name that is taken from the wire, in bytes. APIM's have up to 512 characters
/// (`docs/apim.md` §5.5).
const NAME_BYTES_MAX: usize = 2048;

/// The longest name that is kept to be shown, in characters.
const LABEL_CHARS_MAX: usize = 64;

/// One field of any type; `null` counts as missing, for Gson leaves nulls out where Jackson
/// writes them (`docs/apim.md` §2, §3.7).
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) enum Value<'a> {
    /// Not there, or `null`.
    #[default]
    Missing,
    /// A text.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number that is not negative.
    Number(u64),
    /// Another number, an array or an object.
    Other,
}

impl<'a> Value<'a> {
    /// Whether the field is there.
    pub(super) const fn is_present(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// The text, or `None` when it is missing or empty.
    pub(super) fn optional(self, field: &str) -> Result<Option<Cow<'a, str>>, DecodeError> {
        match self {
            Self::Missing => Ok(None),
            Self::Text(text) if text.is_empty() => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Flag(_) | Self::Number(_) | Self::Other => {
                Err(DecodeError::new(format!("{field} is not a text")))
            }
        }
    }

    /// The text, which has to be there and to say something.
    pub(super) fn required(self, field: &str) -> Result<Cow<'a, str>, DecodeError> {
        let missing = matches!(self, Self::Missing);
        self.optional(field)?.ok_or_else(|| {
            DecodeError::new(format!("{field} is {}", if missing { "missing" } else { "empty" }))
        })
    }

    /// The text of an id, when there is one.
    pub(super) fn optional_id(self, field: &str) -> Result<Option<Cow<'a, str>>, DecodeError> {
        self.optional(field)?.map(|id| sane(id, ID_BYTES_MAX, field)).transpose()
    }

    /// The text of an id, which has to be there.
    pub(super) fn id(self, field: &str) -> Result<Cow<'a, str>, DecodeError> {
        sane(self.required(field)?, ID_BYTES_MAX, field)
    }

    /// A name that people chose, when there is one.
    pub(super) fn optional_name(self, field: &str) -> Result<Option<Cow<'a, str>>, DecodeError> {
        self.optional(field)?.map(|name| sane(name, NAME_BYTES_MAX, field)).transpose()
    }

    /// A name that people chose, which has to be there.
    pub(super) fn name(self, field: &str) -> Result<Cow<'a, str>, DecodeError> {
        sane(self.required(field)?, NAME_BYTES_MAX, field)
    }

    /// The moment, when there is one. An empty text is none: it is not "never".
    pub(super) fn time(self, field: &str) -> Result<Option<Timestamp>, DecodeError> {
        let text = match self {
            Self::Missing => return Ok(None),
            present => present.required(field)?,
        };
        let at = Timestamp::parse(&text)
            .map_err(|_not_a_timestamp| DecodeError::new(format!("{field} is no timestamp")))?;
        Ok(Some(at))
    }

    /// The whole number, when there is one.
    pub(super) fn number(&self, field: &str) -> Result<Option<u64>, DecodeError> {
        match self {
            Self::Missing => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            Self::Text(_) | Self::Flag(_) | Self::Other => {
                Err(DecodeError::new(format!("{field} is not a whole number from 0 up")))
            }
        }
    }

    /// The flag, which has to be there.
    pub(super) fn flag(&self, field: &str) -> Result<bool, DecodeError> {
        match self {
            Self::Flag(flag) => Ok(*flag),
            Self::Missing => Err(DecodeError::new(format!("{field} is missing"))),
            Self::Text(_) | Self::Number(_) | Self::Other => {
                Err(DecodeError::new(format!("{field} is not true or false")))
            }
        }
    }
}

/// Refuses what can be no id or name: it would go into paths, keys and logs.
fn sane<'a>(
    text: Cow<'a, str>,
    bytes_max: usize,
    field: &str,
) -> Result<Cow<'a, str>, DecodeError> {
    if text.len() > bytes_max {
        let length = text.len();
        return Err(DecodeError::new(format!("{field} has {length} bytes, over {bytes_max}")));
    }
    // Looking at every byte, whatever the first ones were, takes a few instructions for all.
    let is_plain =
        text.bytes().fold(!text.is_empty(), |plain, byte| plain & byte.is_ascii_graphic());
    if !is_plain && (text.trim().is_empty() || text.chars().any(char::is_control)) {
        return Err(DecodeError::new(format!("{field} is blank or has control characters")));
    }
    Ok(text)
}

/// A name from the wire as it may be counted and shown: of bounded length, on one line.
pub(super) fn label(name: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut label: String = name.chars().take(LABEL_CHARS_MAX).map(shown).collect();
    if name.chars().nth(LABEL_CHARS_MAX).is_some() {
        label.push('…');
    }
    label
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Missing)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(seq)?;
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_map(map)?;
        Ok(Value::Other)
    }
}

/// What should be an object with the fields of `T`. Unlike a derived reader it does not take an
/// array for one.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) enum Object<T> {
    /// Not there, or `null`.
    #[default]
    Missing,
    /// An object.
    Fields(T),
    /// Something else.
    Other,
}

impl<T> Object<T> {
    /// The fields, which have to be there.
    pub(super) fn fields(self, what: &str) -> Result<T, DecodeError> {
        match self {
            Self::Fields(fields) => Ok(fields),
            Self::Missing => Err(DecodeError::new(format!("{what} is missing"))),
            Self::Other => Err(DecodeError::new(format!("{what} is not an object"))),
        }
    }
}

/// What should be an array; its items go into a `C` one at a time.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) enum Array<C> {
    /// Not there, or `null`.
    #[default]
    Missing,
    /// An array.
    Items(C),
    /// Something else.
    Other,
}

impl<C> Array<C> {
    /// What the items came to. An array that is missing is an error and never an empty one
    /// (law 3).
    pub(super) fn items(self, what: &str) -> Result<C, DecodeError> {
        match self {
            Self::Items(items) => Ok(items),
            Self::Missing => Err(DecodeError::new(format!("{what} is missing"))),
            Self::Other => Err(DecodeError::new(format!("{what} is not an array"))),
        }
    }
}

/// Where the items of an [`Array`] go.
pub(super) trait Collect<'de>: Default {
    /// One item.
    type Item: Deserialize<'de>;

    /// Takes the next item.
    fn add(&mut self, item: Self::Item);
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object::Fields)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(seq)?;
        Ok(Object::Other)
    }

    other_shapes!(
        visit_str(&str),
        visit_bool(bool),
        visit_u64(u64),
        visit_i64(i64),
        visit_f64(f64)
    );
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ArrayVisitor<C>(PhantomData<C>);

impl<'de, C: Collect<'de>> Visitor<'de> for ArrayVisitor<C> {
    type Value = Array<C>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = C::default();
        while let Some(item) = seq.next_element()? {
            items.add(item);
        }
        Ok(Array::Items(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_map(map)?;
        Ok(Array::Other)
    }

    other_shapes!(
        visit_str(&str),
        visit_bool(bool),
        visit_u64(u64),
        visit_i64(i64),
        visit_f64(f64)
    );
}

impl<'de, C: Collect<'de>> Deserialize<'de> for Array<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArrayVisitor(PhantomData))
    }
}

/// Looks once whether the whole body is text, which is cheaper than once for every text in it;
/// the parser tells where one is not.
fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> serde_json::Result<T> {
    match str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    }
}

/// Reads `bytes`, all of them, as an object with the fields of `T`.
pub(super) fn read_object<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    what: &str,
) -> Result<T, DecodeError> {
    match parse(bytes).map_err(|error| DecodeError::json(what, &error))? {
        Object::Fields(fields) => Ok(fields),
        Object::Missing | Object::Other => Object::Other.fields(what),
    }
}

/// Reads `bytes`, all of them, as an array.
pub(super) fn read_array<'de, C: Collect<'de>>(
    bytes: &'de [u8],
    what: &str,
) -> Result<C, DecodeError> {
    match parse(bytes).map_err(|error| DecodeError::json(what, &error))? {
        Array::Items(items) => Ok(items),
        Array::Missing | Array::Other => Array::Other.items(what),
    }
}

/// Writes a value of our own. Field order is the order of declaration.
#[expect(clippy::expect_used, reason = "texts and lists of texts always have a JSON form")]
pub(super) fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("a value made of texts is JSON")
}
