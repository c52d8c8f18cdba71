//! Scenario files on disk: load one, load a folder, save one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::is_kebab_case;
use super::{Refusal, Scenario};

/// A scenario and where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoryFile {
    /// The file's stem: the story's name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub scenario: Scenario,
}

/// Why a scenario could not be loaded or saved.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file or folder cannot be read or written.
    #[error("cannot {attempt} {}: {source}", path.display())]
    Io {
        /// What was tried.
        attempt: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not a scenario.
    #[error("{}:{refusal}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Where and why.
        refusal: Refusal,
    },
    /// The file's name is not a story's name.
    #[error("{}: the name must be lower-case words joined by dashes, ending in .json", path.display())]
    Misnamed {
        /// The file.
        path: PathBuf,
    },
}

/// Loads one file.
///
/// # Errors
/// [`LoadError`] when it cannot be read, is misnamed, or is not a scenario.
pub fn load(path: &Path) -> Result<StoryFile, LoadError> {
    let name = name_of(path)?;
    let io = |source| LoadError::Io { attempt: "read", path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(io)?;
    let scenario = Scenario::parse(&text)
        .map_err(|refusal| LoadError::Refused { path: path.to_owned(), refusal })?;
    Ok(StoryFile { name, path: path.to_owned(), scenario })
}

/// Loads every `*.json` directly in a folder, in order of their names.
///
/// # Errors
/// [`LoadError`] of the first file, by name, that cannot be loaded.
pub fn load_folder(folder: &Path) -> Result<Vec<StoryFile>, LoadError> {
    let io = |source| LoadError::Io { attempt: "read", path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| load(path)).collect()
}

/// Writes a scenario in its canonical form: the whole file or nothing of it.
///
/// # Errors
/// [`LoadError`] when it is misnamed or cannot be written.
pub fn save(path: &Path, scenario: &Scenario) -> Result<(), LoadError> {
    name_of(path)?;
    let io = |source| LoadError::Io { attempt: "write", path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let draft = path.with_extension("json.part");
    fs::write(&draft, scenario.to_json()).map_err(io)?;
    fs::rename(&draft, path).map_err(io)
}

fn name_of(path: &Path) -> Result<String, LoadError> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if path.extension().is_some_and(|extension| extension == "json") && is_kebab_case(stem) {
        return Ok(stem.to_owned());
    }
    Err(LoadError::Misnamed { path: path.to_owned() })
}
