//! Lists, archives, the existence check and keys in each dialect.

use super::*;
use crate::story::switches::UtcOffset;

#[test]
fn discovery_is_served_by_an_apim_only() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let mut request = bench.request(Method::Get, "", "application/json");
    request.path = "/internal/gateway/.well-known".to_owned();
    request.authenticated = false;
    let reply = bench.manager.respond(GatewayIndex::FIRST, &request, None, bench.now);
    assert_eq!(
        text(&answer(reply)),
        r#"{"gatewayPath":"internal/data/v1","controlPlane":{"type":"APIM","version":"4.7.0"}}"#
    );
    assert!(bench.manager.violations().is_empty());
    bench.send(&request);
    assert_eq!(bench.manager.violations().len(), 1);
    let mut platform = ApimBench::new(Dialect::PlatformApi11);
    let reply = platform.manager.respond(GatewayIndex::FIRST, &request, None, platform.now);
    let response = answer(reply);
    assert_eq!((response.status, text(&response).as_str()), (404, "404 page not found"));
}

#[test]
fn the_list_is_that_of_the_dialect() {
    let rows = |dialect| {
        let mut bench = ApimBench::new(dialect);
        bench.at(1_600).deploy("orders");
        let id = bench.id("orders");
        let served = bench.ledger().must_serve().next().unwrap().1;
        let head = format!(r#"{{"deploymentId":"{}","artifactId":"{id}","#, served.deployment);
        let body = bench.list();
        let body = body.strip_prefix(r#"{"deployments":["#).unwrap();
        body.strip_prefix(&head).unwrap().to_owned()
    };
    assert_eq!(rows(Dialect::Apim470), r#""kind":"RESTAPI","updatedAt":"2026-06-17T09:15:02Z"}]}"#);
    assert_eq!(
        rows(Dialect::Apim470Fixed),
        r#""kind":"RestApi","state":"deployed","deployedAt":"2026-06-17T09:15:02Z"}]}"#
    );
    let platform = rows(Dialect::PlatformApi11);
    let head =
        r#""kind":"RestApi","state":"deployed","deployedAt":"2026-06-17T09:15:01.6Z","etag":""#;
    assert!(platform.starts_with(head), "{platform}");
}

#[test]
fn the_platform_lists_what_is_undeployed_with_its_zone() {
    let mut bench = ApimBench::with(Dialect::PlatformApi11, |switches| {
        switches.offset_minutes = UtcOffset::try_from(120).unwrap()
    });
    let id = bench.deploy("orders");
    bench.at(250).undeploy("orders");
    let row = bench.list();
    assert!(row.contains(r#""state":"undeployed","deployedAt":"2026-06-17T11:15:00.25+02:00""#));
    let response = bench.fetch(&id);
    assert_eq!(response.status, 404);
    assert!(text(&response).starts_with(r#"{"code":404,"#));
    bench.delete("orders");
    assert_eq!(bench.list(), r#"{"deployments":[]}"#);
}

#[test]
fn since_filters_by_the_row_stamp_and_nonsense_is_ignored() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.at(1_000).deploy("orders");
    bench.at(9_000).deploy("billing");
    let mut count = |query: &str| {
        let path = format!("/deployments{query}");
        text(&bench.get(&path, "application/json")).matches("artifactId").count()
    };
    assert_eq!(count("?since=2026-06-17T09%3A15%3A09Z"), 1);
    assert_eq!(count("?since=2026-06-17T09:15:10Z"), 0);
    assert_eq!(count("?since=yesterday"), 2);
}

#[test]
fn the_zip_has_one_definition_whose_digest_the_ledger_knows() {
    for compress in [false, true] {
        let mut bench = ApimBench::with(Dialect::Apim470, |switches| switches.compress = compress);
        let id = bench.deploy("orders");
        let response = bench.fetch(&id);
        assert_eq!(response.content_type.as_deref(), Some("application/zip"));
        let files = unzip(&response.body);
        assert_eq!((files.len(), files[0].0.as_str()), (1, "api.yaml"));
        let digest: [u8; 32] = {
            use sha2::Digest as _;
            sha2::Sha256::digest(files[0].1.as_bytes()).into()
        };
        assert_eq!(bench.ledger().must_serve().next().unwrap().1.digest.0, digest);
        let missing = bench.fetch(&ArtifactId::new("nobody"));
        assert_eq!((missing.status, missing.body.len()), (404, 0));
    }
}

#[test]
fn the_batch_skips_unknown_ids_and_labels_current_content() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let id = bench.deploy("orders");
    let served =
        |bench: &ApimBench| bench.ledger().must_serve().next().unwrap().1.deployment.to_string();
    let first = served(&bench);
    let body = format!(r#"{{"deploymentIds":["{first}","nobody"," "]}}"#);
    let response = bench.post("/deployments/batch", "application/x-tar+gzip", &body);
    assert_eq!(response.content_type.as_deref(), Some("application/x-tar"));
    let entries = untar(&response.body);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].0, format!("{first}/api-{id}.yaml"));
    // A-H16: in the redeploy window the id of the row goes with the content of the mapping.
    bench.revise_and_deploy("orders");
    let response = bench.post("/deployments/batch", "application/x-tar+gzip", &body);
    assert_eq!((response.status, untar(&response.body).len()), (200, 0));
    assert_ne!(first, served(&bench));
    let route = "/deployments/fetch-batch";
    let response = bench.post(route, "application/x-tar+gzip", &body);
    assert_eq!((response.status, response.body.len()), (404, 0));
}

#[test]
fn the_platform_packs_gzip_for_exactly_its_accept_header() {
    let mut bench = ApimBench::new(Dialect::PlatformApi11);
    bench.deploy("orders");
    bench.undeploy("orders");
    let deployment = bench.ledger().events()[0].deployment.clone().unwrap();
    let body = format!(r#"{{"deploymentIds":["{deployment}"]}}"#);
    let route = "/deployments/fetch-batch";
    assert_eq!(bench.post(route, "application/x-tar+gzip, */*", &body).status, 406);
    let response = bench.post(route, "application/x-tar+gzip", &body);
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(response.body.as_slice()).read_to_end(&mut tar).unwrap();
    // Content is given whatever the state of the deployment is (C-H01).
    assert_eq!(untar(&tar).len(), 1);
}

#[test]
fn existence_is_told_by_the_platform_only() {
    let mut bench = ApimBench::new(Dialect::PlatformApi11);
    let id = bench.deploy("orders");
    bench.undeploy("orders");
    let body = format!(r#"{{"artifactIds":["{id}","no\"body"]}}"#);
    let response = bench.post("/artifacts/exists", "application/json", &body);
    assert_eq!(
        text(&response),
        format!(
            r#"{{"artifacts":[{{"artifactId":"{id}","exists":true}},{{"artifactId":"no\"body","exists":false}}]}}"#
        )
    );
    bench.delete("orders");
    let response = bench.post("/artifacts/exists", "application/json", &body);
    assert!(!text(&response).contains("true"));
    let mut apim = ApimBench::new(Dialect::Apim470);
    assert_eq!(apim.post("/artifacts/exists", "application/json", &body).status, 404);
}

#[test]
fn the_key_list_of_ga_is_the_list_of_all_apis() {
    let body = |dialect| {
        let mut bench = ApimBench::new(dialect);
        bench.deploy("orders");
        text(&bench.get("/apis/api-keys", "application/json"))
    };
    assert!(body(Dialect::Apim470).starts_with(r#"{"list":[{"apiId":""#));
    assert_eq!(body(Dialect::Apim470Fixed), "[]");
    assert_eq!(body(Dialect::PlatformApi11), "[]");
    let mut bench = ApimBench::new(Dialect::Apim470Fixed);
    let anything = bench.get("/apis/anything", "application/json");
    assert_eq!(text(&anything), r#"{"list":[]}"#);
}

#[test]
fn requests_that_the_contract_does_not_allow_are_refused_and_noted() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    let mut request = bench.request(Method::Post, "/deployments/batch", "application/x-tar+gzip");
    assert_eq!(answer(bench.send(&request)).status, 415);
    request.json = Some(b"[]".to_vec());
    assert_eq!(answer(bench.send(&request)).status, 400);
    request.json = Some(br#"{"deploymentIds":[]}"#.to_vec());
    let response = answer(bench.send(&request));
    assert_eq!((response.status, text(&response).as_str()), (400, "deploymentIds required"));
    request.path = "/internal/data/v1/deployments".to_owned();
    assert_eq!(answer(bench.send(&request)).status, 405);
    request.method = Method::Get;
    assert_eq!(answer(bench.send(&request)).status, 400);
    assert_eq!(bench.manager.violations().len(), 5);
    assert_eq!(bench.get("/nowhere", "application/json").status, 404);
    assert_eq!(bench.get("/deployments/", "application/json").status, 404);
    assert_eq!(bench.manager.violations().len(), 5);
}

#[test]
fn a_missing_or_wrong_token_is_a_401_of_the_dialect() {
    for (dialect, body) in [
        (Dialect::Apim470, r#"{"code":401,"message":"","description":"Unauthenticated request""#),
        (Dialect::PlatformApi11, r#"{"code":401,"message":"Unauthorized""#),
    ] {
        let mut bench = ApimBench::new(dialect);
        let request = bench.request(Method::Get, "/deployments", "application/json");
        for token in [None, Some("wrong")] {
            let response =
                answer(bench.manager.respond(GatewayIndex::FIRST, &request, token, bench.now));
            assert_eq!(response.status, 401);
            assert!(text(&response).starts_with(body));
        }
    }
}
