//! What is refused, in which words; and that writing and reading are inverse.

use proptest::prelude::*;

use super::*;
use crate::story::step::{TIME_MS_MAX, VERBS};

const STORY: &str = r#"{
  "schema": 1,
  "why": "An outage is caught up with.",
  "covers": ["FB-06"],
  "source": "owner/repository#1495",
  "dialect": "apim-4.7.0",
  "seed": 7,
  "switches": { "batch_encoding": "tar.gz", "direct_send": false, "key_hash_prefix": true },
  "store": "disk",
  "faults_stay_ms": 60000,
  "steps": [
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "on": { "action": "ack", "nth": 2, "after_ms": 50 }, "partition": { "for_ms": 90000, "direction": "to_gateway" } },
    { "on": { "event": "api.deployed" }, "answer": { "to": "list", "with": { "status": 500 }, "count": 2 } },
    { "at_ms": 20000, "half_open": {} },
    { "at_ms": 30000, "create_key": { "api": "orders", "name": "Mobile", "user": "alice" } },
    { "at_ms": 40000, "subscribe": { "application": "shop", "api": "orders" } }
  ],
  "expect": {
    "serving": { "orders": 1 },
    "status": { "RestApi": "synced" },
    "was_status": [{ "kind": "RestApi", "state": "stale" }],
    "always_served": ["orders"],
    "keys": { "orders": 1 },
    "opens": [
      { "api": "orders", "name": "Mobile", "user": "alice", "nth": 1, "subscriber": "shop", "at_ms": 50000 }
    ],
    "refuses": [
      { "api": "orders", "name": "Mobile", "user": "alice" }
    ],
    "acked": { "orders": { "success": 1, "failed": 0 } },
    "requests_max": { "list": 9 },
    "writes_max": 4,
    "delivered": { "answer.status": 1, "partition": 1 }
  }
}
"#;

#[test]
fn a_story_round_trips_byte_for_byte() {
    let scenario = Scenario::parse(STORY).unwrap();
    assert_eq!(scenario.to_json(), STORY);
    assert_eq!(scenario.apis().into_iter().collect::<Vec<_>>(), ["orders"]);
}

/// A story of the wire world alone.
const WIRE: &str = r#"{
  "schema": 1,
  "why": "Bytes go wrong.",
  "covers": ["C-H25"],
  "dialect": "apim-4.7.0",
  "seed": 7,
  "only": { "world": "wire", "why": "It is about bytes." },
  "steps": [
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 10, "bytes": { "fault": "cut", "count": 1 } }
  ],
  "expect": {
    "serving": { "orders": 1 },
    "delivered": { "bytes.cut": 1 }
  }
}
"#;

#[test]
fn a_story_of_one_world_says_why_and_bytes_are_in_no_other() {
    let scenario = Scenario::parse(WIRE).unwrap();
    assert_eq!(scenario.to_json(), WIRE);
    assert!(scenario.is_told_in(WorldName::Wire) && !scenario.is_told_in(WorldName::Fast));
    let fleet = Scenario::parse(FLEET).unwrap();
    assert!(fleet.is_told_in(WorldName::Wire) && fleet.is_told_in(WorldName::Fast));
    let only = "  \"only\": { \"world\": \"wire\", \"why\": \"It is about bytes.\" },\n";
    for (replace, with, message) in [
        (only, "", "only the wire world has `bytes`; add"),
        ("\"wire\"", "\"fast\"", "only the wire world has `bytes`; add"),
        ("\"wire\"", "^\"wier\"", "unknown name `wier`; did you mean `wire`?"),
        ("\"It is about bytes.\"", "^\"bytes\"", "`why` is not a sentence"),
        (", \"why\": \"It is about bytes.\"", "", "`why` is missing"),
        ("\"cut\"", "^\"cot\"", "unknown name `cot`; did you mean `cut`?"),
        ("\"count\": 1 }", "\"count\": ^0 }", "`count` is 0; expected 1 to"),
    ] {
        check_in(WIRE, replace, with, message);
    }
}

/// A story of several gateways.
const FLEET: &str = r#"{
  "schema": 1,
  "why": "Two organizations share nothing.",
  "covers": ["FB-74"],
  "dialect": "apim-4.7.0",
  "seed": 7,
  "gateways": [{ "name": "east" }, { "name": "west" }, { "name": "acme-one", "organization": "acme.example" }],
  "steps": [
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 0, "organization": "acme.example", "publish": { "api": "orders" } },
    { "at_ms": 9, "gateways": ["acme-one"], "undeploy": { "api": "orders" } },
    { "on": { "action": "list", "gateway": "west" }, "gateways": ["east", "acme-one"], "reset": {} }
  ],
  "expect": {
    "status": { "RestApi": "synced" },
    "gateways": {
      "east": {
        "serving": { "orders": 1 },
        "writes_max": 9
      },
      "west": {
        "always_served": ["orders"]
      }
    },
    "delivered": { "reset": 1 }
  }
}
"#;

#[test]
fn a_story_of_several_gateways_round_trips_and_says_whom_each_step_is_about() {
    let scenario = Scenario::parse(FLEET).unwrap();
    assert_eq!(scenario.to_json(), FLEET);
    assert_eq!(scenario.organizations(), [DEFAULT_ORGANIZATION, "acme.example"]);
    let aims: Vec<_> = scenario.steps.iter().map(|step| scenario.aim(step)).collect();
    let organizations: Vec<usize> = aims.iter().map(|aim| aim.organization.0).collect();
    assert_eq!(organizations, [0, 1, 1, 0]);
    let gateways: Vec<usize> = aims.iter().map(|aim| aim.gateways.len()).collect();
    assert_eq!(gateways, [0, 0, 1, 2]);
    assert_eq!(Scenario::parse(STORY).unwrap().gateway_count(), 1);
}

#[test]
fn a_wrong_gateway_names_its_place_and_the_nearest_valid_one() {
    let acme = "{ \"name\": \"acme-one\"";
    for (replace, with, message) in [
        (
            "[\"acme-one\"]",
            "[^\"acme-on\"]",
            "there is no gateway `acme-on`; did you mean `acme-one`?",
        ),
        ("[\"acme-one\"]", "^[]", "`gateways` is empty; leave it out for every gateway"),
        ("[\"acme-one\"]", "[\"acme-one\", ^\"acme-one\"]", "`acme-one` is there twice"),
        (
            "[\"acme-one\"]",
            "[\"acme-one\", ^\"east\"]",
            "`east` is not a gateway of the organization `acme.example`",
        ),
        (
            "\"west\" }, \"gate",
            "^\"wset\" }, \"gate",
            "there is no gateway `wset`; did you mean `west`?",
        ),
        ("      \"west\"", "      ^\"wets\"", "there is no gateway `wets`; did you mean `west`?"),
        (
            "9, \"gateways\": [\"acme-one\"]",
            "9, \"organization\": ^\"acme.exmaple\"",
            "no gateway is of the organization `acme.exmaple`; did you mean `acme.example`?",
        ),
        (
            "\"gateways\": [\"east\", \"acme-one\"]",
            "^\"organization\": \"acme.example\"",
            "`reset` is not about one organization; leave it out",
        ),
        (
            "\"organization\": \"acme.example\", \"publish\"",
            "^\"gateways\": [\"east\"], \"publish\"",
            "`publish` is not about single gateways; leave it out",
        ),
        (acme, "{ \"name\": ^\"east\"", "the gateway `east` is there twice"),
        (acme, "{ \"name\": ^\"Acme\"", "`Acme` is not a name for a gateway; expected lower-case"),
        ("\"writes_max\": 9", "^\"delivered\": { \"reset\": 1 }", "`delivered` is claimed of all"),
        (
            "\"writes_max\": 9",
            "^\"writes_min\": 9",
            "unknown field `writes_min`; did you mean `writes_max`?",
        ),
    ] {
        check_in(FLEET, replace, with, message);
    }
    let unnamed = ("\"at_ms\": 20000,", "\"at_ms\": 20000, \"gateways\": [^\"east\"],");
    check(
        unnamed.0,
        unnamed.1,
        "there is no gateway `east`; the story has one gateway without a name",
    );
}

/// The refusal of a story with one part replaced. A `^` in the new part marks the place that
/// the refusal must name.
#[track_caller]
fn refused_in(story: &str, replace: &str, with: &str) -> String {
    assert!(story.contains(replace), "{replace}");
    let marked = story.replacen(replace, with, 1);
    let refusal = Scenario::parse(&marked.replace('^', "")).unwrap_err();
    if let Some(at) = marked.find('^') {
        let before = &marked[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|char| *char != '\n').count() + 1;
        assert_eq!((refusal.line, refusal.column), (line, column), "{refusal}");
    }
    let text = refusal.to_string();
    text.splitn(3, ':').nth(2).unwrap().trim_start().to_owned()
}

#[track_caller]
fn check(replace: &str, with: &str, message: &str) {
    check_in(STORY, replace, with, message);
}

#[track_caller]
fn check_in(story: &str, replace: &str, with: &str, message: &str) {
    let refusal = refused_in(story, replace, with);
    assert!(refusal.starts_with(message), "{refusal}\n{message}");
}

#[test]
fn a_wrong_field_names_its_place_and_the_nearest_valid_one() {
    for (replace, with, message) in [
        ("\"seed\"", "^\"sed\"", "unknown field `sed`; did you mean `seed`?"),
        ("\"seed\": 7,", "", "`seed` is missing"),
        ("\"schema\": 1", "\"schema\": ^2", "schema 2 is not known; this version reads schema 1"),
        (
            "\"An outage",
            "^\"an outage",
            "`why` is not a sentence; a sentence begins with a capital",
        ),
        ("\"FB-06\"", "^\"FB6\"", "`FB6` is not an id; expected an id like `R4`"),
        ("\"FB-06\"", "\"R1\", ^\"R1\"", "`R1` is there twice"),
        (
            "\"apim-4.7.0\"",
            "^\"apim-4.7\"",
            "unknown dialect `apim-4.7`; did you mean `apim-4.7.0`?",
        ),
        ("\"seed\": 7", "\"seed\": ^-7", "found the number -7; expected a number, not below 0"),
        (
            "\"seed\": 7",
            "\"seed\": ^7.5",
            "`7.5` is not an integer; a scenario holds whole numbers",
        ),
        ("\"seed\": 7", "\"seed\": 7, ^\"seed\": 7", "`seed` is there twice"),
        ("\"direct_s", "^\"direct-s", "unknown field `direct-send`; did you mean `direct_send`?"),
        ("\"tar.gz\"", "^\"zip\"", "unknown name `zip`; expected one of `tar`, `tar.gz`"),
        ("\"disk\"", "^\"dsik\"", "unknown name `dsik`; did you mean `disk`?"),
        ("60000", "^0", "`faults_stay_ms` is 0; expected 1 to 86400000"),
        ("\"owner/repository#1495\"", "^\"somewhere\"", "`source` names no place"),
        ("\"seed\": 7,", "\"seed\" 7,", "not JSON: expected `:`"),
    ] {
        check(replace, with, message);
    }
}

#[test]
fn a_wrong_step_names_its_place_and_the_nearest_valid_one() {
    let (deploy, to_list) = ("{ \"api\": \"orders\" }", "\"with\": { \"status\": 500 }");
    for (replace, with, message) in [
        (
            "\"deploy\":",
            "^\"deplyo\":",
            "unknown verb `deplyo` in steps[0]; did you mean `deploy`?",
        ),
        (deploy, "^{}", "`api` is missing"),
        (deploy, "{ ^\"apis\": \"orders\" }", "unknown field `apis`; did you mean `api`?"),
        (
            deploy,
            "{ \"api\": ^\"Orders\" }",
            "`Orders` is not a name for an API; expected lower-case",
        ),
        (deploy, "^[\"orders\"]", "not an object; expected an object with `api`, `revision`"),
        ("{ \"at_ms\": 0, ", "^{ ", "steps[0] does not say when; give `at_ms` or `on`"),
        ("\"at_ms\": 0,", "\"at_ms\": ^86400001,", "`at_ms` is 86400001; expected 0 to 86400000"),
        (
            "\"at_ms\": 0,",
            "\"at_ms\": ^\"0\",",
            "found the text \"0\"; expected a number, not below 0",
        ),
        ("\"at_ms\": 0,", "\"at_ms\": 0, \"on\": ^{},", "steps[0] says twice when"),
        (
            "\"deploy\":",
            "\"reset\": {}, ^\"deploy\":",
            "steps[0] has 2 verbs; a step is a time and",
        ),
        ("{ \"at_ms\": 20000, \"half_open\": {}", "^{ \"at_ms\": 20000", "steps[3] has 0 verbs"),
        (
            "\"half_open\": {}",
            "\"half_open\": { ^\"x\": 1 }",
            "unknown field `x`; nothing is expected",
        ),
        ("\"half_open\": {}", "\"half_open\": ^null", "not an object; expected `{}`"),
        ("\"ack\"", "^\"acked\"", "nothing emits the action `acked`; did you mean `ack`?"),
        (
            "\"api.deployed\"",
            "^\"api.published\"",
            "nothing emits the event `api.published`; expected",
        ),
        ("\"nth\": 2", "\"nth\": ^0", "`nth` is 0; expected 1 to 10000"),
        ("{ \"action\": \"ack\", ", "^{ ", "`on` does not say what is waited for; give `action`"),
        ("\"ack\",", "\"ack\", ^\"state\": \"live\",", "`on` waits for one thing only"),
        ("\"action\"", "^\"actoin\"", "unknown field `actoin` in `on`; did you mean `action`?"),
        (
            "\"to_gateway\"",
            "^\"to_gatway\"",
            "unknown name `to_gatway`; did you mean `to_gateway`?",
        ),
        (
            to_list,
            "\"with\": { ^\"stauts\": 500 }",
            "unknown name `stauts`; did you mean `status`?",
        ),
        (to_list, "\"with\": { \"status\": ^200 }", "`status` is 200; expected 201 to 599"),
        (to_list, "\"with\": { \"stale_ms\": ^5000 }", "`stale_ms` is 5000; expected 1 to 4999"),
        (to_list, "\"with\": { \"mixed_ms\": ^5000 }", "`mixed_ms` is 5000; expected 1 to 4999"),
        (to_list, "\"with\": ^\"bomb\"", "`bomb` does nothing to an answer to `list`; it can be"),
        (", \"count\": 2", "", "a wrong answer without an end; give `count`, `for_ms` or both"),
        ("90000", "^0", "`for_ms` is 0; expected 1 to 86400000"),
    ] {
        check(replace, with, message);
    }
}

#[test]
fn effects_may_not_lag_longer_than_the_engine_is_told() {
    for (with, field) in [
        ("\"delay_effects\": { \"for_ms\": 1, \"delay_ms\": ^5000 }", "delay_ms"),
        ("\"redeploy_window\": { \"for_ms\": 1, \"window_ms\": ^5000 }", "window_ms"),
    ] {
        check("\"half_open\": {}", with, &format!("`{field}` is 5000; expected 1 to 4999"));
    }
}

#[test]
fn a_claim_without_meaning_is_refused() {
    let serving = "\"serving\": { \"orders\": 1 }";
    for (replace, with, message) in [
        (
            serving,
            "\"serving\": { ^\"order\": 1 }",
            "`expect` speaks of `order`, which no step names; did you mean `orders`?",
        ),
        (serving, "\"serving\": { \"orders\": ^0 }", "`orders` cannot be 0 here and also"),
        ("[\"orders\"]", "[^\"carts\"]", "`expect` speaks of `carts`, which no step names"),
        ("\"synced\"", "^\"sinced\"", "unknown status `sinced`; did you mean `synced`?"),
        (
            "\"RestApi\": ",
            "^\"RestAPIs\": ",
            "unknown resource kind `RestAPIs`; did you mean `RestApi`?",
        ),
        (
            "{ \"success\": 1, \"failed\": 0",
            "^{ \"success\": 0",
            "the claim about acks of `orders` says nothing",
        ),
        ("\"list\": 9", "^\"lists\": 9", "unknown request `lists`; did you mean `list`?"),
        ("\"partition\": 1", "^\"reset\": 1", "`reset` cannot be delivered: no step is that fault"),
        (
            "\"partition\": 1",
            "^\"partitoin\": 1",
            "unknown fault `partitoin`; did you mean `partition`?",
        ),
        (
            "\"answer.status\": 1",
            "\"answer.status\": ^0",
            "delivered at least 0 times says nothing",
        ),
    ] {
        check(replace, with, message);
    }
    let start = STORY.find("{\n    \"serving\"").unwrap();
    check(&STORY[start..], "^{}\n}\n", "`expect` claims nothing; say what must be true at the end");
}

#[test]
fn a_claim_about_a_key_names_what_a_step_names() {
    let opens = "\"nth\": 1, \"subscriber\": \"shop\", \"at_ms\": 50000";
    let refuses =
        "{ \"api\": \"orders\", \"name\": \"Mobile\", \"user\": \"alice\" }\n    ],\n    \"acked\"";
    let refused = |what: &str| {
        refuses.replace("{ \"api\": \"orders\", \"name\": \"Mobile\", \"user\": \"alice\" }", what)
    };
    for (replace, with, message) in [
        (
            "\"keys\": { \"orders\"",
            "\"keys\": { ^\"orderz\"".to_owned(),
            "`expect` speaks of `orderz`, which no step names; did you mean `orders`?",
        ),
        (
            refuses,
            refused("{ \"api\": ^\"order\", \"name\": \"Mobile\" }"),
            "`expect` speaks of the API `order`, which no step names; did you mean `orders`?",
        ),
        (
            refuses,
            refused("{ \"api\": \"orders\", \"name\": ^\"mobile\" }"),
            "`expect` speaks of the key `mobile`, which no step names; did you mean `Mobile`?",
        ),
        (
            refuses,
            refused("^{ \"api\": \"orders\", \"name\": \"Mobile\" }"),
            "`expect` speaks of the user `admin`, which no step names; expected one of `alice`",
        ),
        (
            refuses,
            refused("{ \"api\": \"orders\", \"application\": \"shop\", \"name\": ^\"Mobile\" }"),
            "`expect` speaks of the key `Mobile`, which no step names; nothing is expected here",
        ),
        (refuses, refused("{ \"api\": \"orders\", ^\"key\": \"Mobile\" }"), "unknown field `key`"),
        (
            opens,
            "\"nth\": 1, \"subscriber\": ^\"shops\"".to_owned(),
            "`expect` speaks of the subscriber `shops`, which no step names; did you mean `shop`?",
        ),
        (opens, "\"nth\": ^0".to_owned(), "`nth` is 0; expected 1 to 10000"),
        (opens, "\"at_ms\": ^86400001".to_owned(), "`at_ms` is 86400001; expected 1 to 86400000"),
    ] {
        check(replace, &with, message);
    }
    let twice = format!(", {opens}");
    assert!(STORY.contains(&twice));
    let same = STORY.replacen(&twice, "", 1);
    let refusal = Scenario::parse(&same).unwrap_err();
    assert_eq!(refusal.problem, "the claim is there twice");
}

/// Any step that the table of verbs can tell, at any time.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0..VERBS.len(), 0..4_u8, 0..TIME_MS_MAX, 1..9_u32).prop_map(|(verb, on, ms, nth)| {
            let entry = VERBS[verb];
            let json = format!("{{ \"{}\": {} }}", entry.name, entry.example);
            let name = |names: &[&str]| names[nth as usize % names.len()].to_owned();
            let seen = match on {
                0 => {
                    return Step {
                        when: crate::story::step::When::AtMs(ms),
                        scope: crate::story::step::Scope::default(),
                        verb: serde_json::from_str(&json).unwrap(),
                    };
                }
                1 => crate::story::step::Observable::Action(name(ACTIONS)),
                2 => crate::story::step::Observable::Answer(name(REQUESTS)),
                _ => crate::story::step::Observable::State(name(STATES)),
            };
            let trigger = crate::story::step::Trigger {
                seen,
                gateway: None,
                nth,
                from_ms: ms % 5,
                after_ms: ms % 3,
            };
            Step {
                when: crate::story::step::When::On(trigger),
                scope: crate::story::step::Scope::default(),
                verb: serde_json::from_str(&json).unwrap(),
            }
        });
    proptest::collection::vec(step, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_is_written_reads_back_and_writes_the_same(steps in steps(), seed: u64) {
        let mut scenario = Scenario::parse(STORY).unwrap();
        scenario.seed = seed;
        scenario.steps = steps;
        let why = "Bytes go wrong.".to_owned();
        scenario.only = Some(Only { world: WorldName::Wire, why });
        scenario.expect = Expect { writes_max: Some(seed), ..Expect::default() };
        let text = scenario.to_json();
        let read = Scenario::parse(&text).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
        prop_assert_eq!(&read, &scenario);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(cut in 0..STORY.len(), text in "\\PC{0,12}") {
        if STORY.is_char_boundary(cut) {
            drop(Scenario::parse(&format!("{}{text}{}", &STORY[..cut], &STORY[cut..])));
        }
    }
}

#[test]
fn every_missing_field_is_named_at_once() {
    let refused = Scenario::parse("{\"schema\": 1, \"seed\": 1}").unwrap_err().to_string();
    let missing = "`why`, `covers`, `dialect`, `steps`, `expect`";
    assert_eq!(refused, format!("1:1: these fields are missing: {missing}"));
}

#[test]
fn a_name_that_is_too_long_is_refused_with_the_limit() {
    let (long, free) = ("a".repeat(41), "a".repeat(61));
    for (from, to, says) in [
        ("\"api\": \"orders\" }", format!("\"api\": \"{long}\" }}"), "40 characters at most"),
        ("\"Mobile\", \"user\"", format!("\"{free}\", \"user\""), "60 characters at most"),
    ] {
        let refused = Scenario::parse(&STORY.replacen(from, &to, 1)).unwrap_err().to_string();
        assert!(refused.contains("characters; expected") && refused.ends_with(says), "{refused}");
    }
}
