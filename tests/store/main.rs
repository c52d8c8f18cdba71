//! The store as a whole: crashes and errors at every operation of its disk, what it makes of every
//! file it may meet, and the file and the binary of production.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod binary;
mod every_operation;
mod formats;
mod resources;
mod serving;
mod storage;
mod workload;
