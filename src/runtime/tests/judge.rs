//! What the configuration says about single requests.

use super::*;

#[track_caller]
fn check(facts: &Facts, request: &ApiRequest<'_>, expect: Result<(), Refusal>) {
    let decided = facts.snapshot().judge(request, at(0)).map(|_| ());
    assert_eq!(decided, expect, "{request:?}");
}

#[test]
fn a_request_is_routed_by_the_longest_base_path() {
    let all = |context| open_at(context, &["GET /*"]);
    let facts = Facts::default()
        .api("pizza", all("/pizza/$version"))
        .api("pizza-menu", all("/pizza/v1.0/menu/$version"))
        .api("root", all("/"));
    let snapshot = facts.snapshot();
    for (path, artifact) in [
        ("/pizza/v1.0/items", "pizza"),
        ("/pizza/v1.0", "pizza"),
        ("/pizza/v1.0?x=/menu/v1.0", "pizza"),
        ("/pizza/v1.0/menu", "pizza"),
        ("/pizza/v1.0/menu/v1.0", "pizza-menu"),
        ("/pizza/v1.0/menu/v1.0/x", "pizza-menu"),
        ("/pizza/v1.01", "root"),
        ("/pizza", "root"),
        ("/", "root"),
    ] {
        let grant = snapshot.judge(&ApiRequest::new("GET", path), at(0)).unwrap();
        assert_eq!(grant.artifact.as_str(), artifact, "{path}");
    }
    check(&facts, &ApiRequest::new("GET", "pizza/v1.0"), Err(Refusal::ApiNotFound));
    check(&Facts::default(), &ApiRequest::new("GET", "/"), Err(Refusal::ApiNotFound));
}

/// An API at that context, with operations that are open to everyone.
fn open_at(context: &str, operations: &[&str]) -> Definition {
    let operations = operations.iter().map(|operation| operation.split_once(' ').unwrap());
    Definition {
        context: context.to_owned(),
        operations: operations
            .map(|(method, path)| operation(method, path, AuthType::None))
            .collect(),
        ..pizza()
    }
}

/// The API that each request leads to, or why none.
#[track_caller]
fn leads(facts: &Facts, requests: &[(&str, Result<&str, Refusal>)]) {
    let snapshot = facts.snapshot();
    for (request, expect) in requests {
        let (method, path) = request.split_once(' ').unwrap();
        let grant = snapshot.judge(&ApiRequest::new(method, path), at(0));
        let led = grant.as_ref().map(|grant| grant.artifact.as_str()).map_err(|why| *why);
        assert_eq!(led, *expect, "{request}");
    }
}

#[test]
fn apis_at_one_path_are_told_apart_by_method_and_resource() {
    let facts = Facts::default()
        .api("a", open_at("/shop", &["GET /items/{id}", "GET /*"]))
        .api("b", open_at("/shop", &["POST /items/{id}", "GET /items/all", "GET /items/{id}"]));
    leads(
        &facts,
        &[
            ("GET /shop/items/7", Ok("a")),
            ("GET /shop/items/all", Ok("b")),
            ("POST /shop/items/7", Ok("b")),
            ("GET /shop/other", Ok("a")),
            ("PUT /shop/items/7", Err(Refusal::MethodNotAllowed)),
            ("POST /shop/other", Err(Refusal::MethodNotAllowed)),
            ("GET /shops", Err(Refusal::ApiNotFound)),
        ],
    );
}

#[test]
fn what_the_longer_base_path_does_not_have_the_shorter_one_may() {
    let facts = Facts::default()
        .api(
            "shop",
            open_at("/shop", &["GET /*", "GET /menu/{any}", "GET /menu/best", "GET /{x}/y"]),
        )
        .api("menu", open_at("/shop/menu", &["GET /{dish}", "POST /"]));
    leads(
        &facts,
        &[
            ("GET /shop/menu/7", Ok("menu")),
            ("GET /shop/menu/best", Ok("shop")),
            ("GET /shop/menu/y", Ok("menu")),
            ("GET /shop/menu", Ok("shop")),
            ("POST /shop/menu/", Ok("menu")),
            ("GET /shop/menu/7/8", Ok("shop")),
            ("POST /shop/menu/7", Err(Refusal::MethodNotAllowed)),
        ],
    );
}

#[test]
fn an_api_that_is_as_if_it_were_not_there_hides_no_other() {
    let held = |lifecycle| Definition { lifecycle, ..open_at("/shop", &["GET /items"]) };
    for (lifecycle, expect) in [
        (Lifecycle::Retired, Ok("b")),
        (Lifecycle::Created, Ok("b")),
        (Lifecycle::Blocked, Err(Refusal::ApiBlocked)),
    ] {
        let facts = Facts::default()
            .api("a", held(lifecycle.clone()))
            .api("b", open_at("/shop", &["GET /items", "GET /b"]));
        leads(&facts, &[("GET /shop/items", expect), ("GET /shop/b", Ok("b"))]);
        leads(&facts, &[("GET /shop/c", Err(Refusal::ResourceNotFound))]);
        leads(&facts, &[("PUT /shop/b", Err(Refusal::MethodNotAllowed))]);
        assert_eq!(facts.snapshot().collisions().count(), usize::from(expect.is_err()));
    }
    let facts = Facts::default().api("a", held(Lifecycle::Blocked));
    leads(&facts, &[("GET /shop/c", Err(Refusal::ApiBlocked))]);
}

#[test]
fn a_context_may_have_spaces_and_letters_of_any_kind() {
    let facts = Facts::default()
        .api("a", open_at("/größe 7", &["GET /a b"]))
        .api("b", open_at("/{x}", &["GET /*"]))
        .api("deep", open_at(&"/x".repeat(40), &["GET /*"]));
    leads(
        &facts,
        &[
            ("GET /gr%C3%B6%c3%9fe%207/a%20b", Ok("a")),
            ("GET /größe 7/a b", Ok("a")),
            ("GET /y/../größe 7/./a b", Ok("a")),
            ("GET /gr%C3%B6%C3%9Fe%207/..", Err(Refusal::ApiNotFound)),
            ("GET /%7Bx%7D/y", Ok("b")),
            ("GET /1/y", Err(Refusal::ApiNotFound)),
            (&format!("GET {}/y", "/x".repeat(40)), Ok("deep")),
            (&format!("GET {}", "/x".repeat(39)), Err(Refusal::ApiNotFound)),
        ],
    );
}

#[test]
fn an_api_is_served_in_three_states_of_its_life() {
    for (lifecycle, expect) in [
        (Lifecycle::Published, Ok(())),
        (Lifecycle::Prototyped, Ok(())),
        (Lifecycle::Deprecated, Ok(())),
        (Lifecycle::Created, Err(Refusal::ApiNotFound)),
        (Lifecycle::Retired, Err(Refusal::ApiNotFound)),
        (Lifecycle::Blocked, Err(Refusal::ApiBlocked)),
        (Lifecycle::parse("RESTING"), Err(Refusal::ApiBlocked)),
    ] {
        let facts = Facts::of(Definition { lifecycle, ..pizza() });
        check(&facts, &ApiRequest::new("GET", "/pizza/v1.0/open"), expect);
    }
}

#[test]
fn a_wrong_method_and_a_wrong_path_are_told_apart() {
    let facts = Facts::of(pizza());
    check(&facts, &ApiRequest::new("POST", "/pizza/v1.0/open"), Err(Refusal::MethodNotAllowed));
    check(&facts, &ApiRequest::new("GET", "/pizza/v1.0/shut"), Err(Refusal::ResourceNotFound));
}

#[test]
fn a_key_opens_its_own_api_until_it_expires() {
    let other = Definition { context: "/pasta/v1.0".to_owned(), ..pizza() };
    let facts = Facts::of(pizza())
        .api("b", other)
        .key("a", "mine", None, None)
        .key("a", "late", None, Some(at(1)))
        .key("a", "ended", None, Some(at(0)))
        .key("b", "foreign", None, None);
    let items = ApiRequest::new("GET", "/pizza/v1.0/items");
    for (key, expect) in [
        ("mine", Ok(())),
        ("late", Ok(())),
        ("ended", Err(Refusal::KeyExpired)),
        ("foreign", Err(Refusal::KeyInvalid)),
        ("Mine", Err(Refusal::KeyInvalid)),
        ("", Err(Refusal::KeyInvalid)),
    ] {
        check(&facts, &items.with_key(key), expect);
    }
    check(&facts, &items, Err(Refusal::KeyMissing));
    check(&facts, &ApiRequest::new("GET", "/pizza/v1.0/open"), Ok(()));
    check(&facts, &ApiRequest::new("GET", "/pasta/v1.0/items").with_key("foreign"), Ok(()));
}

#[test]
fn an_api_that_wants_no_key_asks_for_none() {
    let facts = Facts::of(Definition { wants_key: false, ..pizza() });
    let items = ApiRequest::new("GET", "/pizza/v1.0/items");
    check(&facts, &items, Ok(()));
    check(&facts, &items.with_key("whatever"), Ok(()));
}

#[test]
fn a_key_that_two_names_stand_for_is_live_while_one_is() {
    let facts = Facts::of(pizza()).key("a", "same", None, None);
    let mut double = facts.clone().key("a", "other", None, Some(at(0))).resources;
    if let Resource::ApiKey(slot) = &mut double[1].1 {
        Arc::make_mut(&mut slot.credentials)[0].hash = hash("same");
    }
    let facts = Facts { resources: double, ..facts };
    check(&facts, &ApiRequest::new("GET", "/pizza/v1.0/items").with_key("same"), Ok(()));
}

#[test]
fn an_operation_is_for_one_kind_of_caller_or_for_both() {
    let facts = Facts::of(pizza()).key("a", "mine", None, None);
    let no = Err(Refusal::PrincipalNotAllowed);
    for (path, application, user) in
        [("/items", Ok(()), Ok(())), ("/people", no, Ok(())), ("/robots", Ok(()), no)]
    {
        let path = format!("/pizza/v1.0{path}");
        let request = ApiRequest::new("GET", &path).with_key("mine");
        check(&facts, &request, application);
        check(&facts, &ApiRequest { principal: Principal::User, ..request }, user);
    }
}

#[test]
fn one_scope_of_several_is_enough() {
    let mut definition = pizza();
    definition.operations[0].scopes = ["read", "write"].map(str::to_owned).into();
    let facts = Facts::of(definition).key("a", "mine", None, None);
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_key("mine");
    check(&facts, &items, Err(Refusal::ScopeMissing));
    check(&facts, &ApiRequest { scopes: &["admin"], ..items }, Err(Refusal::ScopeMissing));
    check(&facts, &ApiRequest { scopes: &["admin", "write"], ..items }, Ok(()));
}

#[test]
fn a_subscription_opens_by_its_state() {
    let facts = Facts::of(Definition { wants_subscription: true, ..pizza() })
        .key("a", "mine", Some("u"), None)
        .application("app", &["u"]);
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_key("mine");
    check(&facts, &items, Err(Refusal::SubscriptionMissing));
    for (status, expect) in [
        ("UNBLOCKED", Ok(())),
        ("ACTIVE", Ok(())),
        ("TIER_UPDATE_PENDING", Ok(())),
        ("BLOCKED", Err(Refusal::SubscriptionBlocked)),
        ("PROD_ONLY_BLOCKED", Err(Refusal::SubscriptionBlocked)),
        ("ON_HOLD", Err(Refusal::SubscriptionOnHold)),
        ("REJECTED", Err(Refusal::SubscriptionRejected)),
        ("INACTIVE", Err(Refusal::SubscriptionInactive)),
        ("REVOKED", Err(Refusal::SubscriptionRevoked)),
        ("RESTING", Err(Refusal::SubscriptionUnclear)),
    ] {
        let held = subscription(Some("app"), SubscriptionStatus::parse(status));
        check(&facts.clone().subscription("s", held), &items, expect);
    }
}

#[test]
fn a_subscription_counts_for_its_own_api_and_application() {
    let facts = Facts::of(Definition { wants_subscription: true, ..pizza() })
        .key("a", "mine", Some("u"), None)
        .key("a", "nameless", None, None)
        .application("app", &["u"]);
    let held = subscription(Some("app"), SubscriptionStatus::Active);
    let elsewhere = Subscription { artifact: ArtifactId::new("b"), ..held.clone() };
    let stranger = subscription(Some("stranger"), SubscriptionStatus::Active);
    let items = ApiRequest::new("GET", "/pizza/v1.0/items");
    let missing = Err(Refusal::SubscriptionMissing);
    check(&facts.clone().subscription("s", elsewhere), &items.with_key("mine"), missing);
    check(&facts.clone().subscription("s", stranger), &items.with_key("mine"), missing);
    let facts = facts.subscription("s", held);
    check(&facts, &items.with_key("mine"), Ok(()));
    check(&facts, &items.with_key("nameless"), missing);
    check(&facts, &ApiRequest::new("GET", "/pizza/v1.0/open"), Ok(()));
    let grant = facts.snapshot().judge(&items.with_key("mine"), at(0)).unwrap();
    assert_eq!(grant.application, Some(ApplicationId::new("app")));
    assert_eq!(grant.subscription, Some(SubscriptionId::new("s")));
}

#[test]
fn a_token_names_its_subscription_and_a_key_does_not_make_up_for_it() {
    let held = subscription(Some("app"), SubscriptionStatus::Active);
    let by_token = |id: &str, status| Subscription {
        token: Some(hash(id)),
        ..subscription(None, SubscriptionStatus::parse(status))
    };
    let facts = Facts::of(Definition { wants_subscription: true, ..pizza() })
        .key("a", "mine", Some("u"), None)
        .application("app", &["u"])
        .subscription("s", held)
        .subscription("t", by_token("token", "ACTIVE"))
        .subscription("u", by_token("stopped", "BLOCKED"));
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_key("mine");
    check(&facts, &items.with_token("token"), Ok(()));
    check(&facts, &items.with_token("stopped"), Err(Refusal::SubscriptionBlocked));
    check(&facts, &items.with_token("mine"), Err(Refusal::TokenInvalid));
    check(&facts, &items.with_token(""), Err(Refusal::TokenInvalid));
}

#[test]
fn a_plan_has_to_be_there_and_in_force() {
    let held = Subscription {
        plan: Some(PlanId::new("p")),
        token: Some(hash("token")),
        ..subscription(None, SubscriptionStatus::Active)
    };
    let definition = Definition { wants_key: false, wants_subscription: true, ..pizza() };
    let facts = Facts::of(definition).subscription("s", held);
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_token("token");
    check(&facts, &items, Err(Refusal::PlanUnknown));
    for (plan, expect) in [
        (plan(1), Ok(())),
        (Plan { is_active: false, ..plan(1) }, Err(Refusal::PlanInactive)),
        (Plan { expires_at: Some(at(0)), ..plan(1) }, Err(Refusal::PlanExpired)),
        (Plan { expires_at: Some(at(1)), ..plan(1) }, Ok(())),
    ] {
        check(&facts.clone().plan("p", plan), &items, expect);
    }
}

#[test]
fn of_several_subscriptions_one_that_opens_is_enough() {
    let facts = Facts::of(Definition { wants_subscription: true, ..pizza() })
        .key("a", "mine", Some("u"), None)
        .application("app", &["u"])
        .subscription("1", subscription(Some("app"), SubscriptionStatus::Rejected))
        .subscription("2", subscription(Some("app"), SubscriptionStatus::Blocked));
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_key("mine");
    check(&facts, &items, Err(Refusal::SubscriptionRejected));
    let open = subscription(Some("app"), SubscriptionStatus::Active);
    check(&facts.subscription("3", open), &items, Ok(()));
}

#[test]
fn a_tier_that_is_not_known_is_refused_and_a_known_one_is_charged() {
    let mut definition = pizza();
    definition.tier = Tier::Gold;
    definition.operations[1].tier = Tier::Bronze;
    let open = ApiRequest::new("GET", "/pizza/v1.0/open");
    let grant = Facts::of(definition.clone()).snapshot().judge(&open, at(0)).unwrap();
    let per_minute = |count| Quota { count, unit: QuotaUnit::Minute };
    let api = ArtifactId::new("a");
    assert_eq!(
        grant.charges,
        [
            Charge { subject: Subject::Api(api.clone()), quota: per_minute(20) },
            Charge {
                subject: Subject::Resource(api, Arc::from("GET"), Arc::from("/open")),
                quota: per_minute(1)
            },
        ]
    );
    definition.operations[1].tier = Tier::parse("Iron");
    let facts = Facts::of(definition.clone());
    check(&facts, &open, Err(Refusal::TierUnknown(Level::Resource)));
    definition.tier = Tier::parse("Iron");
    check(&Facts::of(definition), &open, Err(Refusal::TierUnknown(Level::Api)));
}
