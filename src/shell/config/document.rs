//! The file: TOML to fields, each with its line and column.

use toml::de::{DeTable, DeValue};

use super::draft::Draft;
use super::fields::{self, FIELDS, Given};
use super::mistake::{Mistake, Origin, nearest};

/// A file while it is read.
struct File<'f> {
    path: &'f str,
    text: &'f str,
}

impl File<'_> {
    fn at(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Origin::File(self.path.to_owned(), line, column)
    }
}

/// Reads the file into `draft`. The mistakes come in the order of the file.
///
/// # Errors
/// When it is no TOML: what it means can then not be told.
pub(super) fn read(
    path: &str,
    text: &str,
    draft: &mut Draft,
) -> Result<Vec<Mistake>, Vec<Mistake>> {
    let file = File { path, text };
    let mut mistakes = Vec::new();
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        let problem = format!("not TOML: {}", error.message().replace('\n', ", "));
        mistakes.push(Mistake::of(file.at(offset), "", problem));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    read_sections(&file, root.get_ref(), draft, &mut mistakes);
    mistakes.sort_by_key(Mistake::place);
    Ok(mistakes)
}

fn read_sections(
    file: &File<'_>,
    root: &DeTable<'_>,
    draft: &mut Draft,
    mistakes: &mut Vec<Mistake>,
) {
    for (name, value) in root {
        let at = file.at(name.span().start);
        let section = name.get_ref().as_ref();
        let sections = || FIELDS.iter().map(|field| field.section);
        match value.get_ref() {
            _ if sections().all(|known| known != section) => {
                let problem = unknown("section", section, sections());
                mistakes.push(Mistake::of(at, section, problem));
            }
            DeValue::Table(table) => read_section(file, section, table, draft, mistakes),
            other => {
                let problem = format!("a section is expected, not a {}", other.type_str());
                mistakes.push(Mistake::of(at, section, problem));
            }
        }
    }
}

fn read_section(
    file: &File<'_>,
    section: &str,
    table: &DeTable<'_>,
    draft: &mut Draft,
    mistakes: &mut Vec<Mistake>,
) {
    for (name, value) in table {
        let name_at = file.at(name.span().start);
        let name = name.get_ref().as_ref();
        let key = format!("{section}.{name}");
        let known = || FIELDS.iter().filter(|field| field.section == section);
        if known().all(|field| field.name != name) {
            let problem = if key == "control_plane.token" {
                "a token is not written into the settings; name a `token_file`, or set \
                 DRIFTLESS_TOKEN"
                    .to_owned()
            } else {
                unknown("key", name, known().map(|field| field.name))
            };
            mistakes.push(Mistake::of(name_at, &key, problem));
            continue;
        }
        let given = match value.get_ref() {
            DeValue::String(text) => Ok(Given::Text(text)),
            DeValue::Boolean(flag) => Ok(Given::Flag(*flag)),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Given::Number)
                .map_err(|_| "the number is too large".to_owned()),
            other => Err(format!("a {} is not expected here", other.type_str())),
        };
        let set = given.and_then(|given| fields::set(draft, &key, &given));
        if let Err(problem) = set {
            mistakes.push(Mistake::of(file.at(value.span().start), &key, problem));
        }
    }
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("unknown {what}; did you mean `{near}`?"),
        None => format!("unknown {what}"),
    }
}
