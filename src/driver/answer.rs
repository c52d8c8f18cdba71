//! What arrived, in the engine's terms.

use crate::engine::{Failure, Request, Response};
use crate::wire::{self, ArchiveLimits, DecodeError, HttpResponse};

/// The answer to `asked`, or why it is none. Empty, failed and missing stay three different
/// things (law 3).
pub(super) fn read_answer(
    asked: &Request,
    response: &HttpResponse,
    limits: &ArchiveLimits,
) -> Result<Response, Failure> {
    let body = response.body.as_slice();
    match response.status {
        200 => decode(asked, body, limits).map_err(|error| Failure::Malformed(error.to_string())),
        status @ (401 | 403) => Err(Failure::Refused(status)),
        404 if matches!(asked, Request::Fetch(..)) && wire::is_not_deployed(body) => {
            Ok(Response::NotDeployed)
        }
        404 | 405 => Err(Failure::RouteMissing),
        status => Err(Failure::Status(status)),
    }
}

fn decode(asked: &Request, body: &[u8], limits: &ArchiveLimits) -> Result<Response, DecodeError> {
    Ok(match asked {
        Request::Discover => Response::Discovered { base: wire::decode_base_path(body)? },
        Request::List => Response::Listed(wire::decode_listing(body)?),
        Request::Fetch(..) => Response::Fetched(wire::decode_definition(body, limits)?),
        Request::FetchBatch(..) => Response::Batch(wire::decode_batch(body, limits)?),
        Request::CheckExists(_) => Response::Existence(wire::decode_existence(body)?),
        Request::ReadKeys(_) => Response::Keys(wire::decode_keys(body)?),
        Request::ReadSubscriptions(artifact) => {
            Response::Subscriptions(wire::decode_subscriptions(body, artifact)?)
        }
        Request::ReadPlans => Response::Plans(wire::decode_plans(body)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ArtifactId, BasePath, BatchRoute, DeploymentId, KeyReading, Kind, Listed, Listing, Plan,
        PlanId, Subscription, SubscriptionId, SubscriptionStatus,
    };

    fn fetch() -> Request {
        Request::Fetch(ArtifactId::new("d34a"), Kind::RestApi)
    }

    fn read_subscriptions(api: &str) -> Request {
        Request::ReadSubscriptions(ArtifactId::new(api))
    }

    fn fetch_batch() -> Request {
        Request::FetchBatch(BatchRoute::Batch, vec![DeploymentId::new("5a28")])
    }

    #[track_caller]
    fn check(asked: &Request, status: u16, body: &[u8], expect: Result<Response, Failure>) {
        let response = HttpResponse { status, content_type: None, body: body.to_vec() };
        let found = read_answer(asked, &response, &ArchiveLimits::recommended());
        assert_eq!(found, expect, "{} {status}", asked.name());
    }

    #[test]
    fn a_body_is_read_as_what_was_asked_for() {
        let base = BasePath::parse("a").unwrap();
        let discovered = Ok(Response::Discovered { base });
        check(&Request::Discover, 200, br#"{"gatewayPath":"a"}"#, discovered);
        let listed = Ok(Response::Listed(Listing::default()));
        check(&Request::List, 200, br#"{"deployments":[]}"#, listed);
        check(&fetch_batch(), 200, &[0; 1024], Ok(Response::Batch(Vec::new())));
        let existence = Ok(Response::Existence(vec![(ArtifactId::new("a"), true)]));
        let body = br#"{"artifacts":[{"artifactId":"a","exists":true}]}"#;
        check(&Request::CheckExists(Vec::new()), 200, body, existence);
        check(
            &Request::ReadKeys(Kind::RestApi),
            200,
            b"[]",
            Ok(Response::Keys(KeyReading::Keys(Listed::default()))),
        );
        let plans = br#"[{"id":"p1","planName":"Gold","status":"ACTIVE"}]"#;
        let gold = Plan {
            name: "Gold".to_owned(),
            quota: None,
            stops_on_quota: true,
            expires_at: None,
            is_active: true,
        };
        let plan = (PlanId::new("p1"), gold);
        let listed = Listed { items: vec![plan], unreadable: Vec::new() };
        check(&Request::ReadPlans, 200, plans, Ok(Response::Plans(listed)));
    }

    #[test]
    fn subscriptions_are_those_of_the_api_that_was_asked_about() {
        let body = br#"[{"id":"s1","apiId":"d34a","status":"ACTIVE"}]"#;
        let subscription = Subscription {
            artifact: ArtifactId::new("d34a"),
            application: None,
            token: None,
            plan: None,
            status: SubscriptionStatus::Active,
        };
        let items = vec![(SubscriptionId::new("s1"), subscription)];
        let listed = Listed { items, unreadable: Vec::new() };
        check(&read_subscriptions("d34a"), 200, body, Ok(Response::Subscriptions(listed)));
        let unreadable = vec!["item 0: apiId is another API's".to_owned()];
        let foreign = Listed { items: Vec::new(), unreadable };
        check(&read_subscriptions("d34b"), 200, body, Ok(Response::Subscriptions(foreign)));
    }

    #[test]
    fn a_body_that_is_something_else_is_malformed_and_not_empty() {
        for (asked, body, reason) in [
            (Request::Discover, "{}", "gatewayPath is missing"),
            (Request::List, "{}", "deployments is missing"),
            (fetch(), "{\"list\":[]}", "archive is neither zip nor tar"),
            (fetch_batch(), "", "archive is neither zip nor tar"),
            (Request::CheckExists(Vec::new()), "{}", "artifacts is missing"),
            (Request::ReadKeys(Kind::RestApi), "{}", "list is missing"),
            (read_subscriptions("d34a"), "{}", "subscription list is not an array"),
            (read_subscriptions("d34a"), "null", "subscription list is not an array"),
            (Request::ReadPlans, r#"{"list":[]}"#, "plan list is not an array"),
        ] {
            let expect = Err(Failure::Malformed(reason.to_owned()));
            check(&asked, 200, body.as_bytes(), expect);
        }
    }

    #[test]
    fn a_refusal_is_no_answer_whatever_the_body() {
        let unauthenticated =
            br#"{"code":401,"message":"","description":"Unauthenticated request"}"#;
        for asked in [
            Request::Discover,
            Request::List,
            fetch(),
            fetch_batch(),
            Request::ReadKeys(Kind::Mcp),
            read_subscriptions("d34a"),
            Request::ReadPlans,
        ] {
            check(&asked, 401, unauthenticated, Err(Failure::Refused(401)));
            check(&asked, 403, b"", Err(Failure::Refused(403)));
            for status in [204, 206, 301, 400, 406, 429, 500, 503] {
                check(&asked, status, br#"{"deployments":[]}"#, Err(Failure::Status(status)));
            }
        }
    }

    #[test]
    fn a_404_is_an_answer_only_to_a_fetch_and_only_in_the_managers_words() {
        check(&fetch(), 404, b"", Ok(Response::NotDeployed));
        check(&fetch(), 404, br#"{"code":404}"#, Ok(Response::NotDeployed));
        check(&fetch(), 404, b"404 page not found\n", Err(Failure::RouteMissing));
        check(&fetch(), 404, b"<html></html>", Err(Failure::RouteMissing));
        check(&fetch(), 405, b"", Err(Failure::RouteMissing));
        for asked in [
            Request::List,
            fetch_batch(),
            Request::ReadKeys(Kind::RestApi),
            read_subscriptions("d34a"),
            Request::ReadPlans,
        ] {
            check(&asked, 405, b"", Err(Failure::RouteMissing));
            check(&asked, 404, b"", Err(Failure::RouteMissing));
            check(&asked, 404, br#"{"code":404}"#, Err(Failure::RouteMissing));
        }
    }
}
