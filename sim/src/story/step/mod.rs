//! Everything a story can contain.
//!
//! A seed and a JSON file are two producers of the same list of steps; sweep, replay and
//! regression are its consumers. Steps are tolerant: undeploying what is not
//! there does nothing, so any part of a story is a story. A fault carries its own end, so
//! deleting any step leaves the others as they were.

mod access;
mod verbs;

use serde::{Deserialize, Serialize};

pub use access::{
    ChangeSubscription, CreateKey, DelayEvents, ImportKeys, MapKey, NamedApplication, NamedKey,
    NamedPlan, NamedSubscription, SetPlan, Standing, Subscribe,
};
pub use verbs::{Actor, VERBS, VerbEntry};

/// One step: when, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// When it happens.
    pub when: When,
    /// Where it happens.
    pub scope: Scope,
    /// What happens.
    pub verb: Verb,
}

/// Where a step happens, in a story of several gateways.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// Whose APIs, applications and plans it is about; those of the gateways it names, or else of
    /// the first organization, when left out.
    pub organization: Option<String>,
    /// The gateways it is about. When there is none: every gateway, and for what people do every
    /// one of the organization.
    pub gateways: Vec<String>,
}

/// When a step happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// At a virtual time, in milliseconds from the start.
    AtMs(u64),
    /// On the n-th occurrence of something observable; survives changes in timing.
    On(Trigger),
}

/// The n-th occurrence of something observable, and a delay after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// What is observed.
    pub seen: Observable,
    /// At which gateway; at any when left out.
    pub gateway: Option<String>,
    /// Which occurrence, from 1.
    pub nth: u32,
    /// How long after it, in milliseconds.
    pub after_ms: u64,
}

/// Something a trigger can wait for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Observable {
    /// The engine asked for something: `open_session`, `close_session`, `ack`, `store`, or a
    /// request by name (`discover`, `list`, `fetch`, `fetch_batch`, `check_exists`, `read_keys`,
    /// `read_subscriptions`, `read_plans`).
    Action(String),
    /// A frame of this event type reached the gateway (`api.deployed`, `apikey.created`, …).
    Event(String),
    /// An answer to a request of this name reached the gateway.
    Answer(String),
    /// The gateway reached a state: `live`, `stored`, `synced`, `restarted`.
    State(String),
}

/// What happens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Verb {
    /// Create an API if there is none of that name, and publish it.
    Publish(Publish),
    /// Save a new revision of an API: other content, not deployed yet.
    Revise(Api),
    /// Deploy a revision to the gateway; publishes and revises first where there is nothing.
    Deploy(Deploy),
    /// Undeploy an API from the gateway.
    Undeploy(Api),
    /// Delete an API. Publishing the name again makes a new API with a new id.
    Delete(Api),
    /// Move an API to a lifecycle state; `retired` removes it from the gateway.
    Lifecycle(ChangeLifecycle),
    /// Issue a new registration token; the old one is refused from now on.
    RotateToken(Nothing),

    /// Create a key for an API, or for whatever an application is subscribed to.
    CreateKey(CreateKey),
    /// Revoke a key and issue another under its name (A-H31).
    RegenerateKey(NamedKey),
    /// Revoke a key.
    RevokeKey(NamedKey),
    /// Add keys that were issued before anybody listened; no event tells of them.
    ImportKeys(ImportKeys),
    /// Subscribe an application to an API.
    Subscribe(Subscribe),
    /// Remove a subscription.
    Unsubscribe(NamedSubscription),
    /// Change the status or the plan of a subscription.
    ChangeSubscription(ChangeSubscription),
    /// Create a plan if there is none of that name.
    CreatePlan(SetPlan),
    /// Change the limit of a plan.
    ChangePlan(SetPlan),
    /// Delete a plan; subscriptions keep naming it. Creating the name again makes a plan with
    /// another id (C-H37).
    DeletePlan(NamedPlan),
    /// Let a key of an API belong to an application; the Platform API only.
    MapKey(MapKey),
    /// Let it belong to that application no more.
    UnmapKey(MapKey),
    /// Delete an application, its subscriptions and its keys.
    DeleteApplication(NamedApplication),

    /// The next events never come to exist, although their effect does (A-H10).
    LoseEvents(Count),
    /// Events are stored and not sent directly; only the poll brings them (A-H36).
    NoDirectSend(ForMs),
    /// The next poll claims its events and sends none; they come after the lease (A-H4).
    StrandPoll(Nothing),
    /// The poll of the running session dies; direct sends go on (A-H8).
    KillPoll(Nothing),
    /// Effects become readable later than their event is sent.
    DelayEffects(DelayEffects),
    /// How long two revisions are mapped at once in a redeploy, so that a read may give the old
    /// one (A-H15).
    RedeployWindow(RedeployWindow),
    /// Events about keys, subscriptions, plans and applications are raised later than their
    /// effect (A-H33).
    DelayEvents(DelayEvents),
    /// The next keys are written half way: a row without a mapping, and no event (A-H33).
    BreakKeys(Count),
    /// The hash in the next key events is missing, or of another length or algorithm.
    OddKeyEvents(Count),
    /// An API's row in the artifact cache is lost; it stays deployed (A-H14).
    LoseRow(Api),
    /// The next undeploys fail to delete their row: a zombie is listed (A-H14).
    KeepRows(Count),
    /// Every stamp made during this time is the same (A-H3).
    FreezeStamps(ForMs),
    /// APIM's wall clock jumps by this many milliseconds.
    StepClock(StepClock),
    /// APIM's database and cache go back to what they held this long ago; sockets stay.
    RestoreBackup(AgoMs),
    /// The node stops, refuses connections for a while, then answers 404 while it starts.
    RestartManager(RestartManager),
    /// The session is closed by APIM.
    CloseSession(CloseSession),
    /// The next connection goes to another node of the cluster; a session on the old one stays
    /// there, and each stored event goes to one of the two (A-H36).
    SwitchNode(Nothing),
    /// Token verification throws: 401 here, 4401 or 500 there (A-H22).
    RefuseTokens(ForMs),
    /// At the next connect an event is sent before `connection.ack` (A-H7).
    EventBeforeAck(Nothing),
    /// `api.undeployed` names a deployment id the gateway cannot know (FB-62).
    WrongUndeployIds(Count),
    /// Answers go wrong.
    Answer(Answer),

    /// Nothing passes, in one or both directions.
    Partition(Partition),
    /// What is sent waits and comes in order at the end.
    Hold(ForMs),
    /// Messages take longer.
    Latency(Latency),
    /// Open connections die silently: what APIM writes vanishes and nobody is told (A-H5).
    HalfOpen(Nothing),
    /// Every connection is reset.
    Reset(Nothing),
    /// Event frames are lost, doubled, delayed or swapped.
    Frames(Frames),
    /// Bytes that APIM writes go wrong on the way; only the wire world has bytes on the way.
    Bytes(Bytes),

    /// The gateway process dies and comes back.
    Crash(Crash),
    /// Writes fail for lack of space.
    DiskFull(ForMs),
    /// The next writes fail with an i/o error.
    FailWrites(Count),
    /// The next readings of a stored definition fail with an i/o error.
    FailReads(Count),
    /// The gateway's store is gone when it next starts; crashes it now.
    WipeStore(Nothing),
}

/// A verb without fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// An API by its name in the story.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// The API's name.
    pub api: String,
}

/// Publish an API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The API's name.
    pub api: String,
    /// Its kind; `RestApi` unless said otherwise. APIM deploys no other.
    #[serde(default = "rest_api", skip_serializing_if = "is_rest_api")]
    pub kind: String,
}

fn rest_api() -> String {
    "RestApi".to_owned()
}

fn is_rest_api(kind: &String) -> bool {
    kind == "RestApi"
}

/// Deploy a revision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The API's name.
    pub api: String,
    /// The revision, from 1; the newest when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
}

/// Move an API to a lifecycle state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeLifecycle {
    /// The API's name.
    pub api: String,
    /// The state.
    pub state: Lifecycle,
}

/// The lifecycle states of an API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Being designed.
    Created,
    /// Deployed as a prototype.
    Prototyped,
    /// Open for subscription.
    Published,
    /// Refused for the time being.
    Blocked,
    /// Served, not to be subscribed any more.
    Deprecated,
    /// Gone; removed from every gateway.
    Retired,
}

impl Lifecycle {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Prototyped,
        Self::Published,
        Self::Blocked,
        Self::Deprecated,
        Self::Retired,
    ];

    /// The state in APIM's words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Prototyped => "PROTOTYPED",
            Self::Published => "PUBLISHED",
            Self::Blocked => "BLOCKED",
            Self::Deprecated => "DEPRECATED",
            Self::Retired => "RETIRED",
        }
    }
}

/// A number of occurrences.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// How many.
    pub count: u32,
}

/// A span of time from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForMs {
    /// How long, in milliseconds.
    pub for_ms: u64,
}

/// A moment in the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgoMs {
    /// How long ago, in milliseconds.
    pub ago_ms: u64,
}

/// Effects become readable later than their event is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelayEffects {
    /// For how long changes are affected, in milliseconds.
    pub for_ms: u64,
    /// How much later, in milliseconds; below the engine's `read_lag_max`.
    pub delay_ms: u64,
}

/// How long two revisions are mapped at once in a redeploy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeployWindow {
    /// For how long redeploys are affected, in milliseconds.
    pub for_ms: u64,
    /// How long the window is, in milliseconds; below the engine's `read_lag_max`.
    pub window_ms: u64,
}

/// A jump of a wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepClock {
    /// By how much, in milliseconds; negative goes back.
    pub by_ms: i64,
}

/// The node stops and starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartManager {
    /// How long connections are refused, in milliseconds.
    pub down_ms: u64,
    /// How long every route then answers 404, in milliseconds (FB-71).
    pub starting_ms: u64,
}

/// The session is closed by APIM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseSession {
    /// The close code: 1000 for a replaced session, 4401 for a refused token.
    pub code: u16,
}

/// Answers go wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Which request is answered wrong.
    pub to: Endpoint,
    /// How.
    pub with: Wrong,
    /// How many answers; all of them in `for_ms` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// For how long, in milliseconds; until `count` is used up when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

/// A request of the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The well-known.
    Discover,
    /// The deployments list.
    List,
    /// One artifact's archive.
    Fetch,
    /// The batch archive.
    FetchBatch,
    /// The existence check.
    CheckExists,
    /// The API key list.
    ReadKeys,
    /// The subscriptions of one API.
    ReadSubscriptions,
    /// The subscription plans.
    ReadPlans,
    /// The WebSocket upgrade; only statuses and `no_answer` apply.
    Connect,
    /// Every one of them.
    Any,
}

impl Endpoint {
    /// Its name in stories: that of the request.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::List => "list",
            Self::Fetch => "fetch",
            Self::FetchBatch => "fetch_batch",
            Self::CheckExists => "check_exists",
            Self::ReadKeys => "read_keys",
            Self::ReadSubscriptions => "read_subscriptions",
            Self::ReadPlans => "read_plans",
            Self::Connect => "connect",
            Self::Any => "any",
        }
    }
}

/// What a control plane does wrong at the level of meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wrong {
    /// Another status, with the error body APIM would send.
    Status(u16),
    /// 404 with a servlet container's HTML page: the route, not the thing, is missing.
    RouteMissing,
    /// 200 with `{}`.
    EmptyObject,
    /// 200 with a well-formed list of nothing, or an archive of nothing.
    Empty,
    /// A list without its last quarter, an archive without its last entry.
    WithoutTail,
    /// A list or archive without an item in the middle.
    WithoutMiddle,
    /// Only the first item.
    FirstOnly,
    /// The answer as it would have been this many milliseconds ago.
    StaleMs(u64),
    /// Half of the items as they were this many milliseconds ago, half as they are.
    MixedMs(u64),
    /// A body of another JSON shape: `{"list":[…]}`.
    OtherShape,
    /// Fields of another type.
    OtherTypes,
    /// A page for people.
    Html,
    /// The body stops in the middle and the connection ends as if it were complete.
    Truncated,
    /// The answer takes this many milliseconds longer.
    SlowMs(u64),
    /// No answer at all.
    NoAnswer,
    /// An archive whose entry has `..` in its path.
    DotDotEntry,
    /// An archive that says the same deployment twice.
    RepeatedEntry,
    /// An archive that unpacks to far more than its size.
    Bomb,
    /// A list of keys, subscriptions or plans in which every third item cannot be read: no id, or
    /// a hash of another length or algorithm.
    OddItems,
}

impl Wrong {
    /// The name that its deliveries are counted by.
    pub const fn delivered_as(self) -> &'static str {
        match self {
            Self::Status(_) => "answer.status",
            Self::RouteMissing => "answer.route_missing",
            Self::EmptyObject => "answer.empty_object",
            Self::Empty => "answer.empty",
            Self::WithoutTail => "answer.without_tail",
            Self::WithoutMiddle => "answer.without_middle",
            Self::FirstOnly => "answer.first_only",
            Self::StaleMs(_) => "answer.stale_ms",
            Self::MixedMs(_) => "answer.mixed_ms",
            Self::OtherShape => "answer.other_shape",
            Self::OtherTypes => "answer.other_types",
            Self::Html => "answer.html",
            Self::Truncated => "answer.truncated",
            Self::SlowMs(_) => "answer.slow_ms",
            Self::NoAnswer => "answer.no_answer",
            Self::DotDotEntry => "answer.dot_dot_entry",
            Self::RepeatedEntry => "answer.repeated_entry",
            Self::Bomb => "answer.bomb",
            Self::OddItems => "answer.odd_items",
        }
    }
}

/// Nothing passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// How long, in milliseconds.
    pub for_ms: u64,
    /// Which direction.
    #[serde(default)]
    pub direction: Direction,
}

/// A direction of the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// From APIM to the gateway.
    ToGateway,
    /// From the gateway to APIM.
    ToManager,
}

/// Messages take longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// For how long, in milliseconds.
    pub for_ms: u64,
    /// The shortest one-way time, in milliseconds.
    pub min_ms: u64,
    /// The longest one-way time, in milliseconds.
    pub max_ms: u64,
}

/// Event frames go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    /// How.
    pub fault: FrameFault,
    /// How many event frames.
    pub count: u32,
}

/// What happens to an event frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FrameFault {
    /// It vanishes.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It comes this many milliseconds later, behind frames sent after it.
    DelayMs(u64),
    /// It and the next one change places.
    Swap,
    /// Its text is cut in the middle.
    Cut,
    /// It is replaced by an event of a type nobody documented.
    UnknownType,
}

/// Bytes go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// How.
    pub fault: ByteFault,
    /// How many answers with a body, or bursts of frames.
    pub count: u32,
}

/// What happens to the bytes of an answer, or of a burst of frames.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ByteFault {
    /// The connection ends in the middle.
    Cut,
    /// They come a few at a time, with pauses.
    Trickle,
    /// One bit is another, so that text is no text any more.
    Flip,
    /// They come a few at a time, so that no read gives a whole.
    Split,
}

impl ByteFault {
    /// Every fault.
    pub const ALL: [Self; 4] = [Self::Cut, Self::Trickle, Self::Flip, Self::Split];

    /// The name that its deliveries are counted by.
    pub const fn delivered_as(self) -> &'static str {
        match self {
            Self::Cut => "bytes.cut",
            Self::Trickle => "bytes.trickle",
            Self::Flip => "bytes.flip",
            Self::Split => "bytes.split",
        }
    }
}

/// The gateway process dies and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// How long it stays down, in milliseconds.
    pub down_ms: u64,
    /// What becomes of writes that were not synced.
    #[serde(default)]
    pub disk: CrashDisk,
}

/// What becomes of unsynced writes when the power goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashDisk {
    /// They are lost.
    #[default]
    Lost,
    /// They are kept: only the process died.
    Kept,
    /// Some are kept, some lost, some torn, drawn from the seed.
    Torn,
}
