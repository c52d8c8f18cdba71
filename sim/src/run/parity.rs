//! Parity: what a story comes to is the same in both worlds.
//!
//! The worlds differ in timing, so their traces do. What gateways have in force at the end, and
//! which properties were violated on the way, must not differ.

use std::collections::BTreeSet;

use driftless_gateway::engine::StateDigest;

use super::Outcome;
use crate::world::FinalState;

/// Where two worlds differ on a story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unequal {
    /// The gateway, where the story names gateways.
    pub gateway: Option<String>,
    /// In what they differ first, in the order of names.
    pub item: String,
    /// What the fast world has: the digest of everything and that of the item.
    pub fast: String,
    /// What the wire world has.
    pub wire: String,
}

/// The first difference between what a story came to in the fast and in the wire world. Both
/// outcomes must have been asked for their states.
pub fn unequal(fast: &Outcome, wire: &Outcome) -> Option<Unequal> {
    let violated = |outcome: &Outcome| {
        let names = outcome.violations.iter().map(|violation| violation.property);
        names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
    };
    let differ = |item: &str, fast: String, wire: String| {
        let unequal = Unequal { gateway: None, item: item.to_owned(), fast, wire };
        (unequal.fast != unequal.wire).then_some(unequal)
    };
    let count = |states: &[FinalState]| format!("{} running", states.len());
    differ("violated properties", violated(fast), violated(wire))
        .or_else(|| differ("gateways", count(&fast.states), count(&wire.states)))
        .or_else(|| fast.states.iter().zip(&wire.states).find_map(of_gateway))
}

fn of_gateway((fast, wire): (&FinalState, &FinalState)) -> Option<Unequal> {
    if fast.digest == wire.digest {
        return None;
    }
    let names: BTreeSet<&String> = fast.items.keys().chain(wire.items.keys()).collect();
    let mut differing =
        names.into_iter().filter(|name| fast.items.get(*name) != wire.items.get(*name));
    let item = differing.next().cloned().unwrap_or_default();
    let told = |state: &FinalState| {
        let of_item = state.items.get(&item).map(short);
        format!("{} {}", state.digest, of_item.unwrap_or_else(|| "nothing".to_owned()))
    };
    Some(Unequal { gateway: fast.gateway.clone(), fast: told(fast), wire: told(wire), item })
}

fn short(digest: &StateDigest) -> String {
    digest.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{RunOptions, run_story};
    use crate::story::file::Scenario;

    fn outcome(revision: u32) -> Outcome {
        let text = format!(
            r#"{{"schema":1,"why":"One API is there.","covers":["R1"],"dialect":"apim-4.7.0","seed":1,
            "steps":[{{"at_ms":0,"revise":{{"api":"orders"}}}},{{"at_ms":0,"revise":{{"api":"orders"}}}},
            {{"at_ms":0,"deploy":{{"api":"orders","revision":{revision}}}}}],
            "expect":{{"serving":{{"orders":1}}}}}}"#
        );
        let story = Scenario::parse(&text).unwrap();
        run_story(&story, RunOptions { with_states: true, ..RunOptions::default() })
    }

    #[test]
    fn what_differs_is_named_and_what_does_not_is_not() {
        let (one, two) = (outcome(1), outcome(2));
        assert_eq!(unequal(&one, &one.clone()), None);
        let found = unequal(&one, &two).unwrap();
        assert_eq!((found.item.as_str(), found.fast.as_str()), ("violated properties", ""));
        assert_eq!(found.wire, "expect");
        let silent = Outcome { violations: Vec::new(), ..two };
        let found = unequal(&one, &silent).unwrap();
        assert!(found.item.starts_with("artifact "), "{found:?}");
        assert_ne!(found.fast, found.wire);
        let gone = Outcome { states: Vec::new(), ..silent };
        assert_eq!(unequal(&one, &gone).unwrap().item, "gateways");
    }
}
