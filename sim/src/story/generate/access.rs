//! Keys, applications, subscriptions and plans of a story. Their names come from small pools, so
//! that steps meet: a revocation finds a key, and two people use one name (A-H29).

use driftless_gateway::model::Dialect;

use super::{APIS, USUAL_MS, api, at, born};
use crate::random::Key;
use crate::story::profile::{Profile, Share};
use crate::story::step::{
    Answer, ChangeSubscription, Count, CreateKey, DelayEvents, Endpoint, MapKey, NamedApplication,
    NamedKey, NamedPlan, NamedSubscription, SetPlan, Standing, Step, Subscribe, Verb, Wrong,
};

/// How many applications a story has.
const APPLICATIONS: u64 = 4;

/// The plans that stories change; the first of them are there from the start.
const PLANS: [&str; 5] = ["Bronze", "Silver", "Gold", "Unlimited", "Platinum"];

/// The names of keys; the first is that of the key that most APIs begin with.
const NAMES: [&str; 4] = ["Mobile", "mobile", "Batch", "web-1"];

/// Adds what is there before the gateway starts or soon after, and what changes then.
pub(super) fn access(profile: &Profile, dialect: Dialect, key: Key, steps: &mut Vec<Step>) {
    let (least, most) = match profile.access {
        Share::Some => (6, 16),
        Share::Most => (30, 60),
    };
    population(key, steps);
    let key = key.child("access");
    for number in 0..key.between("count", least, most) * profile.story_ms / USUAL_MS {
        let key = key.nth(number);
        let ms = key.between("at", 500, profile.story_ms);
        change(dialect, key, ms, steps);
    }
}

/// Most APIs have a key, and a subscriber, from when they are there.
fn population(key: Key, steps: &mut Vec<Step>) {
    for number in 0..APIS {
        let ms = born(key, number);
        let key = key.child("access population").nth(number);
        if key.chance("key", 3, 4) {
            let create = CreateKey {
                api: Some(api(number)),
                application: None,
                name: "Mobile".to_owned(),
                user: "admin".to_owned(),
                valid_for_ms: None,
            };
            steps.push(at(ms, Verb::CreateKey(create)));
        }
        if key.chance("subscriber", 2, 3) {
            let plan = key.chance("plan", 3, 4).then(|| plan(key, &PLANS[..4]));
            let subscribe = Subscribe { application: application(key), api: api(number), plan };
            steps.push(at(ms, Verb::Subscribe(subscribe)));
        }
    }
}

fn application(key: Key) -> String {
    format!("app-{}", key.below("application", APPLICATIONS))
}

fn plan(key: Key, plans: &[&str]) -> String {
    (*key.pick("plan name", plans).unwrap_or(&"Gold")).to_owned()
}

/// A key by its names, of an API more often than of an application.
fn named(key: Key) -> NamedKey {
    let of_application = key.chance("of application", 1, 5);
    let names = if key.chance("usual", 1, 2) { &NAMES[..1] } else { &NAMES[..] };
    let users = if names.len() == 1 { &["admin"][..] } else { &["admin", "alice@example.org"] };
    NamedKey {
        api: (!of_application).then(|| api(key.below("api", APIS))),
        application: of_application.then(|| application(key)),
        name: (*key.pick("name", names).unwrap_or(&"Mobile")).to_owned(),
        user: (*key.pick("user", users).unwrap_or(&"admin")).to_owned(),
    }
}

fn create(key: Key, named: &NamedKey) -> Verb {
    let NamedKey { api, application, name, user } = named.clone();
    let valid_for_ms = key.chance("expires", 1, 4).then(|| key.between("valid", 1, 40) * 1000);
    Verb::CreateKey(CreateKey { api, application, name, user, valid_for_ms })
}

fn change(dialect: Dialect, key: Key, ms: u64, steps: &mut Vec<Step>) {
    let named = named(key);
    let subscription = || (application(key), api(key.below("api", APIS)));
    let verb = match key.below("what", 16) {
        0..=2 => create(key, &named),
        3 | 4 => {
            // A life so short that its two events may change places (A-H3).
            steps.push(at(ms, create(key, &named)));
            let later = ms + key.between("gap", 1, 3000);
            return steps.push(at(later, Verb::RevokeKey(named)));
        }
        5..=7 => Verb::RegenerateKey(named),
        8 | 9 => Verb::RevokeKey(named),
        10 => {
            let (application, api) = subscription();
            let plan = Some(plan(key, &PLANS));
            Verb::Subscribe(Subscribe { application, api, plan })
        }
        11 => {
            let (application, api) = subscription();
            Verb::Unsubscribe(NamedSubscription { application, api })
        }
        12 | 13 => {
            let (application, api) = subscription();
            let status = Some(standing(dialect, key));
            let plan = key.chance("other plan", 1, 3).then(|| plan(key, &PLANS));
            Verb::ChangeSubscription(ChangeSubscription { application, api, status, plan })
        }
        14 => plan_change(key),
        _ => match key.below("mapping", 4) {
            0 => Verb::DeleteApplication(NamedApplication { application: application(key) }),
            step => {
                let map = MapKey {
                    application: application(key),
                    api: api(key.below("api", APIS)),
                    name: "Mobile".to_owned(),
                    user: "admin".to_owned(),
                };
                if step == 1 { Verb::UnmapKey(map) } else { Verb::MapKey(map) }
            }
        },
    };
    steps.push(at(ms, verb));
}

fn standing(dialect: Dialect, key: Key) -> Standing {
    let apim = [
        Standing::Unblocked,
        Standing::Blocked,
        Standing::ProdOnlyBlocked,
        Standing::OnHold,
        Standing::Rejected,
        Standing::TierUpdatePending,
    ];
    let platform = [Standing::Active, Standing::Inactive, Standing::Revoked];
    let words = if dialect == Dialect::PlatformApi11 { &platform[..] } else { &apim };
    key.pick("status", words).copied().unwrap_or(Standing::Active)
}

fn plan_change(key: Key) -> Verb {
    let plan = plan(key, &PLANS);
    let per_minute = key.chance("limited", 3, 4).then(|| key.between("limit", 1, 30));
    match key.below("plan change", 4) {
        0 => Verb::DeletePlan(NamedPlan { plan }),
        1 => Verb::CreatePlan(SetPlan { plan, per_minute }),
        _ => Verb::ChangePlan(SetPlan { plan, per_minute }),
    }
}

/// Keys written half way, events behind their effects, and what cannot be read.
pub(super) fn access_fault(dialect: Dialect, key: Key) -> Verb {
    let count = Count { count: key.count(2) };
    let has_key_list = dialect != Dialect::Apim470;
    match key.below("fault", 6) {
        0 | 1 => Verb::BreakKeys(count),
        2 => Verb::OddKeyEvents(count),
        3 if has_key_list => {
            let to = if key.chance("keys", 1, 2) { Endpoint::ReadKeys } else { Endpoint::Any };
            let for_ms = Some(key.between("odd for", 500, 9000));
            Verb::Answer(Answer { to, with: Wrong::OddItems, count: None, for_ms })
        }
        _ => {
            let for_ms = key.between("for", 1000, 20_000);
            Verb::DelayEvents(DelayEvents { for_ms, delay_ms: key.between("delay", 10, 4000) })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::story::file::{Expect, Scenario};
    use crate::story::profile::profiles;
    use crate::story::step::{Actor, VERBS};

    /// Every generated story is one that a file can tell, and every step about access is met.
    #[test]
    fn stories_about_access_are_readable_and_leave_nothing_out() {
        let mut met = BTreeSet::new();
        for profile in profiles() {
            for seed in 0..60 {
                let mut scenario = crate::story::generate::generate(profile, seed);
                scenario.expect = Expect { writes_max: Some(1), ..Expect::default() };
                let name = profile.name;
                match Scenario::parse(&scenario.to_json()) {
                    Ok(read) => assert!(read == scenario, "{name} {seed}"),
                    Err(refusal) => panic!("{name} {seed}: {refusal}"),
                }
                met.extend(scenario.steps.iter().map(|step| step.verb.name()));
            }
        }
        let of_people = VERBS.iter().filter(|entry| entry.actor == Actor::People);
        let missing: Vec<&str> =
            of_people.map(|entry| entry.name).filter(|name| !met.contains(name)).collect();
        assert_eq!(missing, ["publish", "import_keys"]);
        assert!(met.contains("break_keys") && met.contains("delay_events"));
    }
}
