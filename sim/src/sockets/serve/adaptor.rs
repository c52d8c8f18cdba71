//! The simulated API Manager's side of HTTP and WebSocket: bytes of a stream to the sans-IO
//! model and back.
//!
//! Generic over the stream, without a clock, a spawned thread or a `Date` header of its own, so
//! that it behaves the same on real sockets and in the wire world.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use driftless_gateway::wire::{HttpRequest, HttpResponse, Method};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::apim::{Answered, ConnectionId, Reply, ServerFrame, Upgrade};

/// The longest request body that is read; a batch of all deployment ids is far below.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// How long a client may take for the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// How long a client may take to answer a close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// What the library reads at once; its own choice is zeroed at every read and 32 times as large.
const READ_BYTES: usize = 4096;

/// The longest frame that a gateway may send.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// Who answers what a connection brings.
pub trait ApimBackend: 'static {
    /// Answers a request.
    fn respond(&self, request: &HttpRequest, token: Option<&str>) -> Reply;

    /// A gateway asks to upgrade; returns its connection and where its frames will come out.
    fn connect(
        &self,
        path: &str,
        token: Option<&str>,
    ) -> (ConnectionId, Upgrade, mpsc::UnboundedReceiver<ServerFrame>);

    /// A gateway sent a text frame.
    fn receive(&self, connection: ConnectionId, text: &str);

    /// A connection is gone.
    fn disconnected(&self, connection: ConnectionId);

    /// Follows resets; a connection ends when this changes.
    fn resets(&self) -> watch::Receiver<u64>;
}

/// Serves one connection to its end.
pub async fn serve_connection<S, B: ApimBackend>(stream: S, host: Rc<B>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut resets = host.resets();
    let service = service_fn(|request| answer(request, Rc::clone(&host)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        biased;
        // Dropping the stream resets it, or closes it at least.
        _reset = resets.changed() => {}
        // What a client does to its own connection is its own business.
        _ended = connection => {}
    }
}

/// What makes a connection break off without an answer.
fn broken_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "nobody listens")
}

async fn answer<B: ApimBackend>(
    mut request: Request<Incoming>,
    host: Rc<B>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let token = request.headers().get("api-key").and_then(|value| value.to_str().ok());
    let token = token.map(str::to_owned);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    if is_upgrade(request.headers()) {
        let upgraded = hyper::upgrade::on(&mut request);
        return upgrade(request.headers(), upgraded, &path, token.as_deref(), &host).await;
    }
    let method = match request.method().as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        _ => return Ok(status(StatusCode::METHOD_NOT_ALLOWED)),
    };
    let accept = known_accept(request.headers());
    let Ok(body) = Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect().await else {
        return Ok(status(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let body = body.to_bytes();
    let json = (!body.is_empty()).then(|| body.to_vec());
    let asked = HttpRequest { method, path, accept, json, authenticated: token.is_some() };
    let reply = host.respond(&asked, token.as_deref());
    sleep(reply.delay).await;
    match reply.outcome {
        Answered::Answer(response) => Ok(spoken(response)),
        Answered::NoAnswer => std::future::pending().await,
        Answered::Refused => Err(broken_off()),
    }
}

/// The `Accept` header as far as the contract knows it.
fn known_accept(headers: &HeaderMap) -> &'static str {
    const KNOWN: [&str; 5] =
        ["application/json", "application/zip", "application/x-tar+gzip", "*/*", "text/html"];
    let given = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    KNOWN.into_iter().find(|known| given.starts_with(known)).unwrap_or_default()
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn spoken(answer: HttpResponse) -> Response<Full<Bytes>> {
    let mut response = status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    let content_type = answer.content_type.and_then(|text| HeaderValue::try_from(text).ok());
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    *response.body_mut() = Full::new(Bytes::from(answer.body));
    response
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

async fn upgrade<B: ApimBackend>(
    headers: &HeaderMap,
    upgraded: OnUpgrade,
    path: &str,
    token: Option<&str>,
    host: &Rc<B>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else {
        return Ok(status(StatusCode::BAD_REQUEST));
    };
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    let (connection, upgrade, frames) = host.connect(path, token);
    match upgrade {
        Upgrade::Accepted => {}
        Upgrade::Status(code) => {
            return Ok(status(StatusCode::from_u16(code).unwrap_or(StatusCode::NOT_FOUND)));
        }
        Upgrade::NoAnswer => return std::future::pending().await,
        Upgrade::Refused => return Err(broken_off()),
    }
    let host = Rc::clone(host);
    spawn_local(async move {
        let mut resets = host.resets();
        let session = session(upgraded, connection, frames, &*host);
        tokio::select! {
            biased;
            _reset = resets.changed() => {}
            () = session => {}
        }
        host.disconnected(connection);
    });
    let mut response = status(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept.map_err(io::Error::other)?);
    Ok(response)
}

/// Lives a session's life.
async fn session<B: ApimBackend>(
    upgraded: OnUpgrade,
    connection: ConnectionId,
    mut frames: mpsc::UnboundedReceiver<ServerFrame>,
    host: &B,
) {
    let Ok(stream) = upgraded.await else { return };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let stream = TokioIo::new(stream);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    loop {
        tokio::select! {
            biased;
            frame = frames.recv() => match send(&mut socket, frame, &mut frames).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => host.receive(connection, &text),
                Some(Ok(Message::Close(_))) => {
                    // The answer to the close goes out with it.
                    let _flushed = timeout(CLOSE_PATIENCE, socket.flush()).await;
                    return;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

/// Writes what waits in one go; returns whether the session goes on.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    first: Option<ServerFrame>,
    frames: &mut mpsc::UnboundedReceiver<ServerFrame>,
) -> Result<bool, Error> {
    // A session that hears of no more frames was closed with the last one.
    let Some(first) = first else { return Ok(false) };
    let mut next = Some(first);
    while let Some(frame) = next.take() {
        match frame {
            ServerFrame::Text(text) => socket.feed(Message::text(&*text)).await?,
            ServerFrame::Ping => socket.feed(Message::Ping(Bytes::new())).await?,
            ServerFrame::Close(code, reason) => {
                close(socket, code, reason).await;
                return Ok(false);
            }
        }
        next = frames.try_recv().ok();
    }
    socket.flush().await?;
    Ok(true)
}

async fn close<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    code: u16,
    reason: String,
) {
    let closing = async {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        socket.close(Some(frame)).await?;
        while let Some(message) = socket.next().await {
            message?;
        }
        Ok::<(), Error>(())
    };
    // Whether the gateway heard it is its own business.
    let _heard = timeout(CLOSE_PATIENCE, closing).await;
}
