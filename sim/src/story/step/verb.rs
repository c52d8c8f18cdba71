//! Everything that a step can say: the list of all families.

use driftless_gateway::model::Dialect;
use serde::{Deserialize, Serialize};

use super::access::{
    ChangeSubscription, CreateKey, ImportKeys, MapKey, NamedApplication, NamedKey, NamedPlan,
    NamedSubscription, SetPlan, Subscribe,
};
use super::answers::Answer;
use super::apis::{ChangeLifecycle, Deploy, Publish};
use super::control_plane::{AgoMs, CloseSession, RestartManager, StepClock};
use super::entry::{Actor, Entry, Reach};
use super::events::{DelayEffects, DelayEvents, RedeployWindow};
use super::fields::{Api, Count, Fields, ForMs, Named, Nothing};
use super::limits::{Broken, Limits};
use super::machine::Crash;
use super::network::{Bytes, Frames, Latency, Partition};
use super::word::{FromWord, Names, ToWord, Word};
use super::{access, answers, apis, control_plane, events, machine, network};

/// Makes the type of all steps out of a list of them: what each says, its name, its fields, and
/// its entry.
macro_rules! verbs {
    ($($(#[doc = $says:literal])+ $name:ident($fields:ty) = $entry:path,)+) => {
        /// What happens.
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub enum Verb {
            $($(#[doc = $says])+ $name($fields),)+
        }

        /// The whole vocabulary, in the order of [`Verb`].
        pub const VERBS: &[Entry] = &[$($entry),+];

        impl Verb {
            /// What it tells about itself.
            pub const fn entry(&self) -> &'static Entry {
                match self {
                    $(Self::$name(_) => &$entry,)+
                }
            }

            fn fields(&self) -> &dyn Fields {
                match self {
                    $(Self::$name(fields) => fields,)+
                }
            }

            /// The step of that number, with the fields that a word says.
            fn numbered(tag: u8, word: &Word, dialect: Dialect) -> Option<Self> {
                $(if $entry.form.tags.contains(&tag) {
                    let from = FromWord { word, form: &$entry.form, dialect };
                    return Some(Self::$name(Fields::read(&from)));
                })+
                None
            }
        }
    };
}

verbs! {
    /// Create an API if there is none of that name, and publish it.
    Publish(Publish) = apis::PUBLISH,
    /// Save a new revision of an API: other content, not deployed yet.
    Revise(Api) = apis::REVISE,
    /// Save a new revision of an API whose definition no gateway can read, not deployed yet.
    ReviseUnreadable(Api) = apis::REVISE_UNREADABLE,
    /// Deploy a revision to the gateway; publishes and revises first where there is nothing.
    Deploy(Deploy) = apis::DEPLOY,
    /// Undeploy an API from the gateway.
    Undeploy(Api) = apis::UNDEPLOY,
    /// Delete an API. Publishing the name again makes a new API with a new id.
    Delete(Api) = apis::DELETE,
    /// Move an API to a lifecycle state; `retired` removes it from the gateway.
    Lifecycle(ChangeLifecycle) = apis::LIFECYCLE,
    /// Issue a new registration token; the old one is refused from now on.
    RotateToken(Nothing) = apis::ROTATE_TOKEN,

    /// Create a key for an API, or for whatever an application is subscribed to.
    CreateKey(CreateKey) = access::CREATE_KEY,
    /// Revoke a key and issue another under its name (A-H31).
    RegenerateKey(NamedKey) = access::REGENERATE_KEY,
    /// Revoke a key.
    RevokeKey(NamedKey) = access::REVOKE_KEY,
    /// Add keys that were issued before anybody listened; no event tells of them.
    ImportKeys(ImportKeys) = access::IMPORT_KEYS,
    /// Subscribe an application to an API.
    Subscribe(Subscribe) = access::SUBSCRIBE,
    /// Remove a subscription.
    Unsubscribe(NamedSubscription) = access::UNSUBSCRIBE,
    /// Change the status or the plan of a subscription.
    ChangeSubscription(ChangeSubscription) = access::CHANGE_SUBSCRIPTION,
    /// Create a plan if there is none of that name.
    CreatePlan(SetPlan) = access::CREATE_PLAN,
    /// Change the limit of a plan.
    ChangePlan(SetPlan) = access::CHANGE_PLAN,
    /// Delete a plan; subscriptions keep naming it. Creating the name again makes a plan with
    /// another id (C-H37).
    DeletePlan(NamedPlan) = access::DELETE_PLAN,
    /// Let a key of an API belong to an application; the Platform API only.
    MapKey(MapKey) = access::MAP_KEY,
    /// Let it belong to that application no more.
    UnmapKey(MapKey) = access::UNMAP_KEY,
    /// Delete an application, its subscriptions and its keys.
    DeleteApplication(NamedApplication) = access::DELETE_APPLICATION,

    /// The next events never come to exist, although their effect does (A-H10).
    LoseEvents(Count) = events::LOSE_EVENTS,
    /// Events are stored and not sent directly; only the poll brings them (A-H36).
    NoDirectSend(ForMs) = events::NO_DIRECT_SEND,
    /// The next poll claims its events and sends none; they come after the lease (A-H4).
    StrandPoll(Nothing) = events::STRAND_POLL,
    /// The poll of the running session dies; direct sends go on (A-H8).
    KillPoll(Nothing) = events::KILL_POLL,
    /// Effects become readable later than their event is sent.
    DelayEffects(DelayEffects) = events::DELAY_EFFECTS,
    /// How long two revisions are mapped at once in a redeploy, so that a read may give the old
    /// one (A-H15).
    RedeployWindow(RedeployWindow) = events::REDEPLOY_WINDOW,
    /// Events about keys, subscriptions, plans and applications are raised later than their
    /// effect (A-H33).
    DelayEvents(DelayEvents) = events::DELAY_EVENTS,
    /// The next keys are written half way: a row without a mapping, and no event (A-H33).
    BreakKeys(Count) = control_plane::BREAK_KEYS,
    /// The hash in the next key events is missing, or of another length or algorithm.
    OddKeyEvents(Count) = events::ODD_KEY_EVENTS,
    /// An API's row in the artifact cache is lost; it stays deployed (A-H14).
    LoseRow(Api) = control_plane::LOSE_ROW,
    /// The next undeploys fail to delete their row: a zombie is listed (A-H14).
    KeepRows(Count) = control_plane::KEEP_ROWS,
    /// Every stamp made during this time is the same (A-H3).
    FreezeStamps(ForMs) = control_plane::FREEZE_STAMPS,
    /// APIM's wall clock jumps by this many milliseconds.
    StepClock(StepClock) = control_plane::STEP_CLOCK,
    /// APIM's database and cache go back to what they held this long ago; sockets stay.
    RestoreBackup(AgoMs) = control_plane::RESTORE_BACKUP,
    /// The node stops, refuses connections for a while, then answers 404 while it starts.
    RestartManager(RestartManager) = control_plane::RESTART_MANAGER,
    /// The session is closed by APIM.
    CloseSession(CloseSession) = control_plane::CLOSE_SESSION,
    /// The next connection goes to another node of the cluster; a session on the old one stays
    /// there, and each stored event goes to one of the two (A-H36).
    SwitchNode(Nothing) = control_plane::SWITCH_NODE,
    /// Token verification throws: 401 here, 4401 or 500 there (A-H22).
    RefuseTokens(ForMs) = control_plane::REFUSE_TOKENS,
    /// At the next connect an event is sent before `connection.ack` (A-H7).
    EventBeforeAck(Nothing) = events::EVENT_BEFORE_ACK,
    /// `api.undeployed` names a deployment id the gateway cannot know (FB-62).
    WrongUndeployIds(Count) = events::WRONG_UNDEPLOY_IDS,
    /// Answers go wrong.
    Answer(Answer) = answers::ANSWER,

    /// Nothing passes, in one or both directions.
    Partition(Partition) = network::PARTITION,
    /// What is sent waits and comes in order at the end.
    Hold(ForMs) = network::HOLD,
    /// Messages take longer.
    Latency(Latency) = network::LATENCY,
    /// Open connections die silently: what APIM writes vanishes and nobody is told (A-H5).
    HalfOpen(Nothing) = network::HALF_OPEN,
    /// Every connection is reset.
    Reset(Nothing) = network::RESET,
    /// Event frames are lost, doubled, delayed or swapped.
    Frames(Frames) = network::FRAMES,
    /// Bytes that APIM writes go wrong on the way; only the wire world has bytes on the way.
    Bytes(Bytes) = network::BYTES,

    /// The gateway process dies and comes back.
    Crash(Crash) = machine::CRASH,
    /// Writes fail for lack of space.
    DiskFull(ForMs) = machine::DISK_FULL,
    /// The next writes fail with an i/o error.
    FailWrites(Count) = machine::FAIL_WRITES,
    /// The next readings of a stored definition fail with an i/o error.
    FailReads(Count) = machine::FAIL_READS,
    /// The gateway's store is gone when it next starts; crashes it now.
    WipeStore(Nothing) = machine::WIPE_STORE,
}

/// How many numbers there are for steps in a story of bytes.
pub const TAGS: u8 = {
    let (mut count, mut place) = (0, 0);
    while place < VERBS.len() {
        count += VERBS[place].form.tags.len();
        place += 1;
    }
    assert!(count < 0x80, "the highest bit of a tag says that it is no step");
    count as u8
};

/// The numbers of what people do with what an organization has, in their order.
pub fn tags_of_people() -> Vec<u8> {
    let by_people = |entry: &&Entry| entry.actor == Actor::People && entry.reach != Reach::Gateways;
    let entries = VERBS.iter().filter(by_people);
    let mut tags: Vec<u8> = entries.flat_map(|entry| entry.form.tags).copied().collect();
    tags.sort_unstable();
    tags
}

impl Verb {
    /// The step that a word says. Every word says one; half of the numbers are what people do.
    pub fn of_word(word: &Word, dialect: Dialect) -> Option<Self> {
        match word.tag % (2 * TAGS) {
            tag if tag < TAGS => Self::numbered(tag, word, dialect),
            _ => Self::of_people(word, dialect),
        }
    }

    /// What people do at a word; every word says something.
    pub fn of_people(word: &Word, dialect: Dialect) -> Option<Self> {
        let tags = tags_of_people();
        let tag = tags.get(usize::from(word.tag) % tags.len())?;
        Self::numbered(*tag, word, dialect)
    }

    /// The word that says it, if there is one; when it happens is left out.
    pub fn word(&self, dialect: Dialect, names: &mut Names) -> Option<Word> {
        let form = &self.entry().form;
        let word = Word { tag: *form.tags.first()?, ..Word::default() };
        let mut to = ToWord { word, form, dialect, names };
        self.fields().write(&mut to)?;
        Some(to.word)
    }

    /// Its name in a scenario file, in `expect.delivered` and in reports.
    pub const fn name(&self) -> &'static str {
        self.entry().name
    }

    /// Who does it.
    pub const fn actor(&self) -> Actor {
        self.entry().actor
    }

    /// The name that its deliveries are counted by: its own, and for wrong answers also how they
    /// are wrong, as in `answer.empty_object`; the same for bytes, as in `bytes.cut`.
    pub fn delivered_as(&self) -> &'static str {
        self.fields().delivered_as().unwrap_or(self.name())
    }

    /// Whether it is a fault, rather than something people do at APIM.
    pub const fn is_fault(&self) -> bool {
        !matches!(self.actor(), Actor::People)
    }

    /// Whether it is about gateways one by one, so that a step can name some of them. What it is
    /// otherwise about belongs to an organization, or to APIM as a whole.
    pub const fn is_of_gateways(&self) -> bool {
        matches!(self.entry().reach, Reach::Gateways | Reach::OrganizationsGateways)
    }

    /// Whether it is about something that belongs to an organization.
    pub const fn is_of_organization(&self) -> bool {
        matches!(self.entry().reach, Reach::Organization | Reach::OrganizationsGateways)
    }

    /// How long it goes on by itself, in milliseconds.
    pub fn lasts_ms(&self) -> u64 {
        self.fields().lasts_ms()
    }

    /// The first of its limits that it does not keep.
    pub fn broken_limit(&self) -> Option<Broken> {
        let mut limits = Limits::default();
        self.fields().limits(&mut limits);
        limits.broken()
    }

    /// The names in it.
    pub fn names(&self) -> Named<'_> {
        self.fields().names()
    }

    /// The API it names, if it names one.
    pub fn api(&self) -> Option<&str> {
        self.names().api
    }

    /// The application it names, if it names one.
    pub fn application(&self) -> Option<&str> {
        self.names().application
    }

    /// The plan it names, if it names one.
    pub fn plan(&self) -> Option<&str> {
        self.names().plan
    }

    /// The name and the user of the key it names, if it names one.
    pub fn key(&self) -> Option<(&str, &str)> {
        self.names().key
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn example(entry: &Entry) -> Verb {
        let json = format!("{{ \"{}\": {} }}", entry.name, entry.example);
        serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"))
    }

    #[test]
    fn every_example_is_a_verb_of_its_name_and_keeps_its_limits() {
        for entry in VERBS {
            let verb = example(entry);
            assert_eq!(verb.entry(), entry);
            assert_eq!(verb.api().is_some(), entry.example.contains("\"api\""), "{}", entry.name);
            assert_eq!(verb.broken_limit(), None);
        }
    }

    /// What serde says it knows, where a name is none of it.
    fn known(error: &serde_json::Error) -> Vec<String> {
        error.to_string().split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn the_list_and_the_choices_are_what_serde_knows() {
        let error = serde_json::from_str::<Verb>("{ \"no_such_verb\": {} }").unwrap_err();
        assert_eq!(known(&error), VERBS.iter().map(|entry| entry.name).collect::<Vec<_>>());
        // A kind of API is a text, and held against its names by the limits of the step.
        let chosen = VERBS.iter().filter(|entry| entry.name != "publish");
        for (entry, choice) in chosen.flat_map(|of| of.choices.iter().map(move |one| (of, one))) {
            let mut fields: Value = serde_json::from_str(entry.example).unwrap();
            fields[choice.field] = json!("no_such_choice");
            let error = serde_json::from_value::<Verb>(json!({ entry.name: fields })).unwrap_err();
            assert_eq!(known(&error), choice.of, "{} {}", entry.name, choice.field);
        }
    }

    /// A field whose value is a bare name, or an object of one name, is a choice.
    #[test]
    fn every_field_with_a_name_for_a_value_is_a_choice() {
        let free = ["api", "application", "name", "user", "plan"];
        for entry in VERBS {
            let fields: Value = serde_json::from_str(entry.example).unwrap();
            for (field, value) in fields.as_object().unwrap() {
                let is_choice = entry.choices.iter().any(|choice| choice.field == field);
                let is_name = value.is_string() && !free.contains(&field.as_str());
                assert_eq!(is_choice, is_name, "{} {field}", entry.name);
            }
        }
    }

    #[test]
    fn every_step_of_the_fast_world_has_numbers_of_its_own() {
        let mut tags: Vec<u8> = VERBS.iter().flat_map(|entry| entry.form.tags).copied().collect();
        tags.sort_unstable();
        assert_eq!(tags, (0..TAGS).collect::<Vec<_>>());
        let without = VERBS.iter().filter(|entry| entry.is_only_in_wire());
        assert_eq!(without.map(|entry| entry.name).collect::<Vec<_>>(), ["bytes"]);
    }

    /// A step without the names of things, which go by the order in which they are met.
    fn nameless(verb: &Verb) -> Value {
        let mut json = serde_json::to_value(verb).unwrap();
        let fields = json[verb.name()].as_object_mut().unwrap();
        fields.retain(|field, _| field != "user");
        for name in ["api", "application", "name"] {
            fields.entry(name).and_modify(|value| *value = json!(""));
        }
        json
    }

    #[test]
    fn a_step_of_bytes_keeps_its_limits_and_is_written_as_it_was_read() {
        for dialect in Dialect::ALL {
            for tag in 0..TAGS {
                for number in (0..=u16::MAX).step_by(97) {
                    let (who, a) = (number.to_le_bytes()[0], number.rotate_left(5));
                    let word = Word { tag, who, at: 0, a, b: number };
                    let verb = Verb::of_word(&word, dialect).unwrap();
                    // A story leaves out an answer that cannot be wrong in that way.
                    let is_left_out = matches!(&verb, Verb::Answer(answer) if !answer.applies());
                    assert!(is_left_out || verb.broken_limit().is_none(), "{verb:?}");
                    let again = verb.word(dialect, &mut Names::default());
                    let again = again.and_then(|word| Verb::of_word(&word, dialect));
                    let again = again.unwrap_or_else(|| panic!("no word says {verb:?}"));
                    assert_eq!(nameless(&again), nameless(&verb));
                }
            }
        }
    }

    #[test]
    fn a_story_of_bytes_has_every_choice() {
        let mut met = std::collections::BTreeSet::new();
        for tag in 0..TAGS {
            for number in 0..600 {
                let word = Word { tag, who: number as u8, at: 0, a: number, b: number };
                let dialect = Dialect::ALL[usize::from(number / 100) % Dialect::ALL.len()];
                let verb = Verb::of_word(&word, dialect).unwrap();
                let json = serde_json::to_value(&verb).unwrap();
                for choice in verb.entry().choices {
                    let chosen = &json[verb.name()][choice.field];
                    let one = chosen.as_object().and_then(|of| of.keys().next()).cloned();
                    let name = one.or_else(|| chosen.as_str().map(str::to_owned));
                    met.insert((verb.name(), choice.field, name.unwrap_or_default()));
                }
            }
        }
        for entry in VERBS.iter().filter(|entry| !entry.is_only_in_wire()) {
            // APIM deploys no other kind than the one that is left out.
            for choice in entry.choices.iter().filter(|choice| choice.field != "kind") {
                for name in choice.of {
                    let one = (entry.name, choice.field, (*name).to_owned());
                    assert!(met.contains(&one), "{one:?}");
                }
            }
        }
    }
}
