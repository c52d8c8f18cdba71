//! How an event is made and sent: the frame's text, the row in the store, the direct send (§1.4, §2).

use std::sync::Arc;

use driftless_gateway::model::{ArtifactId, DeploymentId, Dialect, Kind};
use driftless_gateway::time::Instant;

use crate::apim::Contract;
use crate::apim::clock::{WallClock, push_go, push_java};
use crate::apim::ids::Spot;
use crate::apim::ledger::{EventRecord, Fate};
use crate::apim::tables::artifacts::Catalog;
use crate::apim::tables::gateways::Gateways;
use crate::random::Key;
use crate::story::aim::GatewayIndex;

/// What an event tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) enum ArtifactChange {
    /// A revision is deployed.
    Deployed,
    /// A deployment is gone, the API is not.
    Undeployed,
    /// The API is gone.
    Deleted,
}

/// An event to be raised.
pub(in crate::apim) struct Raised {
    /// About which API, for which gateway.
    pub(in crate::apim) spot: Spot,
    /// What happened.
    pub(in crate::apim) change: ArtifactChange,
    /// The deployment it names.
    pub(in crate::apim) deployment: Option<DeploymentId>,
    /// The number of the statement it tells of.
    pub(in crate::apim) issue: u32,
}

/// How many of what was made so far; draws are keyed by it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::apim) struct Counts {
    /// Events about artifacts.
    raised: u64,
    /// Events about keys, subscriptions, plans and applications.
    pub(in crate::apim) told: u64,
    /// Stamps.
    stamps: u64,
}

/// What may be touched when an event is raised: the rows, sessions, faults and ledgers of the
/// gateways. Of the tables nothing is changed.
pub(in crate::apim) struct Events<'a> {
    /// What is spoken.
    pub(in crate::apim) contract: &'a Contract,
    /// What draws are keyed by.
    pub(in crate::apim) key: Key,
    /// The APIs.
    pub(in crate::apim) catalog: &'a Catalog,
    /// The gateways.
    pub(in crate::apim) gateways: &'a mut Gateways,
    /// The wall clock.
    pub(in crate::apim) clock: &'a mut WallClock,
    /// What was made so far.
    pub(in crate::apim) counts: &'a mut Counts,
}

impl Events<'_> {
    /// Raises an event: a row in the store, then a direct send to the session on this node
    /// (§1.4). The direct send marks nothing delivered, so the poll sends it again (A-H1).
    pub(in crate::apim) fn raise(&mut self, raised: Raised, now: Instant) {
        self.counts.raised += 1;
        let key = self.key.child("events").nth(self.counts.raised);
        let stamp = self.event_stamp(now);
        let Raised { spot, change, mut deployment, issue } = raised;
        let Spot { api, gateway } = spot;
        let wrong_ids = &mut self.gateways.at_mut(gateway).faults.wrong_undeploy_ids;
        if change == ArtifactChange::Undeployed && *wrong_ids > 0 {
            *wrong_ids -= 1;
            self.gateways.count_at(gateway, "wrong_undeploy_ids", 1);
            deployment = Some(DeploymentId::new(&key.uuid("wrong deployment")));
        }
        let Some(api) = self.catalog.get(api) else { return };
        let artifact = api.id.clone();
        let event_type = event_type(api.kind, change);
        let mut at = String::with_capacity(40);
        match self.contract.dialect {
            Dialect::PlatformApi11 => {
                push_go(&mut at, stamp, self.contract.switches.offset_minutes.minutes())
            }
            _ => push_java(&mut at, stamp),
        }
        let correlation = match (&deployment, change) {
            (Some(id), ArtifactChange::Deployed) if self.contract.keeps_events() => {
                ["deploy:", id.as_str()].concat()
            }
            (Some(id), ArtifactChange::Undeployed) if self.contract.keeps_events() => {
                ["undeploy:", id.as_str()].concat()
            }
            _ => key.uuid("correlation"),
        };
        let id_name = id_name(api.kind);
        let text = text(event_type, id_name, &artifact, deployment.as_ref(), &at, &correlation);
        let fate = self.dispatch(gateway, Arc::from(text), key.draw("id"), now);
        self.gateways.at_mut(gateway).ledger.event(EventRecord {
            at: now,
            event_type,
            artifact,
            issue,
            deployment,
            performed_text: at,
            fate,
        });
    }

    /// Stores an event for a gateway and sends it there, unless it is lost.
    pub(in crate::apim) fn dispatch(
        &mut self,
        gateway: GatewayIndex,
        text: Arc<str>,
        tie: u64,
        now: Instant,
    ) -> Fate {
        let environment = self.gateways.at_mut(gateway);
        if environment.faults.lose_events > 0 {
            environment.faults.lose_events -= 1;
            self.gateways.count_at(gateway, "lose_events", 1);
            return Fate::Lost;
        }
        let is_stored = self.contract.keeps_events() && !self.contract.switches.persist_fails;
        if is_stored {
            let created = self.clock.row(now);
            let environment = self.gateways.at_mut(gateway);
            environment.events.insert(now, created, tie, Arc::clone(&text));
        }
        let heard = self.send_directly(gateway, &text, tie, now);
        match (is_stored, heard) {
            (true, _) => Fate::Stored,
            (false, true) => Fate::Direct,
            (false, false) => Fate::Unheard,
        }
    }

    /// Sends to the session on the publishing node, or in the Platform API to every session.
    fn send_directly(
        &mut self,
        gateway: GatewayIndex,
        text: &Arc<str>,
        tie: u64,
        now: Instant,
    ) -> bool {
        let keeps_events = self.contract.keeps_events();
        let environment = self.gateways.at_mut(gateway);
        let sessions = &mut environment.sessions;
        if !keeps_events {
            return sessions.broadcast(None, text) > 0;
        }
        if sessions.is_empty() || !self.contract.switches.direct_send {
            return false;
        }
        if environment.faults.suppress_direct(now) {
            self.gateways.count_at(gateway, "no_direct_send", 1);
            return false;
        }
        let nodes = u64::from(self.contract.switches.nodes.get());
        let node = u32::try_from(tie % nodes).unwrap_or(0);
        if self.contract.switches.poll_dies_on_write_race {
            let killed =
                sessions.kill_polls_writing(node, self.contract.switches.poll_ms.duration(), now);
            self.gateways.count_at(gateway, "poll_dies_on_write_race", killed);
        }
        self.gateways.at_mut(gateway).sessions.broadcast(Some(node), text) > 0
    }

    /// The wall-clock stamp of something sent now.
    pub(in crate::apim) fn event_stamp(&mut self, now: Instant) -> i64 {
        if self.clock.is_frozen(now) {
            self.gateways.delivered.count("freeze_stamps");
        }
        if self.clock.is_off() {
            self.gateways.delivered.count("step_clock");
        }
        self.counts.stamps += 1;
        let jitter = self.key.child("stamps").nth(self.counts.stamps).draw("jitter");
        self.clock.event(now, jitter)
    }
}

/// The text of an event as Gson writes it, without fields that are null (§2.1 to §2.3).
fn text(
    event_type: &str,
    id_name: &str,
    artifact: &ArtifactId,
    deployment: Option<&DeploymentId>,
    at: &str,
    correlation: &str,
) -> String {
    let mut out = String::with_capacity(384);
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    push(&[r#"{"type":""#, event_type, r#"","payload":{""#, id_name, r#"":""#, artifact.as_str()]);
    if let Some(deployment) = deployment {
        push(&[r#"","deploymentId":""#, deployment.as_str(), r#"","performedAt":""#, at]);
    }
    push(&[r#""},"timestamp":""#, at, r#"","correlationId":""#, correlation, r#""}"#]);
    out
}

/// The type of an event; an APIM knows the `api` family only.
const fn event_type(kind: Kind, change: ArtifactChange) -> &'static str {
    use ArtifactChange::{Deleted, Deployed, Undeployed};
    match (kind, change) {
        (Kind::RestApi, Deployed) => "api.deployed",
        (Kind::RestApi, Undeployed) => "api.undeployed",
        (Kind::RestApi, Deleted) => "api.deleted",
        (Kind::WebSubApi, Deployed) => "websub.deployed",
        (Kind::WebSubApi, Undeployed) => "websub.undeployed",
        (Kind::WebSubApi, Deleted) => "websub.deleted",
        (Kind::WebBrokerApi, Deployed) => "webbroker.deployed",
        (Kind::WebBrokerApi, Undeployed) => "webbroker.undeployed",
        (Kind::WebBrokerApi, Deleted) => "webbroker.deleted",
        (Kind::LlmProvider, Deployed) => "llmprovider.deployed",
        (Kind::LlmProvider, Undeployed) => "llmprovider.undeployed",
        (Kind::LlmProvider, Deleted) => "llmprovider.deleted",
        (Kind::LlmProxy, Deployed) => "llmproxy.deployed",
        (Kind::LlmProxy, Undeployed) => "llmproxy.undeployed",
        (Kind::LlmProxy, Deleted) => "llmproxy.deleted",
        (Kind::Mcp, Deployed) => "mcpproxy.deployed",
        (Kind::Mcp, Undeployed) => "mcpproxy.undeployed",
        (Kind::Mcp, Deleted) => "mcpproxy.deleted",
    }
}

/// How a payload names the artifact's id.
const fn id_name(kind: Kind) -> &'static str {
    match kind {
        Kind::RestApi | Kind::WebSubApi | Kind::WebBrokerApi => "apiId",
        Kind::LlmProvider => "providerId",
        Kind::LlmProxy | Kind::Mcp => "proxyId",
    }
}
