//! A gateway that is connected, and what happens to it.

use std::fs;

use serde_json::Value;

use crate::Named;
use crate::processes::{Apim, Gateway, Settings, folder};

pub(crate) const ALL: &[Named] = &[
    ("a_first_sync_and_live_events", a_first_sync_and_live_events),
    ("every_dialect_is_spoken", every_dialect_is_spoken),
    ("apim_goes_and_comes_back", apim_goes_and_comes_back),
    ("a_killed_gateway_goes_on_from_its_store", a_killed_gateway_goes_on_from_its_store),
    ("a_rotated_token_is_taken_from_its_file", a_rotated_token_is_taken_from_its_file),
    ("a_gateway_stops_in_order", a_gateway_stops_in_order),
    ("steps_of_a_served_story_follow_the_gateway", steps_of_a_served_story_follow_the_gateway),
    ("faults_of_the_served_apim_are_loud", faults_of_the_served_apim_are_loud),
    ("a_definition_over_its_limit_is_named", a_definition_over_its_limit_is_named),
];

const THREE: &str =
    r#"[{"deploy":{"api":"orders"}},{"deploy":{"api":"pets"}},{"deploy":{"api":"users"}}]"#;

fn a_first_sync_and_live_events() {
    let folder = folder("first-sync");
    let mut apim = Apim::start(&folder, &["--dialect", "apim-4.7.0-fixed"]);
    apim.step(THREE);
    apim.step(r#"{"create_key":{"api":"orders","name":"first"}}"#);
    let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
    let status = gateway.until("synced with a key", |status| {
        status["kinds"]["RestApi"]["served"] == 3 && status["kinds"]["ApiKey"]["served"] == 1
    });
    assert!(status["kinds"]["ApiKey"]["revocation_bound_s"].is_u64(), "{status:#}");
    gateway.until("ready", |status| status["ready"] == true);
    assert_eq!(gateway.page("/health/ready").0, 200);
    assert_eq!(gateway.page("/health/live"), (200, "live\n".to_owned()));

    apim.step(r#"{"deploy":{"api":"carts"}}"#);
    gateway.until_synced(4);
    apim.until("/ledger", "an ack of the deployment", |ledger| {
        ledger["acks"].as_array().unwrap().iter().any(|ack| ack["status"] == "success")
    });
    apim.step(r#"{"undeploy":{"api":"pets"}}"#);
    gateway.until_synced(3);
    apim.step(r#"{"revoke_key":{"api":"orders","name":"first"}}"#);
    gateway.until("the key is gone", |status| status["kinds"]["ApiKey"]["served"] == 0);
    apim.step(r#"{"create_key":{"api":"orders","name":"second"}}"#);
    gateway.until("the second key", |status| status["kinds"]["ApiKey"]["served"] == 1);

    let (code, state) = gateway.page("/state");
    assert_eq!(code, 200);
    let parsed: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(parsed["digest"].as_str().unwrap().len(), 64);
    let served = parsed["artifacts"].as_array().unwrap().iter();
    assert_eq!(served.filter(|artifact| artifact["served"] == true).count(), 3);
    let metrics = gateway.page("/metrics").1;
    assert!(metrics.contains("driftless_held{kind=\"RestApi\"} 3"), "{metrics}");
    assert!(metrics.contains("driftless_session_live 1"), "{metrics}");
    no_secrets(&apim, &format!("{state}{metrics}{}{}", gateway.status(), gateway.logged()));
}

/// Nothing that was said holds a token or the text of a key.
fn no_secrets(apim: &Apim, said: &str) {
    let state = apim.page("/state");
    let keys = state["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    let token = apim.page("/token")["token"].as_str().unwrap().to_owned();
    for secret in keys.iter().filter_map(|key| key["secret"].as_str()).chain([token.as_str()]) {
        assert!(secret.len() > 8 && !said.contains(secret), "a secret was shown");
    }
}

fn every_dialect_is_spoken() {
    for dialect in ["apim-4.7.0", "apim-4.7.0-fixed", "platform-api-1.1"] {
        let folder = folder(&format!("dialect-{dialect}"));
        let apim = Apim::start(&folder, &["--dialect", dialect]);
        apim.step(THREE);
        let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
        let status = gateway.until_synced(3);
        gateway.until("ready", |status| status["ready"] == true);
        apim.step(r#"{"deploy":{"api":"carts"}}"#);
        gateway.until_synced(4);
        let found = gateway.status()["control_plane"]["dialect"].clone();
        assert!(found == dialect || found.is_null(), "{found} {status:#}");
        assert_eq!(apim.page("/state")["contract_violations"].as_array().unwrap().len(), 0);
    }
}

fn apim_goes_and_comes_back() {
    let folder = folder("apim-restart");
    let story = folder.join("a-restart.json");
    let steps = THREE.replace(r#"{"deploy""#, "\n{\"at_ms\":0,\"deploy\"");
    let text = format!(
        r#"{{"schema":1,"why":"An API Manager has something to serve.","covers":[],"dialect":"apim-4.7.0","seed":7,"steps":{steps},"expect":{{"serving":{{"orders":1}}}}}}"#
    );
    fs::write(&story, text).unwrap();
    let story = story.to_str().unwrap();
    let apim = Apim::start(&folder, &["--scenario", story]);
    let address = apim.address().to_owned();
    let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
    gateway.until_synced(3);
    drop(apim);
    let status = gateway.until("stale", |status| status["kinds"]["RestApi"]["state"] == "stale");
    assert_eq!(status["kinds"]["RestApi"]["served"], 3);
    gateway.until("the reason of the outage", |status| {
        status["session"].as_str().unwrap().contains("Connection refused")
    });
    assert_eq!(gateway.page("/health/ready").0, 200);
    let apim = Apim::start(&folder, &["--scenario", story, "--listen", &address]);
    gateway.until_synced(3);
    apim.step(r#"{"deploy":{"api":"carts"}}"#);
    gateway.until_synced(4);
    // A restart of the node alone: connections are reset, and refused for a while.
    apim.step(r#"{"restart_manager":{"down_ms":300,"starting_ms":300}}"#);
    gateway.until_logged("session ended");
    apim.step(r#"{"undeploy":{"api":"carts"}}"#);
    gateway.until_synced(3);
}

/// Steps that wait for a request, a frame and a session happen when these do.
fn steps_of_a_served_story_follow_the_gateway() {
    let folder = folder("story-triggers");
    let story = folder.join("triggers.json");
    let text = r#"{"schema":1,"why":"Changes follow what a gateway does.","covers":[],
        "dialect":"apim-4.7.0-fixed","seed":7,"steps":[
        {"at_ms":0,"deploy":{"api":"orders"}},
        {"on":{"action":"list"},"deploy":{"api":"pets"}},
        {"on":{"state":"live"},"deploy":{"api":"carts"}},
        {"on":{"event":"api.deployed","nth":2,"after_ms":50},"deploy":{"api":"users"}},
        {"on":{"action":"ack"},"create_key":{"api":"orders","name":"first"}}],
        "expect":{"serving":{"orders":1}}}"#;
    fs::write(&story, text).unwrap();
    let apim = Apim::start(&folder, &["--scenario", story.to_str().unwrap()]);
    assert_eq!(apim.page("/state")["apis"].as_array().unwrap().len(), 1);
    let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
    gateway.until_synced(4);
    gateway.until("the key", |status| status["kinds"]["ApiKey"]["served"] == 1);
}

fn a_killed_gateway_goes_on_from_its_store() {
    let folder = folder("gateway-kill");
    let apim = Apim::start(&folder, &[]);
    apim.step(THREE);
    let settings = Settings::of(&folder, &apim);
    let mut gateway = Gateway::start(&settings);
    gateway.until_synced(3);
    let digest = |gateway: &Gateway| -> Value {
        let state: Value = serde_json::from_str(&gateway.page("/state").1).unwrap();
        state["digest"].clone()
    };
    let before = digest(&gateway);
    gateway.kill();
    apim.step(r#"[{"deploy":{"api":"carts"}},{"undeploy":{"api":"pets"}}]"#);
    let mut gateway = Gateway::start(&settings);
    assert_eq!(gateway.page("/health/ready").0, 200);
    gateway.until_synced(3);
    assert_ne!(digest(&gateway), before);
    gateway.kill();
    // Without an API Manager it serves what it had.
    drop(apim);
    let mut gateway = Gateway::start(&settings);
    assert_eq!(gateway.page("/health/ready").0, 200);
    let status = gateway.until("its APIs are there", |status| {
        status["definitions_to_read"] == 0 && status["kinds"]["RestApi"]["served"] == 3
    });
    assert_eq!(status["kinds"]["RestApi"]["state"], "stale");
    let state = gateway.page("/state").1;
    assert_eq!(state.matches("\"served\": true").count(), 3, "{state}");
}

fn a_rotated_token_is_taken_from_its_file() {
    let folder = folder("token-rotation");
    let apim = Apim::start(&folder, &["--dialect", "platform-api-1.1"]);
    apim.step(THREE);
    let settings = Settings::of(&folder, &apim);
    let mut gateway = Gateway::start(&settings);
    gateway.until_synced(3);
    apim.step(r#"[{"rotate_token":{}},{"reset":{}}]"#);
    let status = gateway.until("the token is refused", |status| {
        status["session"].as_str().unwrap().contains("401")
    });
    assert_eq!(status["kinds"]["RestApi"]["served"], 3);
    let token = apim.page("/token")["token"].as_str().unwrap().to_owned();
    fs::write(settings.token_file(), format!("{token}\n")).unwrap();
    gateway.until_logged("the token was replaced");
    gateway.until_synced(3);
    assert!(!gateway.logged().contains(&token));
}

fn a_gateway_stops_in_order() {
    let folder = folder("stop");
    let mut apim = Apim::start(&folder, &[]);
    apim.step(THREE);
    let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
    gateway.until_synced(3);
    gateway.signal("TERM");
    let status = gateway.ended();
    assert_eq!(status.code(), Some(0), "{}", gateway.logged());
    assert!(gateway.logged().contains("\"stopped\""));
    apim.until("/state", "the session is closed", |state| {
        state["connections"].as_array().unwrap().is_empty()
    });
}

fn faults_of_the_served_apim_are_loud() {
    let folder = folder("faults");
    let apim = Apim::start(&folder, &[]);
    apim.step(THREE);
    let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
    gateway.until_synced(3);
    apim.step(r#"[{"answer":{"to":"list","with":{"status":500},"for_ms":60000}},{"reset":{}}]"#);
    gateway.until("the failing list is named", |status| {
        let reason = status["kinds"]["RestApi"]["reason"].as_str().unwrap();
        reason.contains("the list cannot be read: answered 500")
    });
    assert_eq!(gateway.status()["kinds"]["RestApi"]["served"], 3);
}

fn a_definition_over_its_limit_is_named() {
    let folder = folder("over-limit");
    let apim = Apim::start(&folder, &[]);
    apim.step(THREE);
    let settings = Settings::of(&folder, &apim);
    let mut gateway = Gateway::start(&settings.set("limits.definition_bytes_max", 1024));
    let why = "over the 1024 of limits.definition_bytes_max";
    gateway.until("definitions are over the limit", |status| {
        let named = status["unreadable_definitions"].as_object().unwrap();
        named.len() == 3 && named.values().all(|reason| reason.as_str().unwrap().ends_with(why))
    });
    gateway.until_logged(why);
    let metrics = gateway.page("/metrics").1;
    assert!(metrics.contains("driftless_unreadable_definitions 3\n"), "{metrics}");
    gateway.kill();
    let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
    gateway.until("they are served", |status| {
        status["unreadable_definitions"] == Value::Object(serde_json::Map::new())
            && status["definitions_to_read"] == 0
    });
    let status = gateway.until_synced(3);
    assert_eq!(status["colliding_operations"], Value::Array(Vec::new()));
    assert!(gateway.page("/metrics").1.contains("driftless_colliding_operations 0\n"));
}
