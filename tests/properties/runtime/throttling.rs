//! Counters against a log of what was granted.

use driftless_gateway::model::{ArtifactId, Quota, QuotaUnit, SubscriptionId};
use driftless_gateway::runtime::{Charge, Grant, Refusal, Subject, Throttle, ThrottleConfig};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{KEPT, at};
use crate::holding::hold;

fn subjects() -> Vec<Subject> {
    vec![
        Subject::Api(ArtifactId::new("a")),
        Subject::Resource(ArtifactId::new("a"), "GET".into(), "/x".into()),
        Subject::Resource(ArtifactId::new("a"), "GET".into(), "/y".into()),
        Subject::Subscription(SubscriptionId::new("s")),
    ]
}

const UNITS: [QuotaUnit; 2] = [QuotaUnit::Second, QuotaUnit::Minute];

/// A request: which subjects it is for, and how far the clock moves before it.
fn request() -> impl Strategy<Value = (Vec<usize>, i64)> {
    let step =
        prop_oneof![6 => 0_i64..900, 2 => 900_i64..70_000, 1 => -900_i64..0, 1 => -130_000_i64..0];
    (subsequence((0..subjects().len()).collect::<Vec<_>>(), 0..=4), step)
}

fn limits() -> impl Strategy<Value = Vec<Quota>> {
    let quota = (0_u64..5, 0..2_usize).prop_map(|(count, unit)| Quota { count, unit: UNITS[unit] });
    vec(quota, subjects().len())
}

fn grant(wanted: &[usize], limits: &[Quota]) -> Grant {
    let subjects = subjects();
    let charges = wanted
        .iter()
        .map(|&index| Charge { subject: subjects[index].clone(), quota: limits[index] })
        .collect();
    Grant { artifact: ArtifactId::new("a"), application: None, subscription: None, charges }
}

/// The windows that a subject's granted requests counted in, the newest last.
#[derive(Default)]
struct Log(Vec<i64>);

impl Log {
    /// The window that a request at `millis` counts in: the one that the clock names, or the one
    /// after it while that is the one in use.
    fn window(&self, millis: i64, unit: QuotaUnit) -> i64 {
        let named = millis.div_euclid(unit.seconds().cast_signed() * 1_000);
        if self.0.last() == Some(&(named + 1)) { named + 1 } else { named }
    }

    /// How many of the newest requests are in that window without a break.
    fn used(&self, window: i64) -> u64 {
        self.0.iter().rev().take_while(|held| **held == window).count() as u64
    }
}

/// A request passes when every limit it has leaves room for it, and then counts against all.
#[test]
fn counters_equal_a_log() {
    hold(1_000, KEPT, &(limits(), vec(request(), 0..80)), |(limits, requests)| {
        let mut throttle = Throttle::new(ThrottleConfig::recommended());
        let mut logs: Vec<Log> = subjects().iter().map(|_| Log::default()).collect();
        let mut millis = 0;
        for (wanted, step) in &requests {
            millis += step;
            let refused = wanted.iter().find(|&&index| {
                let window = logs[index].window(millis, limits[index].unit);
                logs[index].used(window) >= limits[index].count
            });
            let expect = match refused {
                Some(&index) => Err(Refusal::Throttled(subjects()[index].level())),
                None => Ok(()),
            };
            prop_assert_eq!(throttle.take(&grant(wanted, &limits), at(millis)), expect);
            for &index in wanted.iter().filter(|_| expect.is_ok()) {
                let window = logs[index].window(millis, limits[index].unit);
                logs[index].0.push(window);
            }
        }
        Ok(())
    });
}

/// Without room for all subjects no limit is passed either, no more is held than there is room
/// for, and what is turned away is counted.
#[test]
fn little_room_gives_nothing_away() {
    hold(
        1_000,
        KEPT,
        &(limits(), vec(request(), 0..80), 0..4_usize),
        |(limits, requests, room)| {
            let mut narrow =
                Throttle::new(ThrottleConfig { counters_max: room, application: None });
            let (mut millis, mut turned_away) = (0_i64, 0);
            let mut passed: Vec<(usize, i64)> = Vec::new();
            for (wanted, step) in &requests {
                millis += step.abs();
                match narrow.take(&grant(wanted, &limits), at(millis)) {
                    Ok(()) => passed.extend(wanted.iter().map(|&index| (index, millis))),
                    Err(Refusal::ThrottleFull) => turned_away += 1,
                    Err(_) => {}
                }
                prop_assert!(narrow.counters() <= room);
                for &index in wanted {
                    let unit = limits[index].unit.seconds().cast_signed() * 1_000;
                    let here = passed.iter().filter(|(subject, time)| {
                        *subject == index && time.div_euclid(unit) == millis.div_euclid(unit)
                    });
                    prop_assert!(here.count() as u64 <= limits[index].count);
                }
            }
            prop_assert_eq!(narrow.turned_away(), turned_away);
            Ok(())
        },
    );
}
