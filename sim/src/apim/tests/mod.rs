//! Flows over the whole API Manager, with exact frames and bodies.

mod access;
mod environments;
mod faults;
mod flows;
mod keys;
mod reads;
mod sessions;
mod wrong;

use std::io::Read as _;

use driftless_gateway::model::{ArtifactId, Dialect};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{HttpRequest, HttpResponse, Method};

use super::*;

/// Switches as usual, except that archives are stored, so that tests can look into them.
fn plain_switches(dialect: Dialect) -> Switches {
    Switches { compress: false, ..Switches::usual(dialect) }
}

/// An API Manager with a clock and a gateway that behaves.
struct ApimBench {
    manager: ApiManager,
    now: Instant,
    connections: u64,
}

impl ApimBench {
    fn new(dialect: Dialect) -> Self {
        Self::with(dialect, |_| {})
    }

    fn with(dialect: Dialect, change: impl FnOnce(&mut Switches)) -> Self {
        let mut switches = plain_switches(dialect);
        change(&mut switches);
        let manager = ApiManager::new(dialect, switches, 1);
        Self { manager, now: Instant::START, connections: 0 }
    }

    fn ledger(&self) -> &Ledger {
        self.manager.ledger(GatewayIndex::FIRST)
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        assert!(self.now <= Instant::from_millis(ms), "time goes forward");
        self.now = Instant::from_millis(ms);
        self.manager.handle_timeout(self.now);
        self
    }

    /// Applies a verb as it stands in a scenario file.
    #[track_caller]
    fn apply(&mut self, verb: &str) -> bool {
        let verb: Verb = serde_json::from_str(verb).unwrap();
        self.manager.apply(&verb, self.now) == Applied::Done
    }

    #[track_caller]
    fn deploy(&mut self, api: &str) -> ArtifactId {
        assert!(self.apply(&format!(r#"{{"deploy":{{"api":"{api}"}}}}"#)));
        self.id(api)
    }

    #[track_caller]
    fn revise_and_deploy(&mut self, api: &str) {
        assert!(self.apply(&format!(r#"{{"revise":{{"api":"{api}"}}}}"#)));
        self.deploy(api);
    }

    fn undeploy(&mut self, api: &str) -> bool {
        self.apply(&format!(r#"{{"undeploy":{{"api":"{api}"}}}}"#))
    }

    fn delete(&mut self, api: &str) -> bool {
        self.apply(&format!(r#"{{"delete":{{"api":"{api}"}}}}"#))
    }

    #[track_caller]
    fn id(&self, api: &str) -> ArtifactId {
        self.ledger().artifact(api).unwrap().clone()
    }

    fn connect(&mut self) -> (ConnectionId, Upgrade) {
        let path = format!("{}/ws/gateways/connect", self.manager.base_path());
        let token = self.manager.token(GatewayIndex::FIRST).to_owned();
        self.connect_to(&path, Some(&token))
    }

    fn connect_to(&mut self, path: &str, token: Option<&str>) -> (ConnectionId, Upgrade) {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        (connection, self.manager.connect(GatewayIndex::FIRST, connection, path, token, self.now))
    }

    /// A session that is established and has said all it had to say.
    fn session(&mut self) -> ConnectionId {
        let (connection, upgrade) = self.connect();
        assert_eq!(upgrade, Upgrade::Accepted);
        self.frames();
        connection
    }

    fn raw_frames(&mut self) -> Vec<(ConnectionId, ServerFrame)> {
        std::iter::from_fn(|| self.manager.poll_frame()).collect()
    }

    /// Texts in full, `ping` and `close <code>`.
    fn frames(&mut self) -> Vec<String> {
        let frames = self.raw_frames().into_iter();
        frames
            .map(|(_, frame)| match frame {
                ServerFrame::Text(text) => text.to_string(),
                ServerFrame::Ping => "ping".to_owned(),
                ServerFrame::Close(code, reason) => format!("close {code} {reason}"),
            })
            .collect()
    }

    /// The types of the events that are sent now.
    fn types(&mut self) -> Vec<String> {
        let frames = self.frames().into_iter();
        frames.filter_map(|frame| field(&frame, "type")).collect()
    }

    fn request(&self, method: Method, path: &str, accept: &'static str) -> HttpRequest {
        let path = format!("{}{path}", self.manager.base_path());
        HttpRequest { method, path, accept, json: None, authenticated: true }
    }

    fn send(&mut self, request: &HttpRequest) -> Reply {
        let token = self.manager.token(GatewayIndex::FIRST).to_owned();
        self.manager.respond(GatewayIndex::FIRST, request, Some(&token), self.now)
    }

    #[track_caller]
    fn get(&mut self, path: &str, accept: &'static str) -> HttpResponse {
        let request = self.request(Method::Get, path, accept);
        answer(self.send(&request))
    }

    #[track_caller]
    fn post(&mut self, path: &str, accept: &'static str, body: &str) -> HttpResponse {
        let mut request = self.request(Method::Post, path, accept);
        request.json = Some(body.as_bytes().to_vec());
        answer(self.send(&request))
    }

    #[track_caller]
    fn list(&mut self) -> String {
        text(&self.get("/deployments", "application/json"))
    }

    /// The story names in the list.
    #[track_caller]
    fn listed(&mut self) -> Vec<String> {
        let body: serde_json::Value = serde_json::from_str(&self.list()).unwrap();
        let rows = body["deployments"].as_array().unwrap().iter();
        let mut names: Vec<String> = rows
            .map(|row| {
                let id = ArtifactId::new(row["artifactId"].as_str().unwrap());
                self.ledger().record(&id).unwrap().name.to_string()
            })
            .collect();
        names.sort();
        names
    }

    #[track_caller]
    fn fetch(&mut self, id: &ArtifactId) -> HttpResponse {
        self.get(&format!("/apis/{id}"), "application/zip")
    }

    /// The revision of the definition that a zip fetch gives.
    #[track_caller]
    fn fetched_revision(&mut self, api: &str) -> Option<u32> {
        let id = self.id(api);
        let response = self.fetch(&id);
        (response.status == 200).then(|| revision_in(&unzip(&response.body)[0].1))
    }

    #[track_caller]
    fn delivered(&self, kind: &str) -> u64 {
        self.manager.delivered().get(kind).copied().unwrap_or(0)
    }
}

#[test]
fn it_can_be_served_from_another_thread() {
    const fn is_send<T: Send>() {}
    is_send::<ApiManager>();
}

#[track_caller]
fn answer(reply: Reply) -> HttpResponse {
    match reply.outcome {
        Answered::Answer(response) => response,
        other => panic!("no answer: {other:?}"),
    }
}

fn text(response: &HttpResponse) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// A string field at any depth of a JSON text.
fn field(json: &str, name: &str) -> Option<String> {
    let start = json.find(&format!("\"{name}\":\""))? + name.len() + 4;
    Some(json[start..].split('"').next()?.to_owned())
}

fn unzip(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let count = archive.len();
    let read = |place| {
        let mut file = archive.by_index(place).unwrap();
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        (file.name().unwrap().into_owned(), content)
    };
    (0..count).map(read).collect()
}

/// Paths and contents of a TAR of either style.
fn untar(bytes: &[u8]) -> Vec<(String, String)> {
    let until_nul = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).unwrap();
        text.trim_matches(['\0', ' ']).to_owned()
    };
    let (mut entries, mut rest) = (Vec::new(), bytes);
    while rest[0] != 0 {
        let path = until_nul(&rest[..100]);
        let size = usize::from_str_radix(&until_nul(&rest[124..136]), 8).unwrap();
        let content = String::from_utf8(rest[512..512 + size].to_vec()).unwrap();
        entries.push((path, content));
        rest = &rest[512 + size.next_multiple_of(512)..];
    }
    assert_eq!(rest.len(), 1024);
    entries
}

#[track_caller]
fn revision_in(definition: &str) -> u32 {
    let start = definition.find("path: /r").unwrap() + 8;
    definition[start..].split('/').next().unwrap().parse().unwrap()
}
