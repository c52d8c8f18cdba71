//! A WebSocket session: one task that owns the socket, reads frames and writes what it is told.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Bytes;
use hyper::header::USER_AGENT;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::client::{AGENT, API_KEY};
use super::config::{Limits, Timeouts};
use super::inbox::Happened;
use super::transport::{Dial, Transport, Wire};
use crate::driver::{Frame, Inbound};
use crate::engine::CloseReason;
use crate::model::SessionId;

/// How much is read from the socket at once. The library's own choice is zeroed at every read and
/// 32 times as large.
const READ_BYTES: usize = 4096;

/// How long the peer may take to answer a close before the socket is dropped.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// How many bytes of frames may wait for the loop; then the socket is not read (law 15). Frames
/// are decoded by the driver, so they wait as they came.
pub(super) const FRAMES_BYTES_MAX: usize = 8 << 20;

/// What a session is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Send a text frame.
    Text(String),
    /// Close with this code, and be gone.
    Close(u16),
}

/// A session to be.
pub(super) struct SessionTask<D: Dial> {
    pub(super) session: SessionId,
    pub(super) path: String,
    pub(super) token: hyper::header::HeaderValue,
    pub(super) transport: Transport<D>,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) happened: mpsc::Sender<Happened>,
    /// Room for the bytes of frames that wait for the loop.
    pub(super) frames: Arc<Semaphore>,
}

/// Why a session is over: somebody here wanted it, or something happened.
enum End {
    Wanted,
    Broken(CloseReason),
}

type Socket<D> = WebSocketStream<Wire<<D as Dial>::Stream>>;

impl<D: Dial> SessionTask<D> {
    /// Lives the session's life, and tells of its end unless that was wanted.
    pub(super) async fn run(mut self) {
        let end = match self.open().await {
            Ok(mut socket) => self.live(&mut socket).await,
            Err(end) => end,
        };
        if let End::Broken(reason) = end {
            self.tell(Inbound::Closed(self.session, reason)).await;
        }
    }

    /// Tells the loop; while that is busy, the control plane has to wait (law 15).
    async fn tell(&self, inbound: Inbound) {
        // If the loop has ended, nobody needs to know.
        let _gone = self.happened.send(inbound.into()).await;
    }

    /// Tells the loop of a frame, once there is room for it.
    async fn tell_frame(&self, frame: Vec<u8>) {
        let bytes = frame.len().min(FRAMES_BYTES_MAX);
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX);
        // The semaphore is never closed. Without a permit the frame would count as nothing.
        let room = Arc::clone(&self.frames).acquire_many_owned(wanted).await.ok();
        let inbound = Inbound::Frame(self.session, Frame::read(frame));
        // If the loop has ended, nobody needs to know.
        let _gone = self.happened.send(Happened { inbound, room }).await;
    }

    async fn open(&mut self) -> Result<Socket<D>, End> {
        // An order may come at any time; it ends the attempt.
        tokio::select! {
            biased;
            _order = self.orders.recv() => Err(End::Wanted),
            opened = upgrade(&self.path, &self.token, &self.transport, &self.limits, &self.timeouts) => {
                opened.map_err(End::Broken)
            }
        }
    }

    async fn live(&mut self, socket: &mut Socket<D>) -> End {
        self.tell(Inbound::Opened(self.session)).await;
        let mut pings = PingMeter::new(self.limits.pings_per_second_max);
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match self.send(socket, order).await {
                    Some(end) => return end,
                    None => continue,
                },
                message = socket.next() => match self.take(message, &mut pings).await {
                    Some(End::Broken(reason)) => {
                        self.close_for(socket, &reason).await;
                        return End::Broken(reason);
                    }
                    Some(End::Wanted) => return End::Wanted,
                    None => {}
                },
            }
        }
    }

    /// Writes everything that is to be written, in one go.
    async fn send(&mut self, socket: &mut Socket<D>, order: Option<Order>) -> Option<End> {
        let mut next = order.or(Some(Order::Close(1000)));
        let orders = &mut self.orders;
        let writing = async {
            while let Some(order) = next.take() {
                match order {
                    Order::Text(text) => socket.feed(Message::text(text)).await?,
                    Order::Close(code) => return Ok(Some(code)),
                }
                next = orders.try_recv().ok();
            }
            socket.flush().await?;
            Ok::<Option<u16>, Error>(None)
        };
        match timeout(self.timeouts.write, writing).await {
            Ok(Ok(None)) => None,
            Ok(Ok(Some(code))) => {
                close(socket, CloseCode::from(code), "").await;
                Some(End::Wanted)
            }
            Ok(Err(error)) => Some(End::Broken(self.lost(error))),
            Err(_) => {
                let limit = self.timeouts.write;
                let why = format!("nothing could be written for {limit:?}");
                Some(End::Broken(CloseReason::Lost(why)))
            }
        }
    }

    async fn take(
        &mut self,
        message: Option<Result<Message, Error>>,
        pings: &mut PingMeter,
    ) -> Option<End> {
        let session = self.session;
        match message {
            Some(Ok(Message::Text(text))) => {
                self.tell_frame(Bytes::from(text).into()).await;
            }
            Some(Ok(Message::Binary(bytes))) => {
                self.tell(Inbound::Binary(session, bytes.len())).await;
            }
            Some(Ok(Message::Ping(_))) => match pings.take() {
                Ok(true) => self.tell(Inbound::Pinged(session)).await,
                Ok(false) => {}
                Err(why) => return Some(End::Broken(CloseReason::Lost(why))),
            },
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(frame))) => {
                let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                    (frame.code.into(), frame.reason.to_string())
                });
                return Some(End::Broken(CloseReason::Closed(code, reason)));
            }
            Some(Err(error)) => return Some(End::Broken(self.lost(error))),
            None => {
                let why = "the connection ended without a close".to_owned();
                return Some(End::Broken(CloseReason::Lost(why)));
            }
        }
        None
    }

    /// Sends a close frame where the peer can use one.
    async fn close_for(&self, socket: &mut Socket<D>, reason: &CloseReason) {
        match reason {
            CloseReason::Lost(why) if why.starts_with(OVERSIZED) => {
                close(socket, CloseCode::Size, "").await;
            }
            CloseReason::Lost(_) => close(socket, CloseCode::Policy, "").await,
            // The answer to the peer's close is on its way already.
            CloseReason::Closed(..) => {
                let _flushed = timeout(CLOSE_PATIENCE, socket.flush()).await;
            }
            CloseReason::Unreachable(_) | CloseReason::Refused(_) => {}
        }
    }

    fn lost(&self, error: Error) -> CloseReason {
        CloseReason::Lost(match error {
            Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
                format!("{OVERSIZED} of {size} bytes, over {}", self.limits.frame_bytes_max)
            }
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                "the connection ended without a close".to_owned()
            }
            error => error.to_string(),
        })
    }
}

const OVERSIZED: &str = "a message";

async fn close<S>(socket: &mut WebSocketStream<S>, code: CloseCode, reason: &'static str)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let closing = async {
        socket.close(Some(CloseFrame { code, reason: reason.into() })).await?;
        while let Some(message) = socket.next().await {
            message?;
        }
        Ok::<(), Error>(())
    };
    // Whether the peer heard it changes nothing here.
    let _heard = timeout(CLOSE_PATIENCE, closing).await;
}

async fn upgrade<D: Dial>(
    path: &str,
    token: &hyper::header::HeaderValue,
    transport: &Transport<D>,
    limits: &Limits,
    timeouts: &Timeouts,
) -> Result<Socket<D>, CloseReason> {
    let stream =
        transport.connect().await.map_err(|error| CloseReason::Unreachable(error.to_string()))?;
    let address = transport.endpoint().address("ws", path);
    let request = address.into_client_request();
    let mut request = request.map_err(|error| CloseReason::Unreachable(error.to_string()))?;
    request.headers_mut().insert(API_KEY, token.clone());
    request.headers_mut().insert(USER_AGENT, hyper::header::HeaderValue::from_static(AGENT));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(limits.frame_bytes_max))
        .max_frame_size(Some(limits.frame_bytes_max));
    let handshake = client_async_with_config(request, stream, Some(config));
    match timeout(timeouts.response_head, handshake).await {
        Ok(Ok((socket, _response))) => Ok(socket),
        Ok(Err(Error::Http(response))) => Err(CloseReason::Refused(response.status().as_u16())),
        Ok(Err(error)) => {
            Err(CloseReason::Unreachable(format!("the upgrade was not answered: {error}")))
        }
        Err(_) => {
            let limit = timeouts.response_head;
            Err(CloseReason::Unreachable(format!("the upgrade was not answered within {limit:?}")))
        }
    }
}

/// Counts pings, so that a flood of them ends the session rather than fill the machine (law 15).
struct PingMeter {
    most: u32,
    since: Instant,
    seen: u32,
}

impl PingMeter {
    fn new(most: u32) -> Self {
        Self { most, since: Instant::now(), seen: 0 }
    }

    /// Takes a ping; returns whether it is worth telling: the first of each second renews the
    /// lease as well as all of them.
    fn take(&mut self) -> Result<bool, String> {
        let now = Instant::now();
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.seen) = (now, 0);
        }
        self.seen += 1;
        if self.seen > self.most {
            return Err(format!("more than {} pings in a second", self.most));
        }
        Ok(self.seen == 1)
    }
}
