//! Connections to the control plane: a stream from whoever can make one, with TLS around it.
//!
//! The production shell dials TCP, the wire world a simulated network; all else is the same.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;

use super::config::{Endpoint, Timeouts};
use super::tls;

/// Makes streams.
pub trait Dial: Clone + Send + Sync + 'static {
    /// What it makes.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Connects to a port of a host, given by its name or address.
    fn dial(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Dials TCP.
#[derive(Clone, Copy, Debug)]
pub struct TcpDial;

impl Dial for TcpDial {
    type Stream = TcpStream;

    async fn dial(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Why there is no connection, for an operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectError(String);

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConnectError {}

/// How the control plane is reached.
#[derive(Clone)]
pub struct Transport<D> {
    dial: D,
    endpoint: Arc<Endpoint>,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    connect: Duration,
    tls_handshake: Duration,
}

impl<D: Dial> Transport<D> {
    /// A transport to `endpoint`; `tls` says what to believe, where the endpoint is encrypted.
    ///
    /// # Errors
    /// When the host can be in no certificate.
    pub fn new(
        dial: D,
        endpoint: Endpoint,
        tls: Option<Arc<ClientConfig>>,
        timeouts: &Timeouts,
    ) -> Result<Self, ConnectError> {
        let named = |config| match ServerName::try_from(endpoint.host.clone()) {
            Ok(name) => Ok((config, name)),
            Err(_) => Err(ConnectError(format!("{} is no host name", endpoint.host))),
        };
        Ok(Self {
            dial,
            tls: tls.map(named).transpose()?,
            endpoint: Arc::new(endpoint),
            connect: timeouts.connect,
            tls_handshake: timeouts.tls_handshake,
        })
    }

    /// Where the control plane is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// A new connection.
    ///
    /// # Errors
    /// [`ConnectError`], also when a step takes too long.
    pub async fn connect(&self) -> Result<Wire<D::Stream>, ConnectError> {
        let Endpoint { host, port, .. } = &*self.endpoint;
        let at = self.endpoint.authority();
        let dialed = timeout(self.connect, self.dial.dial(host, *port)).await;
        let stream = match dialed {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(ConnectError(format!("cannot connect to {at}: {error}"))),
            Err(_) => return Err(too_long(&at, "connecting", self.connect)),
        };
        let Some((config, name)) = &self.tls else { return Ok(Wire::Plain(stream)) };
        let connector = TlsConnector::from(Arc::clone(config));
        match timeout(self.tls_handshake, connector.connect(name.clone(), stream)).await {
            Ok(Ok(stream)) => Ok(Wire::Tls(Box::new(stream))),
            Ok(Err(error)) => {
                Err(ConnectError(format!("no TLS with {at}: {}", tls::explain(&error))))
            }
            Err(_) => Err(too_long(&at, "the TLS handshake", self.tls_handshake)),
        }
    }
}

fn too_long(at: &str, step: &str, limit: Duration) -> ConnectError {
    ConnectError(format!("cannot connect to {at}: {step} took longer than {limit:?}"))
}

/// A connection, encrypted or not.
pub enum Wire<S> {
    /// As it was dialed.
    Plain(S),
    /// With TLS around it.
    Tls(Box<TlsStream<S>>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A connection as hyper's client wants it.
pub struct Pooled<S>(TokioIo<Wire<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for Pooled<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Write for Pooled<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

impl<S> Connection for Pooled<S> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl<D: Dial> tower_service::Service<hyper::Uri> for Transport<D> {
    type Response = Pooled<D::Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    /// Every request goes to the one control plane, whatever its address says.
    fn call(&mut self, _address: hyper::Uri) -> Self::Future {
        let transport = self.clone();
        Box::pin(async move { Ok(Pooled(TokioIo::new(transport.connect().await?))) })
    }
}
