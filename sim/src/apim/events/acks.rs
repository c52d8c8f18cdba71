//! `deployment.ack`: what APIM makes of it (§2.8), and what it would not let pass.

use std::borrow::Cow;

use driftless_gateway::model::{AckAction, AckStatus, ArtifactId, DeploymentId, Kind};
use driftless_gateway::time::{Instant, Timestamp};
use serde::Deserialize;

use crate::apim::ledger::{AckRecord, Ledger};
use crate::apim::tables::artifacts::Catalog;
use crate::apim::{ConnectionId, Contract};
use crate::story::aim::GatewayIndex;

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow, default)]
    frame_type: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<Payload<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow, default)]
    deployment_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    artifact_id: Cow<'a, str>,
    #[serde(borrow, default)]
    resource_type: Cow<'a, str>,
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    performed_at: Option<Cow<'a, str>>,
}

/// Takes acks in.
pub(in crate::apim) struct Acks<'a> {
    /// The APIs.
    pub(in crate::apim) catalog: &'a Catalog,
    /// What is spoken.
    pub(in crate::apim) contract: &'a Contract,
    /// What was issued to the gateway whose session it is.
    pub(in crate::apim) ledger: &'a mut Ledger,
    /// What the contract does not allow.
    pub(in crate::apim) violations: &'a mut Vec<String>,
}

impl Acks<'_> {
    /// A text frame of the gateway. Only `deployment.ack` is understood; a malformed one is a
    /// violation of the protocol, everything else is ignored.
    pub(in crate::apim) fn receive(
        &mut self,
        (gateway, connection): (GatewayIndex, ConnectionId),
        text: &str,
        now: Instant,
    ) {
        let frame: Frame<'_> = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                let line =
                    format!("{connection}: a frame that is not JSON of the contract: {error}");
                self.violations.push(line);
                return;
            }
        };
        if frame.frame_type != "deployment.ack" {
            return;
        }
        let payload = frame.payload.ok_or("no payload");
        match payload.and_then(|payload| self.read_ack(gateway, &payload, now)) {
            Ok(ack) => self.ledger.ack(ack),
            Err(problem) => {
                self.violations.push(format!("{connection}: malformed deployment.ack: {problem}"));
            }
        }
    }

    fn read_ack(
        &self,
        gateway: GatewayIndex,
        payload: &Payload<'_>,
        now: Instant,
    ) -> Result<AckRecord, &'static str> {
        if payload.artifact_id.trim().is_empty() {
            return Err("artifactId is blank");
        }
        let artifact = ArtifactId::new(&payload.artifact_id);
        let index = self.catalog.with_id(&artifact);
        let api = index.and_then(|index| self.catalog.get(index));
        let kind = api.map_or(Kind::RestApi, |api| api.kind);
        if payload.resource_type != resource_type(kind) {
            return Err("resourceType does not name the kind of the artifact");
        }
        let action = match payload.action.to_ascii_lowercase().as_str() {
            "deploy" => AckAction::Deploy,
            "undeploy" => AckAction::Undeploy,
            _ => return Err("action is neither deploy nor undeploy"),
        };
        let status = match payload.status.to_ascii_lowercase().as_str() {
            "success" => AckStatus::Success,
            "failed" | "failure" => AckStatus::Failed,
            _ => return Err("status is neither success nor failed"),
        };
        let performed_text = payload.performed_at.as_deref().map(str::to_owned);
        if performed_text.as_deref().is_some_and(|text| Timestamp::parse(text).is_err()) {
            return Err("performedAt is not a timestamp");
        }
        let deployment = payload.deployment_id.as_deref().map(DeploymentId::new);
        // Resolved by the artifact cache, by deployment id or else by API; an undeploy has
        // removed the row by then (A-H38).
        let resolved = if self.contract.keeps_events() {
            api.is_some_and(|api| api.gateways.at(gateway).state.rows.cached.is_some())
        } else {
            self.ledger.events().iter().any(|event| {
                event.artifact == artifact
                    && event.deployment == deployment
                    && Some(event.performed_text.as_str()) == performed_text.as_deref()
            })
        };
        Ok(AckRecord { at: now, artifact, deployment, action, status, performed_text, resolved })
    }
}

/// How an ack names the kind of its artifact (`docs/controller.md` §3).
const fn resource_type(kind: Kind) -> &'static str {
    match kind {
        Kind::RestApi => "api",
        Kind::WebSubApi => "websub",
        Kind::WebBrokerApi => "webbroker",
        Kind::LlmProvider => "llmprovider",
        Kind::LlmProxy => "llmproxy",
        Kind::Mcp => "mcpproxy",
    }
}
