//! Everything that touches the machine: files, sockets, clocks. The rest of the crate builds
//! without it.
//!
//! [`Gateway`] is the loop: it owns a driver, carries out what the engine wants and decides
//! nothing about resources. It is generic over four things, in which the wire world differs from
//! production: who dials ([`Dial`]), what time it is ([`Clock`]), who does the store's work
//! ([`Storage`]) and who looks on as the driver is driven ([`Drive`]). [`process`] makes a process
//! of it: signals, sockets, the store's file. [`config`] is what it is told, [`management`] what it
//! says about itself.

mod arguments;
mod client;
mod clock;
pub mod config;
mod counters;
mod drive;
mod gateway;
mod inbox;
mod logging;
pub mod management;
pub mod process;
mod session;
mod show;
mod storage;
mod store_file;
pub mod tls;
mod token;
mod transport;
mod watch;

use std::process::ExitCode;

pub use arguments::{Arguments, Mistakes};
pub use clock::{Clock, SystemClock};
pub use drive::Drive;
pub use gateway::{Ended, Gateway, Handle, Parts};
pub use show::{Format, ShowError, show_store};
pub use storage::{Storage, ThreadedStorage};
pub use store_file::StoreFile;
pub use token::TokenSource;
pub use transport::{ConnectError, Dial, TcpDial, Transport, Wire};

/// How `driftless-gateway` ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ExitStatus {
    /// It did what was asked, or was stopped in order.
    Done = 0,
    /// It could not go on; the last log line says why.
    Failed = 1,
    /// The arguments, a file or the environment do not allow it; standard error says what to do.
    Refused = 2,
    /// A second signal ended it before it had stopped in order.
    Forced = 3,
}

impl ExitStatus {
    /// Every code with its meaning, as `--help` prints them.
    pub const HELP: &'static str = "Exit codes:\n  \
        0  done, or stopped in order\n  \
        1  it could not go on; the last log line says why\n  \
        2  the arguments, a file or the environment do not allow it\n  \
        3  ended at once by a second signal";
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
