//! What is written reads back the same. The way back from events and answers is checked where
//! fuzzing checks it: every input here is an input of a fuzz target.

use driftless::fuzz::{TARGETS, Target};
use driftless_gateway::model::{Ack, AckAction, AckStatus, ArtifactId, DeploymentId, Kind};
use driftless_gateway::time::Timestamp;
use driftless_gateway::wire::{decode_ack, encode_ack};
use proptest::prelude::*;

use crate::holding::settings;

use crate::store::timestamps;

fn texts() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ -~äß\u{1f600}]{0,40}[!-~]").unwrap()
}

fn acks() -> impl Strategy<Value = Ack> {
    let kind = prop::sample::select(Kind::ALL.to_vec());
    let action = prop_oneof![Just(AckAction::Deploy), Just(AckAction::Undeploy)];
    let status = prop_oneof![Just(AckStatus::Success), Just(AckStatus::Failed)];
    let performed =
        proptest::option::of((0..4_000_000_000_000_i64, 0..=9_u8).prop_map(|(millis, digits)| {
            let nanos = i128::from(millis) * 1_000_000;
            Timestamp::from_unix_nanos(nanos, digits).to_string()
        }));
    (texts(), kind, proptest::option::of(texts()), action, status, performed).prop_map(
        |(artifact, kind, deployment, action, status, performed_text)| Ack {
            artifact: ArtifactId::new(&artifact),
            kind,
            deployment: deployment.map(|id| DeploymentId::new(&id)),
            action,
            status,
            performed_text,
        },
    )
}

/// Runs one fuzz target on random bytes.
fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

proptest! {
    #![proptest_config(settings(1_000, "tests/properties/regressions/wire.txt"))]

    #[test]
    fn an_ack_reads_back_the_same(ack in acks()) {
        let text = encode_ack(&ack);
        prop_assert_eq!(decode_ack(text.as_bytes()), Ok(ack));
    }

    #[test]
    fn a_timestamp_of_four_digit_years_reads_back_the_same(stamp in timestamps()) {
        prop_assume!((-62_167_219_200..253_402_300_800).contains(&stamp.unix_nanos().div_euclid(1_000_000_000)));
        prop_assert_eq!(Timestamp::parse(&stamp.to_string()), Ok(stamp));
    }

    #[test]
    fn an_event_of_any_type_reads_back_the_same(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        (target("event_structured").check)(&bytes, || 0);
    }
}
