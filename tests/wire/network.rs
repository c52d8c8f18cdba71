//! Faults of the network and the machine, over sockets: each takes effect and is recovered from.

use driftless::story::file::Scenario;

use crate::{story, told, violations};

/// Two APIs, one of which changes after `fault`, and time for both to arrive.
fn with(fault: &str, delivered: &str, more: &str) -> Scenario {
    let steps = format!(
        r#"{{ "at_ms": 0, "deploy": {{ "api": "orders" }} }},
        {{ "at_ms": 20000, {fault} }},
        {{ "at_ms": 22000, "deploy": {{ "api": "carts" }} }},
        {{ "at_ms": 22500, "undeploy": {{ "api": "orders" }} }}"#
    );
    let expect = format!(
        r#""serving": {{ "orders": 0, "carts": 1 }}, "status": {{ "RestApi": "synced" }},
        "delivered": {{ "{delivered}": 1 }}{more}"#
    );
    story("apim-4.7.0", &steps, &expect)
}

#[test]
fn each_fault_takes_effect_and_is_recovered_from() {
    let stale = r#", "was_status": [{ "kind": "RestApi", "state": "stale" }]"#;
    for (fault, delivered, more) in [
        (r#""partition": { "for_ms": 60000 }"#, "partition", stale),
        (r#""partition": { "for_ms": 60000, "direction": "to_gateway" }"#, "partition", stale),
        (r#""partition": { "for_ms": 60000, "direction": "to_manager" }"#, "partition", ""),
        (r#""hold": { "for_ms": 8000 }"#, "hold", ""),
        (r#""latency": { "for_ms": 9000, "min_ms": 100, "max_ms": 900 }"#, "latency", ""),
        (r#""half_open": {}"#, "half_open", ""),
        (r#""reset": {}"#, "reset", ""),
        (r#""restart_manager": { "down_ms": 4000, "starting_ms": 3000 }"#, "restart_manager", ""),
        (r#""crash": { "down_ms": 3000, "disk": "lost" }"#, "crash", ""),
        (r#""crash": { "down_ms": 3000, "disk": "torn" }"#, "crash", ""),
        (r#""wipe_store": {}"#, "wipe_store", ""),
        (r#""fail_writes": { "count": 2 }"#, "fail_writes", ""),
        (r#""disk_full": { "for_ms": 5000 }"#, "disk_full", ""),
        (r#""frames": { "fault": "drop", "count": 2 }"#, "frames", ""),
        (r#""frames": { "fault": "duplicate", "count": 2 }"#, "frames", ""),
        (r#""frames": { "fault": "swap", "count": 1 }"#, "frames", ""),
        (r#""frames": { "fault": "cut", "count": 2 }"#, "frames", ""),
    ] {
        let outcome = told(&with(fault, delivered, more));
        assert_eq!(violations(&outcome), Vec::<String>::new(), "{fault}");
    }
}

/// The operator gives the gateway another token, and what the old one opened ends: the production
/// shell finds the new one where it found the old one.
#[test]
fn a_rotated_token_is_found_without_a_restart() {
    let steps = r#"{ "at_ms": 0, "deploy": { "api": "orders" } },
        { "at_ms": 20000, "rotate_token": {} },
        { "at_ms": 21000, "reset": {} },
        { "at_ms": 22000, "deploy": { "api": "carts" } }"#;
    let expect = r#""serving": { "orders": 1, "carts": 1 }, "status": { "RestApi": "synced" },
        "acked": { "carts": { "success": 1, "failed": 0 } }"#;
    let outcome = told(&story("apim-4.7.0", steps, expect));
    assert_eq!(violations(&outcome), Vec::<String>::new());
}

#[test]
fn a_crash_meets_a_write_and_the_disk_is_as_the_story_says() {
    let mut reached = 0;
    for nth in 1..=6 {
        for disk in ["lost", "kept", "torn"] {
            let steps = format!(
                r#"{{ "at_ms": 0, "deploy": {{ "api": "orders" }} }},
                {{ "at_ms": 1000, "create_key": {{ "api": "orders", "name": "first" }} }},
                {{ "on": {{ "action": "store", "nth": {nth} }},
                   "crash": {{ "down_ms": 500, "disk": "{disk}" }} }},
                {{ "at_ms": 30000, "deploy": {{ "api": "carts" }} }}"#
            );
            let expect = r#""serving": { "orders": 1, "carts": 1 }, "delivered": { "crash": 1 }"#;
            let outcome = told(&story("apim-4.7.0", &steps, expect));
            assert_eq!(violations(&outcome), Vec::<String>::new(), "{nth} {disk}");
            reached += u32::from(outcome.marks.contains("crash_during_commit"));
        }
    }
    assert!(reached >= 3, "only {reached} crashes met a write");
}
