//! Keys, subscriptions, plans and applications: what is believed of them (laws 2 to 6, 11).
//!
//! They follow the rule that artifacts follow ([`evidence`](super::evidence)), and absence counts
//! only twice. Two things differ. There is no question about a single one, so a second complete
//! list is all the evidence there can be (law 4). And where order cannot be told, the answer that
//! opens less is taken until a list settles it: a dead credential must not open an API (law 11).

pub(super) mod belief;
mod endings;
pub(super) mod events;
mod keys;
pub(super) mod list;
pub(super) mod lists;
