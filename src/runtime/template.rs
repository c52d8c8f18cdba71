//! A path template, read once, and whether a path fits it (`docs/routing.md` §2 and §3).

use std::borrow::Cow;
use std::cmp::Reverse;
use std::iter;
use std::sync::Arc;

use super::path;

/// What stands for a variable in the text of a template; a path in its normal form has none.
const VARIABLE: char = '{';

/// What a template ends in that stands for any rest.
const REST: &str = "/*";

/// A path template in its normal form, in which variables have no names: two templates that
/// mean the same paths for that reason alone are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Template {
    text: Arc<str>,
    has_variables: bool,
}

/// What a segment of a template stands for, the more precise first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Precision {
    /// One text.
    Literal,
    /// A text with variables in it, of which that many bytes are text.
    Mixed(Reverse<usize>),
    /// Any text.
    Variable,
    /// The end of the path.
    End,
    /// Any rest.
    Rest,
}

impl Template {
    /// Reads a template that begins with `/`. A brace that is no part of a variable is text.
    pub(super) fn read(template: &Arc<str>) -> Self {
        if let Cow::Borrowed(_) = path::normal(template) {
            return Self { text: Arc::clone(template), has_variables: false };
        }
        let mut text = String::with_capacity(template.len());
        let mut rest = &**template;
        while let Some((before, (_, after))) = rest
            .split_once(VARIABLE)
            .and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            path::encode(before, &mut text);
            text.push(VARIABLE);
            rest = after;
        }
        path::encode(rest, &mut text);
        let text = path::settle(text);
        let has_variables = text.contains(VARIABLE);
        Self { text: Arc::from(text), has_variables }
    }

    /// The template as a text for people.
    pub(super) fn shown(&self) -> String {
        self.text.replace(VARIABLE, "{}")
    }

    /// How precise each of its segments is.
    pub(super) fn precision(&self) -> impl Iterator<Item = Precision> {
        let (text, is_open) = self.parts();
        let segments = text.split('/').skip(1).map(|segment| {
            let literal = segment.bytes().filter(|byte| *byte != b'{').count();
            match segment.len() - literal {
                0 => Precision::Literal,
                _ if literal == 0 => Precision::Variable,
                _ => Precision::Mixed(Reverse(literal)),
            }
        });
        segments.chain(is_open.then_some(Precision::Rest)).chain(iter::once(Precision::End))
    }

    /// Whether a path in its normal form fits; one without anything is as `/`.
    pub(super) fn fits(&self, path: &str) -> bool {
        let path = if path.is_empty() { "/" } else { path };
        let (text, is_open) = self.parts();
        if !self.has_variables {
            return path.strip_prefix(text).is_some_and(|rest| match rest {
                // Where the template ends in `/`, another one cannot follow in a normal form.
                "" | "/" => true,
                _ => is_open && rest.starts_with('/'),
            });
        }
        let mut given = path.split('/');
        let mut wanted = text.split('/');
        wanted.all(|wanted| given.next().is_some_and(|given| fits_segment(wanted, given)))
            && (is_open || given.next().is_none())
    }

    /// The text before any rest, and whether a rest may come.
    fn parts(&self) -> (&str, bool) {
        self.text.strip_suffix(REST).map_or((&self.text, false), |text| (text, true))
    }
}

/// Whether a segment fits one of a template. A variable stands for one character or more; a
/// character that is encoded is one, and no variable ends within it.
fn fits_segment(wanted: &str, given: &str) -> bool {
    let Some((first, others)) = wanted.split_once(VARIABLE) else { return wanted == given };
    let Some(mut rest) = given.strip_prefix(first) else { return false };
    let mut others = others.split(VARIABLE).peekable();
    while let Some(literal) = others.next() {
        let Some(least) = after_character(rest) else { return false };
        rest = least;
        if others.peek().is_none() {
            return ends_in(rest, literal);
        }
        // The first place is as good as any: what comes behind has the most room there.
        while !rest.starts_with(literal) {
            let Some(further) = after_character(rest) else { return false };
            rest = further;
        }
        rest = &rest[literal.len()..];
    }
    rest.is_empty()
}

/// What comes after the first character; `None` where there is none.
fn after_character(text: &str) -> Option<&str> {
    let length = if text.starts_with('%') { 3 } else { 1 };
    text.get(length..)
}

/// Whether a text ends in a literal that begins where a character does.
fn ends_in(text: &str, literal: &str) -> bool {
    text.strip_suffix(literal)
        .is_some_and(|before| !matches!(before.as_bytes(), [.., b'%'] | [.., b'%', _]))
}
