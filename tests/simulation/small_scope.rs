//! The small scope, exhausted: every history of a few changes to one API with one key, every order
//! in which their events, two list answers and a crash can reach the gateway, and for each list
//! whether it is as old as it may be or fresh; where both are old, every other read is, too. On the
//! real engine, without sampling.
//!
//! All changes happen within a moment, and what tells of them arrives afterwards in any order.
//! Then everything is honest, and the gateway must come to serve what there is, to whom it is for.

mod history;
mod run;

use history::{Change, Truth, histories, orders};
use run::{Broken, Run};

/// Goes through every order of these histories; tells how many there were and which ended wrong.
fn exhaust(histories: &[Vec<(Change, Truth)>], broken: Broken) -> (u64, Vec<String>) {
    let (mut count, mut wrong) = (0, Vec::new());
    let orders = orders(histories.first().map_or(0, Vec::len));
    for history in histories {
        for order in &orders {
            for is_old in [[false, false], [false, true], [true, false], [true, true]] {
                let mut run = Run::settled(history, broken);
                run.go_through(order, is_old);
                count += 1;
                if let Some(difference) = run.difference().or(run.relapse) {
                    let names: Vec<Change> = history.iter().map(|(change, _)| *change).collect();
                    wrong.push(format!("{names:?} {order:?} old {is_old:?}: {difference}"));
                }
            }
        }
    }
    (count, wrong)
}

#[track_caller]
#[expect(clippy::print_stderr, reason = "how much was exhausted is for people to see")]
fn holds(histories: &[Vec<(Change, Truth)>], floor: u64) {
    let events = histories.first().map_or(0, Vec::len);
    let (count, wrong) = exhaust(histories, Broken::Nothing);
    eprintln!("{events} events, two lists, one crash: {count} interleavings");
    assert!(count >= floor, "only {count} interleavings of {events} events");
    let first: Vec<&String> = wrong.iter().take(5).collect();
    assert!(wrong.is_empty(), "{} of {count} ended wrong: {first:#?}", wrong.len());
}

#[test]
fn every_order_of_up_to_two_events_ends_right() {
    holds(&histories(1), 240);
    holds(&histories(2), 4_320);
}

#[test]
fn every_order_of_three_events_ends_right() {
    holds(&histories(3), 86_400);
}

/// Four events are two million interleavings and some minutes, so the gate runs them on their
/// own: `.ci/run scope`.
#[track_caller]
fn holds_beginning_with(first: Change, floor: u64) {
    let mut histories = histories(4);
    histories.retain(|history| history.first().is_some_and(|(change, _)| *change == first));
    holds(&histories, floor);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_a_deploy_ends_right() {
    holds_beginning_with(Change::Deploy, 604_800);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_an_undeploy_ends_right() {
    holds_beginning_with(Change::Undeploy, 383_040);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_a_revocation_ends_right() {
    holds_beginning_with(Change::RevokeKey, 383_040);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_a_regeneration_ends_right() {
    holds_beginning_with(Change::RegenerateKey, 604_800);
}

#[test]
fn a_control_plane_whose_lists_stay_behind_is_found() {
    let (count, wrong) = exhaust(&histories(1), Broken::Lists);
    let is_served = |told: &&String| told.contains("serves");
    assert!(wrong.iter().filter(is_served).count() as u64 * 4 > count, "{wrong:#?}");
}

#[test]
fn an_engine_that_takes_every_list_for_fresh_is_found() {
    let (count, wrong) = exhaust(&histories(2), Broken::ReadLag);
    assert!(!wrong.is_empty(), "none of {count} ended wrong");
}
