//! The run's log in virtual time, and its hash.
//!
//! The hash is chained over what happened (time, tag and bytes), not over the text of the log, so
//! it costs the same whether anybody reads along.

use std::fmt;
use std::rc::Rc;

use driftless_gateway::time::Instant;
use twox_hash::XxHash3_128;

use crate::story::aim::GatewayIndex;

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
    /// The names of the gateways, where there are several.
    gateways: Vec<Rc<str>>,
    sink: Option<TraceSink<'a>>,
}

impl<'a> Trace<'a> {
    /// A trace that tells `sink`, if there is one.
    pub fn new(sink: Option<TraceSink<'a>>) -> Self {
        Self { chain: 0, events: 0, gateways: Vec::new(), sink }
    }

    /// There are several gateways, and these are their names.
    pub fn name_gateways<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        self.gateways = names.map(Rc::from).collect();
    }

    /// Something happened at a gateway, which is named where there are several. `detail` is asked
    /// for only when somebody reads along.
    pub fn record(
        &mut self,
        gateway: GatewayIndex,
        at: Instant,
        who: &'static str,
        what: &'static str,
        bytes: &[u8],
        detail: impl FnOnce() -> String,
    ) {
        match self.gateways.get(gateway.0).map(Rc::clone) {
            Some(name) => {
                // The name is a link of its own, so that one gateway's chain is as it was.
                self.link(at, "gateway", name.as_bytes());
                let told = || format!("gateway={name} {}", detail());
                self.record_of_all(at, who, what, bytes, told);
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
