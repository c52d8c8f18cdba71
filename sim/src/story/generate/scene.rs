//! A fault and what gives it something to do. A fault that is armed while nothing is under way
//! tries nothing, so each is placed where it meets what it is about: a wrong list meets a gateway
//! that begins a session, a lost event meets a change.

use driftless_gateway::model::Dialect;

use super::provocation::{Meets, Provocation, meets, provocations};
use super::{APIS, api, at};
use crate::random::Key;
use crate::story::step::{
    Answer, Api, Crash, CrashDisk, CreateKey, Deploy, Endpoint, NamedKey, Nothing, Observable,
    Step, Trigger, Verb, When, Wrong,
};

/// A fault, with the steps that it needs. They happen at the same gateways.
pub(super) struct Scene {
    /// The steps.
    pub(super) steps: Vec<Step>,
}

/// How long after a fault that which it is about begins, at most, in milliseconds.
const SOON_MS: u64 = 60;

impl Scene {
    /// A fault at `ms` or soon after, with what it needs.
    pub(super) fn of(fault: Verb, ms: u64, dialect: Dialect, key: Key) -> Self {
        let key = key.child("scene");
        let mut scene = Self { steps: Vec::new() };
        scene.prepare(&fault, ms, key);
        let is_view = matches!(
            &fault,
            Verb::Answer(Answer { with: Wrong::StaleMs(_) | Wrong::MixedMs(_), .. })
        );
        let provocations = provocations(&fault, dialect);
        let moment = scene.moment(meets(&fault), ms, dialect, key);
        if is_view {
            // What is seen as it was has to have changed just before.
            scene.change_before(&fault, &moment, key);
            return scene;
        }
        let mut rest = Self { steps: Vec::new() };
        // What is being asked for has to be redeployed before the request arrives.
        let is_redeploy = matches!(fault, Verb::RedeployWindow(_));
        rest.push(0, fault);
        let soon = if is_redeploy { 0 } else { key.between("soon", 1, SOON_MS) };
        for provocation in provocations {
            rest.bring_about(provocation, soon, key);
        }
        scene.follow(rest, &moment);
        scene
    }

    /// What has to be there well before.
    fn prepare(&mut self, fault: &Verb, ms: u64, key: Key) {
        match fault {
            Verb::LoseRow(lost) => {
                // A read of the artifact would bring the row back, so it has to be over.
                let deploy = Deploy { api: lost.api.clone(), revision: None };
                self.push(ms.saturating_sub(6000), Verb::Deploy(deploy));
            }
            Verb::RestoreBackup(back) => {
                let gap = key.between("gap", 1, back.ago_ms.min(1000));
                self.revise(ms.saturating_sub(gap), &changed(key));
            }
            Verb::RedeployWindow(_) => self.revise(ms.saturating_sub(5000), &changed(key)),
            _ => {}
        }
    }

    /// When the fault takes effect; brings that moment about.
    fn moment(&mut self, meets: Meets, ms: u64, dialect: Dialect, key: Key) -> When {
        let on = |seen, after_ms| {
            When::On(Trigger { seen, gateway: None, nth: 1, from_ms: ms, after_ms })
        };
        match meets {
            Meets::AnyTime => When::AtMs(ms),
            Meets::Request(name) => {
                match name {
                    "fetch" => self.revise(ms, &changed(key)),
                    // Several definitions that are wanted at once are asked for together.
                    "fetch_batch" => {
                        self.new_session(ms, key);
                        (0..3).for_each(|number| self.revise(ms + 5, &own(key, number)));
                    }
                    "check_exists" => {
                        self.undeploy(ms, &changed(key));
                        self.new_session(ms + key.between("list", 1, 1500), key);
                    }
                    _ => self.new_session(ms, key),
                }
                on(Observable::Action(name.to_owned()), 0)
            }
            // An APIM sends again what was not heard, so one of its events comes for sure.
            Meets::Session if dialect != Dialect::PlatformApi11 && key.chance("event", 2, 3) => {
                self.revise(ms, &changed(key));
                on(Observable::Event("api.deployed".to_owned()), 0)
            }
            Meets::Session => {
                self.new_session(ms, key);
                let longest = if key.chance("later", 1, 3) { 4000 } else { 300 };
                let after_ms = key.between("after", 0, longest);
                on(Observable::Action("list".to_owned()), after_ms)
            }
        }
    }

    /// Plays steps, whose times count from a moment, from then on.
    fn follow(&mut self, steps: Self, moment: &When) {
        let steps = steps.steps.into_iter().map(|step| {
            let When::AtMs(later) = step.when else { return step };
            let when = match moment.clone() {
                When::AtMs(ms) => When::AtMs(ms + later),
                When::On(on) => When::On(Trigger { after_ms: on.after_ms + later, ..on }),
            };
            Step { when, ..step }
        });
        self.steps.extend(steps);
    }

    fn push(&mut self, ms: u64, verb: Verb) {
        self.steps.push(at(ms, verb));
    }

    fn bring_about(&mut self, provocation: Provocation, ms: u64, key: Key) {
        let api = own(key, 1);
        match provocation {
            Provocation::Deploy => self.revise(ms, &api),
            Provocation::Redeploy => self.revise(ms, &changed(key)),
            Provocation::Undeploy => self.undeploy(ms, &api),
            Provocation::UndeployAndList => {
                self.undeploy(ms, &api);
                self.new_session(ms + key.between("list", 1, 1500), key);
            }
            Provocation::Key => self.key(ms, &api),
            Provocation::Session => self.new_session(ms, key),
            Provocation::Start => self.start(ms, key),
        }
    }

    fn revise(&mut self, ms: u64, api: &str) {
        self.push(ms, Verb::Revise(Api { api: api.to_owned() }));
        self.push(ms, Verb::Deploy(Deploy { api: api.to_owned(), revision: None }));
    }

    fn undeploy(&mut self, ms: u64, api: &str) {
        self.push(ms, Verb::Deploy(Deploy { api: api.to_owned(), revision: None }));
        self.push(ms + 1, Verb::Undeploy(Api { api: api.to_owned() }));
    }

    /// A key of its own, so that it can be made whatever else the story does to keys.
    fn key(&mut self, ms: u64, api: &str) {
        let (name, user) = ("spare".to_owned(), "admin".to_owned());
        self.revise(ms, api);
        let named = NamedKey {
            api: Some(api.to_owned()),
            application: None,
            name: name.clone(),
            user: user.clone(),
        };
        self.push(ms, Verb::RevokeKey(named));
        let create = CreateKey {
            api: Some(api.to_owned()),
            application: None,
            name,
            user,
            valid_for_ms: None,
        };
        self.push(ms, Verb::CreateKey(create));
    }

    fn new_session(&mut self, ms: u64, key: Key) {
        if key.chance("start", 1, 3) {
            self.start(ms, key);
        } else {
            self.push(ms, Verb::Reset(Nothing {}));
        }
    }

    fn start(&mut self, ms: u64, key: Key) {
        let crash = Crash { down_ms: key.between("down", 20, 500), disk: CrashDisk::Kept };
        self.push(ms, Verb::Crash(crash));
    }

    /// Changes what an answer shows as it was.
    fn change_before(&mut self, fault: &Verb, moment: &When, key: Key) {
        let mut changes = Self { steps: Vec::new() };
        let is_of_keys = matches!(fault, Verb::Answer(answer) if answer.to == Endpoint::ReadKeys);
        for number in 0..4 {
            let api = own(key, number);
            if is_of_keys {
                changes.key(0, &api);
            } else {
                changes.revise(0, &api);
            }
        }
        changes.push(0, fault.clone());
        self.follow(changes, moment);
    }
}

/// How many APIs scenes have for themselves, so that nobody retires what they change.
const OWN: u64 = 6;

/// The API that a scene changes.
pub(super) fn changed(key: Key) -> String {
    own(key, 0)
}

/// One of several APIs that a scene changes, each another one.
fn own(key: Key, number: u64) -> String {
    api(APIS + (key.below("changed", OWN) + number) % OWN)
}
