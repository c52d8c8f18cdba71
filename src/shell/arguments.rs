//! The command line of `driftless-gateway`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::config::{Mistake, Origin, Override, Settings, from_environment};
use super::show::Format;

/// A gateway's sync engine for WSO2 API Manager.
///
/// Settings come from a TOML file, from the environment (`[control_plane] url` is
/// DRIFTLESS_CONTROL_PLANE_URL) and from flags, in rising order. The registration token comes from
/// `control_plane.token_file` or DRIFTLESS_TOKEN and is never an argument.
#[derive(Parser, Debug)]
#[command(name = "driftless-gateway", version, max_term_width = 100, after_help = super::ExitStatus::HELP)]
pub struct Arguments {
    /// The settings; DRIFTLESS_CONFIG when left out
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Check the settings, name every mistake, and end
    #[arg(long)]
    pub check_config: bool,
    /// Print what a store holds, without changing it, and end
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "check_config"])]
    pub show_store: Option<PathBuf>,
    /// How to print what a store holds
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print completions for a shell, and end
    #[arg(long, value_name = "SHELL", value_enum)]
    pub completions: Option<clap_complete::Shell>,
    /// Scheme, host and port of APIM [control_plane.url]
    #[arg(long, value_name = "URL", help_heading = "Settings")]
    pub url: Option<String>,
    /// File that holds the registration token [control_plane.token_file]
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub token_file: Option<String>,
    /// The store's file [store.path]
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub store: Option<String>,
    /// Address of the management endpoint [management.listen]
    #[arg(long, value_name = "ADDRESS", help_heading = "Settings")]
    pub management: Option<String>,
    /// error, warn, info, debug or trace [log.level]
    #[arg(long, value_name = "LEVEL", help_heading = "Settings")]
    pub log_level: Option<String>,
    /// text or json [log.format]
    #[arg(long, value_name = "FORMAT", help_heading = "Settings")]
    pub log_format: Option<String>,
}

/// Why there are no settings: one line for each mistake.
pub type Mistakes = Vec<String>;

impl Arguments {
    /// The settings that these arguments, that environment and the file they name make.
    ///
    /// # Errors
    /// Every mistake.
    pub fn settings(
        &self,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Settings, Mistakes> {
        let texts = environment
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        let variables: Vec<(String, String)> = texts.collect();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| known == name);
            found.map(|(_, text)| text.clone()).filter(|text| !text.is_empty())
        };
        let (mut overrides, unknown) = from_environment(variables.iter().cloned());
        overrides.extend(self.flags());
        let path = self.config.clone().or_else(|| variable("DRIFTLESS_CONFIG").map(PathBuf::from));
        let text = path.as_deref().map(read).transpose().map_err(|problem| vec![problem])?;
        let name = path.as_deref().map(|path| path.display().to_string());
        let file = name.as_deref().zip(text.as_deref());
        let read = Settings::read(file, &overrides, variable("DRIFTLESS_TOKEN"));
        let mut settings = read.map_err(|mistakes| lines(&mistakes, path.is_none()))?;
        for name in unknown {
            settings.warnings.push(format!("{name} is no setting and is ignored"));
        }
        Ok(settings)
    }

    fn flags(&self) -> impl Iterator<Item = Override> {
        let flags = [
            ("--url", "control_plane.url", &self.url),
            ("--token-file", "control_plane.token_file", &self.token_file),
            ("--store", "store.path", &self.store),
            ("--management", "management.listen", &self.management),
            ("--log-level", "log.level", &self.log_level),
            ("--log-format", "log.format", &self.log_format),
        ];
        flags.into_iter().filter_map(|(flag, key, text)| {
            let origin = Origin::Flag(flag.to_owned());
            Some(Override { origin, key: key.to_owned(), text: text.clone()? })
        })
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

fn lines(mistakes: &[Mistake], has_no_file: bool) -> Mistakes {
    let mut lines: Mistakes = mistakes.iter().map(Mistake::to_string).collect();
    if has_no_file {
        lines.push("no file of settings was named; --config FILE names one, see --help".to_owned());
    }
    lines
}
