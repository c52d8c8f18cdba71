//! Which story is meant: a seed, a file, a folder or a name.

use std::path::{Path, PathBuf};

use super::BadArguments;
use super::record::{Record, ViolationRecord};
use super::seed::Seed;
use crate::fuzz;
use crate::plant::{self, Plant};
use crate::properties::Violation;
use crate::sockets::Place;
use crate::story::file::{LoadError, Scenario, StoryFile, load, load_folder, nearest};
use crate::story::profile::{Profile, profiles};

/// Where scenarios live, from the root of the repository.
pub(super) const FOLDER: &str = "scenarios";

/// A story to run, and how it is called.
pub(super) struct Told {
    /// What reports call it.
    pub(super) name: String,
    /// The story.
    pub(super) scenario: Scenario,
    /// The rest of the line that runs it again: what follows the verb.
    pub(super) words: String,
    /// The file it came from.
    pub(super) path: Option<PathBuf>,
}

impl Told {
    /// The story as it is told in a world, which the lines that run it again say too.
    pub(super) fn in_place(mut self, place: Place) -> Self {
        self.words = self.words_in(place);
        self
    }

    /// The line that runs it again.
    pub(super) fn replay(&self) -> String {
        format!("cargo sim replay {}", self.words)
    }

    /// The line that runs it again in a world.
    pub(super) fn replay_in(&self, place: Place) -> String {
        format!("cargo sim replay {}", self.words_in(place))
    }

    /// The line that makes it small.
    pub(super) fn shrink(&self) -> String {
        format!("cargo sim shrink {}", self.words)
    }

    fn words_in(&self, place: Place) -> String {
        let words = &self.words;
        if place == Place::default() {
            return words.clone();
        }
        format!("{words} --world {}", place.name().name())
    }

    /// The story with a defect planted, which the lines that run it again say too.
    pub(super) fn with_plant(mut self, plant: Option<Plant>) -> Self {
        if let Some(entry) = plant::ALL.iter().find(|entry| Some(entry.plant) == plant) {
            self.words.push_str(" --plant ");
            self.words.push_str(entry.name);
        }
        self
    }
}

impl From<StoryFile> for Told {
    fn from(file: StoryFile) -> Self {
        let words = file.path.display().to_string();
        Self { name: file.name, scenario: file.scenario, words, path: Some(file.path) }
    }
}

impl From<LoadError> for BadArguments {
    fn from(error: LoadError) -> Self {
        Self::usage(error.to_string())
    }
}

/// The story of a seed.
pub(super) fn of_seed(profile: &Profile, seed: Seed, place: Place) -> Told {
    Told {
        name: format!("seed {seed}"),
        scenario: place.story(profile, seed.0),
        words: format!("{seed} --profile {}", profile.name),
        path: None,
    }
}

/// The story that an argument means: a seed, or a scenario file or name.
pub(super) fn of_argument(
    named: &str,
    profile_name: Option<&str>,
    place: Place,
) -> Result<Told, BadArguments> {
    match named.parse::<Seed>() {
        Ok(seed) => return Ok(of_seed(profile(profile_name)?, seed, place)),
        Err(hint) if named.starts_with(|char: char| char.is_ascii_digit()) && !is_there(named) => {
            return Err(BadArguments::usage(format!("`{named}` is not a seed; {hint}")));
        }
        Err(_) => {}
    }
    if profile_name.is_some() {
        return Err(BadArguments::usage("--profile is for seeds; a scenario has its steps"));
    }
    let told: Told = load(&path_of(named)?)?.into();
    match &told.scenario.only {
        Some(only) if only.world != place.name() => {
            let world = only.world.name();
            Err(BadArguments::usage(format!("told in the {world} world only: {}", only.why)))
        }
        _ => Ok(told),
    }
}

/// The story of a fuzzer's input.
pub(super) fn of_bytes(path: &Path) -> Result<Told, BadArguments> {
    let bytes = std::fs::read(path)
        .map_err(|error| BadArguments::usage(format!("cannot read {}: {error}", path.display())))?;
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("bytes");
    Ok(Told {
        name: format!("bytes {name}"),
        scenario: fuzz::story(&bytes),
        words: format!("--bytes {}", path.display()),
        path: None,
    })
}

/// The profile of that name; the first when none is given.
pub(super) fn profile(name: Option<&str>) -> Result<&'static Profile, BadArguments> {
    let names: Vec<&str> = profiles().iter().map(|profile| profile.name).collect();
    let found = match name {
        Some(name) => profiles().iter().find(|profile| profile.name == name),
        None => profiles().first(),
    };
    found.ok_or_else(|| {
        let name = name.unwrap_or_default();
        let hint = match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`driftless list profiles` names them".to_owned(),
        };
        BadArguments::usage(format!("unknown profile `{name}`; {hint}"))
    })
}

/// The stories that arguments name; all of them when there is none.
pub(super) fn of_arguments(
    arguments: &[String],
    plant: Option<Plant>,
) -> Result<Vec<Told>, BadArguments> {
    let mut told: Vec<Told> = Vec::new();
    if arguments.is_empty() {
        told.extend(load_folder(Path::new(FOLDER)).map_err(no_folder)?.into_iter().map(Told::from));
    }
    for argument in arguments {
        let path = Path::new(argument);
        if path.is_dir() {
            told.extend(load_folder(path)?.into_iter().map(Told::from));
        } else {
            told.push(load(&path_of(argument)?)?.into());
        }
    }
    if told.is_empty() {
        return Err(BadArguments::nothing("no scenario was selected"));
    }
    Ok(told.into_iter().map(|told| told.with_plant(plant)).collect())
}

fn no_folder(error: LoadError) -> BadArguments {
    match error {
        LoadError::Io { source, .. } => BadArguments::usage(format!(
            "{FOLDER}: {source}; run it from the root of the repository, or name a scenario"
        )),
        other => other.into(),
    }
}

/// Whether an argument means a file.
fn is_there(argument: &str) -> bool {
    Path::new(argument).exists() || Path::new(FOLDER).join(format!("{argument}.json")).exists()
}

/// The file that a path or a name means.
pub(super) fn path_of(argument: &str) -> Result<PathBuf, BadArguments> {
    let path = Path::new(argument);
    let named = Path::new(FOLDER).join(format!("{argument}.json"));
    if path.exists() {
        return Ok(path.to_owned());
    }
    if named.exists() {
        return Ok(named);
    }
    let stems = stems();
    let stems: Vec<&str> = stems.iter().map(String::as_str).collect();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(argument);
    let hint = match nearest(stem, &stems) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("no file of that path, and none in {FOLDER} of that name"),
    };
    Err(BadArguments::usage(format!("unknown scenario `{argument}`; {hint}")))
}

/// The names of the scenarios there are; none when the folder cannot be read, for a hint only.
fn stems() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(FOLDER) else { return Vec::new() };
    let mut stems: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    stems.sort();
    stems
}

/// A violation as it is reported.
pub(super) fn violation(story: &str, violation: &Violation) -> Record {
    Record::Violation(ViolationRecord {
        property: violation.property.to_owned(),
        story: story.to_owned(),
        gateway: violation.gateway.clone(),
        at: violation.at.to_string(),
        subject: violation.subject.clone(),
        expected: violation.expected.clone(),
        found: violation.found.clone(),
        cause: violation.cause.clone(),
        last_events: violation.last_events.clone(),
    })
}
