//! Which operation a path and a method mean.

use std::cmp::Ordering;

use crate::model::Operation;

/// What was found for a path and a method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Match<'a> {
    /// This operation.
    Operation(&'a Operation),
    /// Operations with this path, none with this method.
    OtherMethod,
    /// No operation with this path.
    Nothing,
}

/// Finds the operation for the rest of a path below the base path.
///
/// Of the operations with this method whose template fits, a template without variables comes
/// before one with, and a `*` at the end comes last. Among equals the one that is literal
/// further to the left wins, then the one that the definition names first.
/// Segments are compared as they are: nothing is decoded and a `/` at the end counts. A path with
/// a segment `.` or `..` fits nothing, whatever would be made of it behind the gateway.
pub(super) fn find<'a>(operations: &'a [Operation], path: &str, method: &str) -> Match<'a> {
    let path = if path.is_empty() { "/" } else { path };
    if path.split('/').any(is_dots) {
        return Match::Nothing;
    }
    let (mut best, mut other) = (None::<&Operation>, false);
    for operation in operations {
        let is_method = &*operation.method == method;
        if (is_method || !other) && fits(&operation.path, path) {
            other |= !is_method;
            let better = best.is_none_or(|best| order(&operation.path, &best.path).is_lt());
            if is_method && better {
                best = Some(operation);
            }
        }
    }
    match (best, other) {
        (Some(operation), _) => Match::Operation(operation),
        (None, true) => Match::OtherMethod,
        (None, false) => Match::Nothing,
    }
}

/// A segment that moves within the path, as it is or with `%2e` for a dot.
fn is_dots(segment: &str) -> bool {
    if !segment.starts_with(['.', '%']) {
        return false;
    }
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// What a segment of a template stands for, the more precise first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Literal(&'a str),
    Variable,
    Rest,
}

fn segments(template: &str) -> impl Iterator<Item = Segment<'_>> {
    template.strip_prefix('/').unwrap_or(template).split('/').map(|segment| match segment {
        "*" => Segment::Rest,
        _ if segment.starts_with('{') && segment.ends_with('}') => Segment::Variable,
        _ => Segment::Literal(segment),
    })
}

/// Whether a path fits a template. A variable stands for one segment that is not empty; `*` for
/// any rest, none among them, so `/items/*` fits `/items`, too.
fn fits(template: &str, path: &str) -> bool {
    let mut given = path.strip_prefix('/').unwrap_or(path).split('/');
    for segment in segments(template) {
        let fits = match (segment, given.next()) {
            (Segment::Rest, _) => return true,
            (Segment::Literal(literal), Some(given)) => literal == given,
            (Segment::Variable, Some(given)) => !given.is_empty(),
            (_, None) => false,
        };
        if !fits {
            return false;
        }
    }
    given.next().is_none()
}

/// The more precise template is less.
fn order(one: &str, other: &str) -> Ordering {
    let class =
        |template: &str| segments(template).map(|segment| rank(&segment)).max().unwrap_or_default();
    let ranks = |template| segments(template).map(|segment| rank(&segment));
    let length = |template: &str| segments(template).count();
    let classes = class(one).cmp(&class(other));
    classes.then_with(|| ranks(one).cmp(ranks(other))).then_with(|| length(other).cmp(&length(one)))
}

const fn rank(segment: &Segment<'_>) -> u8 {
    match segment {
        Segment::Literal(_) => 0,
        Segment::Variable => 1,
        Segment::Rest => 2,
    }
}
