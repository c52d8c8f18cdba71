//! Timestamps and generations are ordered as far as their precision goes and no further.

use std::cmp::Ordering;
use std::time::Duration;

use driftless_gateway::model::Generation;
use driftless_gateway::time::Timestamp;
use proptest::prelude::*;

use crate::holding::settings;

/// Moments close to each other, of every precision.
fn stamps() -> impl Strategy<Value = Timestamp> {
    let nanos = prop_oneof![0..5_000_000_000_i64, 0..2_000_i64, Just(999_999_999)];
    (nanos, 0..=9_u8)
        .prop_map(|(nanos, digits)| Timestamp::from_unix_nanos(i128::from(nanos), digits))
}

fn margins() -> impl Strategy<Value = Duration> {
    (0..4_000_u64).prop_map(Duration::from_millis)
}

proptest! {
    #![proptest_config(settings(4_000, "tests/properties/regressions/order.txt"))]

    #[test]
    fn neither_side_of_a_comparison_is_favoured(a in stamps(), b in stamps(), by in margins()) {
        prop_assert_eq!(a.order(&b), b.order(&a).map(Ordering::reverse));
        let there = a.order_within(&b, by);
        prop_assert_eq!(there, b.order_within(&a, by).map(Ordering::reverse));
    }

    #[test]
    fn what_is_ordered_is_ordered_as_time_is(a in stamps(), b in stamps()) {
        if let Some(order) = a.order(&b) {
            prop_assert_eq!(order, a.unix_nanos().cmp(&b.unix_nanos()));
        }
        // Stamps that were cut alike keep their order. Otherwise the moments that each may stand for
        // lie apart, whichever they are.
        let unit = |stamp: &Timestamp| 10_i128.pow(9 - u32::from(stamp.digits()));
        let apart = (a.unix_nanos() - b.unix_nanos()).abs() >= unit(&a) + unit(&b);
        prop_assert_eq!(a.order(&b).is_some(), apart || a.digits() == b.digits());
    }

    #[test]
    fn order_is_handed_on(a in stamps(), b in stamps(), c in stamps()) {
        let (first, second) = (a.order(&b), b.order(&c));
        if first == second && first == Some(Ordering::Greater) {
            prop_assert_eq!(a.order(&c), first);
        }
    }

    #[test]
    fn a_wider_margin_tells_less_and_nothing_else(
        a in stamps(), b in stamps(), narrow in margins(), more in margins(),
    ) {
        let (told, wider) = (a.order_within(&b, narrow), a.order_within(&b, narrow + more));
        prop_assert!(wider.is_none() || wider == told);
    }

    #[test]
    fn an_event_that_was_applied_is_never_newer_again(
        event in stamps(), later in stamps(), listed in proptest::option::of(stamps()), by in margins(),
    ) {
        let applied = Generation {
            performed_at: Some(event), listed_at: listed, ..Generation::default()
        };
        let again = applied.order_event(&event, by);
        prop_assert_eq!(again, Some(Ordering::Equal));
        // Newer than what is known is only what is newer than the event, and than the list.
        if applied.order_event(&later, by) == Some(Ordering::Greater) {
            prop_assert_eq!(later.order(&event), Some(Ordering::Greater));
            if let Some(listed) = listed {
                prop_assert_eq!(later.order_within(&listed, by), Some(Ordering::Greater));
            }
        }
    }
}
