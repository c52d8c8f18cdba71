//! One word, one thing: no two types of a package have one name.

use std::collections::BTreeMap;

use crate::circles::without_tests;
use crate::{Source, files, made_up, none};

/// The folder of each package's files.
const PACKAGES: &[&str] = &["src/", "sim/src/"];

/// The words before a type's name.
const KEYWORDS: &[&str] = &["struct ", "enum ", "trait ", "union "];

fn complaints(sources: &[Source]) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.path.contains("/tests")) {
        for name in types(&without_tests(&source.text)) {
            places.entry(name).or_default().push(&source.path);
        }
    }
    let twice = places.into_iter().filter(|(_, paths)| paths.len() > 1);
    twice.map(|(name, paths)| format!("{name} is a type in {}", paths.join(" and "))).collect()
}

/// The types that a file declares. What another system has instead of them does not count twice.
fn types(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_instead = false;
    for line in code.lines().map(str::trim_start) {
        let declared = line.strip_prefix("pub").map_or(line, |rest| match rest.split_once(") ") {
            Some((_, declared)) if rest.starts_with('(') => declared,
            _ => rest.trim_start(),
        });
        let name = KEYWORDS.iter().find_map(|keyword| declared.strip_prefix(keyword));
        if let Some(name) = name.filter(|_| !is_instead) {
            let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            // A name that a macro is given is no word of this file.
            let name = &name[..end.unwrap_or(name.len())];
            names.extend((!name.is_empty()).then(|| name.to_owned()));
        }
        is_instead = line.starts_with("#[cfg(not(");
    }
    names
}

#[test]
fn no_two_types_of_a_package_have_one_name() {
    for package in PACKAGES {
        none(complaints(&files(&[package], "rs")));
    }
}

#[test]
fn two_types_of_one_name_are_found() {
    let one = made_up("src/one.rs", "pub(super) struct Answer<'a> {\n    text: &'a str,\n}\n");
    let other =
        made_up("src/other.rs", "    pub enum Answer {}\n#[cfg(not(unix))]\nenum Signals {}");
    let tests = made_up("src/tests.rs", "struct Answer;\n");
    let complaint = "Answer is a type in src/one.rs and src/other.rs";
    assert_eq!(complaints(&[one, other, tests]), [complaint]);
}
