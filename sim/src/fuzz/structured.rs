//! `event_structured`: events of every type, and what senders do to them: fields of another type,
//! left out, given twice, nested too deep, renamed, of odd texts.
//!
//! Bytes choose the event and the edits, so that an input gets past the grammar at once.

use std::borrow::Cow;

use arbitrary::{Result, Unstructured};
use driftless_gateway::model::{
    Application, ApplicationId, ArtifactId, CorrelationId, Credential, DeploymentId, Event,
    EventHead, KeyName, KeyUuid, Plan, PlanId, Quota, QuotaUnit, ResourceChange, ResourceEvent,
    ResourceId, SecretHash, SubscriptionClaim, SubscriptionId, SubscriptionStatus,
};
use driftless_gateway::time::Timestamp;

use super::event::{Decode, check_frame};
use super::event_form::{FAMILIES, frame_of};
use super::json::{self, Json};

/// How many types of events there are to choose from.
pub(super) const TYPES: u8 = 3 * FAMILIES.len() as u8 + 12;

/// How many edits one input makes at most.
const EDITS_MAX: usize = 6;

/// Checks the frame that `bytes` choose.
///
/// # Panics
/// When `decode` read it in another way than the contract says.
pub fn check_structured(bytes: &[u8], decode: Decode) {
    let mut choices = Unstructured::new(bytes);
    let Ok(event) = event(&mut choices) else { return };
    let Some(frame) = frame_of(&event) else { return };
    assert_eq!(decode(frame.as_bytes()).as_ref(), Ok(&event), "{frame} reads back as another");
    let Ok(mut tree) = json::read(frame.as_bytes()) else { panic!("{frame} is not JSON") };
    for _ in 0..EDITS_MAX {
        if choices.is_empty() || edit(&mut tree, &mut choices).is_err() {
            break;
        }
    }
    let mut edited = String::new();
    tree.write(&mut edited);
    check_frame(edited.as_bytes(), decode);
}

/// An event of any type.
fn event(choices: &mut Unstructured<'_>) -> Result<Event> {
    let which = usize::from(choices.arbitrary::<u8>()? % TYPES);
    if let Some((_, kind, _)) = FAMILIES.get(which / 3).copied() {
        let performed_at = stamp(choices)?;
        let head = EventHead {
            artifact: ArtifactId::new(&text(choices)?),
            kind,
            deployment: some(choices, text)?.map(|id| DeploymentId::new(&id)),
            performed_at,
            performed_text: performed_at.map(|at| at.to_string()),
            correlation: some(choices, text)?.map(|id| CorrelationId::new(&id)),
        };
        return Ok(match which % 3 {
            0 => Event::Deployed(head),
            1 => Event::Undeployed(head),
            _ => Event::Deleted { artifact: head.artifact, kind, sent_at: head.performed_at },
        });
    }
    let which = which - 3 * FAMILIES.len();
    if which == 0 {
        return Ok(Event::ConnectionAck { gateway: text(choices)?.into_owned() });
    }
    let (id, change) = change(which, choices)?;
    let sent_at = stamp(choices)?;
    let mut event = ResourceEvent { id, change, sent_at };
    if let ResourceChange::KeyCreated(key) | ResourceChange::KeyRegenerated(key) = &mut event.change
    {
        key.created_at = sent_at;
    }
    Ok(Event::Changed(Box::new(event)))
}

fn change(which: usize, choices: &mut Unstructured<'_>) -> Result<(ResourceId, ResourceChange)> {
    let id = text(choices)?;
    let id = match which {
        1..=3 => ResourceId::ApiKey(ArtifactId::new(&id), KeyName::new(&text(choices)?)),
        4..=6 => ResourceId::Subscription(SubscriptionId::new(&id)),
        7..=9 => ResourceId::Plan(PlanId::new(&id)),
        _ => ResourceId::Application(ApplicationId::new(&id)),
    };
    let change = match which {
        1 => ResourceChange::KeyCreated(credential(choices)?),
        2 => ResourceChange::KeyRegenerated(credential(choices)?),
        3 => ResourceChange::KeyRevoked,
        4 => {
            let mut claim = claim(choices)?;
            claim.artifact = Some(ArtifactId::new(&text(choices)?));
            ResourceChange::SubscriptionCreated(claim)
        }
        5 => ResourceChange::SubscriptionUpdated(claim(choices)?),
        7 => ResourceChange::PlanCreated(plan(choices)?),
        8 => ResourceChange::PlanUpdated(plan(choices)?),
        10 => {
            let count = choices.int_in_range(0..=3)?;
            let keys = (0..count).map(|_| Ok(KeyUuid::new(&text(choices)?)));
            let keys = keys.collect::<Result<_>>()?;
            let name = text(choices)?.into_owned();
            ResourceChange::ApplicationUpdated(Application { name, keys })
        }
        _ => ResourceChange::Deleted,
    };
    Ok((id, change))
}

fn credential(choices: &mut Unstructured<'_>) -> Result<Credential> {
    let uuid = some(choices, text)?.map(|id| KeyUuid::new(&id));
    Ok(Credential {
        hash: SecretHash([choices.arbitrary()?; 32]),
        is_listable: uuid.is_some(),
        uuid,
        expires_at: stamp(choices)?,
        created_at: None,
    })
}

fn claim(choices: &mut Unstructured<'_>) -> Result<SubscriptionClaim> {
    Ok(SubscriptionClaim {
        artifact: some(choices, text)?.map(|id| ArtifactId::new(&id)),
        application: some(choices, text)?.map(|id| ApplicationId::new(&id)),
        token: None,
        plan: some(choices, text)?.map(|id| PlanId::new(&id)),
        status: some(choices, text)?.map(|word| SubscriptionStatus::parse(&word)),
    })
}

fn plan(choices: &mut Unstructured<'_>) -> Result<Plan> {
    let unit =
        [QuotaUnit::Second, QuotaUnit::Minute, QuotaUnit::Hour, QuotaUnit::Day, QuotaUnit::Month];
    let quota = some(choices, |choices| {
        Ok(Quota { count: choices.arbitrary()?, unit: *choices.choose(&unit)? })
    });
    Ok(Plan {
        quota: quota?,
        name: text(choices)?.into_owned(),
        stops_on_quota: choices.arbitrary()?,
        expires_at: stamp(choices)?,
        is_active: choices.arbitrary()?,
    })
}

fn some<'a, T>(
    choices: &mut Unstructured<'a>,
    value: impl FnOnce(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if choices.arbitrary::<u8>()? % 4 == 0 { Ok(None) } else { value(choices).map(Some) }
}

/// A moment of this century, with any precision.
fn stamp(choices: &mut Unstructured<'_>) -> Result<Option<Timestamp>> {
    some(choices, |choices| {
        let seconds = i128::from(choices.arbitrary::<u32>()?);
        let nanos = i128::from(choices.arbitrary::<u32>()? % 1_000_000_000);
        let digits = choices.int_in_range(0..=9)?;
        Ok(Timestamp::from_unix_nanos(seconds * 1_000_000_000 + nanos, digits))
    })
}

/// Texts that an id, a name or a word may be.
const TEXTS: [&str; 16] = [
    "d34a",
    "e427ae65-27d8-4cf1-9a35-0b9e2b0ba86b",
    "ACTIVE",
    "Mobile-Key",
    "ÄPFEL",
    "İstanbul",
    "a b",
    "..",
    "/",
    "%2e",
    "\"",
    "\\",
    "{\"sha256\":\"\"}",
    "a\u{2028}b",
    "\u{1f600}",
    "-",
];

fn text<'a>(choices: &mut Unstructured<'a>) -> Result<Cow<'a, str>> {
    let which = choices.arbitrary::<u8>()?;
    if let Some(text) = TEXTS.get(usize::from(which)) {
        return Ok(Cow::Borrowed(text));
    }
    if which % 8 == 0 {
        return Ok(Cow::Owned("x".repeat(usize::from(which))));
    }
    Ok(Cow::Owned(format!("id-{which}")))
}

/// Values of every type, for a field that has another.
fn odd(choices: &mut Unstructured<'_>) -> Result<Json<'static>> {
    const ODD_TEXTS: [&str; 12] = [
        "",
        " ",
        "\0",
        "\n",
        "api.deployed",
        "apikey.created",
        "2026-02-30T00:00:00Z",
        "9999-12-31T23:59:60-18:00",
        "0000-01-01T00:00:00+18:00",
        "$SHA256$",
        "weeks",
        "secret",
    ];
    Ok(match choices.int_in_range(0..=11)? {
        0 => Json::Null,
        1 => Json::Flag(choices.arbitrary()?),
        2 => Json::Number(choices.arbitrary()?),
        3 => Json::OtherNumber("-1"),
        4 => Json::OtherNumber("1e400"),
        5 => Json::Items(Vec::new()),
        6 => Json::Fields(Vec::new()),
        7 => {
            let depth = usize::from(choices.arbitrary::<u8>()?);
            (0..depth).fold(Json::Null, |inner, at| match at % 2 {
                0 => Json::Items(vec![inner]),
                _ => Json::Fields(vec![(Cow::Borrowed("apiId"), inner)]),
            })
        }
        8 => Json::Text(Cow::Owned("y".repeat(usize::from(choices.arbitrary::<u16>()? % 3000)))),
        9 => Json::Text(Cow::Owned("5e".repeat(32))),
        _ => Json::Text(Cow::Borrowed(choices.choose(&ODD_TEXTS)?)),
    })
}

/// Names that a field may come under.
pub(super) const NAMES: [&str; 36] = [
    "type",
    "payload",
    "timestamp",
    "correlationId",
    "gatewayId",
    "apiId",
    "providerId",
    "proxyId",
    "deploymentId",
    "performedAt",
    "name",
    "keyName",
    "uuid",
    "apiKeyHashes",
    "sha256",
    "expiresAt",
    "expiresIn",
    "duration",
    "unit",
    "subscriptionId",
    "applicationId",
    "subscriptionToken",
    "subscriptionPlanId",
    "status",
    "id",
    "planId",
    "planName",
    "stopOnQuotaReach",
    "throttleLimitCount",
    "throttleLimitUnit",
    "expiryTime",
    "applicationUuid",
    "applicationName",
    "mappings",
    "apiKeyUuid",
    "userId",
];

/// Changes the tree at one place.
fn edit(tree: &mut Json<'_>, choices: &mut Unstructured<'_>) -> Result<()> {
    let mut place = tree;
    // Down into the tree, as far as the bytes say.
    while choices.arbitrary::<bool>()? {
        let (count, is_object) = match &*place {
            Json::Fields(fields) => (fields.len(), true),
            Json::Items(items) => (items.len(), false),
            _ => break,
        };
        if count == 0 {
            break;
        }
        let at = choices.int_in_range(0..=count - 1)?;
        let below = match place {
            Json::Fields(fields) if is_object => fields.get_mut(at).map(|(_, value)| value),
            Json::Items(items) => items.get_mut(at),
            _ => None,
        };
        let Some(below) = below else { return Ok(()) };
        place = below;
    }
    let Json::Fields(fields) = place else {
        *place = odd(choices)?;
        return Ok(());
    };
    let what = choices.int_in_range(0..=4)?;
    let at = if fields.is_empty() { 0 } else { choices.int_in_range(0..=fields.len() - 1)? };
    match what {
        0 => fields.push((Cow::Borrowed(choices.choose(&NAMES)?), odd(choices)?)),
        1 => drop((at < fields.len()).then(|| fields.remove(at))),
        2 => {
            if let Some(twice) = fields.get(at).cloned() {
                fields.push(twice);
            }
        }
        3 => {
            if let Some((name, _)) = fields.get_mut(at) {
                *name = Cow::Borrowed(choices.choose(&NAMES)?);
            }
        }
        _ => {
            if let Some((_, value)) = fields.get_mut(at) {
                *value = odd(choices)?;
            }
        }
    }
    Ok(())
}
