//! A second matcher of paths, written from `docs/routing.md` and not from the code. It takes a
//! path apart into octets, tries every length of every variable, and looks at every operation.

use std::cmp::Reverse;
use std::iter::once;

use driftless_gateway::model::{ArtifactId, Definition, Operation};

/// A piece of a path: an octet, in the spelling that it has in a normal form, or a variable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Piece {
    Raw(u8),
    Escaped(u8),
    Variable,
}

/// A segment of a path.
pub(super) type Pieces = Vec<Piece>;

fn piece(octet: u8, was_escaped: bool) -> Piece {
    let letter = char::from(octet);
    match octet {
        _ if letter.is_ascii_alphanumeric() || "-._~".contains(letter) => Piece::Raw(octet),
        0..128 if !was_escaped && "!$&'()*+,;=:@/".contains(letter) => Piece::Raw(octet),
        _ => Piece::Escaped(octet),
    }
}

/// A text in pieces; no variables are looked for.
fn plain(text: &str) -> Pieces {
    let bytes = text.as_bytes();
    let escape = |at: usize| {
        let digits = text.get(at + 1..at + 3)?;
        let hex = digits.chars().all(|letter| letter.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| hex && bytes[at] == b'%')
    };
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        pieces.push(escape(at).map_or(piece(bytes[at], false), |octet| piece(octet, true)));
        at += if escape(at).is_some() { 3 } else { 1 };
    }
    pieces
}

fn with_variables(template: &str) -> Pieces {
    let open = template.find('{');
    let close = open.and_then(|open| Some(open + template[open..].find('}')?));
    let (Some(open), Some(close)) = (open, close) else { return plain(template) };
    let after = with_variables(&template[close + 1..]);
    plain(&template[..open]).into_iter().chain(once(Piece::Variable)).chain(after).collect()
}

/// The segments of a path that begins with `/`: dots are carried out, empty ones left out before
/// the last.
fn segments(pieces: &[Piece]) -> Vec<Pieces> {
    let raw: Vec<&[Piece]> = pieces.split(|piece| *piece == Piece::Raw(b'/')).skip(1).collect();
    let dot = &[Piece::Raw(b'.')][..];
    let dots = &[Piece::Raw(b'.'); 2][..];
    let mut kept: Vec<Pieces> = Vec::new();
    for segment in &raw {
        if *segment == dots {
            kept.pop();
        } else if *segment != dot {
            kept.push(segment.to_vec());
        }
    }
    if raw.last().is_some_and(|last| [dot, dots].contains(last)) {
        kept.push(Vec::new());
    }
    let last = kept.pop().unwrap_or_default();
    kept.retain(|segment| !segment.is_empty());
    kept.push(last);
    kept
}

/// The segments of a path that is asked for.
pub(super) fn asked(path: &str) -> Vec<Pieces> {
    segments(&plain(path.split(['?', '#']).next().unwrap()))
}

/// The segments of a template.
pub(super) fn template(operation: &Operation) -> Vec<Pieces> {
    segments(&with_variables(&operation.path))
}

/// The segments of a base path: the context with its version.
pub(super) fn base(definition: &Definition) -> Vec<Pieces> {
    let version = definition.version.trim_matches('/');
    let context = definition.context.split("$version").collect::<Vec<_>>().join(version);
    let context = context.split("{version}").collect::<Vec<_>>().join(version);
    let mut base = segments(&plain(&format!("/{context}")));
    base.retain(|segment| !segment.is_empty());
    base
}

/// Whether the path goes through the base path.
pub(super) fn leads_to(definition: &Definition, path: &[Pieces]) -> bool {
    path.starts_with(&base(definition))
}

fn same(wanted: &[Piece], given: &[Piece]) -> bool {
    match wanted {
        [] => given.is_empty(),
        [Piece::Variable, others @ ..] => (1..=given.len()).any(|end| same(others, &given[end..])),
        [piece, others @ ..] => given.first() == Some(piece) && same(others, &given[1..]),
    }
}

fn all_same(wanted: &[Pieces], given: &[Pieces]) -> bool {
    wanted.len() == given.len() && wanted.iter().zip(given).all(|(want, have)| same(want, have))
}

/// Whether a path fits an operation of an API.
pub(super) fn fits(definition: &Definition, operation: &Operation, path: &[Pieces]) -> bool {
    let own = template(operation);
    let mut whole = base(definition);
    whole.extend(own.iter().cloned());
    if own.last().unwrap() == &[Piece::Raw(b'*')] {
        whole.pop();
        return (0..=path.len()).any(|end| all_same(&whole, &path[..end]));
    }
    let mut accepted = vec![whole.clone()];
    if !own.concat().contains(&Piece::Variable) {
        let mut slashed = whole.clone();
        slashed.push(Vec::new());
        accepted.push(slashed);
    }
    if own == [Vec::new()] {
        whole.pop();
        accepted.push(whole);
    }
    accepted.iter().any(|wanted| all_same(wanted, path))
}

/// Which of several operations that fit is meant: the least.
pub(super) fn preference(
    id: &ArtifactId,
    definition: &Definition,
    operation: &Operation,
) -> impl Ord {
    let base = base(definition);
    let mut classes = vec![(0, 0); base.len()];
    for segment in template(operation) {
        let variables = segment.iter().filter(|piece| **piece == Piece::Variable).count();
        let letters: i32 = segment
            .iter()
            .map(|piece| match piece {
                Piece::Raw(_) => 1,
                Piece::Escaped(_) => 3,
                Piece::Variable => 0,
            })
            .sum();
        classes.push(match (variables, letters) {
            (0, _) => (0, 0),
            (_, 0) => (2, 0),
            _ => (1, -letters),
        });
    }
    if template(operation).last().unwrap() == &[Piece::Raw(b'*')] {
        classes.pop();
        classes.push((4, 0));
    }
    classes.push((3, 0));
    (classes, Reverse(base.len()), id.clone())
}
