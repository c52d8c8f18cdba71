//! The run's log in virtual time, and its hash.
//!
//! The hash is chained over what happened (time, tag and bytes), not over the text of the log, so
//! it costs the same whether anybody reads along.

use std::fmt;
use std::hash::Hasher;

use driftless_gateway::time::Instant;
use siphasher::sip128::{Hasher128, SipHasher13};

/// One line of the trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceLine {
    /// When, in virtual time.
    pub at: Instant,
    /// Whose doing it is: `step`, `apim`, `net`, `engine`, `store`, `run`.
    pub who: &'static str,
    /// What happened.
    pub what: &'static str,
    /// The particulars, as `key=value` pairs.
    pub detail: String,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {:<6}  {:<12} {}", self.at, self.who, self.what, self.detail)
    }
}

/// Takes trace lines as they happen.
pub type TraceSink<'a> = &'a mut dyn FnMut(&TraceLine);

/// The hash chain of a run, and where its text goes.
pub struct Trace<'a> {
    chain: SipHasher13,
    events: u64,
    sink: Option<TraceSink<'a>>,
}

impl<'a> Trace<'a> {
    /// A trace that tells `sink`, if there is one.
    pub fn new(sink: Option<TraceSink<'a>>) -> Self {
        Self { chain: SipHasher13::new_with_keys(0x6472_6966, 0x746c_6573), events: 0, sink }
    }

    /// Something happened. `detail` is asked for only when somebody reads along.
    pub fn record(
        &mut self,
        at: Instant,
        who: &'static str,
        what: &'static str,
        bytes: &[u8],
        detail: impl FnOnce() -> String,
    ) {
        self.events += 1;
        self.chain.write_u64(at.as_nanos());
        self.chain.write(what.as_bytes());
        self.chain.write_usize(bytes.len());
        self.chain.write(bytes);
        if let Some(sink) = &mut self.sink {
            sink(&TraceLine { at, who, what, detail: detail() });
        }
    }

    /// How many things happened.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The hash of everything so far.
    pub fn hash(&self) -> u128 {
        self.chain.finish128().as_u128()
    }
}

impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({} events, {:032x})", self.events, self.hash())
    }
}
