//! The run's log in virtual time, and its hash.
//!
//! The hash is chained over what happened (time, tag and bytes), not over the text of the log, so
//! it costs the same whether anybody reads along.

use std::fmt;

use driftless_gateway::time::Instant;
use twox_hash::XxHash3_128;

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
pub type TraceSink<'a> = Box<dyn FnMut(&TraceLine) + 'a>;

/// The hash chain of a run, and where its text goes.
pub struct Trace<'a> {
    chain: u128,
    events: u64,
    /// The gateway that is spoken of, where there are several.
    gateway: Option<String>,
    sink: Option<TraceSink<'a>>,
}

impl<'a> Trace<'a> {
    /// A trace that tells `sink`, if there is one.
    pub fn new(sink: Option<TraceSink<'a>>) -> Self {
        Self { chain: 0, events: 0, gateway: None, sink }
    }

    /// From now on it speaks of that gateway.
    pub fn speak_of(&mut self, gateway: Option<&str>) {
        self.gateway = gateway.map(str::to_owned);
    }

    /// Something happened at the gateway that is spoken of. `detail` is asked for only when
    /// somebody reads along.
    pub fn record(
        &mut self,
        at: Instant,
        who: &'static str,
        what: &'static str,
        bytes: &[u8],
        detail: impl FnOnce() -> String,
    ) {
        match self.gateway.take() {
            Some(gateway) => {
                // The name is a link of its own, so that one gateway's chain is as it was.
                self.link(at, "gateway", gateway.as_bytes());
                let told = || format!("gateway={gateway} {}", detail());
                self.record_of_all(at, who, what, bytes, told);
                self.gateway = Some(gateway);
            }
            None => self.record_of_all(at, who, what, bytes, detail),
        }
    }

    /// Something happened to all gateways, or to APIM.
    pub fn record_of_all(
        &mut self,
        at: Instant,
        who: &'static str,
        what: &'static str,
        bytes: &[u8],
        detail: impl FnOnce() -> String,
    ) {
        self.events += 1;
        self.link(at, what, bytes);
        if let Some(sink) = &mut self.sink {
            sink(&TraceLine { at, who, what, detail: detail() });
        }
    }

    fn link(&mut self, at: Instant, what: &'static str, bytes: &[u8]) {
        let mut link = [0; 64];
        let parts: [&[u8]; 5] = [
            &self.chain.to_le_bytes(),
            &XxHash3_128::oneshot(what.as_bytes()).to_le_bytes(),
            &XxHash3_128::oneshot(bytes).to_le_bytes(),
            &at.as_nanos().to_le_bytes(),
            &(bytes.len() as u64).to_le_bytes(),
        ];
        let mut rest = link.as_mut_slice();
        for part in parts {
            let (place, behind) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = behind;
        }
        self.chain = XxHash3_128::oneshot(&link);
    }

    /// How many things happened.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The hash of everything so far.
    pub const fn hash(&self) -> u128 {
        self.chain
    }
}

impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({} events, {:032x})", self.events, self.hash())
    }
}
