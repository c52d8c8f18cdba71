//! The form of a file: how long it is, how long its functions are, how it begins, its name.

use crate::{Source, made_up, none, rust};

/// The longest production file and the longest test file.
const LINES_MAX: (usize, usize) = (700, 800);

/// From this length on a file is named in a warning: it is about to be two.
const LINES_WARN: usize = 450;

/// The longest function.
const FUNCTION_LINES_MAX: usize = 70;

/// Files with a bound of their own.
const LINES_OF: &[(&str, usize)] = &[("src/main.rs", 100), ("sim/src/main.rs", 60)];

/// Functions that may be longer, each with its reason. One that is not longer is removed here.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

/// Words that say less than the thing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc", "stuff"];

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn lengths(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let own = LINES_OF.iter().find(|(path, _)| *path == source.path).map(|(_, most)| *most);
    let most = own.unwrap_or(if is_test(&source.path) { LINES_MAX.1 } else { LINES_MAX.0 });
    if lines > most {
        return vec![format!("{}: {lines} lines, at most {most}", source.path)];
    }
    Vec::new()
}

/// Functions by name with their length: from `fn` to the brace that closes at its indentation,
/// which is where rustfmt puts it.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(name) = function_name(line.trim_start()) else { continue };
        let end = lines[start..].iter().position(|line| {
            let level = line.len() - line.trim_start().len() == indent;
            let whole = line.ends_with(';') || line.ends_with("{}") || line.ends_with(" }");
            level && (whole || line.trim_start() == "}")
        });
        let end = end.unwrap_or(0);
        found.push((name.to_owned(), start + 1, end + 1));
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line;
    for prefix in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}

fn long_functions(source: &Source) -> Vec<(String, String)> {
    functions(&source.text)
        .into_iter()
        .filter(|(_, _, lines)| *lines > FUNCTION_LINES_MAX)
        .map(|(name, line, lines)| {
            let most = FUNCTION_LINES_MAX;
            let complaint =
                format!("{}:{line}: `{name}` has {lines} lines, at most {most}", source.path);
            (name, complaint)
        })
        .collect()
}

fn beginning(source: &Source) -> Vec<String> {
    let text = source.text.strip_prefix("#![no_main]\n").unwrap_or(&source.text);
    if text.starts_with("//! ") {
        return Vec::new();
    }
    vec![format!("{}: does not begin with what it is (`//!`)", source.path)]
}

fn name(source: &Source) -> Vec<String> {
    let words = source.path.trim_end_matches(".rs").split(['/', '_', '-', '.']);
    let empty: Vec<&str> = words.filter(|word| EMPTY_NAMES.contains(word)).collect();
    empty.iter().map(|word| format!("{}: `{word}` names nothing", source.path)).collect()
}

/// Work that was put off without a place that remembers it.
fn put_off(source: &Source) -> Vec<String> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let lines = source.text.lines().enumerate();
    lines
        .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)) && !line.contains('#'))
        .map(|(index, _)| format!("{}:{}: put off without an issue", source.path, index + 1))
        .collect()
}

#[test]
fn no_file_is_too_long() {
    let rust = rust();
    for source in &rust {
        let lines = source.text.lines().count();
        if lines > LINES_WARN {
            eprintln!("warning: {} has {lines} lines", source.path);
        }
    }
    none(rust.iter().flat_map(lengths).collect());
}

#[test]
fn no_function_is_too_long() {
    let (mut complaints, mut used) = (Vec::new(), Vec::new());
    for source in rust() {
        for (name, complaint) in long_functions(&source) {
            let excepted = LONG_FUNCTIONS.iter().find(|(path, function, reason)| {
                *path == source.path && *function == name && !reason.is_empty()
            });
            match excepted {
                Some(exception) => used.push(exception),
                None => complaints.push(complaint),
            }
        }
    }
    for exception in LONG_FUNCTIONS.iter().filter(|exception| !used.contains(exception)) {
        complaints.push(format!("{}: `{}` needs no exception", exception.0, exception.1));
    }
    none(complaints);
}

#[test]
fn every_file_says_what_it_is_and_its_name_says_something() {
    let rust = rust();
    none(rust.iter().flat_map(beginning).collect());
    none(rust.iter().flat_map(name).collect());
    none(rust.iter().flat_map(put_off).collect());
}

#[test]
fn a_file_of_bad_form_is_found() {
    let long = "//! x\n".repeat(LINES_MAX.0 + 1);
    assert_eq!(lengths(&made_up("src/a.rs", &long)).len(), 1);
    assert_eq!(lengths(&made_up("tests/a.rs", &long)).len(), 0);
    assert_eq!(lengths(&made_up("sim/src/main.rs", &"//! x\n".repeat(61))).len(), 1);
    assert_eq!(beginning(&made_up("src/a.rs", "use std::fmt;\n")).len(), 1);
    assert_eq!(name(&made_up("src/engine/test_helpers.rs", "")).len(), 1);
    assert_eq!(name(&made_up("src/common/mod.rs", "")).len(), 1);
    let mark = concat!("// TO", "DO: later\n");
    assert_eq!(put_off(&made_up("src/a.rs", mark)).len(), 1);
    assert_eq!(put_off(&made_up("src/a.rs", &mark.replace("later", "#12"))).len(), 0);
}

#[test]
fn a_long_function_is_found_and_a_short_one_is_not() {
    let body = "        x();\n".repeat(FUNCTION_LINES_MAX - 1);
    let text = format!(
        "impl A {{\n    pub(crate) const fn long<T>(\n        a: u8,\n    ) {{\n{body}    }}\n}}\n"
    );
    let found = long_functions(&made_up("src/a.rs", &text));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "long");
    let text = format!(
        "fn short() {{\n    {{\n    }}\n}}\nfn line() {{ x() }}\nfn empty() {{}}\ntrait T {{\n    fn declared();\n}}\n{body}"
    );
    assert_eq!(long_functions(&made_up("src/a.rs", &text)), []);
    assert_eq!(functions(&text).len(), 4);
}
