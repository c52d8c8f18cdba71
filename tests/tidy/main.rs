//! The architecture's own test: what the compiler cannot hold is held here.
//!
//! Each rule is a function from text to complaints. Beside it stand a test that it finds nothing
//! in the repository, and a test that it finds what it forbids in a few lines made up for it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

/// That no file leads back to itself.
mod circles;
/// What the core is built from.
mod dependencies;
/// What documents name, there is.
mod documents;
/// Which module may import which.
mod edges;
/// How long a file and a function may be, and how they begin.
mod form;
/// That no two types have one name.
mod names;
/// What a scenario file must be beyond what the reader asks for.
mod stories;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository.
struct Source {
    /// From the root, with `/`.
    path: String,
    /// What it holds.
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below the named folders whose name ends so, in order.
fn files(folders: &[&str], extension: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        gather(&root().join(folder), extension, &mut paths);
    }
    paths.sort();
    let source = |path: PathBuf| Source {
        path: path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"),
        text: fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().map(source).collect()
}

fn gather(path: &Path, extension: &str, paths: &mut Vec<PathBuf>) {
    if path.is_file() {
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path.to_owned());
        }
        return;
    }
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() || !matches!(name, "target" | ".git" | "corpus" | "artifacts") {
            gather(&path, extension, paths);
        }
    }
}

/// Every Rust file of the three packages.
fn rust() -> Vec<Source> {
    let rust = files(&["src", "sim", "fuzz", "tests"], "rs");
    assert!(rust.len() > 20, "only {} files were found", rust.len());
    rust
}

/// A file made up for a test.
fn made_up(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

/// Fails with every complaint.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
