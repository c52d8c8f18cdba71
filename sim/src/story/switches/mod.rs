//! The switches of a simulated APIM: what the contract leaves open about it, or what is a matter of
//! deployment (`docs/apim.md` §6). The engine must be right whichever way they stand.
//!
//! One list has them all: what each is about, its type, how it usually stands in a dialect, and how
//! a seed draws it.

mod values;

use std::num::NonZeroU8;

use driftless_gateway::model::Dialect;
use serde::{Deserialize, Serialize};

use crate::random::Key;
use values::SwitchValue;

pub use values::{
    BatchEncoding, BatchPath, Interval, KindSpelling, MissingRoute, TimestampPrecision, UtcOffset,
};

/// What a switch tells about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SwitchEntry {
    /// Its name in a story.
    pub name: &'static str,
    /// What it can be.
    pub values: &'static str,
    /// What it is about.
    pub says: &'static str,
}

/// Makes the types of all switches out of a list of them. `usually` and `drawn` are expressions in
/// which it is known whether the dialect is that of the Platform API, and the key to draw by.
macro_rules! switches {
    ($platform:ident, $key:ident: $(
        #[doc = $says:literal]
        $name:ident: $value:ty, usually $usual:expr, drawn $drawn:expr;
    )+) => {
        /// How every switch of a simulated APIM stands.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Switches {
            $(#[doc = $says] pub $name: $value,)+
        }

        /// The switches that a story gives: those that are not as usual.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct GivenSwitches {
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $name: Option<$value>,
            )+
        }

        /// Every switch.
        pub const SWITCHES: &[SwitchEntry] = &[$(SwitchEntry {
            name: stringify!($name),
            values: <$value as SwitchValue>::VALUES,
            says: $says,
        }),+];

        impl Switches {
            /// How they usually stand in a dialect.
            pub const fn usual(dialect: Dialect) -> Self {
                let $platform = matches!(dialect, Dialect::PlatformApi11);
                Self { $($name: $usual),+ }
            }

            /// How a seed draws them. A draw has a name of its own, so none changes another.
            pub(super) fn drawn(dialect: Dialect, $key: Key) -> Self {
                let $platform = matches!(dialect, Dialect::PlatformApi11);
                GivenSwitches { $($name: $drawn),+ }.over(dialect)
            }

            /// Those that are not as usual in a dialect.
            pub fn given(&self, dialect: Dialect) -> GivenSwitches {
                let usual = Self::usual(dialect);
                GivenSwitches {
                    $($name: (self.$name != usual.$name).then_some(self.$name),)+
                }
            }
        }

        impl GivenSwitches {
            /// How all stand when these are given and the others are as usual in a dialect.
            pub fn over(self, dialect: Dialect) -> Switches {
                let usual = Switches::usual(dialect);
                Switches { $($name: self.$name.unwrap_or(usual.$name),)+ }
            }
        }
    };
}

impl GivenSwitches {
    /// Whether every switch is as usual.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

use TimestampPrecision::{Micros, Millis, Seconds};

/// Draws what only an APIM has.
fn of_apim<T>(platform: bool, draw: impl FnOnce() -> Option<T>) -> Option<T> {
    if platform { None } else { draw() }
}

switches! { platform, key:
    /// Which route answers a batch fetch (A-H12).
    batch_path: BatchPath,
    usually if platform { BatchPath::FetchBatch } else { BatchPath::Batch },
    drawn of_apim(platform, || {
        key.pick("batch", &[BatchPath::Batch, BatchPath::FetchBatch]).copied()
    });

    /// How a batch is packed (A-H12).
    batch_encoding: BatchEncoding,
    usually if platform { BatchEncoding::TarGz } else { BatchEncoding::Tar },
    drawn of_apim(platform, || {
        key.pick("encoding", &[BatchEncoding::Tar, BatchEncoding::TarGz]).copied()
    });

    /// How the list of APIM 4.7.0 spells the kind of a REST API.
    kind: KindSpelling,
    usually KindSpelling::Constant,
    drawn of_apim(platform, || {
        key.pick("kind", &[KindSpelling::Constant, KindSpelling::RestApi]).copied()
    });

    /// The fractions of a second that the database keeps (A-H18).
    timestamp_precision: TimestampPrecision,
    usually if platform { Millis } else { Seconds },
    drawn key.pick("precision", &[Seconds, Millis, Micros]).copied();

    /// Whether archives are really compressed; stored otherwise, which is faster.
    compress: bool,
    usually true,
    drawn Some(key.chance("compress", 1, 32));

    /// Whether events are sent directly as well as by the poll (A-H1, A-H36).
    direct_send: bool,
    usually true,
    drawn of_apim(platform, || Some(!key.chance("poll only", 1, 8)));

    /// Time between two polls of the event store for a session.
    poll_ms: Interval,
    usually Interval::from_secs(2),
    drawn None;

    /// How long an event that a poll claimed stays claimed (A-H4).
    lease_ms: Interval,
    usually Interval::from_secs(60),
    drawn None;

    /// Time between two pings.
    ping_ms: Interval,
    usually Interval::from_secs(if platform { 20 } else { 15 }),
    drawn None;

    /// How many nodes an APIM has, each with sessions of its own (A-H36).
    nodes: NonZeroU8,
    usually NonZeroU8::MIN,
    drawn of_apim(platform, || {
        key.chance("nodes", 1, 6).then_some(NonZeroU8::MIN.saturating_add(1))
    });

    /// Whether a direct send at the very moment of a poll ends the poll (A-H8).
    poll_dies_on_write_race: bool,
    usually false,
    drawn None;

    /// Whether storing an event always fails; the direct send still happens (A-H10).
    persist_fails: bool,
    usually false,
    drawn None;

    /// Whether the pusher of the earlier builds runs every two minutes (A-H40).
    two_minute_pusher: bool,
    usually false,
    drawn None;

    /// What an APIM answers on a path without a route: 404 with nothing, an error object or a page.
    missing_route: MissingRoute,
    usually MissingRoute::Empty,
    drawn None;

    /// Minutes east of UTC in what the Platform API writes.
    offset_minutes: UtcOffset,
    usually UtcOffset::UTC,
    drawn None;

    /// Whether an APIM answers 401 for plans, instead of 404.
    plans_refused: bool,
    usually false,
    drawn of_apim(platform, || Some(key.chance("plans", 1, 2)));

    /// Whether the key list has hashes with the prefix `$sha256$` (A-H30).
    key_hash_prefix: bool,
    usually false,
    drawn of_apim(platform, || Some(key.chance("key hash", 1, 2)));

    /// Whether the key list has names in lower case, as events do (A-H29).
    key_names_folded: bool,
    usually true,
    drawn of_apim(platform, || Some(key.chance("key names", 1, 2)));

    /// Whether the key list has `null` for what has no value.
    key_nulls: bool,
    usually false,
    drawn of_apim(platform, || Some(key.chance("key nulls", 1, 2)));

    /// Whether the Platform API lists the keys of WebSub and WebBroker APIs.
    websub_keys: bool,
    usually true,
    drawn None;

    /// Whether an application that subscribes again gets its old token (C-H39).
    tokens_kept: bool,
    usually false,
    drawn None;

    /// Whether an operator repairs lost and leftover artifact rows when the faults are lifted.
    repair_rows: bool,
    usually true,
    drawn None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_switches_is_the_documented_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/README.md");
        let text = std::fs::read_to_string(path).unwrap();
        let head = "| switch | values | is about |\n|---|---|---|\n";
        let (_, table) = text.split_once(head).unwrap();
        let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
        let row = |of: &SwitchEntry| {
            let says = of.says.trim().trim_end_matches('.');
            format!("| `{}` | {} | {says} |", of.name, of.values)
        };
        assert_eq!(rows, SWITCHES.iter().map(row).collect::<Vec<_>>());
    }

    /// The values that the table names, as JSON.
    fn values(of: &SwitchEntry) -> Vec<String> {
        let json = |name: &str| match name {
            "true" | "false" => name.to_owned(),
            _ => format!("\"{name}\""),
        };
        match of.values.split('`').skip(1).step_by(2).map(json).collect::<Vec<_>>() {
            named if !named.is_empty() => named,
            _ => vec!["1".to_owned(), "7".to_owned()],
        }
    }

    #[test]
    fn every_switch_can_be_given_every_value_it_has_and_is_written_as_it_was_read() {
        for entry in SWITCHES {
            for value in values(entry) {
                let json = format!("{{\"{}\":{value}}}", entry.name);
                let given: GivenSwitches = serde_json::from_str(&json).unwrap();
                for dialect in Dialect::ALL {
                    let switches = given.over(dialect);
                    assert_eq!(switches.given(dialect).over(dialect), switches);
                    let written = serde_json::to_string(&switches.given(dialect)).unwrap();
                    let is_usual = switches == Switches::usual(dialect);
                    assert_eq!(written, if is_usual { "{}" } else { &json });
                }
            }
        }
    }

    #[test]
    fn a_value_that_a_switch_does_not_have_is_refused() {
        for json in [
            r#"{"poll_ms":0}"#,
            r#"{"lease_ms":86400001}"#,
            r#"{"offset_minutes":841}"#,
            r#"{"nodes":0}"#,
            r#"{"kind":"restapi"}"#,
            r#"{"verify_throws":true}"#,
        ] {
            assert!(serde_json::from_str::<GivenSwitches>(json).is_err(), "{json}");
        }
    }
}
