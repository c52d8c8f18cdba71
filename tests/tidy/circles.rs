//! Circles of files: no file imports another that leads back to it.
//!
//! A file may name what the modules above it hold, for they declare it; and a module that hands on
//! what its own children hold does not thereby import them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Source, files, made_up, none};

/// The folder of each package's files.
const PACKAGES: &[&str] = &["src/", "sim/src/"];

/// Names from the crate's root: a module, or something in one.
type Path = Vec<String>;

/// What a `use` brings in.
struct Import {
    path: Path,
    /// What it is called from now on.
    name: String,
    /// Whether others may have it from here.
    is_handed_on: bool,
}

/// The files of a package.
struct Package {
    /// By the module that a file is: its code, without tests.
    code: BTreeMap<Path, String>,
    /// By where others may have something: where that is from.
    handed_on: BTreeMap<Path, Path>,
}

impl Package {
    fn of(root: &str, sources: &[Source]) -> Self {
        let modules = sources.iter().filter_map(|source| {
            let module = module_of(source.path.strip_prefix(root)?)?;
            Some((module, without_tests(&source.text)))
        });
        let mut package = Self { code: modules.collect(), handed_on: BTreeMap::new() };
        for (module, code) in &package.code {
            for import in imports(code).into_iter().filter(|import| import.is_handed_on) {
                let Some(from) = package.absolute(module, &import.path) else { continue };
                let there = module.iter().cloned().chain([import.name]).collect();
                package.handed_on.insert(there, from);
            }
        }
        package
    }

    /// A path as it stands in a module, from the crate's root; `None` when it leads elsewhere.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Path> {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match path.first()?.as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (module, &path[1..]),
            "super" => (&module[..module.len().checked_sub(supers)?], &path[supers..]),
            child => {
                let child = [module, &[child.to_owned()]].concat();
                self.code.contains_key(&child).then_some((module, path))?
            }
        };
        Some([base, rest].concat())
    }

    /// The module whose file holds what a path names.
    fn holder(&self, path: &[String]) -> Option<Path> {
        let known =
            (0..=path.len()).rev().find(|length| self.code.contains_key(&path[..*length]))?;
        let name = &path[..path.len().min(known + 1)];
        match self.handed_on.get(name) {
            Some(from) if known < path.len() && from != name => self.holder(from),
            _ => Some(path[..known].to_vec()),
        }
    }

    /// The modules whose files a file imports something of.
    fn imported(&self, module: &Path) -> BTreeSet<Path> {
        let code = &self.code[module];
        let mut found = BTreeSet::new();
        let mut add = |path: &[String], is_handed_on: bool| {
            let absolute = self.absolute(module, path);
            let Some(holder) = absolute.and_then(|path| self.holder(&path)) else { return };
            let is_own = is_handed_on && holder.starts_with(module);
            if !module.starts_with(&holder) && !is_own {
                found.insert(holder);
            }
        };
        imports(code).iter().for_each(|import| add(&import.path, import.is_handed_on));
        paths(code).iter().for_each(|path| add(path, false));
        found
    }

    /// Every circle, as the files that are in it.
    fn circles(&self) -> BTreeSet<Vec<String>> {
        let edges: BTreeMap<&Path, BTreeSet<Path>> =
            self.code.keys().map(|module| (module, self.imported(module))).collect();
        let reached: BTreeMap<&Path, BTreeSet<Path>> =
            edges.keys().map(|module| (*module, reached_from(module, &edges))).collect();
        let circles = reached.iter().map(|(module, others)| {
            let leads_back = |other: &&Path| reached[other].contains(*module);
            others.iter().filter(leads_back).map(|other| other.join("::")).collect::<Vec<_>>()
        });
        circles.filter(|circle| circle.len() > 1).collect()
    }
}

fn reached_from(start: &Path, edges: &BTreeMap<&Path, BTreeSet<Path>>) -> BTreeSet<Path> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![start.clone()]);
    while let Some(module) = open.pop() {
        for next in &edges[&module] {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    reached
}

/// The module that a file is; `None` for a program's root and for tests.
fn module_of(path: &str) -> Option<Path> {
    let path = path.strip_suffix(".rs")?;
    let names: Path = path.split('/').map(str::to_owned).collect();
    if path == "main" || names.iter().any(|name| name == "tests") {
        return None;
    }
    let is_own = |name: &String| name != "mod" && name != "lib";
    Some(names.into_iter().filter(is_own).collect())
}

pub(crate) fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    code.lines().filter(is_code).map(|line| format!("{line}\n")).collect()
}

/// What `use` says, a statement at a time, with what is before the word.
fn statements(code: &str) -> Vec<(&str, &str)> {
    let starts = code.match_indices("use ").filter_map(|(at, word)| {
        let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = code[line..at].trim();
        let is_use = before.is_empty() || before.starts_with("pub");
        let tree = code[at + word.len()..].split(';').next()?;
        is_use.then_some((before, tree))
    });
    starts.collect()
}

fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for (before, tree) in statements(code) {
        expand(tree, &[], !before.is_empty(), &mut found);
    }
    found
}

fn expand(tree: &str, before: &[String], is_handed_on: bool, found: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some((head, group)) = tree.split_once('{') {
        let before = [before, &names(head)].concat();
        let group = group.strip_suffix('}').unwrap_or(group);
        entries(group).into_iter().for_each(|it| expand(it, &before, is_handed_on, found));
        return;
    }
    let (path, alias) = tree.split_once(" as ").unzip();
    let mut path = [before, &names(path.unwrap_or(tree))].concat();
    path.pop_if(|last| *last == "self");
    if let Some(last) = path.last() {
        let name = alias.unwrap_or(last).to_owned();
        found.push(Import { path, name, is_handed_on });
    }
}

/// The entries of a group, which may hold groups themselves.
fn entries(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_i32, 0, Vec::new());
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&group[start..]);
    found
}

fn names(path: &str) -> Path {
    path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The paths that stand in code by themselves.
fn paths(code: &str) -> Vec<Path> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
    let words = code.split(|char| !is_part(char)).filter(|word| word.contains("::"));
    words.map(names).filter(|path| path.len() > 1).collect()
}

fn complaints(sources: &[Source]) -> Vec<String> {
    let in_package = |root: &&str| {
        let circles = Package::of(root, sources).circles();
        let complaint = |circle: Vec<String>| format!("{root}: a circle of {}", circle.join(", "));
        circles.into_iter().map(complaint).collect::<Vec<_>>()
    };
    PACKAGES.iter().flat_map(in_package).collect()
}

#[test]
fn no_file_leads_back_to_itself() {
    let sources = files(PACKAGES, "rs");
    for root in PACKAGES {
        let package = Package::of(root, &sources);
        let edges: usize = package.code.keys().map(|module| package.imported(module).len()).sum();
        assert!(edges > 2 * package.code.len(), "only {edges} imports were found in {root}");
    }
    none(complaints(&sources));
}

#[test]
fn a_circle_is_found() {
    let circles: &[&[(&str, &str)]] = &[
        &[("src/a.rs", "use crate::b::B;"), ("src/b.rs", "use super::a::{A, C};")],
        &[("src/a.rs", "fn f() { crate::b::g(); }"), ("src/b.rs", "use crate::{a::A, c::C};")],
        &[
            ("src/a/mod.rs", "mod b;\nmod c;\npub use b::B;\nuse c::C;"),
            ("src/a/b.rs", "use super::c::{self, C};"),
            ("src/a/c.rs", "use crate::a::{\n    B as Other,\n};"),
        ],
        &[
            ("src/a/mod.rs", "mod b;\nuse b::B;"),
            ("src/a/b.rs", "use crate::c::C;"),
            ("src/c.rs", "pub(crate) use crate::a::A;"),
        ],
        &[("sim/src/a.rs", "use crate::b;"), ("sim/src/b.rs", "use crate::a;")],
    ];
    for circle in circles {
        let sources: Vec<Source> = circle.iter().map(|(path, text)| made_up(path, text)).collect();
        assert_eq!(complaints(&sources).len(), 1, "{circle:?}");
    }
}

#[test]
fn what_is_no_circle_is_not() {
    let trees: &[&[(&str, &str)]] = &[
        &[("src/a/mod.rs", "mod b;\nuse b::B;"), ("src/a/b.rs", "use super::A;")],
        &[
            ("src/a/mod.rs", "mod b;\nmod c;\npub use b::B;\nuse crate::d::D;"),
            ("src/a/b.rs", "use super::c::C;\nuse crate::a::A;"),
            ("src/d.rs", "use crate::a::B;"),
        ],
        &[
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "// use crate::a::A;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}"),
        ],
        &[("src/a.rs", "use crate::b::B;"), ("sim/src/b.rs", "use crate::a::A;")],
    ];
    for tree in trees {
        none(complaints(&tree.iter().map(|(path, text)| made_up(path, text)).collect::<Vec<_>>()));
    }
}
