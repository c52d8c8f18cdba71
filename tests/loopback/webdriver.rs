//! A browser without a window, driven by WebDriver (<https://www.w3.org/TR/webdriver2/>). That is
//! JSON over HTTP, so the client of the pages is all it takes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::page;

/// How often a page is looked at before a test gives up, and how long it is waited between.
const LOOKS: u32 = 300;
const PAUSE: Duration = Duration::from_millis(50);

/// The name under which WebDriver gives a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The first of these programs on the path.
fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// The driver and the browser, where both are installed: Debian's packages `chromium` and
/// `chromium-driver`, or Chrome with its own.
pub(crate) fn installed() -> Option<(PathBuf, PathBuf)> {
    let driver = program(&["chromedriver"])?;
    Some((driver, program(&["chromium", "chromium-browser", "google-chrome", "chrome"])?))
}

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    address: String,
    session: String,
}

impl Browser {
    /// Opens a page; the browser keeps what it keeps in `folder`.
    pub(crate) fn open(folder: &Path, url: &str) -> Self {
        let (driver, browser) = installed().unwrap();
        let mut driver =
            Command::new(driver).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            Some(line.strip_suffix('.')?.split_once("successfully on port ")?.1.to_owned())
        });
        let mut opened = Self {
            driver,
            address: format!("127.0.0.1:{}", port.unwrap()),
            session: String::new(),
        };
        let profile = folder.join("browser");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let wanted = json!({
            "goog:chromeOptions": { "binary": browser, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let made = opened
            .send("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }))
            .unwrap_or_else(|problem| panic!("no browser: {problem}"));
        opened.session = made["sessionId"].as_str().unwrap().to_owned();
        opened.command("POST", "url", &json!({ "url": url })).unwrap();
        opened
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let (status, answer) =
            page::ask(&self.address, method, path, &body).map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        if status == 200 { Ok(answer["value"].clone()) } else { Err(answer["value"].to_string()) }
    }

    fn command(&self, method: &str, command: &str, body: &Value) -> Result<Value, String> {
        self.send(method, &format!("/session/{}/{command}", self.session), body)
    }

    /// Does something with the element at an XPath as soon as there is one. An element that is
    /// replaced meanwhile is looked for again.
    #[track_caller]
    fn with(&self, xpath: &str, act: &str, body: &Value) {
        let mut problem = String::new();
        for _ in 0..LOOKS {
            let found =
                self.command("POST", "element", &json!({ "using": "xpath", "value": xpath }));
            let done = found.and_then(|found| {
                let element = found[ELEMENT].as_str().unwrap_or_default().to_owned();
                self.command("POST", &format!("element/{element}/{act}"), body)
            });
            match done {
                Ok(_) => return,
                Err(why) => problem = why,
            }
            std::thread::park_timeout(PAUSE);
        }
        panic!("{act} {xpath}: {problem}");
    }

    /// Clicks.
    #[track_caller]
    pub(crate) fn click(&self, xpath: &str) {
        self.with(xpath, "click", &json!({}));
    }

    /// Types into a field that is empty.
    #[track_caller]
    pub(crate) fn write(&self, xpath: &str, text: &str) {
        self.with(xpath, "clear", &json!({}));
        self.with(xpath, "value", &json!({ "text": text }));
    }

    /// Waits until an XPath is true of the page.
    #[track_caller]
    pub(crate) fn until(&self, condition: &str) {
        let script = "return document.evaluate(arguments[0], document, null, 3, null).booleanValue";
        let body = json!({ "script": script, "args": [format!("boolean({condition})")] });
        for _ in 0..LOOKS {
            if self.command("POST", "execute/sync", &body).unwrap() == true {
                return;
            }
            std::thread::park_timeout(PAUSE);
        }
        let text = json!({ "script": "return document.body.innerText", "args": [] });
        let text = self.command("POST", "execute/sync", &text).unwrap();
        panic!("never on the page: {condition}\n{}", text.as_str().unwrap_or_default());
    }

    /// What the page's scripts and requests complained of.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.command("POST", "se/log", &json!({ "type": "browser" })).unwrap();
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session; without one there is none.
        let _ended = self.send("DELETE", &format!("/session/{}", self.session), &json!({}));
        let _killed = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}
