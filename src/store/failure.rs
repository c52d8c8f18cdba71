//! What an error of the database means to who uses the store.

use std::io;

use super::StoreError;

/// What an error of redb or of its backend means here.
pub(super) fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(error) => failed_io(&error),
        redb::Error::Corrupted(problem) => StoreError::Corrupt(problem),
        redb::Error::UpgradeRequired(format) => {
            StoreError::NotOurs(format!("it is a redb database of the older format {format}"))
        }
        error => StoreError::Io(error.to_string()),
    }
}

fn failed_io(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        io::ErrorKind::UnexpectedEof => {
            StoreError::Corrupt("the file is shorter than it says".to_owned())
        }
        _ => StoreError::Io(error.to_string()),
    }
}
