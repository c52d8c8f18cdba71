//! Faults of the control plane, each with its hazard.

use super::*;

#[test]
fn a_lost_event_leaves_its_effect() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    assert!(bench.apply(r#"{"lose_events":{"count":1}}"#));
    bench.deploy("orders");
    bench.deploy("billing");
    bench.at(3_000);
    assert_eq!(bench.types().len(), 2);
    assert_eq!(bench.listed(), ["billing", "orders"]);
    assert_eq!(bench.ledger().events()[0].fate, Fate::Lost);
    assert_eq!(bench.delivered("lose_events"), 1);
}

#[test]
fn delayed_effects_follow_their_event_in_order() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    assert!(bench.apply(r#"{"delay_effects":{"for_ms":100,"delay_ms":3000}}"#));
    let id = bench.deploy("orders");
    assert_eq!(bench.types(), ["api.deployed"]);
    assert_eq!((bench.listed().len(), bench.fetch(&id).status), (0, 404));
    let readable = bench.ledger().current(&id).unwrap().readable_from;
    assert_eq!(readable, Instant::from_millis(3_000));
    // The window is over; the undeploy still does not overtake the deploy.
    bench.at(500).undeploy("orders");
    assert_eq!(bench.ledger().current(&id).unwrap().readable_from, readable);
    bench.at(3_000);
    assert_eq!(bench.listed(), [""; 0]);
    assert_eq!(bench.delivered("delay_effects"), 3);
}

#[test]
fn delayed_redeploys_leave_one_mapping() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.apply(r#"{"delay_effects":{"for_ms":9000,"delay_ms":3000}}"#);
    bench.deploy("orders");
    bench.at(1_000).revise_and_deploy("orders");
    bench.at(2_000).revise_and_deploy("orders");
    bench.at(9_000);
    assert_eq!(bench.fetched_revision("orders"), Some(3));
    assert_eq!(bench.delivered("redeploy_window"), 0);
}

#[test]
fn in_the_redeploy_window_a_read_may_give_and_write_the_old_revision() {
    let mut olds = 0;
    for seed in 0..16 {
        let switches = plain_switches(Dialect::Apim470);
        let manager = ApiManager::new(Dialect::Apim470, switches, seed);
        let mut bench = ApimBench { manager, now: Instant::START, connections: 0 };
        bench.deploy("orders");
        let first = bench.list();
        assert!(bench.apply(r#"{"redeploy_window":{"for_ms":9000,"window_ms":2000}}"#));
        bench.revise_and_deploy("orders");
        let revision = bench.fetched_revision("orders");
        assert_eq!(bench.delivered("redeploy_window"), 1);
        if revision == Some(1) {
            olds += 1;
            // A-H17: the read put the old deployment back into the list.
            assert_eq!(bench.list(), first);
        }
        let id = bench.id("orders");
        let readable = bench.ledger().current(&id).unwrap().readable_from;
        assert_eq!(readable, Instant::from_millis(2_000));
        bench.at(2_000);
        assert_eq!(bench.fetched_revision("orders"), Some(2));
        assert_ne!(bench.list(), first);
    }
    assert!((1..16).contains(&olds));
}

#[test]
fn going_back_within_the_window_keeps_the_revision_mapped() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.apply(r#"{"redeploy_window":{"for_ms":9000,"window_ms":2000}}"#);
    bench.deploy("orders");
    bench.revise_and_deploy("orders");
    bench.at(1_000).apply(r#"{"deploy":{"api":"orders","revision":1}}"#);
    bench.at(8_000);
    assert_eq!(bench.fetched_revision("orders"), Some(1));
}

#[test]
fn a_lost_row_is_not_listed_until_a_read_writes_it_back() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.deploy("orders");
    assert!(bench.apply(r#"{"lose_row":{"api":"orders"}}"#));
    assert!(!bench.apply(r#"{"lose_row":{"api":"orders"}}"#));
    assert_eq!(bench.listed(), [""; 0]);
    assert_eq!(bench.delivered("lose_row"), 1);
    assert_eq!(bench.fetched_revision("orders"), Some(1));
    assert_eq!(bench.listed(), ["orders"]);
    bench.apply(r#"{"lose_row":{"api":"orders"}}"#);
    bench.manager.lift_faults(bench.now);
    assert_eq!(bench.listed(), ["orders"]);
}

#[test]
fn a_kept_row_is_a_zombie_in_the_list() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let id = bench.deploy("orders");
    assert!(bench.apply(r#"{"keep_rows":{"count":1}}"#));
    bench.undeploy("orders");
    assert_eq!(bench.listed(), ["orders"]);
    assert_eq!(bench.delivered("keep_rows"), 1);
    assert_eq!(bench.fetch(&id).status, 404);
    bench.manager.lift_faults(bench.now);
    assert_eq!(bench.listed(), [""; 0]);
    let mut unrepaired = ApimBench::with(Dialect::Apim470, |switches| switches.repair_rows = false);
    unrepaired.deploy("orders");
    unrepaired.apply(r#"{"keep_rows":{"count":1}}"#);
    unrepaired.delete("orders");
    unrepaired.manager.lift_faults(unrepaired.now);
    assert_eq!(unrepaired.listed(), ["orders"]);
}

#[test]
fn frozen_stamps_are_equal() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    assert!(bench.apply(r#"{"freeze_stamps":{"for_ms":5000}}"#));
    bench.deploy("orders");
    bench.at(4_000).undeploy("orders");
    let stamps = |bench: &ApimBench| {
        let events = bench.ledger().events().iter();
        events.map(|event| event.performed_text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(stamps(&bench)[0], stamps(&bench)[1]);
    assert_eq!(bench.delivered("freeze_stamps"), 2);
    bench.manager.lift_faults(bench.now);
    bench.deploy("orders");
    assert!(stamps(&bench)[2] > stamps(&bench)[1]);
}

#[test]
fn a_clock_that_jumps_back_stamps_earlier() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.deploy("orders");
    assert!(bench.apply(r#"{"step_clock":{"by_ms":-60000}}"#));
    bench.at(1_000).deploy("billing");
    let events = bench.ledger().events();
    assert!(events[1].performed_text < events[0].performed_text);
    assert_eq!(bench.delivered("step_clock"), 1);
}

#[test]
fn a_restored_backup_takes_rows_events_and_truth_back() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let orders = bench.deploy("orders");
    bench.at(10_000).revise_and_deploy("orders");
    let billing = bench.deploy("billing");
    bench.at(20_000).delete("orders");
    assert!(bench.at(21_000).apply(r#"{"restore_backup":{"ago_ms":15000}}"#));
    assert_eq!(bench.listed(), ["orders"]);
    assert_eq!(bench.fetched_revision("orders"), Some(1));
    assert_eq!(bench.fetch(&billing).status, 404);
    bench.connect();
    assert_eq!(bench.types(), ["connection.ack", "api.deployed"]);
    let ledger = bench.ledger();
    assert_eq!(ledger.restores(), [Instant::from_millis(21_000)]);
    assert_eq!(ledger.artifact("orders"), Some(&orders));
    let issue = ledger.current(&orders).unwrap();
    assert_eq!((issue.number, issue.cause), (4, Cause::Restore));
    assert!(matches!(issue.what, Issued::Deployed { revision: 1, .. }));
    assert_eq!(ledger.current(&billing).unwrap().what, Issued::Deleted);
    assert_ne!(bench.deploy("billing"), billing);
}

#[test]
fn a_backup_taken_in_the_middle_of_a_change_is_whole() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.apply(r#"{"delay_effects":{"for_ms":9000,"delay_ms":3000}}"#);
    bench.at(1_000).deploy("orders");
    assert!(bench.at(3_500).apply(r#"{"restore_backup":{"ago_ms":1000}}"#));
    bench.at(10_000);
    assert_eq!(bench.listed(), ["orders"]);
    assert_eq!(bench.fetched_revision("orders"), Some(1));
}

#[test]
fn a_restarting_node_refuses_and_then_knows_no_route() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    assert!(bench.apply(r#"{"restart_manager":{"down_ms":1000,"starting_ms":1000}}"#));
    assert_eq!(bench.frames(), ["close 1001 The web application is stopping"]);
    let request = bench.request(Method::Get, "/deployments", "application/json");
    assert_eq!(bench.send(&request).outcome, Answered::Refused);
    assert_eq!(bench.connect().1, Upgrade::Refused);
    bench.at(1_000);
    let response = answer(bench.send(&request));
    assert_eq!(response.status, 404);
    assert!(text(&response).starts_with("<!doctype html>"));
    assert_eq!(bench.connect().1, Upgrade::Status(404));
    assert_eq!(bench.delivered("restart_manager"), 5);
    bench.at(2_000);
    assert_eq!(answer(bench.send(&request)).status, 200);
    bench.apply(r#"{"restart_manager":{"down_ms":1000,"starting_ms":1000}}"#);
    bench.manager.lift_faults(bench.now);
    assert_eq!(bench.connect().1, Upgrade::Accepted);
}

#[test]
fn a_closed_session_gets_the_code() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    assert!(bench.apply(r#"{"close_session":{"code":4401}}"#));
    assert_eq!(bench.frames(), ["close 4401 Invalid or expired API key"]);
    bench.deploy("orders");
    assert_eq!(bench.frames(), [""; 0]);
}

#[test]
fn a_failing_verification_looks_like_bad_credentials_or_a_server_error() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    assert!(bench.apply(r#"{"refuse_tokens":{"for_ms":1000}}"#));
    let mut seen: Vec<(u16, String)> = (0..32)
        .map(|_| bench.get("/deployments", "application/json"))
        .map(|response| (response.status, response.content_type.unwrap()))
        .collect();
    seen.sort();
    seen.dedup();
    let expected = [(401, "application/json".to_owned()), (500, "text/plain".to_owned())];
    assert_eq!(seen, expected);
    assert_eq!(bench.get("/apis/api-keys", "application/json").status, 401);
    assert_eq!(bench.connect().1, Upgrade::Accepted);
    assert_eq!(bench.frames(), ["close 4401 Invalid or expired API key"]);
    assert_eq!(bench.delivered("refuse_tokens"), 34);
    bench.at(1_000);
    assert_eq!(bench.get("/deployments", "application/json").status, 200);
}

#[test]
fn an_event_can_come_before_the_ack() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    assert!(bench.apply(r#"{"event_before_ack":{}}"#));
    bench.connect();
    assert_eq!(bench.types(), ["connection.ack"]);
    bench.deploy("orders");
    bench.frames();
    bench.connect();
    let types = bench.types();
    assert_eq!(types[..2], ["api.deployed", "connection.ack"]);
    assert_eq!(bench.delivered("event_before_ack"), 1);
}

#[test]
fn an_undeploy_can_name_a_deployment_nobody_knows() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    bench.deploy("orders");
    let deployed = field(&bench.frames()[0], "deploymentId");
    assert!(bench.apply(r#"{"wrong_undeploy_ids":{"count":1}}"#));
    bench.undeploy("orders");
    assert_ne!(field(&bench.frames()[0], "deploymentId"), deployed);
    assert_eq!(bench.delivered("wrong_undeploy_ids"), 1);
}

/// What is done at once, and cannot be switched off any more.
const AT_ONCE: [&str; 6] =
    ["close_session", "kill_poll", "lose_row", "restore_backup", "step_clock", "switch_node"];

#[test]
fn every_fault_that_goes_on_is_told_and_can_be_switched_off() {
    let verbs = crate::story::step::VERBS.iter();
    let faults = verbs.filter(|verb| verb.actor == Actor::ControlPlane);
    let mut told = 0;
    for verb in faults.clone().filter(|verb| !AT_ONCE.contains(&verb.name)) {
        let mut bench = ApimBench::new(Dialect::Apim470);
        bench.session();
        assert!(bench.apply(&format!("{{\"{}\":{}}}", verb.name, verb.example)), "{}", verb.name);
        let armed = bench.manager.armed(GatewayIndex::FIRST, bench.now);
        let names: Vec<&str> = armed.iter().map(|armed| armed.name).collect();
        assert_eq!(names, [verb.name], "{armed:?}");
        assert!(!armed[0].left.is_empty());
        assert!(bench.manager.disarm(verb.name, bench.now), "{}", verb.name);
        assert_eq!(bench.manager.armed(GatewayIndex::FIRST, bench.now), []);
        assert!(!bench.manager.disarm(verb.name, bench.now), "{}", verb.name);
        told += 1;
    }
    assert_eq!(told, faults.count() - AT_ONCE.len());
}

#[test]
fn an_armed_fault_says_how_much_of_it_is_left() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.apply(r#"{"answer":{"to":"list","with":{"status":500},"count":2}}"#);
    bench.apply(r#"{"refuse_tokens":{"for_ms":3000}}"#);
    bench.at(1_000);
    let armed = bench.manager.armed(GatewayIndex::FIRST, bench.now);
    let said: Vec<String> =
        armed.iter().map(|armed| format!("{}: {}", armed.name, armed.left)).collect();
    assert_eq!(
        said,
        ["refuse_tokens: 2000 ms more", r#"answer: list with {"status":500}, 2 more"#]
    );
}
