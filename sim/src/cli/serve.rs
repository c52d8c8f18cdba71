//! `serve`: the simulated API Manager on sockets.

use std::io;
use std::path::Path;

use serde_json::{Map, Value};
use tracing_subscriber::filter::LevelFilter;

use super::arguments::ServeCommand;
use super::output::Output;
use super::record::{Record, ServingRecord};
use super::{BadArguments, Exit};
use crate::sockets::serve::{Options, Protection, serve as serve_until_told};
use crate::story::file::{Expect, Scenario, StoreChoice, load};
use crate::story::switches::{GivenSwitches, Switches};

/// Serves until interrupted.
pub(super) fn serve(command: &ServeCommand, output: &mut Output) -> Result<Exit, BadArguments> {
    let level = if output.is_quiet() { LevelFilter::WARN } else { LevelFilter::INFO };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .init();
    let story = story_of(command)?;
    let dialect = story.dialect;
    let folder = command.folder.clone();
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("driftless-serve"));
    let (listen, admin, protection) = (command.listen, command.admin, protection(command));
    let options = Options { listen, admin, protection, folder, story };
    let served = serve_until_told(options, |served| {
        output.record(&Record::Serving(ServingRecord {
            url: served.url.clone(),
            admin: served.admin.clone(),
            dialect: dialect.name(),
            authority: served.authority.as_deref().map(shown),
            token_file: shown(&served.token_file),
        }));
        output.flush();
    });
    served.map(|()| Exit::Held).map_err(BadArguments::usage)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn protection(command: &ServeCommand) -> Protection {
    match (&command.cert, &command.key) {
        _ if command.plain => Protection::Plain,
        (Some(certificate), Some(key)) => {
            Protection::Given { certificate: certificate.clone(), key: key.clone() }
        }
        _ => Protection::Made(command.hosts.clone()),
    }
}

/// The story of a file, or one in which nothing happens by itself. Flags come before the file.
fn story_of(command: &ServeCommand) -> Result<Scenario, BadArguments> {
    let given = switches_of(&command.switches)?;
    let mut story = match &command.scenario {
        Some(path) => load(path)?.scenario,
        None => Scenario {
            why: String::new(),
            covers: Vec::new(),
            source: None,
            dialect: driftless_gateway::model::Dialect::Apim470,
            seed: 0,
            switches: Switches::usual(driftless_gateway::model::Dialect::Apim470),
            store: StoreChoice::default(),
            only: None,
            gateways: Vec::new(),
            faults_stay_ms: None,
            steps: Vec::new(),
            expect: Expect::default(),
        },
    };
    if story.gateways.len() > 1 {
        let why = "it has several gateways; a served APIM knows one";
        return Err(BadArguments::usage(format!("this story cannot be served: {why}")));
    }
    let given = if given.is_none() { story.switches.given(story.dialect) } else { given };
    story.dialect = command.dialect.unwrap_or(story.dialect);
    story.switches = given.over(story.dialect);
    story.seed = command.seed.map_or(story.seed, |seed| seed.0);
    Ok(story)
}

/// `NAME=VALUE` as a story would have it: JSON where it is JSON, and else a text.
fn switches_of(given: &[String]) -> Result<GivenSwitches, BadArguments> {
    let mut fields = Map::new();
    for switch in given {
        let Some((name, value)) = switch.split_once('=') else {
            return Err(BadArguments::usage(format!("--switch {switch}: NAME=VALUE is expected")));
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        fields.insert(name.to_owned(), value);
    }
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| BadArguments::usage(format!("--switch: {error}")))
}
