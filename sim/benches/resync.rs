//! What a whole resync costs in the fast world, by the number of APIs:
//! `cargo bench -p driftless --bench resync`.
//!
//! A gateway with an empty store starts beside an APIM that has deployed everything and announced
//! none of it. It lists, fetches every definition, reads every key, writes and serves. The time is
//! that of the whole world, with APIM's side and every property, until the gateway has converged.
//! It has to be linear: the cost of one API is printed beside that of the smallest size.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the wall clock")]

use std::time::Duration;

use driftless::observe::{ErrorWatch, Trace};
use driftless::story::aim::GatewayIndex;
use driftless::story::file::{Expect, Scenario, StoreChoice};
use driftless::story::step::{Count, Deploy, ImportKeys, Scope, Step, Verb, When};
use driftless::story::switches::Switches;
use driftless::world::World;
use driftless_gateway::model::Dialect;
use driftless_gateway::time::Instant;
use mimalloc::MiMalloc;

/// The same as that of the program that is measured.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const KEYS_PER_API: u32 = 5;

/// How long a gateway may take in virtual time.
const PATIENCE: Duration = Duration::from_secs(3_600);

fn main() {
    println!("resync in the fast world, model store, every property on, one core, release mode");
    let mut smallest = None;
    for apis in SIZES {
        let took = resync(apis);
        let each = took.as_nanos() / u128::from(apis);
        let smallest = *smallest.get_or_insert(each);
        println!(
            "{apis:>7} APIs {:>7} keys {:>7} ms {:>5} us/API   {}.{:02} of the smallest size's",
            apis * KEYS_PER_API,
            took.as_millis(),
            each / 1_000,
            each / smallest,
            each * 100 / smallest % 100,
        );
    }
}

/// How long it takes until everything is served.
fn resync(apis: u32) -> Duration {
    let story = story(apis);
    let errors = ErrorWatch::default();
    tracing::subscriber::with_default(errors.clone(), || {
        let mut world = World::new(&story, Trace::new(None), errors, None);
        // APIM deploys, and the gateway starts.
        world.run_until(Instant::START);
        let begun = std::time::Instant::now();
        while !world.has_converged() {
            world.run_until(world.now().after(Duration::from_millis(500)));
            assert!(world.now().since(Instant::START) < PATIENCE, "it did not converge");
        }
        let took = begun.elapsed();
        let context = world.context(GatewayIndex::FIRST);
        assert_eq!(context.served.len(), apis as usize, "not every API is served");
        assert_eq!(context.holders.len(), (apis * KEYS_PER_API) as usize, "not every key opens");
        let finished = world.finish();
        assert_eq!(finished.violations.len(), 0, "{:?}", finished.violations);
        took
    })
}

/// APIs and keys that no event told of.
fn story(apis: u32) -> Scenario {
    let at_start = |verb| Step { when: When::AtMs(0), scope: Scope::default(), verb };
    let deployed = (0..apis).flat_map(|number| {
        let api = format!("api-{number}");
        let deploy = Deploy { api: api.clone(), revision: None };
        [Verb::Deploy(deploy), Verb::ImportKeys(ImportKeys { api, count: KEYS_PER_API })]
    });
    let silence = Verb::LoseEvents(Count { count: apis });
    Scenario {
        why: "A gateway that lost its store learns everything again.".to_owned(),
        covers: Vec::new(),
        source: None,
        dialect: Dialect::Apim470Fixed,
        seed: 1,
        switches: Switches::usual(Dialect::Apim470Fixed),
        store: StoreChoice::Model,
        only: None,
        gateways: Vec::new(),
        faults_stay_ms: None,
        steps: [silence].into_iter().chain(deployed).map(at_start).collect(),
        expect: Expect::default(),
    }
}
