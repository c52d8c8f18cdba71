//! REST: authentication, what is refused, and which room answers.
//!
//! A request meets the node, the faults and the tokens before its answer, and an answer may be about
//! any table, so a part of [`ApiManager`] stands here.

use driftless_gateway::model::Dialect;
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{HttpRequest, HttpResponse, Method};

use super::access::AccessAnswers;
use super::artifacts::{ArtifactAnswers, api_list};
use super::bodies;
use super::namings;
use super::route::Route;
use crate::apim::faults::wrong_answers::WrongAnswer;
use crate::apim::{Answered, ApiManager, Naming, Reply};
use crate::random::Key;
use crate::story::aim::GatewayIndex;
use crate::story::step::{Endpoint, Wrong};

/// A request that was understood.
#[derive(Clone, Copy)]
struct Understood<'a> {
    from: GatewayIndex,
    request: &'a HttpRequest,
    route: Route<'a>,
    query: &'a str,
    token: Option<&'a str>,
}

impl ApiManager {
    /// The request of the contract that this is, where the contract names it.
    pub fn endpoint(&self, request: &HttpRequest) -> Option<Endpoint> {
        let path = request.path.split_once('?').map_or(request.path.as_str(), |(path, _)| path);
        self.contract.route(request, path).endpoint()
    }

    /// Answers a request. `token` is the value of its `api-key` header. `from` says who asks:
    /// faults of its own meet it, and whose answer it gets is the token's matter.
    pub fn respond(
        &mut self,
        from: GatewayIndex,
        request: &HttpRequest,
        token: Option<&str>,
        now: Instant,
    ) -> Reply {
        self.advance(now);
        self.requests += 1;
        if self.node.is_down(now) {
            self.gateways.count_at(from, "restart_manager", 1);
            return Reply::at_once(Answered::Refused);
        }
        if self.node.is_starting(now) {
            self.gateways.count_at(from, "restart_manager", 1);
            return Reply::at_once(Answered::Answer(bodies::container_page(404)));
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let route = self.contract.route(request, path);
        self.check_request(request, route, token);
        let faults = &mut self.gateways.at_mut(from).faults;
        let armed = route.endpoint().and_then(|endpoint| faults.wrong_for(endpoint, now));
        let mut wrong_answer = WrongAnswer::new(armed.map(|(_, wrong)| wrong), now);
        let delay = wrong_answer.delay();
        let outcome = match wrong_answer.instead() {
            Some(None) => Answered::NoAnswer,
            Some(Some(response)) => Answered::Answer(response),
            None => {
                let asked = Understood { from, request, route, query, token };
                Answered::Answer(self.answer(&asked, &mut wrong_answer, now))
            }
        };
        let namings = match &outcome {
            Answered::Answer(response) => self.namings(from, route, response, &wrong_answer, now),
            Answered::NoAnswer | Answered::Refused => Vec::new(),
        };
        if let (Some((place, _)), Some(kind)) = (armed, wrong_answer.taken()) {
            self.gateways.at_mut(from).faults.use_up(place);
            self.gateways.count_at(from, kind, 1);
        }
        Reply { delay, outcome, namings }
    }

    /// What an answer denies or names, where anything is denied or was.
    fn namings(
        &self,
        from: GatewayIndex,
        route: Route<'_>,
        response: &HttpResponse,
        wrong_answer: &WrongAnswer,
        now: Instant,
    ) -> Vec<Naming> {
        let has_lost_rows = matches!(route, Route::List) && self.has_lost_row(from);
        let ledger = &self.gateways.at(from).ledger;
        let is_late = matches!(wrong_answer.wrong(), Some(Wrong::SlowMs(_)));
        let is_suspect = (wrong_answer.taken().is_some() && !is_late) || has_lost_rows;
        if !is_suspect && ledger.denied().is_empty() {
            return Vec::new();
        }
        let wrong = wrong_answer.wrong().filter(|_| wrong_answer.taken().is_some());
        namings::of(ledger, self.contract.dialect, route, (response, wrong), is_suspect, now)
    }

    /// Whether the artifact cache lacks the row of something that is mapped to a gateway (A-H14).
    fn has_lost_row(&self, gateway: GatewayIndex) -> bool {
        let of = self.gateways.organization_of(gateway);
        self.catalog.by_id(of).any(|(_, api)| {
            let rows = &api.gateways.at(gateway).state.rows;
            rows.cached.is_none() && !rows.mapped.is_empty()
        })
    }

    /// Notes what a gateway of the contract never sends.
    fn check_request(&mut self, request: &HttpRequest, route: Route<'_>, token: Option<&str>) {
        let problem = match route {
            Route::WellKnown if token.is_some() => "the api-key header goes with discovery",
            _ if request.method == Method::Get && request.json.is_some() => "a GET with a body",
            Route::WrongMethod => "a method that the route does not have",
            _ => return,
        };
        let line = format!("{} {}: {problem}", request.method.name(), request.path);
        self.violations.push(line);
    }

    fn answer(
        &mut self,
        asked: &Understood<'_>,
        wrong_answer: &mut WrongAnswer,
        now: Instant,
    ) -> HttpResponse {
        let Understood { from, request, route, query, token } = *asked;
        match route {
            Route::Missing => return self.contract.route_missing(),
            Route::TokenRefused => return bodies::unauthenticated(),
            Route::WrongMethod => return bodies::empty(405),
            _ if request.method == Method::Get && request.json.is_some() => {
                return bodies::empty(400);
            }
            _ => {}
        }
        let gateway = match route {
            Route::WellKnown => from,
            _ => match self.authenticated(from, route, token, now) {
                Ok(gateway) => gateway,
                Err(refusal) => return refusal,
            },
        };
        if request.method == Method::Post && request.json.is_none() {
            self.violations.push(format!("POST {}: no JSON body", request.path));
            return bodies::empty(415);
        }
        let body = request.json.as_deref().unwrap_or_default();
        let mut response = match route {
            Route::WellKnown => well_known(wrong_answer),
            Route::List => self.artifact_answers().list(gateway, query, wrong_answer),
            Route::Fetch(id) => self.artifact_answers().fetch(gateway, id, wrong_answer, now),
            Route::FetchBatch => self.artifact_answers().fetch_batch(
                gateway,
                (body, request.accept),
                wrong_answer,
                now,
            ),
            Route::CheckExists => self.artifact_answers().check_exists(gateway, body, wrong_answer),
            Route::Keys(kind) => {
                self.access_answers(gateway).read_keys(gateway, kind, wrong_answer)
            }
            Route::Subscriptions(id) => {
                self.access_answers(gateway).read_subscriptions(gateway, id, wrong_answer)
            }
            Route::Plans => self.access_answers(gateway).read_plans(wrong_answer),
            Route::ApiList => bodies::json(200, self.api_list(gateway)),
            Route::Report => bodies::json(200, r#"{"status":"RECEIVED"}"#.to_owned()),
            Route::TokenRefused | Route::Missing | Route::WrongMethod => bodies::empty(404),
        };
        if response.status == 200 {
            wrong_answer.reshape(&mut response, || self.api_list(gateway));
        }
        response
    }

    /// What answers about artifacts may touch.
    const fn artifact_answers(&mut self) -> ArtifactAnswers<'_> {
        ArtifactAnswers {
            contract: &self.contract,
            catalog: &mut self.catalog,
            gateways: &mut self.gateways,
            clock: &self.clock,
            violations: &mut self.violations,
        }
    }

    /// What answers about keys, subscriptions and plans may look at.
    fn access_answers(&self, gateway: GatewayIndex) -> AccessAnswers<'_> {
        AccessAnswers {
            contract: &self.contract,
            catalog: &self.catalog,
            access: &self.access,
            organization: self.gateways.organization_of(gateway),
        }
    }

    fn api_list(&self, gateway: GatewayIndex) -> String {
        api_list(&self.catalog, self.gateways.organization_of(gateway), gateway)
    }

    fn request_key(&self) -> Key {
        self.key.child("requests").nth(self.requests)
    }

    /// The gateway whose token it is, or why it is refused. One outage can be a 401 of the
    /// interceptor or a 500 of the handler that verifies again (A-H22).
    fn authenticated(
        &mut self,
        from: GatewayIndex,
        route: Route<'_>,
        token: Option<&str>,
        now: Instant,
    ) -> Result<GatewayIndex, HttpResponse> {
        let is_platform = self.contract.dialect == Dialect::PlatformApi11;
        let throws = token.is_some() && self.gateways.verification_throws(from, now);
        if throws && is_platform {
            return Err(bodies::platform_error(500, "Internal Server Error", "Server error"));
        }
        if throws && route.verifies_twice() && self.request_key().chance("handler", 1, 2) {
            return Err(bodies::text(500, "Server error"));
        }
        let holder = token.and_then(|token| self.gateways.holder(token)).filter(|_| !throws);
        holder.ok_or_else(|| {
            if is_platform {
                bodies::platform_error(401, "Unauthorized", "Invalid or expired API key")
            } else {
                bodies::unauthenticated()
            }
        })
    }
}

fn well_known(wrong_answer: &mut WrongAnswer) -> HttpResponse {
    let path = if wrong_answer.take(Wrong::OtherTypes) { "5" } else { "\"internal/data/v1\"" };
    bodies::json(
        200,
        format!(r#"{{"gatewayPath":{path},"controlPlane":{{"type":"APIM","version":"4.7.0"}}}}"#),
    )
}
