//! The APIs: names and incarnations, lifecycle, revisions and their definitions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use driftless_gateway::model::{ArtifactId, ContentDigest, DeploymentId, Kind};
use driftless_gateway::time::Instant;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::history::{ApiState, Cached, Effect, Rows, StateHistory, Truth};
use crate::apim::ids::{ApiIndex, PerGateway, Spot, organization_key};
use crate::apim::ledger::Issued;
use crate::apim::rest::archive;
use crate::apim::rest::archive::ArchiveEntry;
use crate::apim::rest::definition::{Outline, slug};
use crate::random::{Key, uuid_text};
use crate::story::aim::{GatewayIndex, OrganizationIndex};
use crate::story::step::Lifecycle;

/// The highest revision number of an API.
pub(in crate::apim) const REVISION_MAX: u32 = 64;

/// One incarnation of an API.
pub(in crate::apim) struct ApiRow {
    /// Whose it is.
    pub(in crate::apim) organization: OrganizationIndex,
    /// Its name in the story.
    pub(in crate::apim) name: Arc<str>,
    /// Its id.
    pub(in crate::apim) id: ArtifactId,
    /// Its kind.
    pub(in crate::apim) kind: Kind,
    /// Which API of that name this is, from 1.
    pub(in crate::apim) incarnation: u32,
    /// Its revisions, number 1 first. They are never forgotten, not even by a restore.
    pub(in crate::apim) revisions: Vec<Revision>,
    /// How it stands on each gateway. What is true of the API itself is the same in all of them.
    pub(in crate::apim) gateways: PerGateway<ApiAtGateway>,
    /// Whether its definitions ask for subscriptions.
    validates_subscriptions: bool,
}

/// How an API stands on one gateway.
pub(in crate::apim) struct ApiAtGateway {
    /// What is true of it now, and what reads see of it.
    pub(in crate::apim) state: ApiState,
    /// Its earlier states.
    pub(in crate::apim) history: StateHistory,
    /// Its row as the list last wrote it.
    pub(in crate::apim) row_text: Option<(Cached, String)>,
}

/// A revision: immutable content, but for the lifecycle state that it is deployed in.
pub(in crate::apim) struct Revision {
    /// Its deployment to each gateway.
    deployments: PerGateway<Deployment>,
    /// Its definition for each state.
    definitions: [OnceLock<Arc<Definition>>; Lifecycle::ALL.len()],
    /// Whether a gateway can read its definition.
    is_readable: bool,
}

/// What there is of a revision on one gateway.
struct Deployment {
    /// The id of its deployment there.
    id: DeploymentId,
    /// The lifecycle state when it was last deployed there.
    lifecycle: Lifecycle,
}

/// A definition and the archive that a zip fetch gives of it.
pub(in crate::apim) struct Definition {
    /// The document.
    pub(in crate::apim) bytes: Vec<u8>,
    /// Its SHA-256.
    pub(in crate::apim) digest: ContentDigest,
    /// Stored and deflated.
    zips: [OnceLock<Vec<u8>>; 2],
}

impl ApiRow {
    /// The definition of a revision deployed in a lifecycle state, made when it is first asked
    /// for.
    pub(in crate::apim) fn definition(
        &self,
        revision: u32,
        lifecycle: Lifecycle,
    ) -> Option<&Definition> {
        let held = self.revision(revision)?.definitions.get(lifecycle as usize)?;
        Some(held.get_or_init(|| made(self, self.outline(revision, lifecycle))))
    }

    /// What the definition of a revision deployed in a lifecycle state says.
    pub(in crate::apim) fn outline(&self, revision: u32, lifecycle: Lifecycle) -> Outline {
        Outline {
            revision,
            lifecycle,
            validates_subscriptions: self.validates_subscriptions,
            is_readable: self.revision(revision).is_none_or(|revision| revision.is_readable),
        }
    }

    /// The lifecycle state in the definition that is given of a revision: that of the artifact
    /// row, or where the artifact is built anew, that of the revision's last deployment there.
    pub(in crate::apim) fn lifecycle_of(
        &self,
        gateway: GatewayIndex,
        revision: u32,
        row: Option<Cached>,
    ) -> Lifecycle {
        let built = row.filter(|row| row.revision == revision).map(|row| row.lifecycle);
        let last = || self.revision(revision).map(|held| held.deployments.at(gateway).lifecycle);
        built.or_else(last).unwrap_or(Lifecycle::Published)
    }

    /// The deployment id of a revision on a gateway.
    pub(in crate::apim) fn deployment(
        &self,
        gateway: GatewayIndex,
        revision: u32,
    ) -> Option<&DeploymentId> {
        Some(&self.revision(revision)?.deployments.at(gateway).id)
    }

    /// What is true of the API itself, whatever the gateway.
    pub(in crate::apim) fn truth(&self) -> Truth {
        self.gateways.at(GatewayIndex::FIRST).state.truth
    }

    /// Changes what is true of the API itself.
    pub(in crate::apim) fn set_truth(&mut self, now: Instant, change: impl Fn(&mut Truth)) {
        for there in self.gateways.iter_mut() {
            change(&mut there.state.truth);
            there.history.note(now, there.state);
        }
    }

    /// Notes the lifecycle state in which a revision is deployed to a gateway.
    pub(in crate::apim) fn note_deployed(
        &mut self,
        gateway: GatewayIndex,
        revision: u32,
        lifecycle: Lifecycle,
    ) {
        let place = revision.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        if let Some(held) = place.and_then(|place| self.revisions.get_mut(place)) {
            held.deployments.at_mut(gateway).lifecycle = lifecycle;
        }
    }

    /// The revision of that number, from 1.
    pub(in crate::apim) fn revision(&self, revision: u32) -> Option<&Revision> {
        self.revisions.get(usize::try_from(revision.checked_sub(1)?).ok()?)
    }
}

/// What a definition is made of: organization, name, kind, incarnation and outline.
type MadeOf = (OrganizationIndex, Arc<str>, Kind, u32, Outline);

thread_local! {
    /// Definitions made on this thread. They depend on nothing else, and the stories of a sweep
    /// have the same names over and over.
    static MADE: RefCell<BTreeMap<MadeOf, Arc<Definition>>> = const { RefCell::new(BTreeMap::new()) };
}

/// How many definitions are kept.
const MADE_MAX: usize = 1024;

fn made(api: &ApiRow, outline: Outline) -> Arc<Definition> {
    let made_of = (api.organization, Arc::clone(&api.name), api.kind, api.incarnation, outline);
    MADE.with_borrow_mut(|made| {
        if made.len() >= MADE_MAX && !made.contains_key(&made_of) {
            made.clear();
        }
        let definition = made.entry(made_of);
        Arc::clone(definition.or_insert_with(|| Arc::new(Definition::new(api, outline))))
    })
}

impl Definition {
    fn new(api: &ApiRow, outline: Outline) -> Self {
        let bytes = document(api, outline).into_bytes();
        let digest = ContentDigest(Sha256::digest(&bytes).into());
        Self { bytes, digest, zips: [const { OnceLock::new() }; 2] }
    }

    /// The archive with this definition as its only entry (§3.1).
    pub(in crate::apim) fn zip(&self, compress: bool) -> &[u8] {
        let [stored, deflated] = &self.zips;
        let zip = if compress { deflated } else { stored };
        zip.get_or_init(|| {
            archive::zip(&[ArchiveEntry { path: "api.yaml", bytes: &self.bytes }], compress)
        })
    }
}

/// What there is of one name.
struct NamedApi {
    newest: ApiIndex,
    incarnations: u32,
}

/// Every API there ever was.
pub(in crate::apim) struct Catalog {
    key: Key,
    /// The ids of the gateways, in order; there is one at least.
    gateways: Vec<Arc<str>>,
    validates_subscriptions: bool,
    apis: Vec<ApiRow>,
    names: BTreeMap<OrganizationIndex, BTreeMap<Arc<str>, NamedApi>>,
    by_id: BTreeMap<ArtifactId, ApiIndex>,
    by_deployment: BTreeMap<DeploymentId, (Spot, u32)>,
}

impl Catalog {
    /// An empty catalog for those gateways.
    pub(in crate::apim) fn new(
        key: Key,
        gateways: Vec<Arc<str>>,
        validates_subscriptions: bool,
    ) -> Self {
        Self {
            key,
            gateways,
            validates_subscriptions,
            apis: Vec::new(),
            names: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_deployment: BTreeMap::new(),
        }
    }

    /// The API at a place.
    pub(in crate::apim) fn get(&self, index: ApiIndex) -> Option<&ApiRow> {
        self.apis.get(index)
    }

    /// The API at a place, to be changed.
    pub(in crate::apim) fn get_mut(&mut self, index: ApiIndex) -> Option<&mut ApiRow> {
        self.apis.get_mut(index)
    }

    /// How many APIs there ever were.
    pub(in crate::apim) const fn len(&self) -> usize {
        self.apis.len()
    }

    /// The API of that name that an organization has.
    pub(in crate::apim) fn existing(&self, of: OrganizationIndex, name: &str) -> Option<ApiIndex> {
        let index = self.names.get(&of)?.get(name)?.newest;
        self.apis.get(index)?.truth().exists.then_some(index)
    }

    fn key(&self, of: OrganizationIndex) -> Key {
        organization_key(self.key, of).child("apis")
    }

    /// The API with that id.
    pub(in crate::apim) fn with_id(&self, id: &ArtifactId) -> Option<ApiIndex> {
        self.by_id.get(id).copied()
    }

    /// The API, gateway and revision of a deployment id.
    pub(in crate::apim) fn with_deployment(&self, id: &DeploymentId) -> Option<(Spot, u32)> {
        self.by_deployment.get(id).copied()
    }

    /// Every API of an organization in the order of the ids: the order of a list without
    /// `ORDER BY`.
    pub(in crate::apim) fn by_id(
        &self,
        of: OrganizationIndex,
    ) -> impl Iterator<Item = (ApiIndex, &ApiRow)> {
        let all = self.by_id.values().filter_map(|&index| Some((index, self.apis.get(index)?)));
        all.filter(move |(_, api)| api.organization == of)
    }

    /// Adds an API; its id depends on the seed, its name and how many of that name there were.
    pub(in crate::apim) fn add(
        &mut self,
        of: OrganizationIndex,
        name: &str,
        kind: Kind,
        now: Instant,
    ) -> ApiIndex {
        let name: Arc<str> = Arc::from(name);
        let index = self.apis.len();
        let names = self.names.entry(of).or_default();
        let named =
            names.entry(Arc::clone(&name)).or_insert(NamedApi { newest: index, incarnations: 0 });
        named.newest = index;
        named.incarnations += 1;
        let incarnation = named.incarnations;
        let id = self.key(of).child(&name).nth(u64::from(incarnation)).uuid("api");
        let id = ArtifactId::new(&id);
        let state = ApiState::created();
        self.by_id.insert(id.clone(), index);
        let gateways = PerGateway::new(self.gateways.len(), |_| ApiAtGateway {
            state,
            history: StateHistory::starting(now, state),
            row_text: None,
        });
        self.apis.push(ApiRow {
            organization: of,
            name,
            id,
            kind,
            incarnation,
            revisions: Vec::new(),
            gateways,
            validates_subscriptions: self.validates_subscriptions,
        });
        index
    }

    /// Makes revisions up to that number.
    pub(in crate::apim) fn revise_up_to(&mut self, index: ApiIndex, revision: u32) {
        let apis_key = self.apis.get(index).map(|api| self.key(api.organization));
        let Some((api, apis_key)) = self.apis.get_mut(index).zip(apis_key) else { return };
        let made = u32::try_from(api.revisions.len()).unwrap_or(u32::MAX);
        for number in made + 1..=revision.min(REVISION_MAX) {
            let key = apis_key.child(&api.name).nth(u64::from(api.incarnation));
            let uuid = key.nth(u64::from(number)).uuid("revision");
            let deployments = PerGateway::new(self.gateways.len(), |gateway| {
                let environment = self.gateways.get(gateway.0).map_or("", |id| &**id);
                let id = deployment_id(api.id.as_str(), environment, &uuid);
                self.by_deployment.insert(id.clone(), (Spot { api: index, gateway }, number));
                Deployment { id, lifecycle: Lifecycle::Published }
            });
            api.revisions.push(Revision {
                deployments,
                definitions: std::array::from_fn(|_| OnceLock::new()),
                is_readable: true,
            });
        }
    }

    /// Makes the definition of a revision one that no gateway can read, before it is asked for.
    pub(in crate::apim) fn spoil_revision(&mut self, index: ApiIndex, revision: u32) {
        let place = usize::try_from(revision).unwrap_or(0).checked_sub(1);
        let api = self.apis.get_mut(index);
        if let Some(revision) = api.zip(place).and_then(|(api, place)| api.revisions.get_mut(place))
        {
            revision.is_readable = false;
        }
    }

    /// The statement that a revision is deployed in a lifecycle state.
    pub(in crate::apim) fn deployed_issue(
        &self,
        spot: Spot,
        revision: u32,
        lifecycle: Lifecycle,
    ) -> Option<Issued> {
        let api = self.get(spot.api)?;
        let digest = api.definition(revision, lifecycle)?.digest;
        let deployment = api.deployment(spot.gateway, revision)?.clone();
        let outline = api.outline(revision, lifecycle);
        Some(Issued::Deployed { deployment, revision, digest, outline })
    }

    /// Carries a change out now.
    pub(in crate::apim) fn carry_out(&mut self, spot: Spot, effect: Effect, now: Instant) {
        self.change_rows(spot, now, |rows| {
            rows.apply(effect);
            true
        });
    }

    /// Changes rows and notes how they looked; returns what the change returned.
    pub(in crate::apim) fn change_rows(
        &mut self,
        spot: Spot,
        now: Instant,
        change: impl FnOnce(&mut Rows) -> bool,
    ) -> bool {
        let Some(api) = self.get_mut(spot.api) else { return false };
        let there = api.gateways.at_mut(spot.gateway);
        let did = change(&mut there.state.rows);
        there.history.note(now, there.state);
        did
    }

    /// After a restore: the name belongs to whichever of its APIs exists.
    pub(in crate::apim) fn reclaim_names(&mut self) {
        for (index, api) in self.apis.iter().enumerate() {
            let names = self.names.get_mut(&api.organization);
            if api.truth().exists
                && let Some(named) = names.and_then(|names| names.get_mut(&api.name))
            {
                named.newest = index;
            }
        }
    }
}

/// The deployment id: Java's `UUID.nameUUIDFromBytes`, which is MD5 of the raw text with version
/// 3 (§5.2). The same revision on the same gateway always has the same id.
pub(in crate::apim) fn deployment_id(api: &str, gateway: &str, revision: &str) -> DeploymentId {
    let mut hasher = Md5::new();
    for part in [api.trim(), ":", gateway.trim(), ":", revision.trim()] {
        hasher.update(part.as_bytes());
    }
    DeploymentId::new(&uuid_text(hasher.finalize().into(), 3))
}

/// The `api.yaml` of a revision as the converter writes it (§3.1): about a kilobyte that says
/// nothing of ids. The upstream and the operations differ from revision to revision.
fn document(api: &ApiRow, outline: Outline) -> String {
    let (slug, quoted) = (slug(&api.name), quote(&api.name));
    let revision = outline.revision.to_string();
    let mut out = String::with_capacity(1536);
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    push(&["apiVersion: gateway.api-platform.wso2.com/v1alpha1\nkind: ", api.kind.name()]);
    push(&["\nmetadata:\n  name: ", &slug, "-v1\nspec:\n  displayName: ", &quoted]);
    push(&["\n  version: v1.0\n  context: /", &slug, "/v1.0\n  upstream:\n    main:\n"]);
    // Two organizations may call an API the same; what it says is not the same then.
    let incarnation = match api.organization.0 {
        0 => api.incarnation.to_string(),
        of => format!("{}.o{of}", api.incarnation),
    };
    push(&["      url: http://", &slug, "-r", &revision, ".i", &incarnation, ".example:8080\n"]);
    push(&["      ref: null\n    sandbox: null\n"]);
    outline.push(&mut out);
    if !outline.is_readable {
        out.push_str("  operations: [\n");
    }
    out
}

/// A text in double quotes, valid in JSON and in YAML.
pub(in crate::apim) fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: OrganizationIndex = OrganizationIndex(0);

    #[test]
    fn a_deployment_id_is_the_name_uuid_of_java() {
        // python3: uuid.UUID(bytes=hashlib.md5(b"api:gateway:revision").digest(), version=3)
        let id = deployment_id(" api ", "gateway", "revision\n");
        assert_eq!(id.as_str(), "24d8ac71-7298-341d-bf37-40fc1ef533c2");
    }

    #[test]
    fn ids_depend_on_seed_name_and_incarnation_only() {
        let start = Instant::START;
        let mut first = Catalog::new(Key::new(1), vec![Arc::from("g")], true);
        let orders = first.add(HERE, "orders", Kind::RestApi, start);
        let again = first.add(HERE, "orders", Kind::RestApi, start);
        let mut second = Catalog::new(Key::new(1), vec![Arc::from("g")], true);
        second.add(HERE, "billing", Kind::RestApi, start);
        let same = second.add(HERE, "orders", Kind::RestApi, start);
        let id = |catalog: &Catalog, index| catalog.get(index).unwrap().id.clone();
        assert_eq!(id(&first, orders), id(&second, same));
        assert_ne!(id(&first, orders), id(&first, again));
    }

    #[test]
    fn every_revision_and_incarnation_has_its_own_definition() {
        let mut catalog = Catalog::new(Key::new(1), vec![Arc::from("g")], true);
        let mut digests = Vec::new();
        for _ in 0..2 {
            let index = catalog.add(HERE, "Größe \"1\"", Kind::RestApi, Instant::START);
            catalog.revise_up_to(index, 3);
            let api = catalog.get(index).unwrap();
            let published = |revision| api.definition(revision, Lifecycle::Published);
            digests.extend((1..=3).map(|revision| published(revision).unwrap().digest));
            assert!(published(4).is_none() && published(0).is_none());
            digests.push(api.definition(2, Lifecycle::Blocked).unwrap().digest);
            let bytes = &published(2).unwrap().bytes;
            assert!((900..1600).contains(&bytes.len()), "{}", bytes.len());
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 8);
    }
}
