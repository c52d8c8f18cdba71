//! Each fault on bytes takes effect, on answers and on frames, and the gateway recovers from it.

use driftless::run::RunOptions;
use driftless::sockets::Place;
use driftless::story::step::ByteFault;

use crate::{story, told, violations};

/// APIs, keys and a redeploy, with lists and events under way while bytes go wrong.
fn with(fault: &str) -> driftless::story::file::Scenario {
    let steps = format!(
        r#"{{ "at_ms": 0, "deploy": {{ "api": "orders" }} }},
        {{ "at_ms": 100, "create_key": {{ "api": "orders", "name": "first" }} }},
        {{ "at_ms": 5000, "bytes": {{ "fault": "{fault}", "count": 6 }} }},
        {{ "at_ms": 5100, "deploy": {{ "api": "carts" }} }},
        {{ "at_ms": 5200, "create_key": {{ "api": "carts", "name": "second" }} }},
        {{ "at_ms": 12000, "reset": {{}} }},
        {{ "at_ms": 13000, "undeploy": {{ "api": "orders" }} }},
        {{ "at_ms": 14000, "bytes": {{ "fault": "{fault}", "count": 6 }} }},
        {{ "at_ms": 15000, "revise": {{ "api": "carts" }} }},
        {{ "at_ms": 15000, "deploy": {{ "api": "carts" }} }}"#
    );
    let expect = format!(
        r#""serving": {{ "orders": 0, "carts": 2 }}, "status": {{ "RestApi": "synced" }},
        "always_served": ["carts"], "delivered": {{ "bytes.{fault}": 6 }}"#
    );
    story("apim-4.7.0", &steps, &expect)
}

#[test]
fn each_fault_takes_effect_and_is_recovered_from() {
    let names = ["cut", "trickle", "flip", "split"];
    for (name, fault) in names.into_iter().zip(ByteFault::ALL) {
        let outcome = told(&with(name));
        assert_eq!(violations(&outcome), Vec::<String>::new(), "{name}");
        let count = outcome.delivered.get(fault.delivered_as()).copied().unwrap_or(0);
        assert!(count >= 6, "{name} took effect {count} times");
        assert_eq!(outcome.idle, Vec::new(), "{name}");
    }
}

#[test]
fn what_a_fault_does_to_bytes_is_seen_by_the_gateway() {
    let seen = |fault: &str| {
        let story = with(fault);
        let mut lines = Vec::new();
        let mut keep = |line: &driftless::observe::TraceLine| lines.push(line.to_string());
        let options = RunOptions { trace: Some(&mut keep), ..RunOptions::default() };
        Place::Wire.run(&story, options);
        lines
    };
    let has = |lines: &[String], what: &str| lines.iter().any(|line| line.contains(what));
    let cut = seen("cut");
    assert!(has(&cut, "broke off after"), "no body was cut: {cut:#?}");
    assert!(has(&cut, "net     ends"), "no session was cut: {cut:#?}");
    // A frame that is no text ends the session; an answer that is none is refused by whoever
    // reads it, and asked for again.
    let flip = seen("flip");
    assert!(has(&flip, "net     ends"), "no frame was flipped: {flip:#?}");
    let plain = seen("split");
    let answers =
        |lines: &[String]| lines.iter().filter(|line| line.contains("net     answered")).count();
    assert!(answers(&flip) > answers(&plain), "no answer was asked for again");
    // What comes in pieces is whole in the end, and late when there are pauses.
    let time = |lines: &[String]| {
        let at = |what| lines.iter().position(|line| line.contains(what));
        at("api=carts")
            .and_then(|place| lines.get(place)?.split_whitespace().next())
            .map(str::to_owned)
    };
    assert!(time(&seen("trickle")) > time(&plain), "nothing was late");
}
