//! The normal form of a path, in which two spellings of one path are the same text
//! (`docs/routing.md` §1).

use std::borrow::Cow;
use std::fmt::Write;

/// Bytes that stand for themselves and have no other spelling: `unreserved` of RFC 3986.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Bytes that stand in a normal form as they are, a `%` not among them: `pchar` of RFC 3986, and
/// the `/` between two segments.
const fn is_plain(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';')
        || matches!(byte, b'=' | b':' | b'@' | b'/')
}

/// The same for every byte, so that a path is looked through without branches.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = is_plain(byte);
        byte += 1;
    }
    plain
};

/// The normal form of a path that begins with `/`.
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    let mut encoded = String::with_capacity(path.len());
    encode(path, &mut encoded);
    Cow::Owned(settle(encoded))
}

/// Whether a path is its own normal form, as nearly every one is. A few that are, among them
/// every one with a `%`, are not recognized.
fn is_normal(path: &str) -> bool {
    let mut before = b' ';
    path.bytes().all(|byte| {
        let is_plain = PLAIN[usize::from(byte)] && !(before == b'/' && matches!(byte, b'/' | b'.'));
        before = byte;
        is_plain
    })
}

/// Appends a text in which every character has one spelling: what is unreserved is itself, the
/// digits of a `%` and its two digits are in upper case, and what cannot stand in a path is
/// encoded, a `%` without two digits among it.
pub(super) fn encode(text: &str, out: &mut String) {
    if text.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        out.push_str(text);
        return;
    }
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octet = (byte == b'%').then(|| octet(after)).flatten();
        rest = if octet.is_some() { &after[2..] } else { after };
        match octet {
            Some(octet) if is_unreserved(octet) => out.push(char::from(octet)),
            None if PLAIN[usize::from(byte)] => out.push(char::from(byte)),
            octet => {
                let octet = octet.unwrap_or(byte);
                // Writing to a text does not fail.
                let _written = write!(out, "%{octet:02X}");
            }
        }
    }
}

/// The octet that the two digits after a `%` stand for.
fn octet(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// An encoded path without segments `.` and `..`, which are carried out, and then without empty
/// segments before the last one.
pub(super) fn settle(encoded: String) -> String {
    if !encoded.contains("//") && !encoded.contains("/.") {
        return encoded;
    }
    let mut path = String::with_capacity(encoded.len());
    let mut segments = encoded.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_dots = matches!(segment, "." | "..");
        if segment == ".." {
            path.truncate(path.rfind('/').unwrap_or_default());
        }
        if !is_dots || segments.peek().is_none() {
            path.push('/');
        }
        if !is_dots {
            path.push_str(segment);
        }
    }
    let mut before = ' ';
    path.retain(|letter| {
        let is_doubled = letter == '/' && before == '/';
        before = letter;
        !is_doubled
    });
    if path.is_empty() {
        path.push('/');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_normal_form() {
        for (path, expect) in [
            ("/items/7", "/items/7"),
            ("/items/", "/items/"),
            ("/%7euser/%41%2D%5f", "/~user/A-_"),
            ("/a%2fb/%c3%bc", "/a%2Fb/%C3%BC"),
            ("/ü b/\"[x]\\", "/%C3%BC%20b/%22%5Bx%5D%5C"),
            ("/%/%4/%zz/%%41", "/%25/%254/%25zz/%25A"),
            ("/%2525", "/%2525"),
            ("/!$&'()*+,;=:@", "/!$&'()*+,;=:@"),
            ("/%21%3a%40", "/%21%3A%40"),
            ("//a///b//", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/a/%2e%2E/c", "/c"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("/a//../b", "/a/b"),
            ("/.", "/"),
            ("/...", "/..."),
            ("/.well-known/a..b", "/.well-known/a..b"),
            ("/", "/"),
        ] {
            assert_eq!(normal(path), expect, "{path}");
            assert_eq!(normal(expect), expect, "{path} again");
        }
    }

    #[test]
    fn a_path_that_is_normal_is_not_copied() {
        for path in ["/", "/items/7/", "/a:b;c=1,2/x@y", "/v1.0/a.json"] {
            assert!(matches!(normal(path), Cow::Borrowed(_)), "{path}");
        }
    }
}
