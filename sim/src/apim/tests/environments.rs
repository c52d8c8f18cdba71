//! Several gateways: what each of them is told, listed and kept for.

use super::*;
use crate::story::aim::OrganizationIndex;

const EAST: GatewayIndex = GatewayIndex(0);
const WEST: GatewayIndex = GatewayIndex(1);
const ACME: GatewayIndex = GatewayIndex(2);

/// Two gateways of one organization and one of another, each with a session.
struct Fleet {
    manager: ApiManager,
    now: Instant,
}

impl Fleet {
    fn new(dialect: Dialect) -> Self {
        let of = |place| Registration { organization: OrganizationIndex(place) };
        let switches = plain_switches(dialect);
        let gateways = [of(0), of(0), of(1)];
        let manager = ApiManager::with_gateways(dialect, switches, 1, &gateways);
        let mut fleet = Self { manager, now: Instant::START };
        for gateway in [EAST, WEST, ACME] {
            let path = format!("{}/ws/gateways/connect", fleet.manager.base_path());
            let token = fleet.manager.token(gateway).to_owned();
            let connection = ConnectionId(gateway.0 as u64);
            let upgrade =
                fleet.manager.connect(gateway, connection, &path, Some(&token), fleet.now);
            assert_eq!(upgrade, Upgrade::Accepted);
        }
        let acks = fleet.frames();
        assert!(acks.iter().all(|(_, text)| text.contains("connection.ack")), "{acks:?}");
        fleet
    }

    fn apply(&mut self, organization: usize, gateways: &[GatewayIndex], verb: &str) -> bool {
        let verb: Verb = serde_json::from_str(verb).unwrap();
        let organization = OrganizationIndex(organization);
        let aim = Aim { organization, gateways: gateways.to_vec() };
        self.manager.apply_at(&verb, &aim, self.now) == Applied::Done
    }

    /// The texts that are sent now, and to which gateway.
    fn frames(&mut self) -> Vec<(GatewayIndex, String)> {
        let frames = std::iter::from_fn(|| self.manager.poll_frame());
        let texts = frames.filter_map(|(to, frame)| match frame {
            ServerFrame::Text(text) => Some((GatewayIndex(to.0 as usize), text.to_string())),
            _ => None,
        });
        texts.collect()
    }

    /// Who is told of something now, by the types of the events.
    fn told(&mut self) -> Vec<(GatewayIndex, String)> {
        let frames = self.frames().into_iter();
        frames.filter_map(|(to, text)| Some((to, field(&text, "type")?))).collect()
    }

    fn get(&mut self, gateway: GatewayIndex, path: &str, accept: &'static str) -> HttpResponse {
        let path = format!("{}{path}", self.manager.base_path());
        let request =
            HttpRequest { method: Method::Get, path, accept, json: None, authenticated: true };
        let token = self.manager.token(gateway).to_owned();
        let reply = self.manager.respond(gateway, &request, Some(&token), self.now);
        let Answered::Answer(response) = reply.outcome else { panic!("no answer") };
        response
    }

    fn list(&mut self, gateway: GatewayIndex) -> String {
        text(&self.get(gateway, "/deployments", "application/json"))
    }

    fn id(&self, gateway: GatewayIndex, api: &str) -> String {
        self.manager.ledger(gateway).artifact(api).unwrap().to_string()
    }
}

#[test]
fn a_deployment_is_one_gateways_and_has_an_id_of_its_own() {
    let mut fleet = Fleet::new(Dialect::Apim470Fixed);
    assert!(fleet.apply(0, &[WEST], r#"{"deploy":{"api":"orders"}}"#));
    assert_eq!(fleet.told(), [(WEST, "api.deployed".to_owned())]);
    let id = fleet.id(EAST, "orders");
    assert!(fleet.list(WEST).contains(&id));
    for gateway in [EAST, ACME] {
        assert_eq!(fleet.list(gateway), r#"{"deployments":[]}"#);
        let path = format!("/apis/{id}");
        assert_eq!(fleet.get(gateway, &path, "application/zip").status, 404);
        assert_eq!(fleet.manager.ledger(gateway).must_serve().count(), 0);
    }
    assert!(fleet.apply(0, &[], r#"{"deploy":{"api":"orders"}}"#));
    let deployment = |gateway| {
        let (_, must) = fleet.manager.ledger(gateway).must_serve().next().unwrap();
        (must.deployment.clone(), must.digest)
    };
    let (east, west) = (deployment(EAST), deployment(WEST));
    assert_ne!(east.0, west.0, "§5.2");
    assert_eq!(east.1, west.1);
    assert!(fleet.apply(0, &[EAST], r#"{"undeploy":{"api":"orders"}}"#));
    assert_eq!(fleet.manager.ledger(EAST).must_serve().count(), 0);
    assert_eq!(fleet.manager.ledger(WEST).must_serve().count(), 1);
}

#[test]
fn keys_are_told_to_every_gateway_of_the_organization_and_listed_where_the_api_is_deployed() {
    let mut fleet = Fleet::new(Dialect::Apim470Fixed);
    assert!(fleet.apply(0, &[WEST], r#"{"deploy":{"api":"orders"}}"#));
    fleet.frames();
    assert!(fleet.apply(0, &[], r#"{"create_key":{"api":"orders","name":"Mobile"}}"#));
    let created = || "apikey.created".to_owned();
    assert_eq!(fleet.told(), [(EAST, created()), (WEST, created())], "A-H34");
    let keys = |fleet: &mut Fleet, of| text(&fleet.get(of, "/apis/api-keys", "application/json"));
    assert!(keys(&mut fleet, WEST).contains("\"status\":\"ACTIVE\""));
    assert_eq!([keys(&mut fleet, EAST), keys(&mut fleet, ACME)], ["[]", "[]"]);
    let counts = [EAST, WEST, ACME].map(|of| fleet.manager.ledger(of).keys().len());
    assert_eq!(counts, [1, 1, 0]);
}

#[test]
fn two_organizations_may_use_one_name_and_share_nothing() {
    let mut fleet = Fleet::new(Dialect::PlatformApi11);
    for organization in [0, 1] {
        assert!(fleet.apply(organization, &[], r#"{"deploy":{"api":"orders"}}"#));
        let subscribe = r#"{"subscribe":{"application":"shop","api":"orders","plan":"Gold"}}"#;
        assert!(fleet.apply(organization, &[], subscribe));
        let create = r#"{"create_key":{"application":"shop","name":"App"}}"#;
        assert!(fleet.apply(organization, &[], create));
    }
    let (own, other) = (fleet.id(EAST, "orders"), fleet.id(ACME, "orders"));
    assert_ne!(own, other);
    assert!(fleet.list(ACME).contains(&other) && !fleet.list(ACME).contains(&own));
    assert_eq!(fleet.get(ACME, &format!("/apis/{own}"), "application/zip").status, 404);
    let subscriptions = format!("/apis/{own}/subscriptions");
    assert_eq!(fleet.get(ACME, &subscriptions, "application/json").status, 404);
    let plans = |fleet: &mut Fleet, of| {
        let body = text(&fleet.get(of, "/subscription-plans", "application/json"));
        let plans: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
        plans.into_iter().map(|plan| plan["id"].to_string()).collect::<Vec<_>>()
    };
    let (east, acme) = (plans(&mut fleet, EAST), plans(&mut fleet, ACME));
    assert_eq!((east.len(), acme.len()), (4, 4));
    assert!(acme.iter().all(|id| !east.contains(id)));
    let key = |of| fleet.manager.ledger(of).keys()[0].clone();
    assert_ne!((key(EAST).hash, key(EAST).uuid), (key(ACME).hash, key(ACME).uuid));
    assert!(fleet.apply(1, &[], r#"{"delete":{"api":"orders"}}"#));
    assert_eq!(fleet.manager.ledger(EAST).must_serve().count(), 1);
    assert_eq!(fleet.manager.ledger(ACME).must_serve().count(), 0);
}

#[test]
fn rows_acks_tokens_and_faults_are_one_gateways() {
    let mut fleet = Fleet::new(Dialect::Apim470Fixed);
    assert!(fleet.apply(0, &[WEST], r#"{"lose_events":{"count":1}}"#));
    assert!(fleet.apply(0, &[], r#"{"deploy":{"api":"orders"}}"#));
    assert_eq!(fleet.told(), [(EAST, "api.deployed".to_owned())]);
    let fates = [EAST, WEST].map(|of| fleet.manager.ledger(of).events()[0].fate);
    assert_eq!(fates, [Fate::Stored, Fate::Lost]);
    assert_eq!([EAST, WEST].map(|of| fleet.manager.delivered_total(of)), [0, 1]);
    let ack = format!(
        r#"{{"type":"deployment.ack","payload":{{"artifactId":"{}","resourceType":"api","action":"deploy","status":"success"}}}}"#,
        fleet.id(EAST, "orders")
    );
    fleet.manager.receive_frame(ConnectionId(WEST.0 as u64), &ack, fleet.now);
    let acks = [EAST, WEST, ACME].map(|of| fleet.manager.ledger(of).acks().len());
    assert_eq!(acks, [0, 1, 0]);
    let old = fleet.manager.token(WEST).to_owned();
    assert!(fleet.apply(0, &[WEST], r#"{"rotate_token":{}}"#));
    assert_ne!(fleet.manager.token(WEST), old);
    assert!(fleet.list(EAST).contains("orders") || fleet.list(EAST).contains("deploymentId"));
    assert!(fleet.apply(0, &[EAST], r#"{"answer":{"to":"list","with":{"status":500},"count":1}}"#));
    assert!(fleet.list(WEST).contains("deploymentId"));
    assert_eq!(fleet.get(EAST, "/deployments", "application/json").status, 500);
}
