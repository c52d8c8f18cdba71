//! The management endpoint's sockets: HTTP/1.1, a bounded number of connections, and a bound on
//! how long each may take.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use super::{Page, PageAnswer, text};
use crate::shell::Handle;

/// How long to wait after a connection could not be accepted, which lasts when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whoever accepts connections.
pub trait Listener {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + 'static;

    /// The next connection.
    fn next_stream(&mut self) -> impl Future<Output = io::Result<Self::Stream>>;
}

impl Listener for tokio::net::TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn next_stream(&mut self) -> io::Result<Self::Stream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

/// Serves the pages of a gateway until dropped. A connection over the bound waits; one that is
/// slower than `client_timeout` is closed. Must run within a `LocalSet`.
pub async fn serve(
    mut listener: impl Listener,
    gateway: Handle,
    connections_max: usize,
    client_timeout: Duration,
) {
    let permits = Arc::new(Semaphore::new(connections_max));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let stream = match listener.next_stream().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a management connection cannot be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let gateway = gateway.clone();
        spawn_local(async move {
            let service = service_fn(|request| respond(request, &gateway, client_timeout));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(client_timeout)
                .auto_date_header(false)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // If the client breaks its own connection, there is nothing to do.
            let _ended = timeout(client_timeout.saturating_mul(2), connection).await;
            drop(permit);
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    gateway: &Handle,
    client_timeout: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = match Page::at(request.uri().path()) {
        None => text(
            StatusCode::NOT_FOUND,
            "not found; there are /health/live /health/ready /status /state /metrics\n".to_owned(),
        ),
        Some(_) if !is_read => {
            text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".to_owned())
        }
        Some(page) => match timeout(client_timeout, gateway.ask(page)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                text(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping\n".to_owned())
            }
            Err(_) => {
                text(StatusCode::SERVICE_UNAVAILABLE, "the gateway does not answer\n".to_owned())
            }
        },
    };
    let PageAnswer { status, content_type, body } = answer;
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    Ok(response)
}
