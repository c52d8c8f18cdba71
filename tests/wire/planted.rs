//! What is broken on purpose is seen in the wire world, too: by the same properties, which look
//! at what the production shell does.

use std::path::Path;

use driftless::plant::{ALL, Plant};
use driftless::run::RunOptions;
use driftless::sockets::Place;
use driftless::story::file::load;

/// A defect, and a scenario that it breaks in the fast world.
const BROKEN: [(Plant, &str); 10] = [
    (Plant::Deaf, "an-api-that-is-merely-undeployed-comes-back"),
    (Plant::NoAcks, "changes-made-in-an-outage-arrive-after-it"),
    (Plant::AbsentIsGone, "a-failed-existence-check-removes-nothing"),
    (Plant::Amnesia, "a-gateway-that-starts-without-apim-serves-what-it-had"),
    (Plant::LoseSyncs, "a-revoked-key-stays-revoked-after-a-restart"),
    (Plant::LyingStatus, "an-empty-object-is-no-empty-list"),
    (Plant::StuckSnapshot, "a-key-made-while-the-key-list-is-read-stays"),
    (Plant::ExpiryIgnored, "a-key-that-has-expired-is-refused-while-apim-is-away"),
    (Plant::OpenToAll, "a-key-made-while-the-key-list-is-read-stays"),
    (Plant::UnreadForEver, "a-definition-that-the-store-does-not-give-is-read-again"),
];

#[test]
fn planted_defects_are_found_by_what_finds_them_in_the_fast_world() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut missed = Vec::new();
    for (plant, name) in BROKEN {
        let story = load(&folder.join(format!("{name}.json"))).unwrap().scenario;
        let violated = |place: Place| {
            let options = RunOptions { plant: Some(plant), ..RunOptions::default() };
            let outcome = place.run(&story, options);
            let entry = ALL.iter().find(|entry| entry.plant == plant).unwrap();
            let mut found = outcome.violations.iter().map(|found| found.property);
            found.any(|property| entry.is_found_by(property))
        };
        for place in Place::ALL {
            if !violated(*place) {
                missed.push(format!("{plant:?} in {name} in the {} world", place.name().name()));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
