//! The reads about artifacts: the deployments list, one artifact, the batch, the existence check.

use std::borrow::Cow;
use std::fmt::Write as _;

use driftless_gateway::model::{ArtifactId, DeploymentId, Dialect};
use driftless_gateway::time::{Instant, Timestamp};
use driftless_gateway::wire::HttpResponse;
use serde::Deserialize;

use super::archive::{ArchiveEntry, TarStyle};
use super::definition::slug;
use super::{archive, bodies};
use crate::apim::Contract;
use crate::apim::clock::{WallClock, push_go, push_java};
use crate::apim::faults::wrong_answers::WrongAnswer;
use crate::apim::ids::{ApiIndex, Spot};
use crate::apim::tables::artifacts::{ApiRow, Catalog, quote};
use crate::apim::tables::gateways::Gateways;
use crate::apim::tables::history::{Cached, Rows};
use crate::story::aim::{GatewayIndex, OrganizationIndex};
use crate::story::step::{Lifecycle, Wrong};
use crate::story::switches::BatchEncoding;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchBody<'a> {
    #[serde(borrow, default)]
    deployment_ids: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExistsBody<'a> {
    #[serde(borrow)]
    artifact_ids: Vec<Cow<'a, str>>,
}

/// Which definition of an artifact is given.
#[derive(Clone, Copy)]
struct Given {
    revision: u32,
    lifecycle: Lifecycle,
}

/// A definition on its way into an archive.
struct Packed {
    spot: Spot,
    /// The revision whose deployment id was asked for.
    label: u32,
    /// The definition that is given (A-H16).
    content: Given,
}

/// Answers about artifacts. The tables of artifacts are changed, for a GET writes (A-H17).
pub(in crate::apim) struct ArtifactAnswers<'a> {
    /// What is spoken.
    pub(in crate::apim) contract: &'a Contract,
    /// The APIs.
    pub(in crate::apim) catalog: &'a mut Catalog,
    /// The gateways, where faults are counted.
    pub(in crate::apim) gateways: &'a mut Gateways,
    /// The wall clock.
    pub(in crate::apim) clock: &'a WallClock,
    /// What the contract does not allow.
    pub(in crate::apim) violations: &'a mut Vec<String>,
}

impl ArtifactAnswers<'_> {
    /// `GET /deployments` (§3.2): what the artifact cache holds for the gateway, whatever the
    /// mapping says.
    pub(in crate::apim) fn list(
        &mut self,
        gateway: GatewayIndex,
        query: &str,
        wrong_answer: &mut WrongAnswer,
    ) -> HttpResponse {
        let since = since(query);
        let is_apim = self.contract.keeps_events();
        let mut items: Vec<(Spot, Cached)> = Vec::with_capacity(self.catalog.len());
        let (mut lost, mut kept) = (0, 0);
        let of = self.gateways.organization_of(gateway);
        for (nth, (index, api)) in self.catalog.by_id(of).enumerate() {
            let there = api.gateways.at(gateway);
            let rows = wrong_answer.rows(nth, there.state.rows, &there.history);
            let is_mapped = !rows.mapped.is_empty();
            match rows.cached {
                Some(_) if is_apim && !is_mapped => kept += 1,
                None if is_apim && is_mapped => lost += 1,
                _ => {}
            }
            if let Some(row) = rows.cached
                && since.is_none_or(|since| row.stamp >= since)
            {
                items.push((Spot { api: index, gateway }, row));
            }
        }
        wrong_answer.select(&mut items);
        let other_types = !items.is_empty() && wrong_answer.take(Wrong::OtherTypes);
        self.gateways.count_at(gateway, "lose_row", lost);
        self.gateways.count_at(gateway, "keep_rows", kept);
        let mut out = String::with_capacity(32 + 224 * items.len());
        out.push_str(r#"{"deployments":["#);
        for (nth, (spot, row)) in items.into_iter().enumerate() {
            out.push_str(if nth == 0 { "" } else { "," });
            self.push_row(&mut out, spot, row, other_types);
        }
        out.push_str("]}");
        bodies::json(200, out)
    }

    /// One row; its text is kept until the row changes.
    fn push_row(&mut self, out: &mut String, spot: Spot, row: Cached, other_types: bool) {
        let Some(api) = self.catalog.get(spot.api) else { return };
        match &api.gateways.at(spot.gateway).row_text {
            Some((of, text)) if *of == row && !other_types => out.push_str(text),
            _ => {
                let mut text = String::with_capacity(224);
                let deployment = api.deployment(spot.gateway, row.revision);
                let deployment = deployment.map_or("", DeploymentId::as_str);
                self.write_row(&mut text, (api, deployment), row, other_types);
                out.push_str(&text);
                if let Some(api) = self.catalog.get_mut(spot.api).filter(|_| !other_types) {
                    api.gateways.at_mut(spot.gateway).row_text = Some((row, text));
                }
            }
        }
    }

    /// One row in the fields of the dialect.
    fn write_row(&self, out: &mut String, of: (&ApiRow, &str), row: Cached, other_types: bool) {
        let (api, deployment) = of;
        push(out, &[r#"{"deploymentId":""#, deployment, r#"","artifactId":"#]);
        if other_types {
            let at = row.stamp / 1000;
            let _ =
                write!(out, r#"{at},"kind":[],"state":true,"deployedAt":{at},"updatedAt":{at}}}"#);
            return;
        }
        let kind = match self.contract.dialect {
            Dialect::Apim470 => self.contract.switches.kind.text(),
            _ => api.kind.name(),
        };
        push(out, &["\"", api.id.as_str(), r#"","kind":""#, kind]);
        match self.contract.dialect {
            Dialect::Apim470 => out.push_str(r#"","updatedAt":""#),
            Dialect::Apim470Fixed => out.push_str(r#"","state":"deployed","deployedAt":""#),
            Dialect::PlatformApi11 => {
                let state = if row.deployed { "deployed" } else { "undeployed" };
                push(out, &[r#"","state":""#, state, r#"","deployedAt":""#]);
                push_go(out, row.stamp, self.contract.switches.offset_minutes.minutes());
                let _ = write!(out, r#"","etag":"{deployment}-{}"}}"#, row.stamp);
                return;
            }
        }
        push_java(out, row.stamp);
        out.push_str("\"}");
    }

    /// `GET /apis/{id}` as an archive (§3.1): the current artifact. 404 is an answer.
    pub(in crate::apim) fn fetch(
        &mut self,
        gateway: GatewayIndex,
        id: &str,
        wrong_answer: &mut WrongAnswer,
        now: Instant,
    ) -> HttpResponse {
        let index = with_id(self.catalog, self.gateways.organization_of(gateway), id);
        let spot = index.map(|api| Spot { api, gateway });
        let content = spot.and_then(|spot| Some((spot, self.current(spot, 0, wrong_answer, now)?)));
        let Some((spot, given)) = content else {
            return if self.contract.keeps_events() {
                bodies::empty(404)
            } else {
                let reason = "No active deployment found for this artifact on this gateway";
                bodies::platform_error(404, "Not Found", reason)
            };
        };
        let compress = self.contract.switches.compress;
        let api = self.catalog.get(spot.api);
        let definition = api.and_then(|api| api.definition(given.revision, given.lifecycle));
        let Some(definition) = definition else { return bodies::empty(404) };
        let mut entries = vec![ArchiveEntry { path: "api.yaml", bytes: &definition.bytes }];
        let bytes = match wrong_answer.wrong() {
            Some(Wrong::Bomb) => archive::zip_bomb("api.yaml"),
            Some(Wrong::DotDotEntry) => {
                let path = "../../api.yaml";
                archive::zip(&[ArchiveEntry { path, bytes: &definition.bytes }], compress)
            }
            Some(Wrong::RepeatedEntry) => {
                entries
                    .push(ArchiveEntry { path: "api.yaml", bytes: self.other_bytes(spot, given) });
                archive::zip(&entries, compress)
            }
            _ => {
                wrong_answer.select(&mut entries);
                if entries.is_empty() {
                    archive::zip(&entries, compress)
                } else {
                    definition.zip(compress).to_vec()
                }
            }
        };
        take_archive_fault(wrong_answer);
        bodies::response(200, "application/zip", bytes)
    }

    /// What an artifact's content read gives now: by the revision mapping (§5.1), of which it
    /// takes an arbitrary row of several (A-H15). A row of the artifact cache that differs is
    /// overwritten, a lost one comes back: this GET writes (A-H17).
    fn current(
        &mut self,
        spot: Spot,
        nth: usize,
        wrong_answer: &mut WrongAnswer,
        now: Instant,
    ) -> Option<Given> {
        let stamp = self.clock.row(now);
        let api = self.catalog.get(spot.api)?;
        let there = api.gateways.at(spot.gateway);
        let rows = wrong_answer.rows(nth, there.state.rows, &there.history);
        if !self.contract.keeps_events() {
            let row = rows.cached.filter(|row| row.deployed)?;
            return Some(Given { revision: row.revision, lifecycle: row.lifecycle });
        }
        let key = self.gateways.at(spot.gateway).key;
        let revision = rows.mapped.first(|| key.child("mapping").child(api.id.as_str()))?;
        let lifecycle = api.lifecycle_of(spot.gateway, revision, rows.cached);
        if rows.mapped.is_ambiguous() {
            self.gateways.count_at(spot.gateway, "redeploy_window", 1);
        }
        if wrong_answer.is_present() && rows.cached.is_none_or(|row| row.revision != revision) {
            let row = Cached { revision, stamp, deployed: true, lifecycle };
            self.catalog.change_rows(spot, now, |rows: &mut Rows| {
                rows.cached = Some(row);
                true
            });
        }
        Some(Given { revision, lifecycle })
    }

    /// A definition that is not this revision's, where there is another.
    fn other_bytes(&self, spot: Spot, given: Given) -> &[u8] {
        let Given { revision, lifecycle } = given;
        let other = if revision > 1 { revision - 1 } else { revision + 1 };
        let of = |api: &'_ ApiRow| api.lifecycle_of(spot.gateway, other, None);
        let definition = self.catalog.get(spot.api).and_then(|api| {
            api.definition(other, of(api)).or_else(|| api.definition(revision, lifecycle))
        });
        definition.map_or(&[], |definition| &definition.bytes)
    }

    /// `POST /deployments/batch` or `/fetch-batch` (§3.3): ids that are not of the artifact cache
    /// are skipped in silence (A-H13); the content is the artifact's current one (A-H16).
    pub(in crate::apim) fn fetch_batch(
        &mut self,
        gateway: GatewayIndex,
        (body, accept): (&[u8], &str),
        wrong_answer: &mut WrongAnswer,
        now: Instant,
    ) -> HttpResponse {
        let is_apim = self.contract.keeps_events();
        if !is_apim && accept != "application/x-tar+gzip" {
            return bodies::platform_error(406, "Not Acceptable", "Accept application/x-tar+gzip");
        }
        let Ok(body) = serde_json::from_slice::<BatchBody<'_>>(body) else {
            self.violations.push("a batch fetch whose body is not of the contract".to_owned());
            return bodies::empty(400);
        };
        if body.deployment_ids.is_empty() {
            self.violations.push("a batch fetch without deployment ids".to_owned());
            return bodies::text(400, "deploymentIds required");
        }
        let mut packed = Vec::with_capacity(body.deployment_ids.len());
        for (nth, id) in body.deployment_ids.iter().enumerate() {
            // An id of another gateway is no id here.
            let known = self.catalog.with_deployment(&DeploymentId::new(id));
            let known = known.filter(|(spot, _)| spot.gateway == gateway);
            let Some((spot, label)) = known else { continue };
            let Some(api) = self.catalog.get(spot.api) else { continue };
            let there = api.gateways.at(gateway);
            let rows = wrong_answer.rows(nth, there.state.rows, &there.history);
            let Some(row) = rows.cached.filter(|row| row.revision == label) else { continue };
            let content = if is_apim {
                self.current(spot, nth, wrong_answer, now)
            } else {
                Some(Given { revision: label, lifecycle: row.lifecycle })
            };
            packed.extend(content.map(|content| Packed { spot, label, content }));
        }
        wrong_answer.select(&mut packed);
        self.pack(&packed, wrong_answer)
    }

    fn pack(&self, packed: &[Packed], wrong_answer: &mut WrongAnswer) -> HttpResponse {
        let mut paths = Vec::with_capacity(packed.len());
        let mut bytes: Vec<&[u8]> = Vec::with_capacity(packed.len() + 1);
        for item in packed {
            let Some(api) = self.catalog.get(item.spot.api) else { continue };
            let Given { revision, lifecycle } = item.content;
            let Some(definition) = api.definition(revision, lifecycle) else { continue };
            let deployment =
                api.deployment(item.spot.gateway, item.label).map_or("", DeploymentId::as_str);
            paths.push([deployment, "/api-", api.id.as_str(), ".yaml"].concat());
            bytes.push(&definition.bytes);
        }
        if let Some(first) = packed.first() {
            match wrong_answer.wrong() {
                Some(Wrong::DotDotEntry) => {
                    paths.iter_mut().take(1).for_each(|path| path.insert_str(0, "../../"));
                }
                Some(Wrong::RepeatedEntry) => {
                    paths.extend(paths.first().cloned());
                    bytes.push(self.other_bytes(first.spot, first.content));
                }
                _ => {}
            }
            take_archive_fault(wrong_answer);
        }
        let entries: Vec<ArchiveEntry<'_>> =
            paths.iter().zip(bytes).map(|(path, bytes)| ArchiveEntry { path, bytes }).collect();
        self.encode(&entries, wrong_answer.wrong() == Some(Wrong::Bomb))
    }

    fn encode(&self, entries: &[ArchiveEntry<'_>], is_bomb: bool) -> HttpResponse {
        let (style, content_type) = if self.contract.keeps_events() {
            (TarStyle::Apim, "application/x-tar")
        } else {
            (TarStyle::Go, "application/x-tar+gzip")
        };
        let compress = self.contract.switches.compress;
        let body = match (self.contract.switches.batch_encoding, entries.first()) {
            (BatchEncoding::Tar, Some(entry)) if is_bomb => archive::tar_bomb(entry.path, style),
            (BatchEncoding::TarGz, Some(_)) if is_bomb => archive::gzip_bomb(),
            (BatchEncoding::Tar, _) => archive::tar(entries, style),
            (BatchEncoding::TarGz, _) => archive::gzip(&archive::tar(entries, style), compress),
        };
        bodies::response(200, content_type, body)
    }

    /// `POST /artifacts/exists` of the Platform API.
    pub(in crate::apim) fn check_exists(
        &mut self,
        gateway: GatewayIndex,
        body: &[u8],
        wrong_answer: &mut WrongAnswer,
    ) -> HttpResponse {
        let Ok(body) = serde_json::from_slice::<ExistsBody<'_>>(body) else {
            self.violations.push("an existence check whose body is not of the contract".to_owned());
            return bodies::platform_error(400, "Bad Request", "artifactIds required");
        };
        let mut items = Vec::with_capacity(body.artifact_ids.len());
        for (nth, id) in body.artifact_ids.iter().enumerate() {
            let index = with_id(self.catalog, self.gateways.organization_of(gateway), id);
            let there = index.and_then(|index| Some(self.catalog.get(index)?.gateways.at(gateway)));
            let exists = there.is_some_and(|there| {
                wrong_answer.rows(nth, there.state.rows, &there.history).exists
            });
            items.push((id, exists));
        }
        wrong_answer.select(&mut items);
        let other_types = !items.is_empty() && wrong_answer.take(Wrong::OtherTypes);
        let mut out = String::with_capacity(32 + 80 * items.len());
        out.push_str(r#"{"artifacts":["#);
        for (nth, (id, exists)) in items.into_iter().enumerate() {
            out.push_str(if nth == 0 { "" } else { "," });
            let _ = match other_types {
                true => write!(out, r#"{{"artifactId":{nth},"exists":"{exists}"}}"#),
                false => write!(out, r#"{{"artifactId":{},"exists":{exists}}}"#, quote(id)),
            };
        }
        out.push_str("]}");
        bodies::json(200, out)
    }
}

/// The API with that id, where it is of that organization.
pub(in crate::apim) fn with_id(
    catalog: &Catalog,
    of: OrganizationIndex,
    id: &str,
) -> Option<ApiIndex> {
    let index = catalog.with_id(&ArtifactId::new(id))?;
    (catalog.get(index)?.organization == of).then_some(index)
}

/// The list of all APIs of the gateway's organization, wherever they are deployed.
pub(in crate::apim) fn api_list(
    catalog: &Catalog,
    of: OrganizationIndex,
    gateway: GatewayIndex,
) -> String {
    let mut out = String::with_capacity(16 + 160 * catalog.len());
    out.push_str(r#"{"list":["#);
    let all = catalog.by_id(of);
    let there = all.filter(|(_, api)| api.gateways.at(gateway).state.rows.exists);
    for (nth, (_, api)) in there.enumerate() {
        out.push_str(if nth == 0 { "" } else { "," });
        let (name, slug) = (quote(&api.name), slug(&api.name));
        let _ = write!(
            out,
            r#"{{"apiId":"{}","name":{name},"version":"v1.0","context":"/{slug}/v1.0","provider":"admin","apiType":"API","status":"PUBLISHED"}}"#,
            api.id
        );
    }
    out.push_str("]}");
    out
}

/// Appends several texts; a fraction of what formatting costs.
fn push(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
}

/// Archive faults take effect wherever there is something to pack.
fn take_archive_fault(wrong_answer: &mut WrongAnswer) {
    for wrong in [Wrong::Bomb, Wrong::DotDotEntry, Wrong::RepeatedEntry] {
        wrong_answer.take(wrong);
    }
}

/// The `since` of a query in microseconds; what cannot be read is ignored (A-H19).
fn since(query: &str) -> Option<i64> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("since="))?;
    let value = value.replace("%3A", ":").replace("%3a", ":").replace("%2B", "+");
    let at = Timestamp::parse(&value).ok()?;
    i64::try_from(at.unix_nanos().div_euclid(1000)).ok()
}
