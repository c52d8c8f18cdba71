//! The store's work, done beside the loop.
//!
//! A commit waits for the disk. In production a thread of its own does that, so that a slow sync
//! keeps no frame and no ping waiting; what the engine wants to write meanwhile it gathers into
//! the next batch. The wire world does the same work in line, with nothing to wait for.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::model::{ArtifactId, ArtifactWrite, Batch, ContentDigest, Definition, WriteId};
use crate::runtime::DefinitionCache;
use crate::store::{Store, StoreError};
use crate::wire;

/// How many definitions are kept as read.
const DEFINITIONS_MAX: usize = 1024;

/// Something to do for the store.
#[derive(Debug)]
pub enum Job {
    /// Make a batch durable.
    Commit(WriteId, Batch),
    /// Read stored definitions, which ought to have these digests.
    Read(Vec<(ArtifactId, ContentDigest)>),
}

/// A definition as it is stored.
#[derive(Clone, Debug)]
pub struct Defined {
    /// Of which artifact.
    pub artifact: ArtifactId,
    /// The digest of its bytes.
    pub digest: ContentDigest,
    /// What it says, or why that is not known.
    pub definition: Result<Arc<Definition>, Unreadable>,
}

/// Why a stored definition is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// Its bytes say nothing that can be served; only another definition helps.
    Malformed(String),
    /// The store did not give it; another reading may help.
    NotRead(String),
}

impl Unreadable {
    /// The reason, for people.
    pub fn why(&self) -> &str {
        match self {
            Self::Malformed(why) | Self::NotRead(why) => why,
        }
    }
}

/// What was done.
#[derive(Debug)]
pub enum Done {
    /// A batch is durable, with the definitions of what it deploys; or it is not.
    Committed(WriteId, Result<Vec<Defined>, StoreError>),
    /// Definitions were read.
    Read(Vec<Defined>),
}

/// Who does the store's work, one job after the other.
pub trait Storage {
    /// Hands in a job.
    fn submit(&mut self, job: Job);

    /// The next job that is done; pending while there is none. `None` when nobody does jobs any
    /// more. Dropping the future loses nothing.
    fn done(&mut self) -> impl Future<Output = Option<Done>>;
}

/// Does jobs on a store.
struct Clerk<S> {
    store: S,
    definitions: DefinitionCache,
}

impl<S: Store> Clerk<S> {
    const fn new(store: S) -> Self {
        Self { store, definitions: DefinitionCache::new(DEFINITIONS_MAX) }
    }

    fn carry_out(&mut self, job: Job) -> Done {
        match job {
            Job::Commit(write, batch) => {
                let done = self.store.commit(&batch);
                Done::Committed(write, done.map(|()| self.deployed(&batch)))
            }
            Job::Read(wanted) => {
                let wanted = wanted.into_iter();
                Done::Read(wanted.filter_map(|(id, digest)| self.read(id, digest)).collect())
            }
        }
    }

    /// The definitions of what a durable batch deploys.
    fn deployed(&mut self, batch: &Batch) -> Vec<Defined> {
        let mut defined = Vec::new();
        for (id, write) in &batch.artifacts {
            let ArtifactWrite::Put { row, content } = write else { continue };
            let Some(held) = row.held.filter(|_| row.is_served()) else { continue };
            match content {
                Some(content) => defined.push(self.decode(id, held.digest, &content.bytes)),
                None => defined.extend(self.read(id.clone(), held.digest)),
            }
        }
        defined
    }

    /// A stored definition; `None` where another one is stored by now, of which a commit tells.
    fn read(&mut self, artifact: ArtifactId, digest: ContentDigest) -> Option<Defined> {
        match self.store.content(&artifact) {
            Ok(Some(content)) if content.digest == digest => {
                Some(self.decode(&artifact, digest, &content.bytes))
            }
            Ok(_) => None,
            Err(error) => {
                let definition = Err(Unreadable::NotRead(error.to_string()));
                Some(Defined { artifact, digest, definition })
            }
        }
    }

    fn decode(&mut self, artifact: &ArtifactId, digest: ContentDigest, bytes: &[u8]) -> Defined {
        let read = || wire::decode_api(bytes).map_err(|error| error.to_string());
        let definition = self.definitions.get_or_read(digest, read).map_err(Unreadable::Malformed);
        Defined { artifact: artifact.clone(), digest, definition }
    }
}

/// Does jobs in line: when a job was handed in, it is done.
pub struct InlineStorage<S> {
    clerk: Clerk<S>,
    done: VecDeque<Done>,
}

impl<S: Store> InlineStorage<S> {
    /// Storage in `store`.
    pub const fn new(store: S) -> Self {
        Self { clerk: Clerk::new(store), done: VecDeque::new() }
    }
}

impl<S: Store> Storage for InlineStorage<S> {
    fn submit(&mut self, job: Job) {
        let done = self.clerk.carry_out(job);
        self.done.push_back(done);
    }

    async fn done(&mut self) -> Option<Done> {
        match self.done.pop_front() {
            Some(done) => Some(done),
            None => std::future::pending().await,
        }
    }
}

/// Does jobs on a thread of its own.
pub struct ThreadedStorage {
    jobs: Option<blocking::Sender<Job>>,
    done: mpsc::UnboundedReceiver<Done>,
    /// Ends when the thread does.
    ended: blocking::Receiver<()>,
}

/// How long the store may take to be closed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

impl ThreadedStorage {
    /// Storage in `store`. Jobs are few: the engine has one write in flight, and the loop one
    /// reading.
    ///
    /// # Errors
    /// When no thread can be made.
    pub fn start<S: Store + Send + 'static>(store: S) -> io::Result<Self> {
        let (jobs, received) = blocking::channel::<Job>();
        let (tell, done) = mpsc::unbounded_channel();
        let (ending, ended) = blocking::channel();
        let work = move || {
            let _ending = ending;
            let mut clerk = Clerk::new(store);
            for job in received {
                if tell.send(clerk.carry_out(job)).is_err() {
                    return;
                }
            }
        };
        Builder::new().name("store".to_owned()).spawn(work)?;
        Ok(Self { jobs: Some(jobs), done, ended })
    }
}

impl Drop for ThreadedStorage {
    /// Waits a moment for the store to be closed in order; a disk that hangs does not keep the
    /// process from ending, and the store survives that.
    fn drop(&mut self) {
        self.jobs = None;
        if self.ended.recv_timeout(CLOSE_PATIENCE) == Err(blocking::RecvTimeoutError::Timeout) {
            tracing::warn!("the store was not closed in time");
        }
    }
}

impl Storage for ThreadedStorage {
    fn submit(&mut self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Where the thread is gone, `done` says so.
            let _gone = jobs.send(job);
        }
    }

    async fn done(&mut self) -> Option<Done> {
        self.done.recv().await
    }
}
