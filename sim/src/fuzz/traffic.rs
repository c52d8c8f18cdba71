//! What the simulated API Manager sends in a short life full of changes: the frames and bodies
//! that corpora begin with.

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, BasePath, BatchRoute, DeploymentId, Dialect, Kind};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{self, ArchiveLimits, HttpRequest, request};

use crate::apim::{Answered, ApiManager, ConnectionId, ServerFrame};
use crate::story::aim::GatewayIndex;
use crate::story::step::{
    Answer, Api, ChangeLifecycle, ChangeSubscription, CreateKey, Deploy, Endpoint, Lifecycle,
    MapKey, NamedApplication, NamedKey, NamedPlan, NamedSubscription, SetPlan, Standing, Subscribe,
    Verb, Wrong,
};
use crate::story::switches::{BatchEncoding, BatchPath, Switches};

/// What was sent, each with a name of its own.
#[derive(Default)]
pub(super) struct Traffic {
    /// Frames.
    pub(super) frames: BTreeMap<String, Vec<u8>>,
    /// Bodies by what they answer.
    pub(super) bodies: BTreeMap<(Endpoint, String), Vec<u8>>,
}

/// Everything that is done wrong to answers that hold a body of interest.
const WRONGS: [(Wrong, &str); 10] = [
    (Wrong::EmptyObject, "empty-object"),
    (Wrong::Empty, "empty"),
    (Wrong::FirstOnly, "first-only"),
    (Wrong::OtherShape, "other-shape"),
    (Wrong::OtherTypes, "other-types"),
    (Wrong::Html, "html"),
    (Wrong::Truncated, "truncated"),
    (Wrong::DotDotEntry, "dot-dot-entry"),
    (Wrong::RepeatedEntry, "repeated-entry"),
    (Wrong::OddItems, "odd-items"),
];

/// Records the traffic of every dialect.
pub(super) fn record() -> Traffic {
    let mut traffic = Traffic::default();
    for dialect in Dialect::ALL {
        for compress in [false, true] {
            let mut switches = Switches::usual(dialect);
            switches.compress = compress;
            if compress {
                switches.batch_encoding = BatchEncoding::TarGz;
            }
            let manager = ApiManager::new(dialect, switches, 1);
            let mut recorder = Recorder {
                manager,
                now: Instant::START,
                name: format!("{}{}", dialect.name(), if compress { "-packed" } else { "" }),
                traffic: &mut traffic,
            };
            recorder.live();
        }
    }
    traffic
}

struct Recorder<'t> {
    manager: ApiManager,
    now: Instant,
    name: String,
    traffic: &'t mut Traffic,
}

impl Recorder<'_> {
    fn live(&mut self) {
        let path = format!("{}/ws/gateways/connect", self.manager.base_path());
        let token = self.manager.token(GatewayIndex::FIRST).to_owned();
        self.manager.connect(GatewayIndex::FIRST, ConnectionId(1), &path, Some(&token), self.now);
        self.pass(100);
        for (number, verb) in beginnings().iter().enumerate() {
            self.manager.apply(verb, self.now);
            self.pass(1500 + number as u64);
        }
        self.read_all();
        for verb in endings() {
            self.manager.apply(&verb, self.now);
            self.pass(1500);
        }
        self.pass(20_000);
    }

    /// Lets time pass, and keeps the first frame of each type.
    fn pass(&mut self, ms: u64) {
        let until = self.now.after(std::time::Duration::from_millis(ms));
        loop {
            while let Some((_, frame)) = self.manager.poll_frame() {
                self.keep(&frame);
            }
            match self.manager.poll_timeout().filter(|at| *at <= until) {
                Some(at) => self.manager.handle_timeout(at),
                None => break,
            }
        }
        self.now = until;
    }

    fn keep(&mut self, frame: &ServerFrame) {
        let ServerFrame::Text(text) = frame else { return };
        let parsed: Option<serde_json::Value> = serde_json::from_str(text).ok();
        let Some(kind) = parsed.as_ref().and_then(|frame| frame["type"].as_str()) else { return };
        if !self.name.ends_with("-packed") {
            let name = format!("{}-{}", self.name, kind.replace('.', "-").to_lowercase());
            self.traffic.frames.entry(name).or_insert_with(|| text.as_bytes().to_vec());
        }
    }

    /// Asks everything there is to ask, right and with every wrong answer.
    fn read_all(&mut self) {
        let Some(base) = BasePath::parse(self.manager.base_path()) else { return };
        let artifacts: Vec<ArtifactId> = {
            let ledger = self.manager.ledger(GatewayIndex::FIRST);
            ledger.must_serve().map(|(id, _)| id.clone()).collect()
        };
        let first = artifacts.first().cloned().unwrap_or_else(|| ArtifactId::new("none"));
        let list = self.ask(&request::list(&base));
        let listed = list.and_then(|body| wire::decode_listing(&body).ok()).unwrap_or_default();
        let deployments: Vec<DeploymentId> =
            listed.rows.iter().take(3).map(|row| row.deployment.clone()).collect();
        let route = match self.manager.switches().batch_path {
            BatchPath::Batch => BatchRoute::Batch,
            BatchPath::FetchBatch => BatchRoute::FetchBatch,
        };
        let questions = [
            (Endpoint::Discover, request::discover()),
            (Endpoint::List, request::list(&base)),
            (Endpoint::Fetch, request::fetch(&base, &first, Kind::RestApi)),
            (Endpoint::FetchBatch, request::fetch_batch(&base, route, &deployments)),
            (Endpoint::ReadKeys, request::read_keys(&base, Kind::RestApi)),
            (Endpoint::ReadSubscriptions, request::read_subscriptions(&base, &first)),
            (Endpoint::ReadPlans, request::read_plans(&base)),
        ];
        for (endpoint, question) in questions {
            self.keep_body(endpoint, &question, "");
            for (wrong, name) in WRONGS {
                let answer = Answer { to: endpoint, with: wrong, count: Some(1), for_ms: None };
                if answer.applies() && !self.name.ends_with("-packed") {
                    self.manager.apply(&Verb::Answer(answer), self.now);
                    self.keep_body(endpoint, &question, name);
                }
            }
        }
    }

    fn keep_body(&mut self, endpoint: Endpoint, question: &HttpRequest, name: &str) {
        let Some(body) = self.ask(question) else { return };
        let mut known = self.traffic.bodies.iter().filter(|((of, _), _)| *of == endpoint);
        if !body.is_empty() && known.all(|(_, known)| *known != body) {
            let dash = if name.is_empty() { "" } else { "-" };
            let name = format!("{}{dash}{name}", self.name);
            self.traffic.bodies.insert((endpoint, name), body);
        }
    }

    fn ask(&mut self, question: &HttpRequest) -> Option<Vec<u8>> {
        let token =
            question.authenticated.then(|| self.manager.token(GatewayIndex::FIRST).to_owned());
        let reply = self.manager.respond(GatewayIndex::FIRST, question, token.as_deref(), self.now);
        match reply.outcome {
            Answered::Answer(response) if response.status == 200 => Some(response.body),
            _ => None,
        }
    }
}

/// The definitions in the bodies of single fetches, by the name of the body.
pub(super) fn definitions(traffic: &Traffic) -> BTreeMap<String, Vec<u8>> {
    let limits = ArchiveLimits::recommended();
    let mut found: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for ((_, name), body) in &traffic.bodies {
        let one = wire::decode_definition(body, &limits).into_iter();
        let batch = wire::decode_batch(body, &limits).into_iter().flatten();
        for (number, content) in one.chain(batch.map(|packed| packed.content)).enumerate() {
            let bytes = content.bytes.to_vec();
            if !found.values().any(|known| *known == bytes) {
                found.insert(format!("{name}-{number}"), bytes);
            }
        }
    }
    found
}

fn api(name: &str) -> Api {
    Api { api: name.to_owned() }
}

fn deploy(name: &str) -> Verb {
    Verb::Deploy(Deploy { api: name.to_owned(), revision: None })
}

fn key(api: &str, name: &str) -> NamedKey {
    let (api, user) = (Some(api.to_owned()), "admin".to_owned());
    NamedKey { api, application: None, name: name.to_owned(), user }
}

fn beginnings() -> Vec<Verb> {
    let create = |name: &str, valid_for_ms| {
        let NamedKey { api, application, name, user } = key("orders", name);
        Verb::CreateKey(CreateKey { api, application, name, user, valid_for_ms })
    };
    let subscribe = |api: &str| {
        let (application, api) = ("shop".to_owned(), api.to_owned());
        Verb::Subscribe(Subscribe { application, api, plan: Some("Gold".to_owned()) })
    };
    let map = MapKey {
        application: "shop".to_owned(),
        api: "orders".to_owned(),
        name: "Mobile-Key".to_owned(),
        user: "admin".to_owned(),
    };
    vec![
        deploy("orders"),
        deploy("payments"),
        Verb::Revise(api("payments")),
        deploy("payments"),
        deploy("stock"),
        Verb::Undeploy(api("stock")),
        create("Mobile-Key", None),
        create("short", Some(86_400_000)),
        Verb::RegenerateKey(key("orders", "short")),
        Verb::CreatePlan(SetPlan { plan: "Iron".to_owned(), per_minute: Some(7) }),
        Verb::ChangePlan(SetPlan { plan: "Iron".to_owned(), per_minute: None }),
        subscribe("orders"),
        subscribe("payments"),
        Verb::ChangeSubscription(ChangeSubscription {
            application: "shop".to_owned(),
            api: "payments".to_owned(),
            status: Some(Standing::Blocked),
            plan: None,
        }),
        Verb::MapKey(map),
        deploy("returns"),
        Verb::Lifecycle(ChangeLifecycle { api: "orders".to_owned(), state: Lifecycle::Deprecated }),
    ]
}

fn endings() -> Vec<Verb> {
    let (application, orders) = ("shop".to_owned(), "orders".to_owned());
    vec![
        Verb::RevokeKey(key("orders", "Mobile-Key")),
        Verb::Unsubscribe(NamedSubscription { application: application.clone(), api: orders }),
        Verb::DeletePlan(NamedPlan { plan: "Iron".to_owned() }),
        Verb::DeleteApplication(NamedApplication { application }),
        Verb::Delete(api("orders")),
        Verb::Undeploy(api("payments")),
    ]
}
