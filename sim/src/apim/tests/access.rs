//! Applications, subscriptions and plans: the exact frames and lists of the Platform API, and the
//! silence of an APIM.

use super::*;

const SUBSCRIBE: &str = r#"{"subscribe":{"application":"shop","api":"orders","plan":"Gold"}}"#;

/// A bench with an API that is deployed, and a session that has heard of it.
fn bench(dialect: Dialect) -> (ApimBench, ArtifactId) {
    let mut bench = ApimBench::new(dialect);
    let id = bench.deploy("orders");
    bench.session();
    (bench, id)
}

impl ApimBench {
    fn subscriptions(&mut self, id: &ArtifactId) -> HttpResponse {
        self.get(&format!("/apis/{id}/subscriptions"), "application/json")
    }

    fn plans(&mut self) -> String {
        text(&self.get("/subscription-plans", "application/json"))
    }

    /// The frame that is sent now, without what the envelope holds.
    #[track_caller]
    fn told(&mut self) -> String {
        let frames = self.frames();
        assert_eq!(frames.len(), 1, "{frames:?}");
        frames[0].split(r#","timestamp""#).next().unwrap().to_owned()
    }
}

#[test]
fn a_subscription_is_told_and_listed_with_its_token_and_its_plan() {
    let (mut bench, api) = bench(Dialect::PlatformApi11);
    assert!(bench.apply(SUBSCRIBE) && !bench.apply(SUBSCRIBE));
    let ledger = bench.ledger().clone();
    let (id, record) = ledger.subscriptions().next().unwrap();
    let (application, now) = (&record.application, bench.now);
    let token = record.token.clone().unwrap();
    let plan = ledger.plan_named("Gold", now).unwrap().0;
    let terms = format!(
        r#""applicationId":"{application}","subscriptionToken":"{}","subscriptionPlanId":"{plan}","status":"ACTIVE""#,
        token.reveal()
    );
    assert_eq!(
        bench.told(),
        format!(
            r#"{{"type":"subscription.created","payload":{{"apiId":"{api}","subscriptionId":"{id}",{terms}}}"#
        )
    );
    let listed = text(&bench.subscriptions(&api));
    assert_eq!(listed, format!(r#"[{{"id":"{id}","apiId":"{api}",{terms}}}]"#));
    let held = ledger.subscription_with(&api, &token.hash(), now).unwrap();
    assert_eq!(Some(held), ledger.subscription_at(&api, application, now));
    assert!(held.status.is_open() && held.plan.as_ref() == Some(plan));
}

#[test]
fn a_subscription_changes_its_status_and_plan_and_ends() {
    let (mut bench, api) = bench(Dialect::PlatformApi11);
    bench.apply(SUBSCRIBE);
    bench.frames();
    let of = r#""application":"shop","api":"orders""#;
    let mut change = |what: &str| {
        let did = bench.apply(&format!(r#"{{"change_subscription":{{{of},{what}}}}}"#));
        did.then(|| bench.told())
    };
    assert_eq!(change(r#""status":"blocked""#), None, "a word of APIM's");
    assert_eq!(change(r#""status":"active""#), None, "no news");
    assert_eq!(change(r#""plan":"Nickel""#), None);
    let told = change(r#""status":"inactive","plan":"Bronze""#).unwrap();
    assert!(told.starts_with(r#"{"type":"subscription.updated""#), "{told}");
    assert!(told.ends_with(r#""status":"INACTIVE"}"#), "{told}");
    assert!(change(r#""status":"revoked""#).unwrap().ends_with(r#""status":"REVOKED"}"#));
    assert!(bench.apply(&format!(r#"{{"unsubscribe":{{{of}}}}}"#)));
    let ledger = bench.ledger().clone();
    let (id, record) = ledger.subscriptions().next().unwrap();
    let told = bench.told();
    let head = r#"{"type":"subscription.deleted","payload":"#;
    assert_eq!(told, format!(r#"{head}{{"apiId":"{api}","subscriptionId":"{id}"}}"#));
    assert_eq!((text(&bench.subscriptions(&api)).as_str(), record.life.now()), ("[]", None));
    assert_eq!(record.life.said().len(), 4);
    assert!(bench.apply(SUBSCRIBE), "and begins again");
    assert_eq!(bench.ledger().subscriptions().count(), 2);
}

#[test]
fn subscriptions_are_listed_for_what_is_or_was_deployed_here() {
    let mut bench = ApimBench::new(Dialect::PlatformApi11);
    assert!(bench.apply(r#"{"publish":{"api":"orders"}}"#));
    let id = bench.id("orders");
    assert_eq!(bench.subscriptions(&id).status, 403);
    bench.deploy("orders");
    bench.undeploy("orders");
    assert_eq!(bench.subscriptions(&id).status, 200);
    bench.delete("orders");
    assert_eq!(bench.subscriptions(&id).status, 404);
    assert_eq!(bench.subscriptions(&ArtifactId::new("nobody")).status, 404);
}

#[test]
fn the_first_plans_are_there_and_others_come_change_and_go() {
    let (mut bench, _) = bench(Dialect::PlatformApi11);
    let plans = bench.plans();
    let names = ["Bronze", "Silver", "Gold", "Unlimited"];
    assert!(names.iter().all(|name| plans.contains(&format!(r#""planName":"{name}""#))));
    let ledger = bench.ledger();
    let silver = ledger.plan_named("Silver", bench.now).unwrap().0.clone();
    let fields = r#""planName":"Silver","billingPlan":"free","stopOnQuotaReach":true,"throttleLimitCount":5,"throttleLimitUnit":"MINUTE","status":"ACTIVE"}"#;
    assert!(plans.contains(&format!(r#"{{"id":"{silver}",{fields}"#)), "{plans}");
    assert!(!bench.apply(r#"{"create_plan":{"plan":"Silver","per_minute":6}}"#));
    assert!(!bench.apply(r#"{"change_plan":{"plan":"Silver","per_minute":5}}"#), "no news");
    assert!(bench.apply(r#"{"change_plan":{"plan":"Silver","per_minute":7}}"#));
    let changed = fields.replace(":5,", ":7,");
    assert_eq!(
        bench.told(),
        format!(r#"{{"type":"subscriptionPlan.updated","payload":{{"planId":"{silver}",{changed}"#)
    );
    assert!(bench.apply(r#"{"delete_plan":{"plan":"Silver"}}"#));
    assert_eq!(
        bench.told(),
        format!(
            r#"{{"type":"subscriptionPlan.deleted","payload":{{"planId":"{silver}","planName":"Silver"}}"#
        )
    );
    // C-H37: the same name, another id.
    assert!(bench.apply(r#"{"create_plan":{"plan":"Silver"}}"#));
    let told = bench.told();
    assert!(told.starts_with(r#"{"type":"subscriptionPlan.created""#), "{told}");
    let ledger = bench.ledger();
    let (again, plan) = ledger.plan_named("Silver", bench.now).unwrap();
    assert_ne!(again, &silver);
    assert_eq!((plan.quota, ledger.plan(&silver).unwrap().life.now()), (None, None));
}

#[test]
fn an_application_tells_all_of_its_keys_each_time() {
    let (mut bench, _) = bench(Dialect::PlatformApi11);
    for name in ["first", "second"] {
        assert!(bench.apply(&format!(r#"{{"create_key":{{"api":"orders","name":"{name}"}}}}"#)));
    }
    bench.frames();
    let map = |verb: &str, application: &str, name: &str| {
        let of = format!(r#""application":"{application}","api":"orders","name":"{name}""#);
        format!(r#"{{"{verb}":{{{of}}}}}"#)
    };
    assert!(bench.apply(&map("map_key", "shop", "first")));
    assert!(!bench.apply(&map("map_key", "shop", "first")));
    bench.frames();
    assert!(bench.apply(&map("map_key", "shop", "second")));
    let ledger = bench.ledger().clone();
    let (id, record) = ledger.applications().next().unwrap();
    let uuids =
        [0, 1].map(|key: usize| format!(r#"{{"apiKeyUuid":"{}"}}"#, ledger.keys()[key].uuid));
    assert_eq!(
        bench.told(),
        format!(
            r#"{{"type":"application.updated","payload":{{"applicationId":"{id}","applicationUuid":"{id}","applicationName":"shop","applicationType":"genai","mappings":[{}]}}"#,
            uuids.join(",")
        )
    );
    assert_eq!(record.life.now().unwrap().keys.len(), 2);
    assert_eq!(ledger.application_of(&ledger.keys()[0], bench.now), Some(id));
    // A regenerated key stays its application's, and another application takes it away.
    assert!(bench.apply(r#"{"regenerate_key":{"api":"orders","name":"first"}}"#));
    assert_eq!(bench.types(), ["apikey.updated", "application.updated"]);
    assert!(bench.apply(&map("map_key", "till", "first")));
    assert_eq!(bench.types(), ["application.updated"; 2]);
    assert!(!bench.apply(&map("unmap_key", "shop", "first")));
    assert!(bench.apply(&map("unmap_key", "shop", "second")));
    assert!(bench.told().ends_with(r#""mappings":[]}"#));
}

#[test]
fn a_deleted_application_takes_its_subscriptions_and_keys_along() {
    let (mut bench, api) = bench(Dialect::PlatformApi11);
    bench.apply(SUBSCRIBE);
    assert!(bench.apply(r#"{"create_key":{"application":"shop","name":"App"}}"#));
    let types = bench.types();
    assert_eq!(types, ["subscription.created", "apikey.created", "application.updated"]);
    let listed = text(&bench.get("/apis/api-keys", "application/json"));
    assert_eq!(listed.matches(&format!(r#""artifactUuid":"{api}""#)).count(), 1);
    assert!(bench.apply(r#"{"delete_application":{"application":"shop"}}"#));
    assert!(!bench.apply(r#"{"delete_application":{"application":"shop"}}"#));
    let types = bench.types();
    assert_eq!(types, ["apikey.revoked", "subscription.deleted", "application.updated"]);
    let listed = text(&bench.get("/apis/api-keys", "application/json"));
    assert_eq!((listed.as_str(), text(&bench.subscriptions(&api)).as_str()), ("[]", "[]"));
    assert_eq!(bench.ledger().opening(&api, bench.now).count(), 0);
}

#[test]
fn an_apim_tells_and_lists_nothing_of_all_this() {
    for dialect in [Dialect::Apim470, Dialect::Apim470Fixed] {
        let (mut bench, api) = bench(dialect);
        for verb in [
            SUBSCRIBE,
            r#"{"change_subscription":{"application":"shop","api":"orders","status":"blocked"}}"#,
            r#"{"change_plan":{"plan":"Gold","per_minute":3}}"#,
            r#"{"create_plan":{"plan":"Platinum","per_minute":3}}"#,
            r#"{"delete_plan":{"plan":"Platinum"}}"#,
            r#"{"delete_application":{"application":"shop"}}"#,
        ] {
            assert!(bench.apply(verb), "{verb}");
        }
        assert!(bench.apply(r#"{"create_key":{"api":"orders","name":"k"}}"#));
        bench.frames();
        assert!(!bench.apply(r#"{"map_key":{"application":"shop","api":"orders","name":"k"}}"#));
        assert_eq!(bench.types(), [""; 0]);
        let (_, record) = bench.ledger().subscriptions().next().unwrap();
        assert_eq!((record.life.said().len(), record.token.is_none()), (3, true));
        assert_eq!(bench.subscriptions(&api).status, 404);
        assert_eq!(bench.get("/subscription-plans", "application/json").status, 404);
    }
    let mut refused = ApimBench::with(Dialect::Apim470, |switches| switches.plans_refused = true);
    assert_eq!(refused.get("/subscription-plans", "application/json").status, 401);
}

#[test]
fn what_an_api_had_goes_with_it_and_only_the_api_is_told_of() {
    let (mut bench, api) = bench(Dialect::PlatformApi11);
    bench.apply(SUBSCRIBE);
    assert!(bench.apply(r#"{"create_key":{"api":"orders","name":"k"}}"#));
    bench.frames();
    bench.undeploy("orders");
    assert_eq!(bench.ledger().opening(&api, bench.now).count(), 1);
    bench.frames();
    bench.delete("orders");
    assert_eq!(bench.types(), ["api.deleted"]);
    let ledger = bench.ledger();
    assert_eq!(ledger.opening(&api, bench.now).count(), 0);
    assert_eq!(ledger.subscriptions().next().unwrap().1.life.now(), None);
}

#[test]
fn subscriptions_and_plans_are_answered_wrong_like_anything_else() {
    let (mut bench, api) = bench(Dialect::PlatformApi11);
    bench.at(1_000);
    bench.apply(SUBSCRIBE);
    assert!(bench.apply(r#"{"delete_plan":{"plan":"Gold"}}"#));
    bench.at(2_000);
    let arm =
        |to: &str, with: &str| format!(r#"{{"answer":{{"to":"{to}","with":{with},"count":1}}}}"#);
    for (with, body) in [
        (r#""empty""#, "[]"),
        (r#"{"stale_ms":1500}"#, "[]"),
        (r#""empty_object""#, "{}"),
        (r#""other_types""#, r#"[1,"two",[]]"#),
    ] {
        assert!(bench.apply(&arm("read_subscriptions", with)));
        assert_eq!(text(&bench.subscriptions(&api)), body);
    }
    assert!(bench.apply(&arm("read_plans", r#"{"stale_ms":1500}"#)));
    assert!(bench.plans().contains("Gold"), "as it was");
    assert!(bench.apply(&arm("read_plans", r#""without_tail""#)));
    assert_eq!(bench.plans().matches("planName").count(), 2);
    assert!(bench.apply(&arm("any", r#"{"status":503}"#)));
    assert_eq!(bench.subscriptions(&api).status, 503);
    assert_eq!(bench.manager.delivered_total(GatewayIndex::FIRST), 7);
}

#[test]
fn delays_and_restores_are_those_of_everything_else() {
    let (mut bench, api) = bench(Dialect::PlatformApi11);
    bench.at(1_000);
    assert!(bench.apply(r#"{"delay_effects":{"for_ms":100,"delay_ms":2000}}"#));
    bench.apply(SUBSCRIBE);
    assert!(bench.apply(r#"{"change_plan":{"plan":"Gold","per_minute":3}}"#));
    assert_eq!(bench.types().len(), 2, "told at once");
    assert_eq!(text(&bench.subscriptions(&api)), "[]");
    assert!(!bench.plans().contains(r#""throttleLimitCount":3"#));
    bench.at(3_000);
    assert_ne!(text(&bench.subscriptions(&api)), "[]");
    assert!(bench.plans().contains(r#""throttleLimitCount":3"#));
    assert!(bench.apply(r#"{"restore_backup":{"ago_ms":2500}}"#));
    assert_eq!(text(&bench.subscriptions(&api)), "[]");
    assert!(bench.plans().contains(r#""throttleLimitCount":20"#));
    let (ledger, now) = (bench.ledger(), bench.now);
    assert_eq!(ledger.subscriptions().next().unwrap().1.life.now(), None);
    assert_eq!(ledger.plan_named("Gold", now).unwrap().1.quota.unwrap().count, 20);
    assert_eq!(ledger.applications().next().unwrap().1.life.now(), None);
    assert!(
        bench.apply(r#"{"restore_backup":{"ago_ms":60000}}"#) || bench.plans().contains("Gold")
    );
}
