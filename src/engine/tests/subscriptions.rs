//! Subscriptions, plans and applications: what events and lists do to them.

use super::*;
use crate::model::{
    Application, Plan, Quota, QuotaUnit, Resource, ResourceChange, ResourceEvent, ResourceId,
    SecretHash, Subscription, SubscriptionClaim, SubscriptionStatus,
};

fn stamp(second: u32) -> Option<Timestamp> {
    Some(Timestamp::parse(&format!("2026-06-17T09:15:{second:02}Z")).unwrap())
}

fn id() -> ResourceId {
    ResourceId::Subscription("s1".into())
}

fn subscription(status: SubscriptionStatus) -> Subscription {
    Subscription {
        artifact: "a".into(),
        application: None,
        token: Some(SecretHash([7; 32])),
        plan: Some("gold".into()),
        status,
    }
}

fn claim(status: SubscriptionStatus) -> SubscriptionClaim {
    let Subscription { artifact, application, token, plan, status } = subscription(status);
    let (artifact, status) = (Some(artifact), Some(status));
    SubscriptionClaim { artifact, application, token, plan, status }
}

fn said(id: ResourceId, change: ResourceChange, second: u32) -> Event {
    Event::Changed(Box::new(ResourceEvent { id, change, sent_at: stamp(second) }))
}

fn updated(claim: SubscriptionClaim, second: u32) -> Event {
    said(id(), ResourceChange::SubscriptionUpdated(claim), second)
}

fn plan(count: u64) -> Plan {
    Plan {
        name: "Gold".to_owned(),
        quota: Some(Quota { count, unit: QuotaUnit::Minute }),
        stops_on_quota: true,
        expires_at: None,
        is_active: true,
    }
}

fn read_subscriptions(id: u64) -> Action {
    let request = Request::ReadSubscriptions("a".into());
    Action::Request(RequestId(id), BasePath::platform_api(), request)
}

/// A Platform API with one API, its subscriptions and plans listed and settled.
fn platform(listed: &[Subscription]) -> Rig {
    let (config, dialect) = (Config::recommended(), Dialect::PlatformApi11);
    let mut rig = Rig::listed(config, holding(&[("a", "d1")]), dialect, &[("a", "d1")]);
    for at in [0, 5_000] {
        rig.at(at).timeout();
        rig.answer("read_keys", Response::Keys(KeyReading::Keys(Listed::default())));
        rig.answer("read_plans", plans(&[plan(20)]));
        rig.answer("read_subscriptions", subscriptions(listed));
        rig.stored();
    }
    rig
}

fn plans(plans: &[Plan]) -> Response {
    let items = plans.iter().map(|plan| (plan.name.to_lowercase().as_str().into(), plan.clone()));
    Response::Plans(Listed { items: items.collect(), unreadable: Vec::new() })
}

fn subscriptions(listed: &[Subscription]) -> Response {
    let items = listed.iter().map(|item| ("s1".into(), item.clone())).collect();
    Response::Subscriptions(Listed { items, unreadable: Vec::new() })
}

impl Rig {
    fn of(&self, kind: StatusKind) -> (SyncState, String) {
        let status = &self.engine.status().kinds[&kind];
        (status.state, status.reason.clone())
    }

    fn subscription_status(&self) -> Option<SubscriptionStatus> {
        match self.engine.observed.resource_in_force(&id()) {
            Some(Resource::Subscription(known)) => Some(known.status.clone()),
            _ => None,
        }
    }
}

#[test]
fn everything_that_is_listed_is_read_and_agrees() {
    let rig = platform(&[subscription(SubscriptionStatus::Active)]);
    for kind in [StatusKind::Subscription, StatusKind::Plan, StatusKind::ApiKey] {
        assert_eq!(rig.of(kind).0, SyncState::Synced, "{kind} {}", rig.of(kind).1);
    }
    assert_eq!(rig.subscription_status(), Some(SubscriptionStatus::Active));
    let (state, reason) = rig.of(StatusKind::Application);
    assert_eq!(state, SyncState::Unverified);
    assert_eq!(reason, "no list; 0 known from events alone");
}

#[test]
fn a_block_in_the_same_second_as_another_event_counts_and_an_opening_waits() {
    let mut rig = platform(&[subscription(SubscriptionStatus::Active)]);
    rig.event(updated(claim(SubscriptionStatus::Active), 10));
    rig.stored();
    rig.event(updated(claim(SubscriptionStatus::Inactive), 10));
    rig.stored();
    assert_eq!(rig.subscription_status(), Some(SubscriptionStatus::Inactive));
    rig.event(updated(claim(SubscriptionStatus::Active), 10));
    assert_eq!(rig.subscription_status(), Some(SubscriptionStatus::Inactive));
    assert_eq!(rig.of(StatusKind::Subscription).0, SyncState::Unverified);
    let asked = rig.until(10_000);
    assert_eq!(asked, [read_subscriptions(FIRST + 3)]);
    rig.answer("read_subscriptions", subscriptions(&[subscription(SubscriptionStatus::Active)]));
    rig.stored();
    assert_eq!(rig.subscription_status(), Some(SubscriptionStatus::Active));
    assert_eq!(rig.of(StatusKind::Subscription).0, SyncState::Synced);
}

#[test]
fn an_update_of_what_is_not_known_asks_the_list() {
    let mut rig = platform(&[]);
    let status = Some(SubscriptionStatus::Active);
    let claim = SubscriptionClaim { status, ..SubscriptionClaim::default() };
    assert_eq!(rig.event(updated(claim, 10)), []);
    assert_eq!(rig.engine.status().anomalies.incomplete_changes, 1);
    let asked = rig.until(10_000);
    assert_eq!(asked, [read_subscriptions(FIRST + 3)], "C-H36");
}

#[test]
fn what_an_update_leaves_out_stays_but_for_application_and_plan() {
    let mut rig = platform(&[subscription(SubscriptionStatus::Active)]);
    let status = Some(SubscriptionStatus::Inactive);
    rig.event(updated(SubscriptionClaim { status, ..SubscriptionClaim::default() }, 10));
    rig.stored();
    let mut expected = subscription(SubscriptionStatus::Inactive);
    expected.plan = None;
    assert_eq!(
        rig.engine.observed.resource_in_force(&id()),
        Some(Resource::Subscription(expected.into()))
    );
}

#[test]
fn a_late_creation_does_not_undo_a_deletion() {
    let mut rig = platform(&[subscription(SubscriptionStatus::Active)]);
    rig.event(said(id(), ResourceChange::Deleted, 20));
    rig.stored();
    let created = ResourceChange::SubscriptionCreated(claim(SubscriptionStatus::Active));
    assert_eq!(rig.event(said(id(), created, 10)), []);
    assert_eq!(rig.subscription_status(), None);
}

#[test]
fn a_plan_that_two_lists_lack_is_gone() {
    let mut rig = platform(&[]);
    for (at, held) in [(12_000, 1), (20_000, 1), (60_000, 0)] {
        rig.want_list(&ListId::Plans, at);
        rig.until(at);
        rig.answer("read_plans", plans(&[]));
        rig.stored();
        assert_eq!(rig.engine.status().kinds[&StatusKind::Plan].served, held, "at {at} ms");
    }
}

#[test]
fn an_application_keeps_keys_that_are_not_known_yet() {
    let mut rig = platform(&[]);
    let keys = ["u1".into(), "u2".into()].into();
    let application = Application { name: "shop".to_owned(), keys };
    let change = ResourceChange::ApplicationUpdated(application);
    rig.event(said(ResourceId::Application("app".into()), change, 10));
    rig.stored();
    let (_, reason) = rig.of(StatusKind::Application);
    assert_eq!(reason, "no list; 1 known from events alone; 2 of their keys are not known");
}

#[test]
fn one_list_that_fails_keeps_no_other_waiting() {
    let (config, dialect) = (Config::recommended(), Dialect::PlatformApi11);
    let mut rig = Rig::listed(config, holding(&[("a", "d1")]), dialect, &[("a", "d1")]);
    rig.fail("read_plans", Failure::Status(500));
    rig.answer("read_subscriptions", subscriptions(&[subscription(SubscriptionStatus::Active)]));
    rig.stored();
    assert_eq!(rig.subscription_status(), Some(SubscriptionStatus::Active));
    let (state, reason) = rig.of(StatusKind::Plan);
    assert_eq!(state, SyncState::Stale);
    assert_eq!(reason, "the list cannot be read: answered 500");
}

#[test]
fn a_late_creation_brings_nothing_to_a_deleted_api() {
    let mut rig = platform(&[]);
    let deleted =
        ArtifactBelief::new(Kind::RestApi, Intent::Deleted, Generation::default(), rig.now);
    rig.engine.artifacts.beliefs.insert("a".into(), deleted);
    let created = ResourceChange::SubscriptionCreated(claim(SubscriptionStatus::Active));
    assert_eq!(rig.event(said(id(), created, 10)), []);
    assert!(rig.engine.access.get(&id()).is_none());
}
