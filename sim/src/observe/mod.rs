//! What is seen of a gateway: what happened, what may be looked at then, and what was noted.
//!
//! Properties know a gateway by this and by the ledger alone, so they can judge one that runs
//! elsewhere.

mod context;
mod difference;
mod errors;
mod heard;
mod history;
mod marks;
mod names;
mod observation;
mod phase;
mod trace;
mod trace_filter;

pub use context::Context;
pub use difference::{Difference, Differences};
pub use errors::ErrorWatch;
pub use heard::Heard;
pub use history::History;
pub use marks::{Mark, marks};
pub use names::with_names;
pub use observation::{HeldChange, Observation, Served};
pub use phase::Phase;
pub use trace::{Trace, TraceLine, TraceSink};
pub use trace_filter::TraceFilter;
