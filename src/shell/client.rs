//! Requests: one pool of connections, and a bound on everything an answer may take.
//!
//! Redirects are not followed, so the token goes nowhere but to the control plane (law 16); they
//! are failures like any other status.

use std::error::Error as _;
use std::future::Future;
use std::rc::Rc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioTimer;
use tokio::time::{Instant, timeout, timeout_at};

use super::config::{Limits, Timeouts};
use super::token::Credentials;
use super::transport::{ConnectError, Dial, Transport};
use crate::engine::Failure;
use crate::wire::{HttpRequest, HttpResponse};

/// The header that carries the token (`docs/apim.md` §1.2).
pub(super) const API_KEY: &str = "api-key";

/// What this gateway calls itself.
pub(super) const AGENT: &str = concat!("driftless-gateway/", env!("CARGO_PKG_VERSION"));

/// Runs hyper's tasks on the loop's own thread: whoever drops the loop drops them, in order.
#[derive(Clone, Copy)]
pub(super) struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}

/// Sends requests to the control plane.
pub(super) struct HttpClient<D: Dial> {
    client: Client<Transport<D>, Full<Bytes>>,
    transport: Transport<D>,
    credentials: Rc<Credentials>,
    limits: Limits,
    timeouts: Timeouts,
}

impl<D: Dial> HttpClient<D> {
    pub(super) fn new(
        transport: Transport<D>,
        credentials: Rc<Credentials>,
        limits: Limits,
        timeouts: Timeouts,
    ) -> Self {
        let client = Client::builder(LocalExecutor)
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(limits.pool_connections_max)
            .pool_idle_timeout(timeouts.pool_idle)
            .build(transport.clone());
        Self { client, transport, credentials, limits, timeouts }
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// # Errors
    /// The [`Failure`], in words for an operator.
    pub(super) async fn exchange(&self, asked: HttpRequest) -> Result<HttpResponse, Failure> {
        let request = self.request(asked)?;
        let head = timeout(self.timeouts.response_head, self.client.request(request)).await;
        let response = match head {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(Failure::Unreachable(explain(&error))),
            Err(_) => {
                let limit = self.timeouts.response_head;
                return Err(Failure::Unreachable(format!("no answer within {limit:?}")));
            }
        };
        self.look_at_head(&response)?;
        let status = response.status().as_u16();
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = self.body(response.into_body()).await?;
        Ok(HttpResponse { status, content_type, body })
    }

    fn request(&self, asked: HttpRequest) -> Result<Request<Full<Bytes>>, Failure> {
        let HttpRequest { method, path, accept, json, authenticated } = asked;
        let mut builder = Request::builder()
            .method(method.name())
            .uri(self.transport.endpoint().address("http", &path))
            .header(ACCEPT, accept)
            .header(USER_AGENT, AGENT);
        if json.is_some() {
            builder = builder.header(CONTENT_TYPE, "application/json");
        }
        if authenticated {
            builder = builder.header(API_KEY, self.credentials.header());
        }
        let body = Full::new(Bytes::from(json.unwrap_or_default()));
        // Paths are made of encoded segments, so this is not expected to happen.
        builder.body(body).map_err(|error| Failure::Unreachable(format!("no request: {error}")))
    }

    fn look_at_head(&self, response: &Response<Incoming>) -> Result<(), Failure> {
        let status = response.status();
        if matches!(status.as_u16(), 401 | 403) {
            self.credentials.refused();
        }
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).map(place).unwrap_or_default();
            tracing::warn!(status = status.as_u16(), to, "a redirect is not followed");
            return Err(Failure::Status(status.as_u16()));
        }
        let encoding = response.headers().get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != HeaderValue::from_static("identity")) {
            let problem = "a content encoding that was not asked for".to_owned();
            return Err(Failure::Malformed(problem));
        }
        let most = self.limits.body_bytes_max;
        match response.body().size_hint().exact().filter(|length| *length > most) {
            Some(length) => {
                Err(Failure::Malformed(format!("a body of {length} bytes, over {most}")))
            }
            None => Ok(()),
        }
    }

    async fn body(&self, mut body: Incoming) -> Result<Vec<u8>, Failure> {
        let most = self.limits.body_bytes_max;
        let declared = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
        let mut bytes = Vec::with_capacity(declared.unwrap_or_default());
        let end = Instant::now() + self.timeouts.body_total;
        loop {
            let deadline = end.min(Instant::now() + self.timeouts.body_idle);
            let frame = match timeout_at(deadline, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => return Ok(bytes),
                Ok(Some(Err(error))) => {
                    let read = bytes.len();
                    let why = format!("the body broke off after {read} bytes: {}", root(&error));
                    return Err(Failure::Unreachable(why));
                }
                Err(_) => {
                    let read = bytes.len();
                    let why = format!("the body stopped after {read} bytes and took too long");
                    return Err(Failure::Unreachable(why));
                }
            };
            let Some(data) = frame.data_ref() else { continue };
            if (bytes.len() + data.len()) as u64 > most {
                return Err(Failure::Malformed(format!("a body over {most} bytes")));
            }
            bytes.extend_from_slice(data);
        }
    }
}

/// Scheme, host and port of a redirect's target; the rest may carry secrets (law 16).
fn place(location: &HeaderValue) -> String {
    let uri = location.to_str().ok().and_then(|text| text.parse::<hyper::Uri>().ok());
    match uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?))) {
        Some((scheme, authority)) => {
            let port = authority.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{scheme}://{}{port}", authority.host())
        }
        None => "elsewhere on the same host".to_owned(),
    }
}

/// Why a request was not answered.
fn explain(error: &ClientError) -> String {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(problem) = inner.downcast_ref::<ConnectError>() {
            return problem.to_string();
        }
        source = inner.source();
    }
    format!("no answer: {}", root(error))
}

/// The innermost cause, which says most.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}
