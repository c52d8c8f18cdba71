//! Upgrades, the registry, `connection.ack`, pings, and how waiting events are delivered.

use std::num::NonZeroU8;

use super::*;

#[test]
fn the_first_frame_is_the_ack() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.deploy("orders");
    assert_eq!(bench.connect().1, Upgrade::Accepted);
    let frames = bench.frames();
    let ack = &frames[0];
    let head = format!(
        r#"{{"type":"connection.ack","gatewayId":"{}","connectionId":""#,
        bench.manager.gateway(GatewayIndex::FIRST)
    );
    assert!(ack.starts_with(&head), "{ack}");
    assert!(ack.contains(r#"","timestamp":"2026-06-17T09:15:00.0"#), "{ack}");
    assert_eq!(field(&frames[1], "type").as_deref(), Some("api.deployed"));
    assert_eq!(frames.len(), 2);
}

#[test]
fn an_apim_accepts_and_then_closes_with_4401() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let path = "/internal/data/v1/ws/gateways/connect";
    assert_eq!(bench.connect_to(path, Some("wrong")).1, Upgrade::Accepted);
    assert_eq!(bench.frames(), ["close 4401 Invalid or expired API key"]);
    assert_eq!(bench.connect_to(path, None).1, Upgrade::Accepted);
    let reason = "API key is required. Provide 'api-key' header.";
    assert_eq!(bench.frames(), [format!("close 4401 {reason}")]);
    let (token, long) = (bench.manager.token(GatewayIndex::FIRST).to_owned(), "x".repeat(128));
    assert_eq!(bench.connect_to(path, Some(&format!("id.{token}"))).1, Upgrade::Accepted);
    assert_eq!(bench.types(), ["connection.ack"]);
    bench.connect_to(path, Some(&format!("{long}.{token}")));
    assert!(bench.frames()[0].starts_with("close 4401"));
    assert_eq!(bench.connect_to("/ws/gateways/connect", Some(&token)).1, Upgrade::Status(404));
}

#[test]
fn the_platform_refuses_the_upgrade() {
    let mut bench = ApimBench::new(Dialect::PlatformApi11);
    let path = "/api/internal/v1/ws/gateways/connect";
    assert_eq!(bench.connect_to(path, Some("wrong")).1, Upgrade::Status(401));
    assert_eq!(bench.connect().1, Upgrade::Accepted);
}

#[test]
fn a_rotated_token_is_refused_and_the_open_session_stays() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    let old = bench.manager.token(GatewayIndex::FIRST).to_owned();
    assert!(bench.apply(r#"{"rotate_token":{}}"#));
    bench.deploy("orders");
    assert_eq!(bench.types(), ["api.deployed"]);
    bench.connect_to("/internal/data/v1/ws/gateways/connect", Some(&old));
    assert!(bench.frames()[0].starts_with("close 4401"));
    let request = bench.request(Method::Get, "/deployments", "application/json");
    assert_eq!(
        answer(bench.manager.respond(GatewayIndex::FIRST, &request, Some(&old), bench.now)).status,
        401
    );
    assert_eq!(answer(bench.send(&request)).status, 200);
    let debug = format!("{:?}", bench.manager);
    assert!(!debug.contains(bench.manager.token(GatewayIndex::FIRST)), "{debug}");
}

#[test]
fn a_new_session_replaces_the_old_one_on_its_node_only() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let first = bench.session();
    let (second, _) = bench.connect();
    let frames = bench.raw_frames();
    assert_eq!(frames[0], (first, ServerFrame::Close(1000, String::new())));
    assert!(frames[1..].iter().all(|(to, _)| *to == second));
    let mut cluster = ApimBench::with(Dialect::Apim470, |switches| {
        switches.nodes = NonZeroU8::MIN.saturating_add(1)
    });
    let first = cluster.session();
    assert!(cluster.apply(r#"{"switch_node":{}}"#));
    let second = cluster.session();
    assert_eq!(cluster.delivered("switch_node"), 1);
    cluster.deploy("orders");
    cluster.at(1_000);
    let direct = cluster.raw_frames();
    assert_eq!(direct.len(), 1, "the node that raises it knows one session");
    cluster.at(2_000);
    let polled = cluster.raw_frames();
    assert_eq!(polled.len(), 1, "A-H36: one of the two polls has it");
    assert!([first, second].contains(&polled[0].0));
    let mut alone = ApimBench::new(Dialect::Apim470);
    assert!(!alone.apply(r#"{"switch_node":{}}"#));
}

#[test]
fn pings_come_every_15_seconds_and_every_20_from_the_platform() {
    for (dialect, every) in [(Dialect::Apim470, 15_000), (Dialect::PlatformApi11, 20_000)] {
        let mut bench = ApimBench::new(dialect);
        bench.session();
        bench.at(every - 1);
        assert_eq!(bench.frames(), [""; 0]);
        bench.at(3 * every);
        assert_eq!(bench.frames(), ["ping"; 3]);
    }
}

#[test]
fn every_event_comes_twice_the_second_time_by_the_poll() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    bench.at(500).deploy("orders");
    let direct = bench.frames();
    bench.at(1_999);
    assert_eq!(bench.frames(), [""; 0]);
    bench.at(2_000);
    assert_eq!(bench.frames(), direct);
    bench.at(14_000);
    assert_eq!(bench.frames(), [""; 0]);
}

#[test]
fn events_wait_for_the_next_session_and_the_platform_forgets_them() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let connection = bench.session();
    bench.manager.disconnected(connection, bench.now);
    bench.deploy("orders");
    bench.at(3_600_000).undeploy("orders");
    assert_eq!(bench.frames(), [""; 0]);
    bench.connect();
    assert_eq!(bench.types(), ["connection.ack", "api.deployed", "api.undeployed"]);
    let mut platform = ApimBench::new(Dialect::PlatformApi11);
    platform.deploy("orders");
    assert_eq!(platform.ledger().events()[0].fate, Fate::Unheard);
    platform.connect();
    assert_eq!(platform.types(), ["connection.ack"]);
}

#[test]
fn a_stranded_poll_sends_its_events_after_the_lease() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    assert!(bench.apply(r#"{"strand_poll":{}}"#));
    assert!(bench.apply(r#"{"no_direct_send":{"for_ms":1000}}"#));
    bench.deploy("orders");
    bench.at(4_000).deploy("billing");
    // The later event overtakes the earlier one.
    let types = bench.types();
    assert_eq!((types.len(), bench.delivered("strand_poll")), (1, 1));
    bench.at(62_000);
    bench.frames();
    bench.at(66_000);
    let late = bench.frames();
    assert_eq!(late.iter().filter(|frame| frame.contains("api.deployed")).count(), 1);
    assert_eq!(bench.delivered("no_direct_send"), 1);
}

#[test]
fn a_dead_poll_leaves_direct_sends_alone() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    assert!(bench.apply(r#"{"kill_poll":{}}"#));
    bench.deploy("orders");
    assert_eq!(bench.types(), ["api.deployed"]);
    bench.at(5_000);
    assert_eq!(bench.types(), [""; 0]);
    assert_eq!(bench.delivered("kill_poll"), 2);
    bench.connect();
    assert_eq!(bench.types(), ["connection.ack", "api.deployed"]);
}

#[test]
fn a_direct_send_that_races_with_the_poll_kills_it_where_the_switch_says_so() {
    let mut bench =
        ApimBench::with(Dialect::Apim470, |switches| switches.poll_dies_on_write_race = true);
    bench.session();
    bench.at(1_000).deploy("orders");
    assert_eq!(bench.delivered("poll_dies_on_write_race"), 0);
    bench.at(2_010).deploy("billing");
    assert_eq!(bench.delivered("poll_dies_on_write_race"), 1);
    bench.frames();
    bench.at(6_000);
    assert_eq!(bench.types(), [""; 0]);
}

#[test]
fn the_two_minute_pusher_delivers_what_no_poll_claimed() {
    let mut bench = ApimBench::with(Dialect::Apim470, |switches| switches.two_minute_pusher = true);
    bench.session();
    bench.apply(r#"{"kill_poll":{}}"#);
    bench.deploy("orders");
    bench.frames();
    bench.at(120_000);
    assert_eq!(bench.types(), ["api.deployed"]);
    bench.connect();
    assert_eq!(bench.types(), ["connection.ack"]);
}

#[test]
fn stamps_within_a_second_leave_the_order_of_a_replay_open() {
    let flips = (0..32).filter(|&seed| {
        let switches = plain_switches(Dialect::Apim470);
        let manager = ApiManager::new(Dialect::Apim470, switches, seed);
        let mut bench = ApimBench { manager, now: Instant::START, connections: 0 };
        bench.deploy("orders");
        bench.undeploy("orders");
        bench.connect();
        bench.types()[1] == "api.undeployed"
    });
    assert!((4..28).contains(&flips.count()));
}

#[test]
fn a_persist_failure_leaves_the_direct_send_only() {
    let mut bench = ApimBench::with(Dialect::Apim470, |switches| switches.persist_fails = true);
    bench.session();
    bench.deploy("orders");
    assert_eq!(bench.types(), ["api.deployed"]);
    bench.at(10_000);
    assert_eq!(bench.types(), [""; 0]);
    assert_eq!(bench.ledger().events()[0].fate, Fate::Direct);
}
