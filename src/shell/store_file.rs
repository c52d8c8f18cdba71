//! The store's file on a real disk, for one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;

use crate::store::Disk;

/// A file that a [`crate::store::RedbStore`] can be opened on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreFile {
    path: PathBuf,
    access: FileAccess,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FileAccess {
    ReadOnly,
    ReadWrite,
}

impl StoreFile {
    /// The file at `path`, which is made when it is not there. Nobody else may use it meanwhile.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, access: FileAccess::ReadWrite }
    }

    /// The file at `path`, which must be there and is not changed. Others may read it too.
    pub const fn read_only(path: PathBuf) -> Self {
        Self { path, access: FileAccess::ReadOnly }
    }

    fn open_locked(&self) -> io::Result<File> {
        let (file, lock) = match self.access {
            FileAccess::ReadOnly => {
                let file = OpenOptions::new().read(true).open(&self.path)?;
                let lock = file.try_lock_shared();
                (file, lock)
            }
            FileAccess::ReadWrite => {
                let mut options = OpenOptions::new();
                options.read(true).write(true).create(true).truncate(false);
                let file = options.open(&self.path)?;
                let lock = file.try_lock();
                (file, lock)
            }
        };
        match lock {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {
                let problem = "another process is using it; stop that one, or name another file";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, problem));
            }
        }
        if self.access == FileAccess::ReadWrite && file.metadata()?.len() == 0 {
            sync_directory(&self.path)?;
        }
        Ok(file)
    }
}

impl Disk for StoreFile {
    type Backend = FileBackend;

    fn open(&self) -> io::Result<FileBackend> {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        };
        FileBackend::new(self.open_locked().map_err(named)?).map_err(io::Error::other)
    }
}

/// Makes a new file's name durable; its content is synced by who writes it.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a directory cannot be synced, and need not be.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
