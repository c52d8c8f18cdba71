//! Broken copies of what the targets check: one defect for each target, of a kind that such code
//! has had somewhere. `fuzz/run plants` shows how soon each is found.

use driftless::plant::Plant;
use driftless::story::file::{Refusal, Scenario};
use driftless::world::disk::SimDisk;
use driftless_gateway::driver::{Driver, Inbound};
use driftless_gateway::engine::StoreFailure;
use driftless_gateway::model::{
    ArtifactId, BasePath, Batch, Content, Definition, Event, KeyReading, Lifecycle, Listed,
    Listing, Packed, Plan, PlanId, Recovered, ResourceChange, Subscription, SubscriptionId,
    WriteId,
};
use driftless_gateway::runtime::{self, ApiRequest, Grant, Snapshot, Throttle};
use driftless_gateway::store::{RedbStore, Store, StoreError};
use driftless_gateway::time::{Instant, Timestamp};
use driftless_gateway::wire::{self, ArchiveLimits, DecodeError};

/// Takes a type in any case, and cuts a plan's limit to 32 bits.
///
/// # Errors
/// As the original.
pub fn decode_event(frame: &[u8]) -> Result<Event, DecodeError> {
    let mut event = wire::decode_event(frame)?;
    if let Event::Unknown { event_type } = &event {
        let lower = event_type.to_ascii_lowercase();
        let frame = String::from_utf8_lossy(frame).replace(event_type.as_str(), &lower);
        return wire::decode_event(frame.as_bytes());
    }
    if let Event::Changed(change) = &mut event
        && let ResourceChange::PlanCreated(plan) | ResourceChange::PlanUpdated(plan) =
            &mut change.change
        && let Some(quota) = &mut plan.quota
    {
        quota.count &= u64::from(u32::MAX);
    }
    Ok(event)
}

/// Takes a base path with an empty segment for the same without it.
///
/// # Errors
/// As the original.
pub fn decode_base_path(body: &[u8]) -> Result<BasePath, DecodeError> {
    let tame = String::from_utf8_lossy(body).replace("//", "/");
    wire::decode_base_path(tame.as_bytes())
}

/// Says nothing of a single bad row.
///
/// # Errors
/// As the original.
pub fn decode_listing(body: &[u8]) -> Result<Listing, DecodeError> {
    let mut listing = wire::decode_listing(body)?;
    if listing.unreadable.len() == 1 {
        listing.unreadable.clear();
    }
    Ok(listing)
}

/// Tells of one bad item, however many there are.
///
/// # Errors
/// As the original.
pub fn decode_keys(body: &[u8]) -> Result<KeyReading, DecodeError> {
    let mut reading = wire::decode_keys(body)?;
    if let KeyReading::Keys(listed) = &mut reading {
        listed.unreadable.truncate(1);
    }
    Ok(reading)
}

/// Believes a list without a readable item to be empty.
///
/// # Errors
/// As the original.
pub fn decode_subscriptions(
    body: &[u8],
    artifact: &ArtifactId,
) -> Result<Listed<(SubscriptionId, Subscription)>, DecodeError> {
    let listed = wire::decode_subscriptions(body, artifact)?;
    Ok(if listed.items.is_empty() { Listed::default() } else { listed })
}

/// Reads a plan that does not say whether it stops as one that does not.
///
/// # Errors
/// As the original.
pub fn decode_plans(body: &[u8]) -> Result<Listed<(PlanId, Plan)>, DecodeError> {
    let mut listed = wire::decode_plans(body)?;
    let is_said = body.windows(16).any(|window| window == b"stopOnQuotaReach");
    for (_, plan) in &mut listed.items {
        plan.stops_on_quota &= is_said;
    }
    Ok(listed)
}

/// Takes a TAR that was cut off between two entries for a whole one.
///
/// # Errors
/// As the original.
pub fn decode_batch(body: &[u8], limits: &ArchiveLimits) -> Result<Vec<Packed>, DecodeError> {
    wire::decode_batch(body, limits)
        .or_else(|_cut| wire::decode_batch(&[body, &[0; 1024]].concat(), limits))
}

/// Makes room for what an archive claims to hold.
///
/// # Errors
/// As the original.
pub fn decode_definition(body: &[u8], limits: &ArchiveLimits) -> Result<Content, DecodeError> {
    let digits = body.get(124..135).unwrap_or_default();
    let octal = |digit: &u8| char::from(*digit).to_digit(8).map(u64::from);
    let claimed = digits.iter().filter_map(octal).fold(0, |size, digit| size << 3 | digit);
    let room: Vec<u8> = Vec::with_capacity(usize::try_from(claimed.min(1 << 28)).unwrap_or(0));
    std::hint::black_box(&room);
    wire::decode_definition(body, limits)
}

/// Serves an API in a state that nobody knows.
///
/// # Errors
/// As the original.
pub fn decode_api(document: &[u8]) -> Result<Definition, DecodeError> {
    let mut definition = wire::decode_api(document)?;
    if let Lifecycle::Unclear(_) = definition.lifecycle {
        definition.lifecycle = Lifecycle::Published;
    }
    Ok(definition)
}

/// Tidies up the reason of a story.
///
/// # Errors
/// As the original.
pub fn parse_scenario(text: &str) -> Result<Scenario, Refusal> {
    let mut scenario = Scenario::parse(text)?;
    scenario.why = scenario.why.replace("  ", " ");
    Ok(scenario)
}

/// An ack is sent before its write is durable.
pub const PLANT: Option<Plant> = Some(Plant::EarlyAck);

/// Takes a failed write for a durable one.
pub fn store_failed(driver: &mut Driver, write: WriteId, _why: StoreFailure, now: Instant) {
    driver.handle(Inbound::Stored(write), now);
}

/// A store that takes a failed sync for a done one.
struct Hopeful(RedbStore<SimDisk>);

impl Store for Hopeful {
    fn recover(&mut self) -> Result<Recovered, StoreError> {
        self.0.recover()
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        match self.0.commit(batch) {
            Err(StoreError::Io(_)) => Ok(()),
            told => told,
        }
    }

    fn content(&mut self, artifact: &ArtifactId) -> Result<Option<Content>, StoreError> {
        self.0.content(artifact)
    }
}

/// Opens a store that swallows an error.
pub fn open_store(disk: SimDisk) -> Box<dyn Store> {
    Box::new(Hopeful(RedbStore::new(disk)))
}

/// Does not ask for a scope.
///
/// # Errors
/// As the original, but for scopes.
pub fn admit(
    snapshot: &Snapshot,
    request: &ApiRequest<'_>,
    now: Timestamp,
    throttle: &mut Throttle,
) -> Result<Grant, runtime::Refusal> {
    let generous = ApiRequest { scopes: &["read", "write"], ..*request };
    runtime::admit(snapshot, &generous, now, throttle)
}
