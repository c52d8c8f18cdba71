//! A connection over turmoil's TCP, and what the network does to its bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use driftless_gateway::shell::Dial;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::TcpStream;

use super::bytes::Spoiled;
use super::link::{Link, WriteFate};
use crate::world::net::Towards;

/// One end of a connection between a gateway and APIM.
pub(super) struct Stream {
    inner: TcpStream,
    link: Link,
    /// The gateway's port, by which both ends know the connection.
    port: u16,
    /// Where what is written here goes.
    towards: Towards,
    /// What goes wrong with it now.
    spoiled: Option<Spoiled>,
}

impl Stream {
    /// APIM's end of a connection that was accepted from that port.
    pub(super) fn accepted(inner: TcpStream, link: Link, port: u16) -> Self {
        link.accepted(port);
        Self { inner, link, port, towards: Towards::Gateway, spoiled: None }
    }

    /// Writes to a connection that is alive.
    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.spoiled.is_none() && self.towards == Towards::Gateway {
            self.spoiled = Spoiled::next(&self.link, bytes);
        }
        let Some(spoiled) = &mut self.spoiled else {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        };
        let (written, is_over) = ready!(spoiled.poll_write(&mut self.inner, cx, bytes))?;
        if is_over {
            self.spoiled = None;
        }
        Poll::Ready(Ok(written))
    }

    fn write_fate(&self) -> WriteFate {
        self.link.write(self.port, self.towards, now())
    }
}

/// The simulation's time.
fn now() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.link.is_dead(this.port) {
            // Nothing comes any more, not even the end; whoever waits has a timeout.
            return Poll::Pending;
        }
        Pin::new(&mut this.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.write_fate() {
            WriteFate::Sent => this.poll_send(cx, bytes),
            WriteFate::Lost => Poll::Ready(Ok(bytes.len())),
            WriteFate::TimedOut => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.write_fate() {
            WriteFate::Sent => Pin::new(&mut this.inner).poll_shutdown(cx),
            WriteFate::Lost | WriteFate::TimedOut => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.link.end(self.port, self.towards);
    }
}

/// Dials the node that connections are sent to.
#[derive(Clone)]
pub(super) struct WireDial(pub(super) Link);

impl Dial for WireDial {
    type Stream = Stream;

    async fn dial(&self, host: &str, port: u16) -> io::Result<Stream> {
        let node = self.0.dial();
        let inner = TcpStream::connect((node_name(host, node), port)).await?;
        let port = inner.local_addr()?.port();
        Ok(Stream { inner, link: self.0.clone(), port, towards: Towards::Manager, spoiled: None })
    }
}

/// The name of a node of APIM.
pub(super) fn node_name(host: &str, node: u32) -> String {
    format!("{host}-{node}")
}
