//! What goes wrong with bytes on their way from APIM to a gateway.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::time::{Sleep, sleep};
use turmoil::net::TcpStream;

use super::link::Link;
use crate::story::step::ByteFault;

/// Fewer bytes than these are a ping, a close or the head of an answer, and go on as they are.
const SPOILED_MIN: usize = 32;

/// What a frame begins with at most, up to 64 KiB; a flip there would be another fault.
const FRAME_HEAD: usize = 4;

/// How many bytes come at a time when they are split.
const SPLIT: usize = 7;

/// How many pieces of a trickle there are at most, and the pause between two of them.
const TRICKLE: (usize, Duration) = (40, Duration::from_millis(60));

/// The bit whose flip makes a byte of ASCII part of no character.
const HIGH_BIT: u8 = 0x80;

/// Bytes that are going wrong.
pub(super) enum Spoiled {
    /// Nothing more passes.
    CutOff,
    /// So many bytes are still to come in pieces of that size, after the pause.
    Pieces { left: usize, size: usize, pause: Option<Pin<Box<Sleep>>>, pauses: bool },
    /// The byte at that place of what is written next is another one.
    Flipped { at: usize },
    /// So many bytes pass, and then none.
    CutAfter { left: usize },
}

impl Spoiled {
    /// What happens to `bytes`, if anything; only answers with a body and frames go wrong.
    pub(super) fn next(link: &Link, bytes: &[u8]) -> Option<Self> {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let start = head.map_or(FRAME_HEAD, |place| place + 4);
        let body = bytes.len().checked_sub(start).filter(|length| *length >= SPOILED_MIN)?;
        let (fault, draw) = link.spoil()?;
        Some(match fault {
            ByteFault::Cut => Self::CutAfter { left: start + body / 2 },
            ByteFault::Flip => {
                let at = draw.between("at", 0, body as u64 - 1);
                Self::Flipped { at: start + usize::try_from(at).unwrap_or(0) }
            }
            ByteFault::Split => Self::pieces(bytes.len(), SPLIT, false),
            ByteFault::Trickle => {
                Self::pieces(bytes.len(), bytes.len().div_ceil(TRICKLE.0).max(SPLIT), true)
            }
        })
    }

    const fn pieces(left: usize, size: usize, pauses: bool) -> Self {
        Self::Pieces { left, size, pause: None, pauses }
    }

    /// Writes what passes now. Returns how many bytes that were, and whether the fault is over.
    pub(super) fn poll_write(
        &mut self,
        inner: &mut TcpStream,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<(usize, bool)>> {
        match self {
            Self::CutOff => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Self::CutAfter { left } => {
                let passing = bytes.get(..*left).unwrap_or(bytes);
                let written = ready!(Pin::new(inner).poll_write(cx, passing))?;
                *left -= written;
                if *left == 0 {
                    *self = Self::CutOff;
                }
                Poll::Ready(Ok((written, false)))
            }
            Self::Flipped { at } => {
                let mut flipped = bytes.to_vec();
                if let Some(byte) = flipped.get_mut(*at) {
                    *byte ^= HIGH_BIT;
                }
                let written = ready!(Pin::new(inner).poll_write(cx, &flipped))?;
                let is_over = written > *at;
                *at = at.saturating_sub(written);
                Poll::Ready(Ok((written, is_over)))
            }
            Self::Pieces { left, size, pause, pauses } => {
                if let Some(running) = pause {
                    ready!(running.as_mut().poll(cx));
                    *pause = None;
                }
                let piece = bytes.get(..*size.min(left)).unwrap_or(bytes);
                let written = ready!(Pin::new(inner).poll_write(cx, piece))?;
                *left = left.saturating_sub(written);
                if *pauses {
                    *pause = Some(Box::pin(sleep(TRICKLE.1)));
                }
                Poll::Ready(Ok((written, *left == 0)))
            }
        }
    }
}
