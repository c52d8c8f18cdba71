//! What people do, and the events and ledger entries it leaves.

use super::*;

#[test]
fn a_deploy_sends_the_event_of_the_contract() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    let id = bench.deploy("orders");
    let frames = bench.frames();
    let issue = bench.ledger().current(&id).unwrap();
    let Issued::Deployed { deployment, revision: 1, .. } = &issue.what else { panic!() };
    let event = &bench.ledger().events()[0];
    let at = &event.performed_text;
    assert!(at.starts_with("2026-06-17T09:15:00.0") && at.ends_with('Z'), "{at}");
    assert_eq!(
        frames,
        [format!(
            r#"{{"type":"api.deployed","payload":{{"apiId":"{id}","deploymentId":"{deployment}","performedAt":"{at}"}},"timestamp":"{at}","correlationId":"deploy:{deployment}"}}"#
        )]
    );
    assert_eq!((event.fate, event.issue), (Fate::Stored, 1));
    assert_eq!(&deployment.as_str()[14..15], "3");
}

#[test]
fn a_redeploy_undeploys_the_old_revision_first_and_a_same_revision_keeps_its_id() {
    let mut bench = ApimBench::new(Dialect::Apim470Fixed);
    bench.session();
    bench.deploy("orders");
    let first = field(&bench.frames()[0], "deploymentId");
    bench.at(10).revise_and_deploy("orders");
    let frames = bench.frames();
    let of = |frame: &str| (field(frame, "type").unwrap(), field(frame, "deploymentId"));
    assert_eq!(of(&frames[0]), ("api.undeployed".to_owned(), first.clone()));
    assert_eq!(of(&frames[1]).0, "api.deployed");
    assert_ne!(of(&frames[1]).1, first);
    assert!(field(&frames[0], "timestamp") < field(&frames[1], "timestamp"));
    assert!(field(&frames[0], "correlationId").unwrap().starts_with("undeploy:"));
    assert!(bench.apply(r#"{"deploy":{"api":"orders","revision":1}}"#));
    assert_eq!(of(&bench.frames()[1]).1, first);
    let record = bench.ledger().record(&bench.id("orders")).unwrap();
    let digest = record.must_serve().unwrap().digest;
    assert_eq!(record.issues_of(digest).map(|issue| issue.number).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn an_undeploy_tells_and_removes_the_row() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    let id = bench.deploy("orders");
    let deployed = field(&bench.frames()[0], "deploymentId");
    assert!(bench.undeploy("orders") && !bench.undeploy("orders"));
    let frames = bench.frames();
    assert_eq!(field(&frames[0], "type").as_deref(), Some("api.undeployed"));
    assert_eq!(field(&frames[0], "deploymentId"), deployed);
    assert_eq!(bench.list(), r#"{"deployments":[]}"#);
    assert_eq!(bench.fetch(&id).status, 404);
    let record = bench.ledger().record(&id).unwrap();
    assert_eq!(record.not_served_since(), Some(bench.now));
}

#[test]
fn a_delete_is_for_good_and_the_name_gets_a_new_id() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    let first = bench.deploy("orders");
    bench.frames();
    assert!(bench.delete("orders") && !bench.delete("orders"));
    let event = bench.frames().remove(0);
    let at = &bench.ledger().events()[1].performed_text;
    let head = format!(
        r#"{{"type":"api.deleted","payload":{{"apiId":"{first}"}},"timestamp":"{at}","correlationId":""#
    );
    assert!(event.starts_with(&head), "{event}");
    let second = bench.deploy("orders");
    assert_ne!(first, second);
    let ledger = bench.ledger();
    assert_eq!(ledger.record(&second).unwrap().incarnation, 2);
    assert_eq!(ledger.record(&first).unwrap().deleted_since(), Some(bench.now));
    assert_eq!(ledger.must_serve().map(|(id, _)| id.clone()).collect::<Vec<_>>(), [second]);
}

#[test]
fn a_gateway_is_not_told_of_the_deletion_of_what_it_had_undeployed() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    bench.deploy("orders");
    bench.undeploy("orders");
    bench.frames();
    assert!(bench.delete("orders"));
    assert_eq!(bench.types(), [""; 0]);
    let mut platform = ApimBench::new(Dialect::PlatformApi11);
    platform.session();
    platform.deploy("orders");
    platform.undeploy("orders");
    platform.frames();
    platform.delete("orders");
    assert_eq!(platform.types(), ["api.deleted"]);
}

#[test]
fn retiring_deletes_from_the_gateway_and_cannot_be_undone() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.session();
    let id = bench.deploy("orders");
    bench.frames();
    assert!(bench.apply(r#"{"lifecycle":{"api":"orders","state":"blocked"}}"#));
    assert!(!bench.apply(r#"{"lifecycle":{"api":"orders","state":"blocked"}}"#));
    assert_eq!(bench.types(), [""; 0]);
    assert!(bench.apply(r#"{"lifecycle":{"api":"orders","state":"retired"}}"#));
    assert_eq!(bench.types(), ["api.deleted"]);
    assert!(!bench.apply(r#"{"deploy":{"api":"orders"}}"#));
    assert!(!bench.apply(r#"{"revise":{"api":"orders"}}"#));
    assert!(!bench.apply(r#"{"lifecycle":{"api":"orders","state":"published"}}"#));
    assert_eq!(bench.ledger().current(&id).unwrap().what, Issued::Deleted);
    assert_eq!(bench.listed(), [""; 0]);
    assert!(bench.delete("orders"));
}

#[test]
fn a_definition_has_the_lifecycle_state_that_it_was_deployed_in() {
    for dialect in Dialect::ALL {
        let mut bench = ApimBench::new(dialect);
        let id = bench.deploy("orders");
        let state = |bench: &mut ApimBench| {
            let definition = unzip(&bench.fetch(&id).body).remove(0).1;
            let is_validated = definition.contains("subscription-validation");
            assert_eq!(is_validated, dialect == Dialect::PlatformApi11);
            let start = definition.find("lifecycleStatus: ").unwrap() + 17;
            definition[start..].lines().next().unwrap().to_owned()
        };
        assert_eq!(state(&mut bench), "PUBLISHED");
        assert!(bench.apply(r#"{"lifecycle":{"api":"orders","state":"blocked"}}"#));
        assert_eq!(state(&mut bench), "PUBLISHED", "until the next deployment");
        let first = bench.ledger().must_serve().next().unwrap().1;
        let first = (first.deployment.clone(), first.digest);
        bench.at(1_000).deploy("orders");
        assert_eq!(state(&mut bench), "BLOCKED");
        let again = bench.ledger().must_serve().next().unwrap().1;
        assert_eq!(again.deployment, &first.0, "the same revision");
        assert_ne!(again.digest, first.1);
        bench.apply(r#"{"lose_row":{"api":"orders"}}"#);
        assert_eq!(state(&mut bench), "BLOCKED", "built anew as it was deployed");
        assert!(bench.apply(r#"{"restore_backup":{"ago_ms":500}}"#));
        assert_eq!(state(&mut bench), "PUBLISHED");
        assert_eq!(bench.ledger().must_serve().next().unwrap().1.digest, first.1);
    }
}

#[test]
fn steps_without_anything_to_do_are_no_ops() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    for verb in [
        r#"{"undeploy":{"api":"orders"}}"#,
        r#"{"delete":{"api":"orders"}}"#,
        r#"{"revise":{"api":"orders"}}"#,
        r#"{"lifecycle":{"api":"orders","state":"retired"}}"#,
        r#"{"lose_row":{"api":"orders"}}"#,
        r#"{"deploy":{"api":"orders","revision":0}}"#,
        r#"{"deploy":{"api":"orders","revision":65}}"#,
        r#"{"publish":{"api":"orders","kind":"Soap"}}"#,
        r#"{"kill_poll":{}}"#,
        r#"{"close_session":{"code":1000}}"#,
        r#"{"restore_backup":{"ago_ms":5}}"#,
        r#"{"answer":{"to":"list","with":"empty","count":0}}"#,
    ] {
        assert!(!bench.apply(verb), "{verb}");
    }
    assert!(bench.apply(r#"{"publish":{"api":"orders"}}"#));
    assert!(!bench.apply(r#"{"publish":{"api":"orders"}}"#));
    let partition: Verb = serde_json::from_str(r#"{"partition":{"for_ms":5}}"#).unwrap();
    assert_eq!(bench.manager.apply(&partition, bench.now), Applied::NotMine);
}

#[test]
fn a_revision_means_the_same_content_whatever_led_to_it() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.deploy("orders");
    bench.revise_and_deploy("orders");
    let mut short = ApimBench::new(Dialect::Apim470);
    assert!(short.apply(r#"{"deploy":{"api":"orders","revision":2}}"#));
    let digest = |bench: &ApimBench| bench.ledger().must_serve().next().unwrap().1.digest;
    assert_eq!(digest(&bench), digest(&short));
}

#[test]
fn an_apim_deploys_rest_apis_only_and_the_platform_names_each_kind() {
    let publish = r#"{"publish":{"api":"gpt","kind":"LlmProvider"}}"#;
    let mut apim = ApimBench::new(Dialect::Apim470Fixed);
    assert!(apim.apply(publish));
    assert!(!apim.apply(r#"{"deploy":{"api":"gpt"}}"#));
    let mut platform = ApimBench::new(Dialect::PlatformApi11);
    platform.session();
    assert!(platform.apply(publish));
    let id = platform.deploy("gpt");
    let frame = platform.frames().remove(0);
    assert_eq!(field(&frame, "type").as_deref(), Some("llmprovider.deployed"));
    assert_eq!(field(&frame, "providerId").as_deref(), Some(id.as_str()));
    let zip = platform.get(&format!("/llm-providers/{id}"), "application/zip");
    assert!(unzip(&zip.body)[0].1.contains("\nkind: LlmProvider\n"));
}

#[test]
fn acks_are_kept_and_malformed_ones_are_violations() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let connection = bench.session();
    let id = bench.deploy("orders");
    let event = bench.frames().remove(0);
    let (deployment, at) = (field(&event, "deploymentId"), field(&event, "performedAt"));
    let ack = format!(
        r#"{{"type":"deployment.ack","payload":{{"deploymentId":"{}","artifactId":"{id}","resourceType":"api","action":"deploy","status":"success","performedAt":"{}","errorCode":""}}}}"#,
        deployment.unwrap(),
        at.clone().unwrap()
    );
    bench.manager.receive_frame(connection, &ack, bench.now);
    bench.undeploy("orders");
    bench.manager.receive_frame(connection, &ack, bench.now);
    let acks = bench.ledger().acks();
    assert_eq!(acks.iter().map(|ack| ack.resolved).collect::<Vec<_>>(), [true, false]);
    assert_eq!((acks[0].artifact.clone(), acks[0].performed_text.clone()), (id, at));
    assert!(bench.manager.violations().is_empty());
    for (good, bad) in [
        ("\"api\"", "\"llmproxy\""),
        ("\"deploy\"", "\"deployed\""),
        ("\"success\"", "\"ok\""),
        ("\"performedAt\":\"2026", "\"performedAt\":\"26"),
        ("\"artifactId\":\"", "\"artifactId\":\"\",\"x\":\""),
        ("{", ""),
    ] {
        let before = bench.manager.violations().len();
        bench.manager.receive_frame(connection, &ack.replacen(good, bad, 1), bench.now);
        assert_eq!(bench.manager.violations().len(), before + 1, "{bad}");
    }
    bench.manager.receive_frame(connection, r#"{"type":"hello"}"#, bench.now);
    assert_eq!(bench.ledger().acks().len(), 2);
}

/// A step that is told and that nobody carries out would be one that does nothing.
#[test]
fn every_step_of_people_does_something_as_its_example_says() {
    for entry in crate::story::step::VERBS.iter().filter(|entry| entry.actor == Actor::People) {
        let is_mapping = entry.name.contains("map_key");
        let dialect = if is_mapping { Dialect::PlatformApi11 } else { Dialect::Apim470Fixed };
        let mut bench = ApimBench::new(dialect);
        if !["publish", "create_key"].contains(&entry.name) {
            bench.deploy("orders");
            for (name, fields) in [
                ("create_key", r#"{"api":"orders","name":"Mobile"}"#),
                ("create_key", r#"{"api":"orders","name":"Mobile","user":"alice"}"#),
                ("create_key", r#"{"application":"shop","name":"Mobile"}"#),
                ("subscribe", r#"{"application":"shop","api":"orders"}"#),
                ("map_key", r#"{"application":"shop","api":"orders","name":"Mobile"}"#),
            ] {
                if name != entry.name {
                    bench.apply(&format!("{{\"{name}\":{fields}}}"));
                }
            }
        } else if entry.name == "create_key" {
            bench.deploy("orders");
        }
        let step = format!("{{\"{}\":{}}}", entry.name, entry.example);
        assert!(bench.apply(&step), "{step}");
    }
}
