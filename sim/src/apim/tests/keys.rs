//! Keys: the exact frames and lists, and the races they are the parts of.

use driftless_gateway::model::{KeyName, ResourceId};
use driftless_gateway::time::Timestamp;

use super::*;

const CREATE: &str = r#"{"create_key":{"api":"orders","name":"Mobile-Key"}}"#;

/// A bench with an API that is deployed, and a session that has heard of it.
fn bench(dialect: Dialect) -> (ApimBench, ArtifactId) {
    let mut bench = ApimBench::new(dialect);
    let id = bench.deploy("orders");
    bench.session();
    (bench, id)
}

impl ApimBench {
    fn keys(&mut self) -> String {
        text(&self.get("/apis/api-keys", "application/json"))
    }

    /// The names in the key list.
    fn key_names(&mut self) -> Vec<String> {
        let body: serde_json::Value = serde_json::from_str(&self.keys()).unwrap();
        let items = body.as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }

    fn newest_key(&self) -> KeyRecord {
        self.ledger().keys().last().unwrap().clone()
    }
}

fn hex(key: &KeyRecord) -> String {
    key.hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_created_key_is_told_as_the_contract_says() {
    let (mut bench, id) = bench(Dialect::Apim470);
    bench.at(1_000);
    assert!(bench.apply(CREATE) && !bench.apply(CREATE));
    let key = bench.newest_key();
    let event = bench.ledger().access_events()[0].clone();
    let (uuid, hash) = (&key.uuid, hex(&key));
    let frame = bench.frames().remove(0);
    let correlation = field(&frame, "correlationId").unwrap();
    let at = field(&frame, "timestamp").unwrap();
    assert_eq!(event.sent_at, Timestamp::parse(&at).ok());
    let masked = &key.secret.reveal()[39..];
    assert_eq!(
        frame,
        format!(
            r#"{{"type":"apikey.created","payload":{{"apiId":"{id}","uuid":"{uuid}","apiKeyHashes":"{{\"sha256\":\"{hash}\"}}","maskedApiKey":"****{masked}","name":"mobile-key"}},"timestamp":"{at}","correlationId":"{correlation}","userId":"admin"}}"#
        )
    );
    assert_eq!((event.fate, event.begins, event.ends), (Fate::Stored, Some(0), None));
    assert_eq!(event.about, ResourceId::ApiKey(id.clone(), KeyName::new("mobile-key")));
    let hash_of_text: [u8; 32] = {
        use sha2::Digest as _;
        sha2::Sha256::digest(key.secret.reveal().as_bytes()).into()
    };
    assert_eq!(key.hash.0, hash_of_text);
    // A-H1: the poll sends it once more, to the letter.
    bench.at(2_000);
    assert_eq!(bench.frames(), [frame]);
    assert!(bench.ledger().opens(&key, &id, bench.now));
}

#[test]
fn a_regenerated_key_has_another_uuid_and_the_event_names_none() {
    let (mut bench, id) = bench(Dialect::Apim470);
    assert!(bench.apply(CREATE));
    bench.frames();
    bench.at(500);
    assert!(bench.apply(r#"{"regenerate_key":{"api":"orders","name":"Mobile-Key"}}"#));
    let [old, new] = bench.ledger().keys() else { panic!("two keys") };
    let (old, new) = (old.clone(), new.clone());
    assert_ne!((&old.uuid, old.hash), (&new.uuid, new.hash));
    assert_eq!((&old.name, new.replaces), (&new.name, Some(0)));
    assert_eq!((old.dead_since(bench.now), new.dead_since(bench.now)), (Some(bench.now), None));
    assert_eq!(old.life.now(), Some(&KeyState::Regenerated));
    let (frame, hash) = (bench.frames().remove(0), hex(&new));
    let masked = &new.secret.reveal()[39..];
    let payload = format!(
        r#""payload":{{"apiId":"{id}","keyName":"mobile-key","apiKeyHashes":"{{\"sha256\":\"{hash}\"}}","maskedApiKey":"****{masked}"}},"#
    );
    assert!(frame.starts_with(&format!(r#"{{"type":"apikey.updated",{payload}"#)), "{frame}");
    let event = bench.ledger().access_events().last().unwrap();
    assert_eq!((event.begins, event.ends), (Some(1), Some(0)));
}

#[test]
fn a_revoked_key_is_told_by_api_and_name_only() {
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(r#"{"create_key":{"api":"orders","name":"K1","user":"alice@x.org"}}"#));
    assert!(!bench.apply(r#"{"revoke_key":{"api":"orders","name":"K1"}}"#), "another's");
    bench.frames();
    assert!(bench.apply(r#"{"revoke_key":{"api":"orders","name":"K1","user":"alice@x.org"}}"#));
    assert!(!bench.apply(r#"{"revoke_key":{"api":"orders","name":"K1","user":"alice@x.org"}}"#));
    let frame = bench.frames().remove(0);
    let payload = format!(r#""payload":{{"apiId":"{id}","keyName":"k1"}},"timestamp":""#);
    assert!(frame.starts_with(&format!(r#"{{"type":"apikey.revoked",{payload}"#)), "{frame}");
    assert!(frame.ends_with(r#","userId":"alice@x.org"}"#), "{frame}");
    assert_eq!(bench.keys(), "[]");
}

#[test]
fn expiry_is_counted_in_seconds_told_in_milliseconds_and_no_state() {
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    bench.at(1_234);
    let create = r#"{"create_key":{"api":"orders","name":"brief","valid_for_ms":4100}}"#;
    assert!(bench.apply(create));
    let frame = bench.frames().remove(0);
    assert_eq!(field(&frame, "expiresAt").as_deref(), Some("2026-06-17T09:15:06.234Z"));
    let key = bench.newest_key();
    let expires = key.expires.unwrap();
    assert_eq!(expires.at, Instant::from_millis(6_234));
    assert_eq!(expires.stamp.to_string(), "2026-06-17T09:15:06.234Z");
    bench.at(6_234);
    assert!(!bench.ledger().opens(&key, &id, bench.now));
    assert!(bench.ledger().opens(&key, &id, Instant::from_millis(6_233)));
    assert_eq!(key.dead_since(bench.now), Some(bench.now));
    assert_eq!(bench.ledger().access_events().len(), 1);
    assert!(bench.keys().contains(r#""expiresAt":"2026-06-17T09:15:06.234Z""#), "still listed");
}

#[test]
fn the_fixed_apim_lists_active_keys_of_deployed_apis() {
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    bench.at(1_600);
    assert!(bench.apply(CREATE));
    let key = bench.newest_key();
    assert_eq!(
        bench.keys(),
        format!(
            r#"[{{"uuid":"{}","name":"mobile-key","maskedApiKey":"****","apiKeyHashes":{{"sha256":"{}"}},"artifactUuid":"{id}","status":"ACTIVE","createdAt":"2026-06-17T09:15:02Z","createdBy":"admin","updatedAt":"2026-06-17T09:15:02Z","source":"external"}}]"#,
            key.uuid,
            hex(&key)
        )
    );
    bench.undeploy("orders");
    assert_eq!(bench.keys(), "[]");
    assert!(bench.ledger().opens(&key, &id, bench.now), "undeployed is not revoked");
    bench.deploy("orders");
    assert_eq!(bench.key_names(), ["mobile-key"]);
    bench.delete("orders");
    assert_eq!(bench.keys(), "[]");
    assert!(!bench.ledger().opens(&bench.newest_key(), &id, bench.now));
}

#[test]
fn what_nobody_verified_of_the_list_is_a_switch() {
    let mut bench = ApimBench::with(Dialect::Apim470Fixed, |switches| {
        switches.key_hash_prefix = true;
        switches.key_names_folded = false;
        switches.key_nulls = true;
    });
    bench.deploy("orders");
    assert!(bench.apply(CREATE));
    let (hash, body) = (hex(&bench.newest_key()), bench.keys());
    assert!(body.contains(r#""name":"Mobile-Key","maskedApiKey":"****""#), "{body}");
    assert!(body.contains(&format!(r#"{{"sha256":"$sha256${hash}"}}"#)), "{body}");
    let end =
        r#","expiresAt":null,"etag":null,"source":"external","externalRefId":null,"issuer":null}]"#;
    assert!(body.ends_with(end), "{body}");
}

#[test]
fn an_empty_artifact_cache_empties_the_key_list() {
    // A-H35: nothing was revoked, and the answer is a well-formed list of nothing.
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(CREATE));
    assert!(bench.apply(r#"{"lose_row":{"api":"orders"}}"#));
    assert_eq!(bench.keys(), "[]");
    let (ledger, now) = (bench.ledger(), bench.now);
    assert_eq!(ledger.opening(&id, now).map(|(key, _)| key).collect::<Vec<_>>(), [0]);
    let dialect = Dialect::Apim470Fixed;
    assert_eq!(ledger.reach(0, &id, dialect), KeyReach { by_event: true, by_list: true });
}

#[test]
fn key_events_reach_a_gateway_without_the_api_and_are_not_repeated_for_it() {
    // A-H34
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    assert!(!bench.apply(CREATE), "no API");
    assert!(bench.apply(r#"{"publish":{"api":"orders"}}"#));
    assert!(bench.apply(CREATE));
    assert_eq!(bench.types(), ["apikey.created"]);
    bench.at(4_000);
    bench.frames();
    bench.deploy("orders");
    assert_eq!(bench.types(), ["api.deployed"]);
}

#[test]
fn two_people_may_have_keys_of_one_name_and_events_cannot_tell_them_apart() {
    // A-H29
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(r#"{"create_key":{"api":"orders","name":"Key1","user":"alice"}}"#));
    assert!(bench.apply(r#"{"create_key":{"api":"orders","name":"key1","user":"bob"}}"#));
    assert_eq!(bench.key_names(), ["key1", "key1"]);
    bench.frames();
    assert!(bench.apply(r#"{"revoke_key":{"api":"orders","name":"key1","user":"bob"}}"#));
    let frame = bench.frames().remove(0);
    assert!(frame.contains(r#""keyName":"key1"}"#));
    let ledger = bench.ledger();
    assert_eq!(
        ledger.opening(&id, bench.now).map(|(_, key)| &*key.user).collect::<Vec<_>>(),
        ["alice"]
    );
    let abouts: Vec<_> = ledger.access_events().iter().map(|event| &event.about).collect();
    assert!(abouts.windows(2).all(|pair| pair[0] == pair[1]));
    // The Platform API has one key of a name.
    let mut platform = ApimBench::new(Dialect::PlatformApi11);
    platform.deploy("orders");
    assert!(platform.apply(r#"{"create_key":{"api":"orders","name":"Key1","user":"alice"}}"#));
    assert!(!platform.apply(r#"{"create_key":{"api":"orders","name":"key1","user":"bob"}}"#));
}

#[test]
fn a_key_of_an_application_is_told_once_for_what_is_subscribed_at_that_moment() {
    // A-H28
    let (mut bench, orders) = bench(Dialect::Apim470Fixed);
    let carts = bench.deploy("carts");
    bench.frames();
    assert!(bench.apply(r#"{"subscribe":{"application":"shop","api":"orders","plan":"Gold"}}"#));
    assert_eq!(bench.types(), [""; 0], "an APIM tells nothing of subscriptions");
    assert!(bench.apply(r#"{"create_key":{"application":"shop","name":"App"}}"#));
    let frames = bench.frames();
    assert_eq!(frames.len(), 1);
    assert!(frames[0].contains(&format!(r#"{{"apiId":"{orders}","apiKeyHashes""#)), "{frames:?}");
    assert!(!frames[0].contains("uuid"));
    assert!(bench.apply(r#"{"subscribe":{"application":"shop","api":"carts"}}"#));
    assert!(bench.apply(r#"{"unsubscribe":{"application":"shop","api":"orders"}}"#));
    assert_eq!((bench.types(), bench.keys()), (vec![], "[]".to_owned()));
    let (ledger, key, now) = (bench.ledger(), bench.newest_key(), bench.now);
    assert!(ledger.opens(&key, &carts, now) && !ledger.opens(&key, &orders, now));
    assert_eq!(ledger.opening(&carts, now).count(), 1);
    let reach = |artifact| ledger.reach(0, artifact, Dialect::Apim470Fixed);
    assert_eq!(reach(&carts), KeyReach { by_event: false, by_list: false });
    assert_eq!(reach(&orders), KeyReach { by_event: true, by_list: false });
    // Regenerating and revoking speak of what is subscribed then.
    assert!(bench.apply(r#"{"regenerate_key":{"application":"shop","name":"App"}}"#));
    let frame = bench.frames().remove(0);
    assert!(frame.contains("apikey.updated") && frame.contains(carts.as_str()));
}

#[test]
fn only_subscriptions_that_let_keys_through_have_keys_fanned_out() {
    let (mut bench, _) = bench(Dialect::Apim470);
    let of = r#""application":"shop","api":"orders""#;
    assert!(bench.apply(&format!(r#"{{"subscribe":{{{of}}}}}"#)));
    for (status, told) in [("blocked", 0), ("prod_only_blocked", 1), ("on_hold", 0)] {
        assert!(bench.apply(&format!(r#"{{"change_subscription":{{{of},"status":"{status}"}}}}"#)));
        let create = format!(r#"{{"create_key":{{"application":"shop","name":"{status}"}}}}"#);
        assert!(bench.apply(&create));
        assert_eq!(bench.types().len(), told, "{status}");
    }
}

#[test]
fn a_list_may_be_older_or_newer_than_the_event_that_it_meets() {
    // R3 and R4: the event is there, and the list is as it was.
    let (mut bench, _) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(r#"{"delay_effects":{"for_ms":3000,"delay_ms":1000}}"#));
    assert!(bench.apply(CREATE));
    assert_eq!((bench.types(), bench.keys()), (vec!["apikey.created".to_owned()], "[]".to_owned()));
    assert!(bench.manager.has_unfinished());
    bench.at(1_000);
    assert_eq!(bench.key_names(), ["mobile-key"]);
    bench.frames();
    bench.at(2_100);
    bench.frames();
    assert!(bench.apply(r#"{"revoke_key":{"api":"orders","name":"Mobile-Key"}}"#));
    assert_eq!(bench.types(), ["apikey.revoked"]);
    assert_eq!(bench.key_names(), ["mobile-key"], "a revoked key is listed");
    assert_eq!(bench.ledger().keys()[0].dead_since(bench.now), Some(bench.now));
    bench.manager.lift_faults(bench.now);
    assert_eq!(bench.keys(), "[]");
}

#[test]
fn between_the_two_commits_of_a_regeneration_no_key_is_listed() {
    // A-H33
    let (mut bench, _) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(CREATE));
    assert!(bench.apply(r#"{"delay_effects":{"for_ms":1000,"delay_ms":1000}}"#));
    assert!(bench.apply(r#"{"regenerate_key":{"api":"orders","name":"Mobile-Key"}}"#));
    let mut listed = |ms| {
        bench.at(ms);
        bench.key_names().len()
    };
    assert_eq!([listed(499), listed(500), listed(999), listed(1_000)], [1, 0, 0, 1]);
    assert!(bench.keys().contains(&hex(&bench.newest_key())));
}

#[test]
fn events_may_come_later_than_their_effect_and_keep_their_order() {
    // A-H33
    let (mut bench, _) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(CREATE));
    bench.at(2_100);
    bench.frames();
    assert!(bench.apply(r#"{"delay_events":{"for_ms":100,"delay_ms":5000}}"#));
    assert!(bench.apply(r#"{"revoke_key":{"api":"orders","name":"Mobile-Key"}}"#));
    bench.at(2_200);
    assert!(bench.apply(CREATE), "the name is free again");
    assert_eq!(bench.types(), [""; 0]);
    assert!(bench.manager.has_unfinished());
    bench.at(7_099);
    assert_eq!(bench.types(), [""; 0]);
    bench.at(7_199);
    assert_eq!(bench.types(), ["apikey.revoked", "apikey.created"]);
    let at = bench.ledger().access_events()[1].at;
    assert_eq!(at, Instant::from_millis(7_100), "raised late, stamped late");
    assert_eq!(bench.delivered("delay_events"), 2);
}

#[test]
fn a_node_that_stops_takes_events_with_it_that_it_had_still_to_raise() {
    let (mut bench, id) = bench(Dialect::Apim470);
    assert!(bench.apply(r#"{"delay_events":{"for_ms":9000,"delay_ms":9000}}"#));
    assert!(bench.apply(CREATE));
    assert!(bench.apply(r#"{"restart_manager":{"down_ms":10,"starting_ms":10}}"#));
    assert!(!bench.manager.has_unfinished());
    assert_eq!(bench.ledger().access_events()[0].fate, Fate::Lost);
    let reach = bench.ledger().reach(0, &id, Dialect::Apim470);
    assert_eq!(reach, KeyReach { by_event: false, by_list: false });
}

#[test]
fn a_key_written_half_way_is_no_key_and_a_regeneration_half_way_is_an_end() {
    // A-H33
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(r#"{"break_keys":{"count":1}}"#));
    assert!(bench.apply(CREATE));
    assert_eq!((bench.types(), bench.keys()), (vec![], "[]".to_owned()));
    assert_eq!(bench.ledger().opening(&id, bench.now).count(), 0);
    assert!(bench.apply(CREATE), "once more");
    assert_eq!((bench.types().len(), bench.key_names().len()), (1, 1));
    assert!(bench.apply(r#"{"break_keys":{"count":1}}"#));
    assert!(bench.apply(r#"{"regenerate_key":{"api":"orders","name":"Mobile-Key"}}"#));
    assert_eq!((bench.types(), bench.keys()), (vec![], "[]".to_owned()));
    let ledger = bench.ledger();
    assert_eq!(ledger.opening(&id, bench.now).count(), 0);
    let reach = ledger.reach(1, &id, Dialect::Apim470Fixed);
    assert_eq!(reach, KeyReach { by_event: false, by_list: true });
    assert_eq!(bench.delivered("break_keys"), 2);
    // For a key of an application the end is told at least.
    assert!(bench.apply(r#"{"subscribe":{"application":"shop","api":"orders"}}"#));
    assert!(bench.apply(r#"{"create_key":{"application":"shop","name":"App"}}"#));
    bench.frames();
    assert!(bench.apply(r#"{"break_keys":{"count":1}}"#));
    assert!(bench.apply(r#"{"regenerate_key":{"application":"shop","name":"App"}}"#));
    assert_eq!(bench.types(), ["apikey.revoked"]);
}

#[test]
fn lost_frozen_and_replayed_key_events_are_like_any_other() {
    let (mut bench, _) = bench(Dialect::Apim470);
    assert!(bench.apply(r#"{"lose_events":{"count":1}}"#));
    assert!(bench.apply(CREATE));
    assert_eq!(bench.types(), [""; 0]);
    assert_eq!(bench.ledger().access_events()[0].fate, Fate::Lost);
    // A-H3: equal creation times in the store leave the order to chance.
    let mut away = ApimBench::new(Dialect::Apim470);
    away.deploy("orders");
    for number in 0..6 {
        let of = format!(r#""api":"orders","name":"k{number}""#);
        assert!(away.apply(&format!(r#"{{"create_key":{{{of}}}}}"#)));
        assert!(away.apply(&format!(r#"{{"revoke_key":{{{of}}}}}"#)));
    }
    away.connect();
    let types = away.types();
    assert_eq!(types.len(), 14);
    assert!(types[1..].windows(2).any(|pair| pair[0] == pair[1]), "not as they were raised");
}

#[test]
fn a_stale_list_of_keys_is_as_it_was() {
    let (mut bench, _) = bench(Dialect::Apim470Fixed);
    bench.at(1_000);
    for name in ["a", "b"] {
        assert!(bench.apply(&format!(r#"{{"create_key":{{"api":"orders","name":"{name}"}}}}"#)));
    }
    bench.at(2_000);
    assert!(bench.apply(r#"{"revoke_key":{"api":"orders","name":"a"}}"#));
    let mut with = |wrong: &str| {
        let arm = format!(r#"{{"answer":{{"to":"read_keys","with":{wrong},"count":1}}}}"#);
        assert!(bench.apply(&arm));
        bench.key_names()
    };
    assert_eq!(with(r#"{"stale_ms":500}"#), ["a", "b"]);
    assert_eq!(with(r#"{"stale_ms":1500}"#), [""; 0]);
    assert_eq!(with(r#"{"mixed_ms":1500}"#), [""; 0], "a as it is, b as it was");
    assert_eq!(with(r#""empty""#), [""; 0]);
    assert_eq!(with(r#""first_only""#), ["b"], "nothing to leave out");
    assert_eq!(bench.manager.delivered_total(GatewayIndex::FIRST), 4);
}

#[test]
fn a_restored_backup_forgets_keys_and_revocations_and_tells_nobody() {
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    bench.at(1_000);
    assert!(bench.apply(r#"{"create_key":{"api":"orders","name":"old"}}"#));
    bench.at(2_000);
    assert!(bench.apply(r#"{"revoke_key":{"api":"orders","name":"old"}}"#));
    assert!(bench.apply(r#"{"create_key":{"api":"orders","name":"new"}}"#));
    bench.at(5_000);
    bench.frames();
    assert!(bench.apply(r#"{"restore_backup":{"ago_ms":3500}}"#));
    assert_eq!((bench.types(), bench.key_names()), (vec![], vec!["old".to_owned()]));
    let (ledger, now) = (bench.ledger(), bench.now);
    assert_eq!(ledger.opening(&id, now).map(|(key, _)| key).collect::<Vec<_>>(), [0]);
    assert_eq!(ledger.keys()[0].life.last().unwrap().cause, Cause::Restore);
    assert_eq!(ledger.keys()[1].dead_since(now), Some(now));
    assert!(!ledger.reach(0, &id, Dialect::Apim470Fixed).by_event);
}

#[test]
fn the_platform_tells_whole_seconds_and_lists_whatever_there_is() {
    let (mut bench, id) = bench(Dialect::PlatformApi11);
    bench.at(1_600);
    let create = r#"{"create_key":{"api":"orders","name":"Mobile","valid_for_ms":60000}}"#;
    assert!(bench.apply(create));
    let (key, frame) = (bench.newest_key(), bench.frames().remove(0));
    let head = format!(
        r#"{{"type":"apikey.created","payload":{{"apiId":"{id}","uuid":"{}","apiKeyHashes":"{{\"sha256\":\"{}\"}}","maskedApiKey":"****"#,
        key.uuid,
        hex(&key)
    );
    assert!(frame.starts_with(&head), "{frame}");
    let times = r#""name":"mobile","expiresAt":"2026-06-17T09:16:01Z","createdAt":"2026-06-17T09:15:01Z","updatedAt":"2026-06-17T09:15:01Z"},"timestamp":"2026-06-17T09:15:01Z","#;
    assert!(frame.contains(times), "{frame}");
    bench.undeploy("orders");
    let item = format!(
        r#""uuid":"{}","name":"mobile","maskedApiKey":"****","apiKeyHashes":{{"sha256":"{}"}},"artifactUuid":"{id}","status":"active","createdAt":"2026-06-17T09:15:01.6Z","createdBy":"admin","updatedAt":"2026-06-17T09:15:01.6Z","expiresAt":"2026-06-17T09:16:01.6Z","source":"external"}}]"#,
        key.uuid,
        hex(&key)
    );
    assert!(bench.keys().ends_with(&item), "{}", bench.keys());
}

#[test]
fn the_platform_lists_the_keys_of_each_kind_apart() {
    let mut bench = ApimBench::new(Dialect::PlatformApi11);
    for (kind, collection) in [
        ("RestApi", "apis"),
        ("LlmProvider", "llm-providers"),
        ("LlmProxy", "llm-proxies"),
        ("WebSubApi", "websub-apis"),
        ("WebBrokerApi", "webbroker-apis"),
    ] {
        assert!(bench.apply(&format!(r#"{{"publish":{{"api":"{collection}","kind":"{kind}"}}}}"#)));
        let of = format!(r#""api":"{collection}","name":"of {kind}""#);
        assert!(bench.apply(&format!(r#"{{"create_key":{{{of}}}}}"#)));
        let path = format!("/{collection}/api-keys");
        let body = text(&bench.get(&path, "application/json"));
        assert_eq!(body.matches("\"name\"").count(), 1, "{body}");
        assert!(body.contains(&format!(r#""name":"of {}""#, kind.to_lowercase())), "{body}");
    }
    assert_eq!(bench.get("/mcp-proxies/api-keys", "application/json").status, 404);
    let mut older =
        ApimBench::with(Dialect::PlatformApi11, |switches| switches.websub_keys = false);
    assert_eq!(older.get("/websub-apis/api-keys", "application/json").status, 404);
}

#[test]
fn forty_thousand_keys_fit_one_answer() {
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    assert!(bench.apply(r#"{"import_keys":{"api":"orders","count":40000}}"#));
    assert_eq!(bench.types(), [""; 0]);
    let body = bench.keys();
    assert_eq!(body.matches("\"uuid\"").count(), 40_000);
    assert_eq!(bench.ledger().opening(&id, bench.now).count(), 40_000);
}

#[test]
fn a_key_depends_on_its_names_only() {
    let text_of = |steps: &[&str]| {
        let mut bench = ApimBench::new(Dialect::Apim470);
        bench.deploy("orders");
        steps.iter().for_each(|step| assert!(bench.apply(step)));
        bench.newest_key()
    };
    let alone = text_of(&[CREATE]);
    let other = r#"{"create_key":{"api":"orders","name":"other"}}"#;
    let after = text_of(&[other, CREATE]);
    assert_eq!((alone.secret, alone.uuid), (after.secret, after.uuid));
}

/// Every rest asks this of keys one by one, so it must not go through the events of all others.
#[test]
fn the_events_of_a_key_are_found_without_reading_those_of_others() {
    let (mut bench, id) = bench(Dialect::Apim470Fixed);
    const KEYS: usize = 40;
    for nth in 0..KEYS {
        assert!(bench.apply(&format!(r#"{{"create_key":{{"api":"orders","name":"key-{nth}"}}}}"#)));
    }
    assert!(bench.apply(r#"{"revoke_key":{"api":"orders","name":"key-7"}}"#));
    let ledger = bench.ledger();
    assert_eq!(ledger.access_events().len(), KEYS + 1);
    let mut read = 0;
    for index in 0..KEYS {
        let of_key = ledger.access_events_of(index, &id);
        read += of_key.size_hint().1.unwrap();
        assert_eq!(of_key.count(), if index == 7 { 2 } else { 1 });
        let name = ResourceId::ApiKey(id.clone(), KeyName::new(&format!("key-{index}")));
        let about = ledger.access_events_about(&name);
        read += about.size_hint().1.unwrap();
        assert_eq!(about.count(), if index == 7 { 2 } else { 1 });
    }
    assert_eq!(read, 2 * (KEYS + 1), "each event is read once by its key and once by its name");
}
