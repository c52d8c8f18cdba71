//! Import edges: the picture in `ARCHITECTURE.md`, as a table.

use std::collections::BTreeSet;

use crate::{Source, made_up, none, rust};

/// A module of `src` and what it may import of its own crate.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("model", &["time"]),
    ("engine", &["model", "time"]),
    ("wire", &["model", "time"]),
    ("store", &["model", "time"]),
    ("driver", &["engine", "model", "time", "wire"]),
    ("runtime", &["model", "time"]),
    ("publish", &["engine", "model", "runtime", "store", "time", "wire"]),
    ("shell", &["driver", "engine", "model", "publish", "runtime", "store", "time", "wire"]),
];

/// The rooms of the simulation. Each may import what stands before it.
const ROOMS: &[&str] = &[
    "random",
    "story",
    "apim",
    "observe",
    "properties",
    "plant",
    "world",
    "run",
    "shrink",
    "sockets",
    "fuzz",
    "cli",
];

/// Crates that only some folders may name: the machine, and randomness.
const RESERVED: &[(&str, &[&str])] = &[
    ("tokio", &["src/shell", "src/main.rs", "sim/src/sockets/world", "sim/src/sockets/serve"]),
    ("hyper", &["src/shell", "sim/src/sockets/world", "sim/src/sockets/serve"]),
    ("hyper_util", &["src/shell", "sim/src/sockets/world", "sim/src/sockets/serve"]),
    ("http_body_util", &["src/shell", "sim/src/sockets/world", "sim/src/sockets/serve"]),
    ("tokio_rustls", &["src/shell", "sim/src/sockets/world", "sim/src/sockets/serve"]),
    ("tokio_tungstenite", &["src/shell", "sim/src/sockets/world", "sim/src/sockets/serve"]),
    ("rcgen", &["sim/src/sockets/serve"]),
    ("toml", &["src/shell"]),
    ("turmoil", &["sim/src/sockets/world"]),
    ("rand", &["src/engine/backoff.rs", "src/shell", "sim/src"]),
    ("rand_chacha", &["src/engine/backoff.rs", "sim/src"]),
    ("saphyr_parser", &["src/wire/yaml.rs"]),
    ("serde_json", &["src/wire", "src/store", "src/shell", "src/main.rs", "sim/src"]),
];

/// The parts of the simulation that run the production shell.
const RUNS_THE_SHELL: &[&str] = &["sim/src/sockets/world", "sim/src/sockets/serve"];

fn complaints(source: &Source) -> Vec<String> {
    let code = without_comments(&source.text);
    let mut found = Vec::new();
    if let Some(module) = module_of(&source.path) {
        match MAY_IMPORT.iter().find(|(name, _)| *name == module) {
            Some((_, allowed)) => {
                for import in imports(&code, "crate") {
                    let known = MAY_IMPORT.iter().any(|(name, _)| *name == import);
                    if known && import != module && !allowed.contains(&import.as_str()) {
                        found.push(format!("{}: {module} may not import {import}", source.path));
                    }
                }
            }
            None => found.push(format!("{}: no rule for the module {module}", source.path)),
        }
    }
    found.extend(climbs(&source.path, &code));
    if source.path.starts_with("sim/src/")
        && !RUNS_THE_SHELL.iter().any(|folder| source.path.starts_with(folder))
        && imports(&code, "driftless_gateway").contains("shell")
    {
        found.push(format!("{}: the simulation may not import the shell", source.path));
    }
    let reserves = source.path.starts_with("src/") || source.path.starts_with("sim/src/");
    for (name, folders) in RESERVED.iter().filter(|_| reserves) {
        let allowed = folders.iter().any(|folder| source.path.starts_with(folder));
        if !allowed && names_crate(&code, name) {
            found.push(format!("{}: may not name {name}", source.path));
        }
    }
    found
}

/// Imports of a room that does not stand before the file's own.
fn climbs(path: &str, code: &str) -> Vec<String> {
    let Some(inside) = path.strip_prefix("sim/src/") else { return Vec::new() };
    let names: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    let Some(room) = names.first().filter(|room| !matches!(**room, "lib" | "main")) else {
        return Vec::new();
    };
    let Some(place) = ROOMS.iter().position(|known| known == room) else {
        return vec![format!("{path}: no place for the room {room}")];
    };
    let depth = names.iter().filter(|name| **name != "mod").count();
    let mut imported = imports(code, "crate");
    imported.extend(imports(code, &vec!["super"; depth].join("::")));
    let later = ROOMS.iter().skip(place + 1).filter(|later| imported.contains(**later));
    later.map(|later| format!("{path}: {room} may not import {later}")).collect()
}

/// The module of `src` that a file belongs to; `None` for the crate's roots and other packages.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let module = inside.split('/').next()?.trim_end_matches(".rs");
    (!matches!(module, "lib" | "main")).then_some(module)
}

/// The first names after `root::`, those in a group among them.
fn imports(code: &str, root: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let path = format!("{root}::");
    for (at, _) in code.match_indices(&path) {
        let bounded = code[..at].chars().next_back().is_none_or(|before| !is_word(before));
        let rest = &code[at + path.len()..];
        if bounded && let Some(group) = rest.strip_prefix('{') {
            found.extend(group_heads(group));
        } else if bounded {
            found.insert(rest.chars().take_while(|char| is_word(*char)).collect());
        }
    }
    found
}

/// The first name of each entry of a group, up to its closing brace.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut head, mut open) = (0_u32, Vec::new(), String::new(), true);
    for char in group.chars() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(std::mem::take(&mut head));
                open = true;
            }
            _ if depth == 0 && open && is_word(char) => head.push(char),
            _ if char.is_whitespace() => {}
            _ => open = false,
        }
    }
    heads.push(head);
    heads.retain(|head| !head.is_empty());
    heads
}

/// Whether a path begins with the crate, or `use` names it.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        let free = before.is_none_or(|before| !is_word(before) && before != ':' && before != '.');
        let used = code[..at].ends_with("use ") && after.starts_with(';');
        free && (after.starts_with("::") || used)
    })
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_import_follows_an_edge() {
    none(rust().iter().flat_map(complaints).collect());
}

#[test]
fn an_import_against_the_edges_is_found() {
    for (path, text) in [
        ("src/engine/mod.rs", "use crate::wire::Decoded;"),
        ("src/engine/mod.rs", "use crate::{\n    model::{Kind, Row},\n    store::Store,\n};"),
        ("src/wire/mod.rs", "fn f() { crate::engine::Config::recommended(); }"),
        ("src/model/ids.rs", "use crate::engine::Action;"),
        ("src/store/mod.rs", "pub(crate) use crate::shell::Disk;"),
        ("src/driver.rs", "use crate::store::Store;"),
        ("src/runtime/mod.rs", "use crate::wire::decode_api;"),
        ("src/runtime/mod.rs", "use crate::publish::Fact;"),
        ("src/publish/mod.rs", "use crate::driver::Driver;"),
        ("src/publish/mod.rs", "use crate::shell::Storage;"),
        ("src/publish/publisher.rs", "let sender = tokio::sync::watch::Sender::new(0);"),
        ("src/runtime/mod.rs", "use saphyr_parser::Parser;"),
        ("src/utility/mod.rs", "//! A module nobody drew."),
        ("src/engine/mod.rs", "let now = tokio::time::sleep(d);"),
        ("src/engine/mod.rs", "use serde_json::Value;"),
        ("src/driver.rs", "use tokio_tungstenite::client_async;"),
        ("sim/src/world/mod.rs", "use tokio;"),
        ("sim/src/world/mod.rs", "use driftless_gateway::shell::Loop;"),
        ("sim/src/world/mod.rs", "use driftless_gateway::{engine::Engine, shell};"),
        ("src/store/mod.rs", "let x: u8 = rand::random();"),
        ("sim/src/random.rs", "use crate::story::step::Step;"),
        ("sim/src/story/file/fleet.rs", "use crate::apim::ApiManager;"),
        ("sim/src/properties/mod.rs", "use super::plant::Plant;"),
        ("sim/src/plant/sabotage.rs", "use super::super::{observe, world::store::SimStore};"),
        ("sim/src/run/mod.rs", "fn f() { crate::sockets::world::tell(); }"),
        ("sim/src/attic/mod.rs", "//! A room nobody drew."),
    ] {
        assert_eq!(complaints(&made_up(path, text)).len(), 1, "{path}: {text}");
    }
}

#[test]
fn an_import_along_the_edges_is_not() {
    for (path, text) in [
        ("src/driver.rs", "use crate::{engine::{Action, Input}, model::Kind, wire};"),
        ("src/engine/mod.rs", "// crate::wire knows field names.\nuse crate::model::Row;"),
        ("src/engine/mod.rs", "use super::action::Action;\nlet x = self.rand::<u8>();"),
        ("src/store/mod.rs", "use crate::store::redb_store::Tables;"),
        ("src/shell/mod.rs", "use tokio::net::TcpStream;"),
        ("sim/src/sockets/world/host.rs", "use driftless_gateway::shell::Loop;"),
        ("src/lib.rs", "pub use crate::engine::Engine;"),
        ("sim/src/cli/judge.rs", "use super::story::Told;\nuse crate::run::Outcome;"),
        ("sim/src/plant/sabotage.rs", "use super::Plant;\nuse crate::apim::Upgrade;"),
        ("sim/src/lib.rs", "pub mod cli;"),
    ] {
        none(complaints(&made_up(path, text)));
    }
}
