//! The processes, and waiting for them.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

use crate::page;

/// How long anything may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long to wait for a line before the pages are looked at again.
const LOOK: Duration = Duration::from_millis(10);

/// The token that tests use where no API Manager made one.
pub(crate) const TOKEN: &str = "a-token-that-no-log-shows";

/// An empty folder for a test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("loopback").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Lines of a process's output, as they come.
struct Lines {
    received: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(output: impl Read + Send + 'static) -> Self {
        let (tell, received) = channel();
        let read = move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().spawn(read).unwrap();
        Self { received, seen: Vec::new() }
    }

    /// Waits for a line, or a moment.
    fn look(&mut self) {
        match self.received.recv_timeout(LOOK) {
            Ok(line) => self.seen.push(line),
            Err(RecvTimeoutError::Timeout) => {}
            // No more lines come: the process is ending.
            Err(RecvTimeoutError::Disconnected) => std::thread::park_timeout(LOOK),
        }
        self.seen.extend(self.received.try_iter());
    }
}

/// Time that is left: counted in looks, for tests read no clock.
struct Patience(u32);

impl Patience {
    fn new() -> Self {
        Self(u32::try_from(DEADLINE.as_millis() / LOOK.as_millis()).unwrap())
    }

    fn is_over(&mut self) -> bool {
        self.0 -= 1;
        self.0 == 0
    }
}

/// `driftless serve` as a process.
pub(crate) struct Apim {
    child: Child,
    lines: Lines,
    /// Where gateways connect.
    pub(crate) url: String,
    /// `HOST:PORT` of the admin API.
    pub(crate) admin: String,
    /// What a gateway has to trust.
    pub(crate) authority: Option<PathBuf>,
    /// The file with its token.
    pub(crate) token_file: PathBuf,
}

impl Apim {
    /// Serves with those arguments and what it makes in `folder`.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", "--format", "json", "--admin", "127.0.0.1:0", "--folder"]);
        command.arg(folder).args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = Lines::of(child.stdout.take().unwrap());
        let mut patience = Patience::new();
        while lines.seen.is_empty() {
            assert!(!patience.is_over(), "`driftless serve` does not say where it listens");
            lines.look();
        }
        let served: Value = serde_json::from_str(&lines.seen[0]).unwrap();
        let text = |name: &str| served[name].as_str().map(str::to_owned);
        Self {
            child,
            lines,
            url: text("url").unwrap(),
            admin: text("admin").unwrap().replace("http://", ""),
            authority: text("authority").map(PathBuf::from),
            token_file: text("token_file").unwrap().into(),
        }
    }

    /// `HOST:PORT` where gateways connect.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// Does something, in the words of a story.
    #[track_caller]
    pub(crate) fn step(&self, step: &str) {
        let (status, body) = page::ask(&self.admin, "POST", "/steps", step).unwrap();
        assert_eq!(status, 200, "{step}: {body}");
        assert!(body.contains("\"done\""), "{step}: {body}");
    }

    /// A page of the admin API.
    pub(crate) fn page(&self, path: &str) -> Value {
        page::json(&self.admin, path).unwrap()
    }

    /// Waits until the page is as it should be.
    #[track_caller]
    pub(crate) fn until(
        &mut self,
        path: &str,
        what: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut patience = Patience::new();
        loop {
            let page = self.page(path);
            if is_so(&page) {
                return page;
            }
            assert!(!patience.is_over(), "APIM never: {what}\n{page:#}");
            self.lines.look();
        }
    }
}

impl Drop for Apim {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Settings of a gateway in a test: quick to retry, and with everything else as recommended.
pub(crate) struct Settings {
    folder: PathBuf,
    lines: Vec<(&'static str, String)>,
}

impl Settings {
    /// Settings for a gateway with its files in `folder`.
    pub(crate) fn new(folder: &Path, url: &str) -> Self {
        let token = folder.join("gateway-token");
        fs::write(&token, TOKEN).unwrap();
        let quoted = |path: &Path| format!("{:?}", path.to_str().unwrap());
        let lines = vec![
            ("control_plane.url", format!("{url:?}")),
            ("control_plane.token_file", quoted(&token)),
            ("store.path", quoted(&folder.join("store.redb"))),
            ("management.listen", "\"127.0.0.1:0\"".to_owned()),
            ("log.format", "\"json\"".to_owned()),
            ("log.level", "\"debug\"".to_owned()),
            ("engine.backoff_min", "\"50ms\"".to_owned()),
            ("engine.backoff_max", "\"300ms\"".to_owned()),
            ("engine.read_lag_max", "\"300ms\"".to_owned()),
        ];
        Self { folder: folder.to_owned(), lines }
    }

    /// Settings for a gateway of that API Manager.
    pub(crate) fn of(folder: &Path, apim: &Apim) -> Self {
        let settings = Self::new(folder, &apim.url);
        fs::copy(&apim.token_file, settings.token_file()).unwrap();
        match &apim.authority {
            Some(path) => settings.text("control_plane.ca_file", path.to_str().unwrap()),
            None => settings,
        }
    }

    /// The file with the gateway's token.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.folder.join("gateway-token")
    }

    /// Sets a field to a value in TOML.
    pub(crate) fn set(mut self, key: &'static str, value: impl ToString) -> Self {
        self.lines.retain(|(known, _)| *known != key);
        self.lines.push((key, value.to_string()));
        self
    }

    /// Sets a field to a text.
    pub(crate) fn text(self, key: &'static str, value: &str) -> Self {
        self.set(key, format!("{value:?}"))
    }

    /// Leaves a field out.
    pub(crate) fn without(mut self, key: &'static str) -> Self {
        self.lines.retain(|(known, _)| *known != key);
        self
    }

    /// Writes the file.
    pub(crate) fn write(&self) -> PathBuf {
        let path = self.folder.join("gateway.toml");
        let text: String =
            self.lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        fs::write(&path, text).unwrap();
        path
    }
}

/// `driftless-gateway` as a process.
pub(crate) struct Gateway {
    child: Child,
    lines: Lines,
    /// `HOST:PORT` of the management endpoint.
    pub(crate) management: String,
}

/// The command of a gateway, in an environment without settings.
pub(crate) fn gateway_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftless-gateway"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DRIFTLESS_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

impl Gateway {
    /// Starts a gateway and waits until it listens.
    pub(crate) fn start(settings: &Settings) -> Self {
        let mut command = gateway_command();
        command.arg("--config").arg(settings.write());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = Lines::of(child.stderr.take().unwrap());
        let mut patience = Patience::new();
        let management = loop {
            let started = lines.seen.iter().filter_map(|line| serde_json::from_str(line).ok());
            let management = started
                .filter(|line: &Value| line["message"] == "started")
                .find_map(|line| line["management"].as_str().map(str::to_owned));
            if let Some(management) = management {
                break management;
            }
            assert!(!patience.is_over(), "the gateway does not start\n{:#?}", lines.seen);
            lines.look();
        };
        Self { child, lines, management }
    }

    /// The status page.
    pub(crate) fn status(&self) -> Value {
        self.try_status().unwrap()
    }

    fn try_status(&self) -> std::io::Result<Value> {
        page::json(&self.management, "/status")
    }

    /// A page's status and text.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        page::ask(&self.management, "GET", path, "").unwrap()
    }

    /// Waits until the status is as it should be.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut patience = Patience::new();
        loop {
            let status = self.status();
            if is_so(&status) {
                return status;
            }
            if patience.is_over() {
                panic!("never: {what}\n{status:#}\n{:#?}", self.lines.seen);
            }
            self.lines.look();
        }
    }

    /// Waits until that many REST APIs are served and all is synced.
    #[track_caller]
    pub(crate) fn until_synced(&mut self, served: u64) -> Value {
        self.until(&format!("{served} APIs served and synced"), |status| {
            let kind = &status["kinds"]["RestApi"];
            kind["state"] == "synced" && kind["served"] == served
        })
    }

    /// Waits for a log line that holds `text`.
    #[track_caller]
    pub(crate) fn until_logged(&mut self, text: &str) -> String {
        let mut patience = Patience::new();
        loop {
            if let Some(line) = self.lines.seen.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(!patience.is_over(), "never logged: {text}\n{:#?}", self.lines.seen);
            self.lines.look();
        }
    }

    /// Everything that was logged.
    pub(crate) fn logged(&mut self) -> String {
        self.lines.look();
        self.lines.seen.join("\n")
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut patience = Patience::new();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.lines.look();
                return status;
            }
            assert!(!patience.is_over(), "the gateway does not end\n{:#?}", self.lines.seen);
            self.lines.look();
        }
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
