//! Whatever bytes come, reading a definition ends, fails with a reason of its own words, and
//! gives no definition without operations.

use driftless_gateway::wire::decode_api;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::holding::hold;

const DOCUMENT: &str = "kind: RestApi
spec:
  displayName: \"hunter2\"
  version: v1.0
  context: /hunter2/v1.0
  policies:
  - name: api-key-auth
    params: {}
  operations:
  - method: GET
    path: /hunter2/{id}
    policies:
    - name: auth
      params:
        type: Application
        scopes: [hunter2, write]
";

/// What YAML is made of, and what it stumbles over.
const PIECES: &[&str] = &[
    "- ",
    "hunter2: ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\n",
    "\n  ",
    "? ",
    ": ",
    "'",
    "\"",
    "|-\n",
    ">",
    "&a ",
    "*a",
    "!!str ",
    "#",
    "%YAML 1.2\n",
    "---\n",
    "...\n",
    "\t",
    "\r",
    "\u{feff}",
    "\u{85}",
    "\\u00",
    "~",
    "<<: ",
    "kind: RestApi\n",
    "spec:\n",
    "\u{7f}",
    "@",
    "é",
];

/// The document with pieces put in and bytes taken out.
fn changed() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), prop_oneof![select(PIECES).prop_map(Some), Just(None)]);
    vec(change, 1..6).prop_map(|changes| {
        let mut bytes = DOCUMENT.as_bytes().to_vec();
        for (place, piece) in changes {
            let place = place.index(bytes.len());
            match piece {
                Some(piece) => drop(bytes.splice(place..place, piece.bytes())),
                None => drop(bytes.remove(place)),
            }
        }
        bytes
    })
}

/// Only pieces.
fn made_up() -> impl Strategy<Value = Vec<u8>> {
    vec(select(PIECES), 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

#[test]
fn any_bytes_are_a_definition_or_an_error_that_repeats_nothing() {
    assert!(decode_api(DOCUMENT.as_bytes()).is_ok());
    let bytes = prop_oneof![3 => changed(), 1 => made_up()];
    hold(6_000, "tests/properties/regressions/definition.txt", &bytes, |bytes| {
        match decode_api(&bytes) {
            Ok(definition) => prop_assert!(!definition.operations.is_empty()),
            Err(error) => prop_assert!(!error.reason().contains("hunter"), "{}", error),
        }
        Ok(())
    });
}
