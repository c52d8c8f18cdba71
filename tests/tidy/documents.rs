//! Documents and what they name.

use std::path::Path;

use crate::{Source, files, made_up, none, root, rust};

/// The longest `README.md` at the root.
const README_LINES_MAX: usize = 150;

/// What a path in a document begins with.
const TOP_LEVEL: &[&str] = &[
    "src/",
    "sim/",
    "fuzz/",
    "scenarios/",
    "tests/",
    "docs/",
    "benches/",
    ".ci/",
    ".cargo/",
    ".github/",
    "Cargo.toml",
    "Cargo.lock",
    "deny.toml",
    "rustfmt.toml",
    ".clippy.toml",
    "README.md",
    "ARCHITECTURE.md",
    "DECISIONS.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
];

/// The pages of the contract. A section that is cited without a page is one of the first.
const CONTRACT: [&str; 3] = ["docs/apim.md", "docs/controller.md", "docs/routing.md"];

/// Paths that a document names and that are not there.
fn missing_paths(source: &Source, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut missing = Vec::new();
    let mut fenced = false;
    for (index, line) in source.text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        let quoted = line.split('`').skip(1).step_by(2);
        let linked = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for path in quoted.chain(linked) {
            let path = path.trim_end_matches('/').split('#').next().unwrap_or_default();
            let named = TOP_LEVEL.iter().any(|top| path.starts_with(top.trim_end_matches('/')));
            let literal = !path.contains(['*', '<', '{', ' ', '…', '|', '='])
                && !["NAME", "TARGET", "FILE"].iter().any(|word| path.contains(word));
            if named && literal && !exists(path) {
                missing.push(format!("{}:{}: {path} is not there", source.path, index + 1));
            }
        }
    }
    missing
}

/// Modules that a crate declares and its head does not name.
fn unnamed_modules(source: &Source) -> Vec<String> {
    let head: String = source.text.lines().filter(|line| line.starts_with("//!")).collect();
    let declared = source.text.lines().filter_map(|line| {
        line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?.strip_suffix(';')
    });
    declared
        .filter(|module| !head.contains(&format!("`{module}`")))
        .map(|module| format!("{}: the head does not name `{module}`", source.path))
        .collect()
}

/// The ids of hazards, races and field bugs in a text; races only where `races` says so, because
/// an `R` before a number is many things in code.
fn ids(text: &str, races: bool) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    words.filter(move |word| {
        let prefixes = ["A-H", "C-H", "FB-", if races { "R" } else { "A-H" }];
        let number = prefixes.iter().find_map(|prefix| word.strip_prefix(prefix));
        number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
        })
    })
}

/// Ids that a story covers or a comment cites and that the table of hazards does not explain.
fn unexplained_ids(source: &Source, table: &str) -> Vec<String> {
    let is_story = source.path.ends_with(".json");
    let cites = |line: &&str| {
        let line = line.trim_start();
        if is_story { line.starts_with("\"covers\"") } else { line.starts_with("//") }
    };
    let cited = source.text.lines().filter(cites).flat_map(|line| ids(line, is_story));
    cited
        .filter(|id| !table.contains(&format!("| {id} |")))
        .map(|id| format!("{}: scenarios/HAZARDS.md does not explain {id}", source.path))
        .collect()
}

/// Sections of the contract that a comment cites and that its page does not have.
fn unknown_sections(source: &Source, page: impl Fn(&str) -> String) -> Vec<String> {
    let mut found = Vec::new();
    let mut cited = CONTRACT[0];
    for line in source.text.lines().map(str::trim_start) {
        if !line.starts_with("//") {
            cited = CONTRACT[0];
            continue;
        }
        for word in line.split_whitespace() {
            cited = CONTRACT.into_iter().find(|name| word.contains(name)).unwrap_or(cited);
            let Some((_, rest)) = word.split_once('§') else { continue };
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
            let number = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            let heading = if number.contains('.') {
                format!("\n### {number} ")
            } else {
                format!("\n## {number}. ")
            };
            if !page(cited).contains(&heading) {
                found.push(format!("{}: {cited} has no section {number}", source.path));
            }
        }
    }
    found
}

#[test]
fn every_cited_section_is_there() {
    let pages = CONTRACT.map(|name| std::fs::read_to_string(root().join(name)).unwrap());
    let place = |name: &str| CONTRACT.iter().position(|page| *page == name).unwrap();
    let page = |name: &str| pages[place(name)].clone();
    none(rust().iter().flat_map(|source| unknown_sections(source, page)).collect());
}

#[test]
fn a_section_that_is_not_there_is_found() {
    let page = |name: &str| if name == CONTRACT[0] { "\n## 1. A\n### 1.1 B" } else { "\n## 2. C" };
    let page = |name: &str| page(name).to_owned();
    let good = "/// See §1 (§1.1), and `docs/controller.md`\n/// §2.\n\n// §1.1.\n";
    assert_eq!(unknown_sections(&made_up("src/a.rs", good), page), Vec::<String>::new());
    let bad = "/// See §2, §1.2, and `docs/controller.md` §1.\nlet text = \"§9\";\n";
    assert_eq!(unknown_sections(&made_up("src/a.rs", bad), page).len(), 3);
}

#[test]
fn every_cited_id_is_explained() {
    let table = std::fs::read_to_string(root().join("scenarios/HAZARDS.md")).unwrap();
    let stories = files(&["scenarios"], "json");
    let sources = stories.iter().filter(|story| !story.path.contains("/_found/"));
    none(sources.chain(&rust()).flat_map(|source| unexplained_ids(source, &table)).collect());
}

#[test]
fn an_id_that_is_not_explained_is_found() {
    let table = "| A-H1 | what happens |\n| R2 | what happens |\n";
    let story = "  \"why\": \"R9\",\n  \"covers\": [\"R2\", \"R3\", \"FB-04\", \"A-H1\"],\n";
    assert_eq!(unexplained_ids(&made_up("scenarios/a.json", story), table).len(), 2);
    let code = "// See A-H1, C-H04 and R3.\nlet id = \"FB-1234\"; // FB-1\n";
    assert_eq!(unexplained_ids(&made_up("src/a.rs", code), table).len(), 1);
}

#[test]
fn what_documents_name_is_there() {
    let mut documents = files(&["sim", "fuzz", "scenarios", "tests", "src", "docs"], "md");
    let at_the_root =
        ["README.md", "ARCHITECTURE.md", "DECISIONS.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    for name in at_the_root {
        documents.extend(files(&[name], "md"));
    }
    assert!(!documents.is_empty());
    let exists = |path: &str| root().join(path).exists();
    none(documents.iter().flat_map(|document| missing_paths(document, exists)).collect());
}

#[test]
fn the_readme_is_short_and_gives_the_test_command() {
    let readme = files(&["README.md"], "md");
    for readme in &readme {
        let lines = readme.text.lines().count();
        assert!(
            lines <= README_LINES_MAX,
            "README.md has {lines} lines, at most {README_LINES_MAX}"
        );
        assert!(readme.text.contains("cargo test"), "README.md does not give `cargo test`");
    }
}

#[test]
fn the_head_of_each_crate_names_its_modules() {
    let heads = ["src/lib.rs", "sim/src/lib.rs"];
    none(files(&heads, "rs").iter().flat_map(unnamed_modules).collect());
}

#[test]
fn the_licence_is_the_one_that_the_manifest_names() {
    let licence = std::fs::read_to_string(root().join("LICENSE")).unwrap();
    assert!(licence.contains("Apache License") && licence.contains("END OF TERMS AND CONDITIONS"));
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("license = \"Apache-2.0\""));
}

#[test]
fn a_path_that_is_not_there_and_a_module_that_is_not_named_are_found() {
    let document = made_up("README.md", "See `src/gone.rs`, `src/lib.rs` and [it](sim/gone.md).");
    let exists = |path: &str| Path::new(path) == Path::new("src/lib.rs");
    assert_eq!(missing_paths(&document, exists).len(), 2);
    let spared = "Run `cargo sim`, see `scenarios/*.json`.\n```\nsrc/gone.rs `src/gone.rs`\n```\n";
    assert_eq!(missing_paths(&made_up("README.md", spared), exists), Vec::<String>::new());
    let head = "//! - [`engine`]: decides.\n\npub mod engine;\n\nmod wire;\n";
    assert_eq!(unnamed_modules(&made_up("src/lib.rs", head)).len(), 1);
}
