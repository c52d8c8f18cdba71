//! The store's work, done beside the loop.
//!
//! A commit waits for the disk. In production a thread of its own does that, so that a slow sync
//! keeps no frame and no ping waiting; what the engine wants to write meanwhile it gathers into
//! the next batch. What the work is says [`StoreWorker`].

use std::future::Future;
use std::io;
use std::sync::mpsc as blocking;
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::publish::{Done, Job, StoreWorker};
use crate::store::Store;

/// Who does the store's work, one job after the other.
pub trait Storage {
    /// Hands in a job.
    fn submit(&mut self, job: Job);

    /// The next job that is done; pending while there is none. `None` when nobody does jobs any
    /// more. Dropping the future loses nothing.
    fn done(&mut self) -> impl Future<Output = Option<Done>>;
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
    /// Storage in `store`, whose work `worker` does. Jobs are few: the engine has one write in
    /// flight, and the loop one reading.
    ///
    /// # Errors
    /// When no thread can be made.
    pub fn start<S: Store + Send + 'static>(store: S, worker: StoreWorker) -> io::Result<Self> {
        let (jobs, received) = blocking::channel::<Job>();
        let (tell, done) = mpsc::unbounded_channel();
        let (ending, ended) = blocking::channel();
        let work = move || {
            let _ending = ending;
            let (mut worker, mut store) = (worker, store);
            for job in received {
                if tell.send(worker.carry_out(&mut store, job)).is_err() {
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
