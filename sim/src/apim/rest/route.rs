//! Which route a path leads to, and which are missing.

use driftless_gateway::model::{Dialect, Kind};
use driftless_gateway::wire::{HttpRequest, HttpResponse, Method};

use super::bodies;
use crate::apim::Contract;
use crate::story::step::Endpoint;
use crate::story::switches::{BatchPath, MissingRoute};

/// Where the well-known of an APIM is (§1.1).
const WELL_KNOWN: &str = "/internal/gateway/.well-known";

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Route<'a> {
    WellKnown,
    List,
    Fetch(&'a str),
    ApiList,
    FetchBatch,
    CheckExists,
    Keys(Kind),
    Subscriptions(&'a str),
    Plans,
    /// A route that takes no registration token: APIM's plans.
    TokenRefused,
    /// A report that is taken and not looked at.
    Report,
    WrongMethod,
    Missing,
}

impl Route<'_> {
    /// The request of the contract that this is; routes the contract does not name have none.
    pub(super) const fn endpoint(self) -> Option<Endpoint> {
        match self {
            Self::WellKnown => Some(Endpoint::Discover),
            Self::List => Some(Endpoint::List),
            Self::Fetch(_) => Some(Endpoint::Fetch),
            Self::FetchBatch => Some(Endpoint::FetchBatch),
            Self::CheckExists => Some(Endpoint::CheckExists),
            Self::Keys(_) => Some(Endpoint::ReadKeys),
            Self::Subscriptions(_) => Some(Endpoint::ReadSubscriptions),
            Self::Plans => Some(Endpoint::ReadPlans),
            Self::ApiList
            | Self::TokenRefused
            | Self::Report
            | Self::WrongMethod
            | Self::Missing => None,
        }
    }

    /// Whether its handler verifies the token a second time (§3.0).
    pub(super) const fn verifies_twice(self) -> bool {
        matches!(self, Self::List | Self::Fetch(_) | Self::FetchBatch)
    }
}

impl Contract {
    /// Where a request leads.
    pub(super) fn route<'a>(&self, request: &HttpRequest, path: &'a str) -> Route<'a> {
        let is_platform = self.dialect == Dialect::PlatformApi11;
        if path == WELL_KNOWN && !is_platform {
            return by_method(request, Method::Get, Route::WellKnown);
        }
        let Some(rest) = path.strip_prefix(self.base_path()) else { return Route::Missing };
        let batch = match self.switches.batch_path {
            BatchPath::Batch => "/deployments/batch",
            BatchPath::FetchBatch => "/deployments/fetch-batch",
        };
        if rest == batch {
            return by_method(request, Method::Post, Route::FetchBatch);
        }
        match rest {
            "/deployments" => return by_method(request, Method::Get, Route::List),
            "/artifacts/exists" if is_platform => {
                return by_method(request, Method::Post, Route::CheckExists);
            }
            "/subscription-plans" if is_platform => {
                return by_method(request, Method::Get, Route::Plans);
            }
            "/subscription-plans" if self.switches.plans_refused => {
                return by_method(request, Method::Get, Route::TokenRefused);
            }
            _ => {}
        }
        let Some((collection, id)) = rest.strip_prefix('/').and_then(|rest| rest.split_once('/'))
        else {
            return Route::Missing;
        };
        if is_platform {
            self.platform_route(request, collection, id)
        } else {
            self.apim_route(request, collection, id)
        }
    }

    /// `/apis/{id}`: the zip by the Accept header, otherwise the list of all APIs whatever the
    /// id (§3.1, A-H25); GA answers `/apis/api-keys` that way too (§3.7).
    fn apim_route<'a>(&self, request: &HttpRequest, collection: &str, id: &'a str) -> Route<'a> {
        if collection != "apis" {
            return Route::Missing;
        }
        match id.split_once('/') {
            Some((_, "gateway-deployments")) => {
                return by_method(request, Method::Post, Route::Report);
            }
            Some(_) => return Route::Missing,
            None => {}
        }
        let wants_zip = request.accept.to_ascii_lowercase().contains("application/zip");
        let route = match id {
            "api-keys" if !wants_zip => Route::Keys(Kind::RestApi),
            _ if wants_zip => Route::Fetch(id),
            _ => Route::ApiList,
        };
        by_method(request, Method::Get, route)
    }

    /// The collections of the Platform API (`docs/controller.md` §2, §5).
    fn platform_route<'a>(
        &self,
        request: &HttpRequest,
        collection: &str,
        id: &'a str,
    ) -> Route<'a> {
        if collection == "gateways" && id.ends_with("/manifest") {
            return by_method(request, Method::Post, Route::Report);
        }
        let kind = match collection {
            "apis" => Kind::RestApi,
            "websub-apis" => Kind::WebSubApi,
            "webbroker-apis" => Kind::WebBrokerApi,
            "llm-providers" => Kind::LlmProvider,
            "llm-proxies" => Kind::LlmProxy,
            "mcp-proxies" => Kind::Mcp,
            _ => return Route::Missing,
        };
        let has_keys = match kind {
            Kind::RestApi | Kind::LlmProvider | Kind::LlmProxy => true,
            Kind::WebSubApi | Kind::WebBrokerApi => self.switches.websub_keys,
            Kind::Mcp => false,
        };
        let route = match id.split_once('/') {
            None if id == "api-keys" && has_keys => Route::Keys(kind),
            None => Route::Fetch(id),
            Some((id, "subscriptions")) if kind == Kind::RestApi => Route::Subscriptions(id),
            Some(_) => return Route::Missing,
        };
        by_method(request, Method::Get, route)
    }

    /// What is answered where nothing is.
    pub(super) fn route_missing(&self) -> HttpResponse {
        match (self.dialect, self.switches.missing_route) {
            (Dialect::PlatformApi11, _) => bodies::text(404, "404 page not found"),
            (_, MissingRoute::Empty) => bodies::empty(404),
            (_, MissingRoute::Json) => {
                bodies::apim_error(404, "Not Found", "The requested resource does not exist")
            }
            (_, MissingRoute::Page) => bodies::container_page(404),
        }
    }
}

fn by_method<'a>(request: &HttpRequest, method: Method, route: Route<'a>) -> Route<'a> {
    if request.method == method { route } else { Route::WrongMethod }
}
