//! Stories about keys, subscriptions and plans, each made for what some planted defect breaks.

use driftless::story::file::Scenario;

/// Two APIs with keys, of which some end: one is revoked, one regenerated and one expires. Time
/// goes on until the lists were read again.
const KEYS: &str = r#"
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 0, "deploy": { "api": "carts" } },
    { "at_ms": 10000, "create_key": { "api": "orders", "name": "first" } },
    { "at_ms": 11000, "create_key": { "api": "orders", "name": "second" } },
    { "at_ms": 12000, "create_key": { "api": "orders", "name": "short", "valid_for_ms": 20000 } },
    { "at_ms": 13000, "create_key": { "api": "carts", "name": "first" } },
    { "at_ms": 40000, "revoke_key": { "api": "orders", "name": "second" } },
    { "at_ms": 41000, "regenerate_key": { "api": "orders", "name": "first" } },
    { "at_ms": 300000, "revise": { "api": "carts" } }"#;

/// A key whose API is undeployed for a while, and a restart.
const WHILE_UNDEPLOYED: &str = r#"
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 10000, "create_key": { "api": "orders", "name": "first" } },
    { "at_ms": 20000, "undeploy": { "api": "orders" } },
    { "at_ms": 40000, "deploy": { "api": "orders" } },
    { "at_ms": 60000, "crash": { "down_ms": 1000, "disk": "kept" } }"#;

/// A key that is held, and an API that changes often.
const CHURN: &str = r#"
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 0, "deploy": { "api": "carts" } },
    { "at_ms": 5000, "create_key": { "api": "orders", "name": "first" } },
    { "at_ms": 10000, "undeploy": { "api": "carts" } },
    { "at_ms": 20000, "deploy": { "api": "carts" } },
    { "at_ms": 30000, "undeploy": { "api": "carts" } },
    { "at_ms": 40000, "deploy": { "api": "carts" } },
    { "at_ms": 50000, "undeploy": { "api": "carts" } },
    { "at_ms": 60000, "deploy": { "api": "carts" } },
    { "at_ms": 70000, "undeploy": { "api": "carts" } },
    { "at_ms": 80000, "deploy": { "api": "carts" } }"#;

/// The poll's copy of a creation is stranded, the key is revoked, the gateway restarts, and the
/// copy comes once its lease is over.
const LATE_COPY: &str = r#"
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 20000, "strand_poll": {} },
    { "at_ms": 20500, "create_key": { "api": "orders", "name": "first" } },
    { "at_ms": 30000, "revoke_key": { "api": "orders", "name": "first" } },
    { "at_ms": 40000, "crash": { "down_ms": 1000, "disk": "kept" } },
    { "at_ms": 100000, "revise": { "api": "orders" } }"#;

/// Subscriptions with plans and a token, one of them closed, and an application's keys.
const SUBSCRIPTIONS: &str = r#"
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 0, "deploy": { "api": "carts" } },
    { "at_ms": 1000, "subscribe": { "application": "shop", "api": "orders", "plan": "Gold" } },
    { "at_ms": 2000, "subscribe": { "application": "till", "api": "orders" } },
    { "at_ms": 3000, "create_key": { "api": "orders", "name": "first" } },
    { "at_ms": 4000, "create_key": { "application": "shop", "name": "own" } },
    { "at_ms": 20000, "change_subscription": { "application": "till", "api": "orders", "status": "inactive" } },
    { "at_ms": 21000, "change_plan": { "plan": "Gold", "per_minute": 9 } },
    { "at_ms": 22000, "unsubscribe": { "application": "shop", "api": "orders" } },
    { "at_ms": 23000, "subscribe": { "application": "shop", "api": "carts", "plan": "Silver" } },
    { "at_ms": 24000, "crash": { "down_ms": 1000 } }"#;

/// By kind of resource: the request that reads it, and a change of it.
pub(crate) const CHANGES: [(&str, &str, &str); 3] = [
    (
        "key",
        "read_keys",
        r#"{ "at_ms": 20000, "create_key": { "api": "orders", "name": "late" } }"#,
    ),
    (
        "subscription",
        "read_subscriptions",
        r#"{ "at_ms": 20000, "subscribe": { "application": "late", "api": "orders" } }"#,
    ),
    (
        "plan",
        "read_plans",
        r#"{ "at_ms": 20000, "change_plan": { "plan": "Gold", "per_minute": 7 } }"#,
    ),
];

/// A key that is given to an application.
const MAPPED: &str = r#"
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 10000, "create_key": { "api": "orders", "name": "first" } },
    { "at_ms": 20000, "map_key": { "application": "shop", "api": "orders", "name": "first" } }"#;

/// Every story, in each dialect.
pub(crate) fn stories() -> Vec<(String, Scenario)> {
    let named = [
        ("keys", KEYS),
        ("while-undeployed", WHILE_UNDEPLOYED),
        ("churn", CHURN),
        ("late-copy", LATE_COPY),
        ("subscriptions", SUBSCRIPTIONS),
    ];
    let dialects = ["apim-4.7.0", "apim-4.7.0-fixed", "platform-api-1.1"];
    let all = named.into_iter().flat_map(|(name, steps)| {
        dialects.map(|dialect| (format!("{name} {dialect}"), story(dialect, steps)))
    });
    let untold = CHANGES.map(|(kind, _, step)| (format!("untold {kind}"), untold(step)));
    all.chain(untold).collect()
}

/// A change that no event tells.
pub(crate) fn untold(step: &str) -> Scenario {
    story("platform-api-1.1", &unheard(step))
}

/// A change that no event tells, while the list that would cannot be read.
pub(crate) fn unreadable(request: &str, step: &str) -> Scenario {
    let wrong = format!(
        r#"{{ "at_ms": 18000, "answer": {{ "to": "{request}", "with": {{ "status": 500 }}, "count": 1000 }} }}"#
    );
    let steps = format!("{wrong},\n{}", unheard(step));
    Scenario { faults_stay_ms: Some(200_000), ..story("platform-api-1.1", &steps) }
}

/// A key that is given to an application.
pub(crate) fn mapped() -> Scenario {
    story("platform-api-1.1", MAPPED)
}

fn unheard(step: &str) -> String {
    format!(
        r#"{{ "at_ms": 0, "deploy": {{ "api": "orders" }} }},
        {{ "at_ms": 19000, "lose_events": {{ "count": 1 }} }}, {step}"#
    )
}

fn story(dialect: &str, steps: &str) -> Scenario {
    // A fault that a dialect does not have is left out.
    let is_kept = |line: &&str| dialect != "platform-api-1.1" || !line.contains("strand_poll");
    let steps: Vec<&str> = steps.lines().filter(is_kept).collect();
    let text = format!(
        r#"{{ "schema": 1, "why": "What a plant breaks is broken here.", "covers": ["R4"],
        "dialect": "{dialect}", "seed": 7, "steps": [{}],
        "expect": {{ "writes_max": 1000 }} }}"#,
        steps.join("\n")
    );
    Scenario::parse(&text).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"))
}
