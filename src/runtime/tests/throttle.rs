//! What is counted, and when it is there again.

use super::*;

const MINUTE: i64 = 60_000;

fn charge(subject: Subject, count: u64) -> Charge {
    Charge { subject, quota: Quota { count, unit: QuotaUnit::Minute } }
}

fn api(name: &str) -> Subject {
    Subject::Api(ArtifactId::new(name))
}

fn grant(charges: &[Charge]) -> Grant {
    let artifact = ArtifactId::new("a");
    Grant { artifact, application: None, subscription: None, charges: charges.to_vec() }
}

fn throttle() -> Throttle {
    Throttle::new(ThrottleConfig::recommended())
}

const THROTTLED: Result<(), Refusal> = Err(Refusal::Throttled(Level::Api));

#[test]
fn a_limit_is_there_again_when_the_next_minute_begins() {
    let mut throttle = throttle();
    let grant = grant(&[charge(api("a"), 2)]);
    for (millis, expect) in [
        (59_998, Ok(())),
        (59_998, Ok(())),
        (59_999, THROTTLED),
        (MINUTE, Ok(())),
        (MINUTE, Ok(())),
        (2 * MINUTE - 1, THROTTLED),
        (9 * MINUTE, Ok(())),
    ] {
        assert_eq!(throttle.take(&grant, at(millis)), expect, "{millis}");
    }
}

#[test]
fn the_stricter_limit_wins_and_a_refused_request_uses_nothing() {
    let mut throttle = throttle();
    let strict = Subject::Subscription(SubscriptionId::new("s"));
    let both = grant(&[charge(api("a"), 3), charge(strict, 1)]);
    let only_api = grant(&[charge(api("a"), 3)]);
    assert_eq!(throttle.take(&both, at(0)), Ok(()));
    for _ in 0..9 {
        let refused = Err(Refusal::Throttled(Level::Subscription));
        assert_eq!(throttle.take(&both, at(0)), refused);
    }
    assert_eq!(throttle.take(&only_api, at(0)), Ok(()));
    assert_eq!(throttle.take(&only_api, at(0)), Ok(()));
    assert_eq!(throttle.take(&only_api, at(0)), THROTTLED);
}

#[test]
fn every_application_has_the_limit_that_is_configured() {
    let application = Some(Quota { count: 1, unit: QuotaUnit::Minute });
    let mut throttle =
        Throttle::new(ThrottleConfig { application, ..ThrottleConfig::recommended() });
    let by = |name: &str| Grant { application: Some(ApplicationId::new(name)), ..grant(&[]) };
    assert_eq!(throttle.take(&by("one"), at(0)), Ok(()));
    assert_eq!(throttle.take(&by("one"), at(0)), Err(Refusal::Throttled(Level::Application)));
    assert_eq!(throttle.take(&by("other"), at(0)), Ok(()));
    assert_eq!(throttle.take(&grant(&[]), at(0)), Ok(()));
}

#[test]
fn a_tier_that_changes_keeps_what_was_used() {
    let mut throttle = throttle();
    for _ in 0..3 {
        assert_eq!(throttle.take(&grant(&[charge(api("a"), 5)]), at(0)), Ok(()));
    }
    assert_eq!(throttle.take(&grant(&[charge(api("a"), 3)]), at(0)), THROTTLED);
    assert_eq!(throttle.take(&grant(&[charge(api("a"), 4)]), at(0)), Ok(()));
}

#[test]
fn a_clock_that_goes_back_a_little_gives_nothing_away() {
    let mut throttle = throttle();
    let grant = grant(&[charge(api("a"), 1)]);
    for (millis, expect) in [
        (10 * MINUTE, Ok(())),
        (10 * MINUTE - 1, THROTTLED),
        (9 * MINUTE, THROTTLED),
        (10 * MINUTE + 5, THROTTLED),
        // Further back than a unit: the clock was wrong before, or is now.
        (9 * MINUTE - 1, Ok(())),
        (8 * MINUTE, THROTTLED),
    ] {
        assert_eq!(throttle.take(&grant, at(millis)), expect, "{millis}");
    }
}

#[test]
fn without_room_a_new_subject_is_refused_until_a_window_ends() {
    let mut throttle =
        Throttle::new(ThrottleConfig { counters_max: 2, ..ThrottleConfig::recommended() });
    let of = |name: &str| grant(&[charge(api(name), 9)]);
    for name in ["a", "b", "a"] {
        assert_eq!(throttle.take(&of(name), at(0)), Ok(()));
    }
    assert_eq!(throttle.take(&of("c"), at(1)), Err(Refusal::ThrottleFull));
    assert_eq!(throttle.take(&of("c"), at(MINUTE - 1)), Err(Refusal::ThrottleFull));
    assert_eq!(throttle.take(&of("a"), at(MINUTE - 1)), Ok(()));
    assert_eq!((throttle.counters(), throttle.turned_away()), (2, 2));
    assert_eq!(throttle.take(&of("c"), at(MINUTE)), Ok(()));
    assert_eq!((throttle.counters(), throttle.turned_away()), (1, 2));
}

#[test]
fn what_was_used_outlives_a_snapshot() {
    let mut definition = pizza();
    definition.tier = Tier::Bronze;
    let facts = Facts::of(definition);
    let open = ApiRequest::new("GET", "/pizza/v1.0/open");
    let mut throttle = throttle();
    assert!(admit(&facts.snapshot(), &open, at(0), &mut throttle).is_ok());
    let swapped = facts.key("a", "mine", None, None).snapshot();
    let refused = admit(&swapped, &open, at(1), &mut throttle);
    assert_eq!(refused, Err(Refusal::Throttled(Level::Api)));
}

#[test]
fn a_plan_that_only_bills_refuses_nothing() {
    let held = Subscription {
        plan: Some(PlanId::new("p")),
        token: Some(hash("token")),
        ..subscription(None, SubscriptionStatus::Active)
    };
    let definition = Definition { wants_key: false, wants_subscription: true, ..pizza() };
    let facts = Facts::of(definition).subscription("s", held);
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_token("token");
    for (stops_on_quota, expect) in
        [(true, Err(Refusal::Throttled(Level::Subscription))), (false, Ok(()))]
    {
        let snapshot = facts.clone().plan("p", Plan { stops_on_quota, ..plan(1) }).snapshot();
        let mut throttle = throttle();
        assert!(admit(&snapshot, &items, at(0), &mut throttle).is_ok());
        let second = admit(&snapshot, &items, at(0), &mut throttle);
        assert_eq!(second.map(|_| ()), expect);
    }
}

#[test]
fn a_counter_that_makes_way_needs_room_again() {
    let config = ThrottleConfig { counters_max: 1, ..ThrottleConfig::recommended() };
    let mut throttle = Throttle::new(config);
    assert_eq!(throttle.take(&grant(&[charge(api("a"), 9)]), at(0)), Ok(()));
    let both = grant(&[charge(api("a"), 9), charge(api("b"), 9)]);
    assert_eq!(throttle.take(&both, at(MINUTE)), Err(Refusal::ThrottleFull));
    assert_eq!(throttle.counters(), 0);
}
