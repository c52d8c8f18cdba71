//! One step as eight bytes, and back.

use driftless_gateway::model::Dialect;

use crate::story::step::{
    AgoMs, Answer, Api, ChangeLifecycle, ChangeSubscription, CloseSession, Count, Crash, CrashDisk,
    CreateKey, DelayEffects, DelayEvents, Deploy, Direction, Endpoint, ForMs, FrameFault, Frames,
    Latency, Lifecycle, MapKey, NamedApplication, NamedKey, NamedPlan, NamedSubscription, Nothing,
    Partition, RedeployWindow, RestartManager, SetPlan, Standing, StepClock, Subscribe, Verb,
    Wrong,
};

/// The bytes of a step.
pub(super) const STEP_BYTES: usize = 8;

/// Every wrong answer that a story of bytes may have, by its number.
const WRONGS: [Wrong; 18] = [
    Wrong::Status(500),
    Wrong::Status(401),
    Wrong::Status(404),
    Wrong::Status(429),
    Wrong::Status(503),
    Wrong::RouteMissing,
    Wrong::EmptyObject,
    Wrong::Empty,
    Wrong::WithoutTail,
    Wrong::WithoutMiddle,
    Wrong::FirstOnly,
    Wrong::OtherShape,
    Wrong::OtherTypes,
    Wrong::Html,
    Wrong::Truncated,
    Wrong::NoAnswer,
    Wrong::DotDotEntry,
    Wrong::RepeatedEntry,
];

/// A step as numbers: which verb, about whom, when, and two parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Word {
    tag: u8,
    who: u8,
    /// When, in milliseconds.
    pub(super) at: u16,
    a: u16,
    b: u16,
}

impl Word {
    /// Eight bytes as a step.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let [tag, who, at0, at1, a0, a1, b0, b1] = *bytes else { return None };
        let number = |low, high| u16::from_le_bytes([low, high]);
        Some(Self { tag, who, at: number(at0, at1), a: number(a0, a1), b: number(b0, b1) })
    }

    /// The step as eight bytes.
    pub(super) const fn bytes(&self) -> [u8; STEP_BYTES] {
        let (at, a, b) = (self.at.to_le_bytes(), self.a.to_le_bytes(), self.b.to_le_bytes());
        [self.tag, self.who, at[0], at[1], a[0], a[1], b[0], b[1]]
    }

    /// The first parameter, put into a range.
    fn first(&self, least: u64, most: u64) -> u64 {
        least + u64::from(self.a) % (most - least + 1)
    }

    /// The second one.
    fn second(&self, least: u64, most: u64) -> u64 {
        least + u64::from(self.b) % (most - least + 1)
    }

    fn count(&self, most: u64) -> Count {
        Count { count: u32::try_from(self.first(1, most)).unwrap_or(1) }
    }

    const fn pick<T: Copy, const N: usize>(number: u16, of: [T; N]) -> T {
        of[number as usize % N]
    }

    /// Whether it is a request, where words are steps or requests.
    pub(super) const fn is_request(&self) -> bool {
        self.tag & 0x80 > 0
    }

    /// The bytes that a request is chosen by.
    pub(super) const fn choices(&self) -> [u8; 4] {
        let (a, b) = (self.a.to_le_bytes(), self.b.to_le_bytes());
        [a[0], a[1], b[0], b[1]]
    }

    /// The API that it is about.
    pub(super) fn api(&self) -> String {
        format!("api-0{}", self.who & 3)
    }

    fn application(&self) -> String {
        format!("app-{}", self.who >> 2 & 1)
    }

    fn key(&self) -> NamedKey {
        let of_application = self.who >> 3 & 3 == 3;
        NamedKey {
            api: (!of_application).then(|| self.api()),
            application: of_application.then(|| self.application()),
            name: Self::pick(u16::from(self.who >> 5), KEYS).to_owned(),
            user: Self::pick(u16::from(self.who >> 7), USERS).to_owned(),
        }
    }

    fn plan(&self) -> String {
        Self::pick(self.b, PLANS).to_owned()
    }
}

const KEYS: [&str; 4] = ["Mobile", "mobile", "Batch", "web-1"];
const USERS: [&str; 2] = ["admin", "alice@example.org"];
const PLANS: [&str; 5] = ["Bronze", "Silver", "Gold", "Unlimited", "Platinum"];
const ENDPOINTS: [Endpoint; 10] = [
    Endpoint::Discover,
    Endpoint::List,
    Endpoint::Fetch,
    Endpoint::FetchBatch,
    Endpoint::CheckExists,
    Endpoint::ReadKeys,
    Endpoint::ReadSubscriptions,
    Endpoint::ReadPlans,
    Endpoint::Connect,
    Endpoint::Any,
];
const CODES: [u16; 4] = [1000, 1001, 1011, 4401];
const DISKS: [CrashDisk; 3] = [CrashDisk::Lost, CrashDisk::Kept, CrashDisk::Torn];
const DIRECTIONS: [Direction; 3] = [Direction::Both, Direction::ToGateway, Direction::ToManager];

/// How many verbs there are; the first [`PEOPLE`] are what people do.
pub(super) const VERBS: u8 = 46;
pub(super) const PEOPLE: u8 = 18;

/// The verb of a step. Every word is one; half of the tags are what people do.
pub(super) fn verb_of(word: &Word, dialect: Dialect) -> Verb {
    let tag = match word.tag % (2 * VERBS) {
        tag if tag < VERBS => tag,
        tag => tag % PEOPLE,
    };
    if tag < PEOPLE { people(tag, word, dialect) } else { fault(tag, word) }
}

/// What people do at a step; every word is something.
pub(super) fn people_of(word: &Word, dialect: Dialect) -> Verb {
    people(word.tag % PEOPLE, word, dialect)
}

fn people(tag: u8, word: &Word, dialect: Dialect) -> Verb {
    let (api, application) = (word.api(), word.application());
    match tag {
        0 | 1 => Verb::Deploy(Deploy { api, revision: (word.a % 4 == 3).then_some(1) }),
        2 => Verb::Revise(Api { api }),
        3 => Verb::Undeploy(Api { api }),
        4 => Verb::Delete(Api { api }),
        5 => Verb::Lifecycle(ChangeLifecycle { api, state: Word::pick(word.a, Lifecycle::ALL) }),
        6 => {
            let NamedKey { api, application, name, user } = word.key();
            let valid_for_ms = (word.a > 0).then(|| word.first(1, 40) * 1000);
            Verb::CreateKey(CreateKey { api, application, name, user, valid_for_ms })
        }
        7 => Verb::RegenerateKey(word.key()),
        8 => Verb::RevokeKey(word.key()),
        9 => Verb::Subscribe(Subscribe { application, api, plan: Some(word.plan()) }),
        10 => Verb::Unsubscribe(NamedSubscription { application, api }),
        11 => {
            let status = Some(Word::pick(word.a, standings(dialect)));
            let plan = (word.b > 0).then(|| word.plan());
            Verb::ChangeSubscription(ChangeSubscription { application, api, status, plan })
        }
        12 | 13 => {
            let per_minute = (word.a > 0).then(|| word.first(1, 30));
            let plan = SetPlan { plan: word.plan(), per_minute };
            if tag == 12 { Verb::CreatePlan(plan) } else { Verb::ChangePlan(plan) }
        }
        14 => Verb::DeletePlan(NamedPlan { plan: word.plan() }),
        15 | 16 => {
            let (name, user) = (KEYS[0].to_owned(), USERS[0].to_owned());
            let map = MapKey { application, api, name, user };
            if tag == 15 { Verb::MapKey(map) } else { Verb::UnmapKey(map) }
        }
        _ => Verb::DeleteApplication(NamedApplication { application }),
    }
}

/// The words that a control plane has for where a subscription stands.
const fn standings(dialect: Dialect) -> [Standing; 6] {
    match dialect {
        Dialect::PlatformApi11 => [
            Standing::Active,
            Standing::Inactive,
            Standing::Revoked,
            Standing::Active,
            Standing::Inactive,
            Standing::Revoked,
        ],
        Dialect::Apim470 | Dialect::Apim470Fixed => [
            Standing::Unblocked,
            Standing::Blocked,
            Standing::ProdOnlyBlocked,
            Standing::OnHold,
            Standing::Rejected,
            Standing::TierUpdatePending,
        ],
    }
}

fn fault(tag: u8, word: &Word) -> Verb {
    let for_ms = |least, most| ForMs { for_ms: word.first(least, most) };
    match tag {
        18 => Verb::LoseEvents(word.count(3)),
        19 => Verb::NoDirectSend(for_ms(1000, 20_000)),
        20 => Verb::StrandPoll(Nothing {}),
        21 => Verb::KillPoll(Nothing {}),
        22 => Verb::EventBeforeAck(Nothing {}),
        23 => Verb::FreezeStamps(for_ms(100, 8000)),
        24 => Verb::Frames(Frames { fault: frame_fault(word), count: word.count(5).count }),
        25 => Verb::DelayEffects(DelayEffects {
            for_ms: word.first(1000, 20_000),
            delay_ms: word.second(10, 2000),
        }),
        26 => Verb::RedeployWindow(RedeployWindow {
            for_ms: word.first(1000, 20_000),
            window_ms: word.second(10, 400),
        }),
        27 => Verb::LoseRow(Api { api: word.api() }),
        28 => Verb::KeepRows(word.count(2)),
        29 => {
            let by_ms = i64::try_from(word.first(0, 20_000)).unwrap_or(0) - 10_000;
            Verb::StepClock(StepClock { by_ms: if by_ms == 0 { 1 } else { by_ms } })
        }
        30 => Verb::RestoreBackup(AgoMs { ago_ms: word.first(1000, 30_000) }),
        31 => Verb::WrongUndeployIds(word.count(3)),
        32 => Verb::RestartManager(RestartManager {
            down_ms: word.first(50, 4000),
            starting_ms: word.second(0, 6000),
        }),
        33 => Verb::CloseSession(CloseSession { code: Word::pick(word.a, CODES) }),
        34 => Verb::RefuseTokens(for_ms(500, 8000)),
        35 => Verb::RotateToken(Nothing {}),
        36 => Verb::Partition(Partition {
            for_ms: word.first(500, 45_000),
            direction: Word::pick(word.b, DIRECTIONS),
        }),
        37 => Verb::Hold(for_ms(100, 4000)),
        38 => Verb::Latency(Latency {
            for_ms: word.first(1000, 10_000),
            min_ms: 1 + u64::from(word.b % 50),
            max_ms: 60 + u64::from(word.b >> 6) % 840,
        }),
        39 => Verb::HalfOpen(Nothing {}),
        40 => Verb::Reset(Nothing {}),
        41 => Verb::Crash(Crash { down_ms: word.first(10, 9000), disk: Word::pick(word.b, DISKS) }),
        42 => Verb::DiskFull(for_ms(500, 8000)),
        43 => Verb::FailWrites(word.count(4)),
        44 => Verb::DelayEvents(DelayEvents {
            for_ms: word.first(1000, 20_000),
            delay_ms: word.second(10, 4000),
        }),
        _ => Verb::Answer(Answer {
            to: Word::pick(u16::from(word.who), ENDPOINTS),
            with: wrong(word),
            count: Some(1 + u32::from(word.b % 2)),
            for_ms: None,
        }),
    }
}

/// Late views stay well below what the engine is told to expect.
fn wrong(word: &Word) -> Wrong {
    let known = WRONGS.len() as u64;
    match word.first(0, known + 5) {
        number if number < known => WRONGS[usize::try_from(number).unwrap_or(0)],
        number if number < known + 2 => Wrong::StaleMs(10 + u64::from(word.b >> 1) % 1990),
        number if number < known + 4 => Wrong::MixedMs(10 + u64::from(word.b >> 1) % 1990),
        _ => Wrong::SlowMs(50 + u64::from(word.b >> 1)),
    }
}

fn frame_fault(word: &Word) -> FrameFault {
    match word.b % 6 {
        0 => FrameFault::Drop,
        1 => FrameFault::Duplicate,
        2 => FrameFault::Swap,
        3 => FrameFault::Cut,
        4 => FrameFault::UnknownType,
        _ => FrameFault::DelayMs(20 + u64::from(word.b / 6) * 3 % 29_980),
    }
}

/// The names of a story in the order in which they are met.
#[derive(Default)]
pub(super) struct Names {
    apis: Vec<String>,
    applications: Vec<String>,
    keys: Vec<(String, String)>,
}

fn place<T: PartialEq + Clone>(known: &mut Vec<T>, name: &T, most: u8) -> Option<u8> {
    let at = known.iter().position(|other| other == name).unwrap_or_else(|| {
        known.push(name.clone());
        known.len() - 1
    });
    u8::try_from(at).ok().filter(|at| *at < most)
}

impl Names {
    fn api(&mut self, name: &str) -> Option<u8> {
        place(&mut self.apis, &name.to_owned(), 4)
    }

    fn application(&mut self, name: &str) -> Option<u8> {
        place(&mut self.applications, &name.to_owned(), 2).map(|at| at << 2)
    }

    fn both(&mut self, api: &str, application: &str) -> Option<u8> {
        Some(self.api(api)? | self.application(application)?)
    }

    fn key(&mut self, key: &NamedKey) -> Option<u8> {
        let name = (key.name.to_lowercase(), key.user.clone());
        let named = place(&mut self.keys, &name, 4)? << 5;
        match (&key.api, &key.application) {
            (Some(api), None) => Some(named | self.api(api)?),
            (None, Some(application)) => Some(named | 3 << 3 | self.application(application)?),
            _ => None,
        }
    }
}

fn back(value: u64, least: u64, most: u64) -> Option<u16> {
    let inside = (least..=most).contains(&value);
    if inside { u16::try_from(value - least).ok() } else { None }
}

fn place_in<T: PartialEq>(value: &T, of: &[T]) -> Option<u16> {
    of.iter().position(|one| one == value).and_then(|at| u16::try_from(at).ok())
}

/// The word of a verb, if it has one; when it happens is left out.
pub(super) fn word_of(verb: &Verb, names: &mut Names) -> Option<Word> {
    let about = |tag: u8, who: u8| Word { tag, who, ..Word::default() };
    let span = |tag: u8, ms: u64, least: u64, most: u64| {
        Some(Word { a: back(ms, least, most)?, ..about(tag, 0) })
    };
    Some(match verb {
        Verb::Deploy(deploy) => {
            let a = match deploy.revision {
                None => 0,
                Some(1) => 3,
                Some(_) => return None,
            };
            Word { a, ..about(0, names.api(&deploy.api)?) }
        }
        Verb::Revise(api) => about(2, names.api(&api.api)?),
        Verb::Undeploy(api) => about(3, names.api(&api.api)?),
        Verb::Delete(api) => about(4, names.api(&api.api)?),
        Verb::Lifecycle(change) => {
            let a = place_in(&change.state, &Lifecycle::ALL)?;
            Word { a, ..about(5, names.api(&change.api)?) }
        }
        Verb::CreateKey(create) => {
            let seconds = create.valid_for_ms.map_or(0, |ms| ms.div_ceil(1000));
            Word { a: back(seconds, 0, 40)?, ..about(6, names.key(&create.key())?) }
        }
        Verb::RegenerateKey(key) => about(7, names.key(key)?),
        Verb::RevokeKey(key) => about(8, names.key(key)?),
        Verb::Subscribe(held) => about(9, names.both(&held.api, &held.application)?),
        Verb::Unsubscribe(held) => about(10, names.both(&held.api, &held.application)?),
        Verb::MapKey(map) => about(15, names.both(&map.api, &map.application)?),
        Verb::UnmapKey(map) => about(16, names.both(&map.api, &map.application)?),
        Verb::LoseEvents(count) => span(18, count.count.into(), 1, 3)?,
        Verb::NoDirectSend(ms) => span(19, ms.for_ms, 1000, 20_000)?,
        Verb::StrandPoll(_) => about(20, 0),
        Verb::KillPoll(_) => about(21, 0),
        Verb::EventBeforeAck(_) => about(22, 0),
        Verb::FreezeStamps(ms) => span(23, ms.for_ms, 100, 8000)?,
        Verb::LoseRow(api) => about(27, names.api(&api.api)?),
        Verb::KeepRows(count) => span(28, count.count.into(), 1, 2)?,
        Verb::WrongUndeployIds(count) => span(31, count.count.into(), 1, 3)?,
        Verb::CloseSession(close) => Word { a: place_in(&close.code, &CODES)?, ..about(33, 0) },
        Verb::RotateToken(_) => about(35, 0),
        Verb::Partition(cut) => {
            Word { b: place_in(&cut.direction, &DIRECTIONS)?, ..span(36, cut.for_ms, 500, 45_000)? }
        }
        Verb::Hold(ms) => span(37, ms.for_ms, 100, 4000)?,
        Verb::HalfOpen(_) => about(39, 0),
        Verb::Reset(_) => about(40, 0),
        Verb::Crash(crash) => {
            Word { b: place_in(&crash.disk, &DISKS)?, ..span(41, crash.down_ms, 10, 9000)? }
        }
        Verb::DiskFull(ms) => span(42, ms.for_ms, 500, 8000)?,
        Verb::FailWrites(count) => span(43, count.count.into(), 1, 4)?,
        Verb::Answer(answer) => {
            let who = u8::try_from(place_in(&answer.to, &ENDPOINTS)?).ok()?;
            let b = back(u64::from(answer.count?), 1, 2)?;
            Word { a: place_in(&answer.with, &WRONGS)?, b, ..about(45, who) }
        }
        _ => return None,
    })
}
