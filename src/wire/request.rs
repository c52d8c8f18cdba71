//! Requests of the contract, made of their parts (`docs/apim.md` §3,
//! `docs/controller.md` §2).

use serde::Serialize;

use super::existence::encode_existence_check;
use super::{HttpRequest, Method, json};
use crate::model::{ArtifactId, BasePath, BatchRoute, DeploymentId, Kind};

const JSON: &str = "application/json";

/// The well-known of an APIM, asked without the token (`docs/apim.md` §1.1).
pub fn discover() -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        path: "/internal/gateway/.well-known".to_owned(),
        accept: JSON,
        json: None,
        authenticated: false,
    }
}

/// The path of the WebSocket.
pub fn connect_path(base: &BasePath) -> String {
    format!("{base}/ws/gateways/connect")
}

/// The deployments list.
pub fn list(base: &BasePath) -> HttpRequest {
    get([base.as_str(), "/deployments"].concat(), JSON)
}

/// The current definition of one artifact. `Accept` has to name zip: with JSON, APIM ignores the
/// id and lists all APIs (A-H25: wrong 200).
pub fn fetch(base: &BasePath, artifact: &ArtifactId, kind: Kind) -> HttpRequest {
    let mut path = [base.as_str(), "/", collection(kind), "/"].concat();
    push_segment(&mut path, artifact.as_str());
    get(path, "application/zip")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchQuestion<'a> {
    deployment_ids: Vec<&'a str>,
}

/// Current definitions by deployment id, as one archive.
pub fn fetch_batch(
    base: &BasePath,
    route: BatchRoute,
    deployments: &[DeploymentId],
) -> HttpRequest {
    let deployment_ids = deployments.iter().map(DeploymentId::as_str).collect();
    let body = json::write(&BatchQuestion { deployment_ids }).into_bytes();
    post(format!("{base}{}", route.path()), "application/x-tar+gzip", body)
}

/// Which of these artifacts exist at all.
pub fn check_exists(base: &BasePath, artifacts: &[ArtifactId]) -> HttpRequest {
    post(format!("{base}/artifacts/exists"), JSON, encode_existence_check(artifacts))
}

/// The bulk list of the API keys of one kind of artifact; APIM has one for APIs at most.
pub fn read_keys(base: &BasePath, kind: Kind) -> HttpRequest {
    get(format!("{base}/{}/api-keys", collection(kind)), JSON)
}

/// The subscriptions of one API.
pub fn read_subscriptions(base: &BasePath, artifact: &ArtifactId) -> HttpRequest {
    let mut path = format!("{base}/apis/");
    push_segment(&mut path, artifact.as_str());
    path.push_str("/subscriptions");
    get(path, JSON)
}

/// The subscription plans.
pub fn read_plans(base: &BasePath) -> HttpRequest {
    get(format!("{base}/subscription-plans"), JSON)
}

fn get(path: String, accept: &'static str) -> HttpRequest {
    HttpRequest { method: Method::Get, path, accept, json: None, authenticated: true }
}

fn post(path: String, accept: &'static str, body: Vec<u8>) -> HttpRequest {
    HttpRequest { method: Method::Post, path, accept, json: Some(body), authenticated: true }
}

/// The path segment under which a kind's artifacts are.
const fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::RestApi => "apis",
        Kind::LlmProvider => "llm-providers",
        Kind::LlmProxy => "llm-proxies",
        Kind::Mcp => "mcp-proxies",
        Kind::WebSubApi => "websub-apis",
        Kind::WebBrokerApi => "webbroker-apis",
    }
}

/// Appends one path segment, percent-encoding all but the unreserved characters of RFC 3986, so
/// that an id can neither climb nor add a query. A segment of dots alone is encoded too.
fn push_segment(path: &mut String, segment: &str) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if segment.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        path.push_str(segment);
        return;
    }
    let all_dots = segment.bytes().all(|byte| byte == b'.');
    for byte in segment.bytes() {
        match byte {
            b'.' if all_dots => path.push_str("%2E"),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte));
            }
            _ => path.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 0x0f)]),
        }
    }
}

const fn hex_digit(value: u8) -> char {
    (if value < 10 { b'0' + value } else { b'A' + value - 10 }) as char
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> BasePath {
        BasePath::parse("internal/data/v1").unwrap()
    }

    #[track_caller]
    fn check(request: &HttpRequest, line: &str, accept: &str, body: Option<&str>) {
        assert_eq!(format!("{} {}", request.method.name(), request.path), line);
        assert_eq!(request.accept, accept);
        assert_eq!(request.json.as_deref(), body.map(str::as_bytes));
        assert_eq!(request.authenticated, !request.path.ends_with(".well-known"));
    }

    #[test]
    fn requests_read_as_the_contract_writes_them() {
        let (base, ids) = (base(), [DeploymentId::new("5a28"), DeploymentId::new("\"")]);
        let artifacts = [ArtifactId::new("d34a")];
        check(&discover(), "GET /internal/gateway/.well-known", JSON, None);
        check(&list(&base), "GET /internal/data/v1/deployments", JSON, None);
        check(&read_plans(&base), "GET /internal/data/v1/subscription-plans", JSON, None);
        check(
            &read_subscriptions(&base, &artifacts[0]),
            "GET /internal/data/v1/apis/d34a/subscriptions",
            JSON,
            None,
        );
        check(
            &check_exists(&base, &artifacts),
            "POST /internal/data/v1/artifacts/exists",
            JSON,
            Some(r#"{"artifactIds":["d34a"]}"#),
        );
        for (route, path) in [(BatchRoute::Batch, "batch"), (BatchRoute::FetchBatch, "fetch-batch")]
        {
            check(
                &fetch_batch(&base, route, &ids),
                &format!("POST /internal/data/v1/deployments/{path}"),
                "application/x-tar+gzip",
                Some(r#"{"deploymentIds":["5a28","\""]}"#),
            );
        }
        assert_eq!(connect_path(&base), "/internal/data/v1/ws/gateways/connect");
    }

    #[test]
    fn every_kind_has_its_definitions_and_its_keys_below_its_collection() {
        for (kind, collection) in [
            (Kind::RestApi, "apis"),
            (Kind::LlmProvider, "llm-providers"),
            (Kind::LlmProxy, "llm-proxies"),
            (Kind::Mcp, "mcp-proxies"),
            (Kind::WebSubApi, "websub-apis"),
            (Kind::WebBrokerApi, "webbroker-apis"),
        ] {
            let request = fetch(&base(), &ArtifactId::new("d34a"), kind);
            let line = format!("GET /internal/data/v1/{collection}/d34a");
            check(&request, &line, "application/zip", None);
            let line = format!("GET /internal/data/v1/{collection}/api-keys");
            check(&read_keys(&base(), kind), &line, JSON, None);
        }
    }

    #[test]
    fn an_id_stays_one_segment() {
        for (id, segment) in [
            ("0fA-._~", "0fA-._~"),
            ("../a?b#c", "..%2Fa%3Fb%23c"),
            ("..", "%2E%2E"),
            ("a b%ü", "a%20b%25%C3%BC"),
            ("a\r\nb", "a%0D%0Ab"),
        ] {
            let request = fetch(&base(), &ArtifactId::new(id), Kind::RestApi);
            assert_eq!(request.path, format!("/internal/data/v1/apis/{segment}"));
            let request = read_subscriptions(&base(), &ArtifactId::new(id));
            assert_eq!(request.path, format!("/internal/data/v1/apis/{segment}/subscriptions"));
        }
    }
}
