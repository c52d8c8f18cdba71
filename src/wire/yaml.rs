//! YAML as untrusted senders write it: one small tree, read within limits.
//!
//! Anchors and aliases are refused, for a few bytes of them stand for any amount of content;
//! depth is bounded. Nothing is made of a plain scalar but null: `1.0` and `true` are
//! the texts that they are written as, for a version is no number.

use std::borrow::Cow;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use super::DecodeError;

/// The deepest nesting. A definition has about ten levels.
const DEPTH_MAX: usize = 32;

/// A value. A mapping keeps the order of its fields, and those that are given twice.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Node<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// A scalar.
    Text(Cow<'a, str>),
    /// A sequence.
    Items(Vec<Self>),
    /// A mapping; fields whose name is no scalar are left out.
    Fields(Vec<(Cow<'a, str>, Self)>),
}

/// What stands in for a field that is not there.
const NULL: &Node<'static> = &Node::Null;

impl<'a> Node<'a> {
    /// The field of that name; null when it is missing or this is null.
    pub(super) fn field(&self, name: &str) -> Result<&Self, DecodeError> {
        let fields = match self {
            Self::Null => return Ok(NULL),
            Self::Fields(fields) => fields,
            Self::Text(_) | Self::Items(_) => {
                return Err(DecodeError::new(format!("what should hold {name} is not a mapping")));
            }
        };
        let mut found = fields.iter().filter(|(field, _)| field == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            (None, _) => Ok(NULL),
            (Some(_), Some(_)) => Err(DecodeError::new(format!("{name} is given twice"))),
        }
    }

    /// The text, or `None` for null and for an empty one.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, DecodeError> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) if text.is_empty() => Ok(None),
            Self::Text(text) if text.chars().any(char::is_control) => {
                Err(DecodeError::new(format!("{name} has control characters")))
            }
            Self::Text(text) => Ok(Some(text)),
            Self::Items(_) | Self::Fields(_) => {
                Err(DecodeError::new(format!("{name} is not a text")))
            }
        }
    }

    /// The text, which has to be there and to say something.
    pub(super) fn required(&self, name: &str) -> Result<&str, DecodeError> {
        self.text(name)?.ok_or_else(|| DecodeError::new(format!("{name} is missing")))
    }

    /// The items, none for null.
    pub(super) fn items(&self, name: &str) -> Result<&[Self], DecodeError> {
        match self {
            Self::Null => Ok(&[]),
            Self::Items(items) => Ok(items),
            Self::Text(_) | Self::Fields(_) => {
                Err(DecodeError::new(format!("{name} is not a list")))
            }
        }
    }
}

/// Reads the one document that the bytes are.
///
/// # Errors
/// Anything that is not one document of YAML in UTF-8 within the limits. The reason tells the
/// place and nothing of what is there. How long the document may be is for the caller to say.
pub(super) fn read<'a>(bytes: &'a [u8], what: &str) -> Result<Node<'a>, DecodeError> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| DecodeError::new(format!("{what} is not UTF-8")))?;
    let mut tree = Tree { what, open: Vec::new(), root: None };
    for event in Parser::new_from_str(text) {
        tree.take(event)?;
    }
    tree.root.ok_or_else(|| DecodeError::new(format!("{what} is empty")))
}

/// A collection that has begun; a mapping with the name of the field that is read, once it is.
enum Open<'a> {
    Items(Vec<Node<'a>>),
    Fields(Vec<(Cow<'a, str>, Node<'a>)>, Option<Node<'a>>),
}

/// A tree that is being read.
struct Tree<'a, 'w> {
    what: &'w str,
    open: Vec<Open<'a>>,
    root: Option<Node<'a>>,
}

impl<'a> Tree<'a, '_> {
    fn take(&mut self, event: Result<(Event<'a>, Span), ScanError>) -> Result<(), DecodeError> {
        let (event, span) =
            event.map_err(|error| wrong_at(self.what, "is not YAML", *error.marker()))?;
        let what = self.what;
        let wrong = |why| wrong_at(what, why, span.start);
        match event {
            Event::Alias(_) => return Err(wrong("has an alias")),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return Err(wrong("has an anchor"));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if self.open.len() >= DEPTH_MAX => {
                return Err(wrong("is nested too deep"));
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                return Err(wrong("is more than one document"));
            }
            Event::Scalar(text, style, ..) => self.add(scalar(text, style)),
            Event::SequenceStart(..) => self.open.push(Open::Items(Vec::new())),
            Event::MappingStart(..) => self.open.push(Open::Fields(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::Items(items)) => self.add(Node::Items(items)),
                Some(Open::Fields(fields, _)) => self.add(Node::Fields(fields)),
                None => return Err(wrong("ends what did not begin")),
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn add(&mut self, node: Node<'a>) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Items(items)) => items.push(node),
            Some(Open::Fields(fields, name)) => match name.take() {
                None => *name = Some(node),
                Some(Node::Text(name)) => fields.push((name, node)),
                Some(_) => {}
            },
        }
    }
}

fn wrong_at(what: &str, why: &str, place: Marker) -> DecodeError {
    let (line, column) = (place.line(), place.col() + 1);
    DecodeError::new(format!("{what} {why} at line {line} column {column}"))
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Node<'_> {
    let plain = matches!(style, ScalarStyle::Plain);
    if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
        return Node::Null;
    }
    Node::Text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(document: &str, reason: &str) {
        assert_eq!(read(document.as_bytes(), "document"), Err(DecodeError::new(reason)));
    }

    #[test]
    fn scalars_are_the_texts_that_they_are_written_as() {
        let document =
            "a: 1.0\nb: null\nc: ~\nd:\ne: 'null'\nf: true\ng: [None, \"x\\ty\"]\n? [z]\n: 1\n";
        let node = read(document.as_bytes(), "document").unwrap();
        assert_eq!(node.field("a").unwrap().required("a"), Ok("1.0"));
        for name in ["b", "c", "d", "missing"] {
            assert_eq!(node.field(name), Ok(&Node::Null), "{name}");
        }
        assert_eq!(node.field("e").unwrap().required("e"), Ok("null"));
        assert_eq!(node.field("f").unwrap().required("f"), Ok("true"));
        let items = node.field("g").unwrap().items("g").unwrap();
        assert_eq!(items[0].text("item"), Ok(Some("None")));
        assert_eq!(items[1].text("item"), Err(DecodeError::new("item has control characters")));
        assert_eq!(node.field("g").unwrap().text("g"), Err(DecodeError::new("g is not a text")));
        assert_eq!(
            node.field("a").unwrap().field("b"),
            Err(DecodeError::new("what should hold b is not a mapping"))
        );
    }

    #[test]
    fn a_field_that_is_given_twice_is_refused_when_it_is_asked_for() {
        let node = read(b"a: hunter2\nb: 1\na: hunter3\n", "document").unwrap();
        assert_eq!(node.field("a"), Err(DecodeError::new("a is given twice")));
        assert_eq!(node.field("b").unwrap().required("b"), Ok("1"));
    }

    #[test]
    fn what_is_not_one_bounded_document_is_refused_with_its_place_only() {
        refused("", "document is empty");
        refused("a: &hunter2 1\nb: *hunter2\n", "document has an anchor at line 1 column 4");
        refused("a: &x [1]\n", "document has an anchor at line 1 column 4");
        refused("a: &x {b: 1}\n", "document has an anchor at line 1 column 4");
        refused("a: 1\n---\nb: 1\n", "document is more than one document at line 2 column 1");
        refused("a: 'hunter2", "document is not YAML at line 1 column 4");
        refused(&"[".repeat(40), "document is nested too deep at line 1 column 33");
        assert_eq!(read(b"a: \xff", "document"), Err(DecodeError::new("document is not UTF-8")));
    }
}
