//! Everything that touches the machine: files, sockets, clocks. The rest of the crate builds
//! without it.

mod show_resources;
mod show_store;
mod store_file;

use std::process::ExitCode;

pub use show_store::{Format, ShowError, show_store};
pub use store_file::StoreFile;

/// How `driftless-gateway` ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ExitStatus {
    /// It did what was asked.
    Done = 0,
    /// The arguments, a file or the environment do not allow it; standard error says what to do.
    Refused = 2,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
