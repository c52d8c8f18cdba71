//! The version of one artifact's intent, as far as the control plane lets it be told.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use super::DeploymentId;
use crate::time::Timestamp;

/// Which statement of the control plane about one artifact this is.
///
/// APIM numbers nothing. What it gives is a deployment id (the same again when a revision is
/// redeployed), the moment an event was sent and the moment a list row was built. The last two
/// come from different clocks with different precision and are never compared for equality
/// (A-H18: times never equal; law 6).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Generation {
    /// The deployment id named by the list row or the event.
    pub deployment: Option<DeploymentId>,
    /// `performedAt` of the newest event applied (event clock).
    pub performed_at: Option<Timestamp>,
    /// `deployedAt` or `updatedAt` of the list row (list clock).
    pub listed_at: Option<Timestamp>,
}

impl Generation {
    /// How an event performed at `at` relates to this generation: `Greater` is provably newer,
    /// `Less` provably older, `Equal` the very event, and `None` cannot be told and asks for a
    /// read. `margin` bounds how far the list clock and the event clock may disagree.
    pub fn order_event(&self, at: &Timestamp, margin: Duration) -> Option<Ordering> {
        let by_event = self.performed_at.map(|known| at.order(&known));
        let by_list = self.listed_at.map(|known| at.order_within(&known, margin));
        match (by_event, by_list) {
            (Some(order @ Some(Ordering::Equal | Ordering::Less)), _) => order,
            (_, Some(Some(Ordering::Less))) => Some(Ordering::Less),
            (Some(Some(Ordering::Greater)), None | Some(Some(Ordering::Greater))) => {
                Some(Ordering::Greater)
            }
            (None, None | Some(Some(Ordering::Greater))) => Some(Ordering::Greater),
            _ => None,
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.deployment {
            Some(deployment) => f.write_str(deployment.as_str())?,
            None => f.write_str("-")?,
        }
        if let Some(at) = &self.performed_at {
            write!(f, " performed {at}")?;
        }
        if let Some(at) = &self.listed_at {
            write!(f, " listed {at}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[track_caller]
    fn check(performed: Option<&str>, listed: Option<&str>, event: &str, expect: Option<Ordering>) {
        let known = Generation {
            deployment: None,
            performed_at: performed.map(at),
            listed_at: listed.map(at),
        };
        assert_eq!(known.order_event(&at(event), Duration::from_secs(2)), expect);
    }

    #[test]
    fn an_event_is_ordered_by_its_own_clock_first() {
        let known = Some("2026-06-17T09:15:00.000100Z");
        check(known, None, "2026-06-17T09:15:00.000100Z", Some(Ordering::Equal));
        check(known, None, "2026-06-17T09:15:00.000200Z", Some(Ordering::Greater));
        check(known, None, "2026-06-17T09:15:00.000050Z", Some(Ordering::Less));
        check(known, None, "2026-06-17T09:15:00.000101Z", Some(Ordering::Greater));
        check(known, None, "2026-06-17T09:15:00.0001Z", None);
    }

    #[test]
    fn a_list_row_orders_an_event_only_beyond_the_margin() {
        let row = Some("2026-06-17T09:15:00Z");
        check(None, row, "2026-06-17T09:15:01.5Z", None);
        check(None, row, "2026-06-17T09:15:09.5Z", Some(Ordering::Greater));
        check(None, row, "2026-06-17T09:14:50.5Z", Some(Ordering::Less));
        let event = Some("2026-06-17T09:14:00.000100Z");
        check(event, row, "2026-06-17T09:15:00.5Z", None);
    }

    #[test]
    fn nothing_known_is_older_than_any_event() {
        check(None, None, "2026-06-17T09:15:00Z", Some(Ordering::Greater));
    }
}
