//! The APIs: names and incarnations, lifecycle, revisions and their definitions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use driftless_gateway::model::{ArtifactId, ContentDigest, DeploymentId, Kind};
use driftless_gateway::time::Instant;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::archive::{self, Entry};
use super::outline::{Outline, slug};
use super::rows::{Cached, History, State};
use crate::random::{Key, uuid_text};
use crate::step::Lifecycle;

/// An API's place in the catalog; never reused.
pub(super) type ApiIndex = usize;

/// The highest revision number of an API.
pub(super) const REVISION_MAX: u32 = 64;

/// One incarnation of an API.
pub(super) struct Api {
    /// Its name in the story.
    pub(super) name: Arc<str>,
    /// Its id.
    pub(super) id: ArtifactId,
    /// Its kind.
    pub(super) kind: Kind,
    /// Which API of that name this is, from 1.
    pub(super) incarnation: u32,
    /// Its revisions, number 1 first. They are never forgotten, not even by a restore.
    pub(super) revisions: Vec<Revision>,
    /// What is true of it now, what reads see of it, and what they saw before.
    pub(super) state: State,
    /// Its earlier states.
    pub(super) history: History,
    /// Whether its definitions ask for subscriptions.
    validates_subscriptions: bool,
    /// Its row as the list last wrote it.
    pub(super) row_text: Option<(Cached, String)>,
}

/// A revision: immutable content, but for the lifecycle state that it is deployed in.
pub(super) struct Revision {
    /// The id of its deployment to the gateway.
    pub(super) deployment: DeploymentId,
    /// The lifecycle state when it was last deployed.
    pub(super) lifecycle: Lifecycle,
    /// Its definition for each state.
    definitions: [OnceLock<Arc<Definition>>; Lifecycle::ALL.len()],
}

/// A definition and the archive that a zip fetch gives of it.
pub(super) struct Definition {
    /// The document.
    pub(super) bytes: Vec<u8>,
    /// Its SHA-256.
    pub(super) digest: ContentDigest,
    /// Stored and deflated.
    zips: [OnceLock<Vec<u8>>; 2],
}

impl Api {
    /// The definition of a revision deployed in a lifecycle state, made when it is first asked
    /// for.
    pub(super) fn definition(&self, revision: u32, lifecycle: Lifecycle) -> Option<&Definition> {
        let held = self.revision(revision)?.definitions.get(lifecycle as usize)?;
        Some(held.get_or_init(|| made(self, self.outline(revision, lifecycle))))
    }

    /// What the definition of a revision deployed in a lifecycle state says.
    pub(super) const fn outline(&self, revision: u32, lifecycle: Lifecycle) -> Outline {
        Outline { revision, lifecycle, validates_subscriptions: self.validates_subscriptions }
    }

    /// The lifecycle state in the definition that is given of a revision: that of the artifact
    /// row, or where the artifact is built anew, that of the revision's last deployment.
    pub(super) fn lifecycle_of(&self, revision: u32, row: Option<Cached>) -> Lifecycle {
        let built = row.filter(|row| row.revision == revision).map(|row| row.lifecycle);
        let last = || self.revision(revision).map(|held| held.lifecycle);
        built.or_else(last).unwrap_or(Lifecycle::Published)
    }

    /// The deployment id of a revision.
    pub(super) fn deployment(&self, revision: u32) -> Option<&DeploymentId> {
        Some(&self.revision(revision)?.deployment)
    }

    /// Notes the lifecycle state in which a revision is deployed.
    pub(super) fn note_deployed(&mut self, revision: u32, lifecycle: Lifecycle) {
        let place = revision.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        if let Some(held) = place.and_then(|place| self.revisions.get_mut(place)) {
            held.lifecycle = lifecycle;
        }
    }

    fn revision(&self, revision: u32) -> Option<&Revision> {
        self.revisions.get(usize::try_from(revision.checked_sub(1)?).ok()?)
    }
}

/// What a definition is made of: name, kind, incarnation and outline.
type MadeOf = (Arc<str>, Kind, u32, Outline);

thread_local! {
    /// Definitions made on this thread. They depend on nothing else, and the stories of a sweep
    /// have the same names over and over.
    static MADE: RefCell<BTreeMap<MadeOf, Arc<Definition>>> = const { RefCell::new(BTreeMap::new()) };
}

/// How many definitions are kept.
const MADE_MAX: usize = 1024;

fn made(api: &Api, outline: Outline) -> Arc<Definition> {
    let made_of = (Arc::clone(&api.name), api.kind, api.incarnation, outline);
    MADE.with_borrow_mut(|made| {
        if made.len() >= MADE_MAX && !made.contains_key(&made_of) {
            made.clear();
        }
        let definition = made.entry(made_of);
        Arc::clone(definition.or_insert_with(|| Arc::new(Definition::new(api, outline))))
    })
}

impl Definition {
    fn new(api: &Api, outline: Outline) -> Self {
        let bytes = document(api, outline).into_bytes();
        let digest = ContentDigest(Sha256::digest(&bytes).into());
        Self { bytes, digest, zips: [const { OnceLock::new() }; 2] }
    }

    /// The archive with this definition as its only entry (§3.1).
    pub(super) fn zip(&self, compress: bool) -> &[u8] {
        let [stored, deflated] = &self.zips;
        let zip = if compress { deflated } else { stored };
        zip.get_or_init(|| {
            archive::zip(&[Entry { path: "api.yaml", bytes: &self.bytes }], compress)
        })
    }
}

/// What there is of one name.
struct Named {
    newest: ApiIndex,
    incarnations: u32,
}

/// Every API there ever was.
pub(super) struct Catalog {
    key: Key,
    gateway: Arc<str>,
    validates_subscriptions: bool,
    apis: Vec<Api>,
    names: BTreeMap<Arc<str>, Named>,
    by_id: BTreeMap<ArtifactId, ApiIndex>,
    by_deployment: BTreeMap<DeploymentId, (ApiIndex, u32)>,
}

impl Catalog {
    /// An empty catalog for that gateway.
    pub(super) fn new(key: Key, gateway: Arc<str>, validates_subscriptions: bool) -> Self {
        Self {
            key: key.child("apis"),
            gateway,
            validates_subscriptions,
            apis: Vec::new(),
            names: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_deployment: BTreeMap::new(),
        }
    }

    /// The API at a place.
    pub(super) fn get(&self, index: ApiIndex) -> Option<&Api> {
        self.apis.get(index)
    }

    /// The API at a place, to be changed.
    pub(super) fn get_mut(&mut self, index: ApiIndex) -> Option<&mut Api> {
        self.apis.get_mut(index)
    }

    /// How many APIs there ever were.
    pub(super) const fn len(&self) -> usize {
        self.apis.len()
    }

    /// The API of that name that exists.
    pub(super) fn existing(&self, name: &str) -> Option<ApiIndex> {
        let index = self.names.get(name)?.newest;
        self.apis.get(index)?.state.truth.exists.then_some(index)
    }

    /// The API with that id.
    pub(super) fn with_id(&self, id: &ArtifactId) -> Option<ApiIndex> {
        self.by_id.get(id).copied()
    }

    /// The API and revision of a deployment id.
    pub(super) fn with_deployment(&self, id: &DeploymentId) -> Option<(ApiIndex, u32)> {
        self.by_deployment.get(id).copied()
    }

    /// Every API in the order of the ids: the order of a list without `ORDER BY`.
    pub(super) fn by_id(&self) -> impl Iterator<Item = (ApiIndex, &Api)> {
        self.by_id.values().filter_map(|&index| Some((index, self.apis.get(index)?)))
    }

    /// Adds an API; its id depends on the seed, its name and how many of that name there were.
    pub(super) fn add(&mut self, name: &str, kind: Kind, now: Instant) -> ApiIndex {
        let name: Arc<str> = Arc::from(name);
        let index = self.apis.len();
        let named =
            self.names.entry(Arc::clone(&name)).or_insert(Named { newest: index, incarnations: 0 });
        named.newest = index;
        named.incarnations += 1;
        let incarnation = named.incarnations;
        let id = self.key.child(&name).nth(u64::from(incarnation)).uuid("api");
        let id = ArtifactId::new(&id);
        let state = State::created();
        self.by_id.insert(id.clone(), index);
        self.apis.push(Api {
            name,
            id,
            kind,
            incarnation,
            revisions: Vec::new(),
            state,
            history: History::starting(now, state),
            validates_subscriptions: self.validates_subscriptions,
            row_text: None,
        });
        index
    }

    /// Makes revisions up to that number.
    pub(super) fn revise_up_to(&mut self, index: ApiIndex, revision: u32) {
        let Some(api) = self.apis.get_mut(index) else { return };
        let made = u32::try_from(api.revisions.len()).unwrap_or(u32::MAX);
        for number in made + 1..=revision.min(REVISION_MAX) {
            let key = self.key.child(&api.name).nth(u64::from(api.incarnation));
            let uuid = key.nth(u64::from(number)).uuid("revision");
            let deployment = deployment_id(api.id.as_str(), &self.gateway, &uuid);
            self.by_deployment.insert(deployment.clone(), (index, number));
            api.revisions.push(Revision {
                deployment,
                lifecycle: Lifecycle::Published,
                definitions: std::array::from_fn(|_| OnceLock::new()),
            });
        }
    }

    /// After a restore: the name belongs to whichever of its APIs exists.
    pub(super) fn reclaim_names(&mut self) {
        for (index, api) in self.apis.iter().enumerate() {
            if api.state.truth.exists
                && let Some(named) = self.names.get_mut(&api.name)
            {
                named.newest = index;
            }
        }
    }
}

/// The deployment id: Java's `UUID.nameUUIDFromBytes`, which is MD5 of the raw text with version
/// 3 (§5.2). The same revision on the same gateway always has the same id.
pub(super) fn deployment_id(api: &str, gateway: &str, revision: &str) -> DeploymentId {
    let mut hasher = Md5::new();
    for part in [api.trim(), ":", gateway.trim(), ":", revision.trim()] {
        hasher.update(part.as_bytes());
    }
    DeploymentId::new(&uuid_text(hasher.finalize().into(), 3))
}

/// The `api.yaml` of a revision as the converter writes it (§3.1): about a kilobyte that says
/// nothing of ids. The upstream and the operations differ from revision to revision.
fn document(api: &Api, outline: Outline) -> String {
    let (slug, quoted) = (slug(&api.name), quote(&api.name));
    let revision = outline.revision.to_string();
    let mut out = String::with_capacity(1536);
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    push(&["apiVersion: gateway.api-platform.wso2.com/v1alpha1\nkind: ", api.kind.name()]);
    push(&["\nmetadata:\n  name: ", &slug, "-v1\nspec:\n  displayName: ", &quoted]);
    push(&["\n  version: v1.0\n  context: /", &slug, "/v1.0\n  upstream:\n    main:\n"]);
    let incarnation = api.incarnation.to_string();
    push(&["      url: http://", &slug, "-r", &revision, ".i", &incarnation, ".example:8080\n"]);
    push(&["      ref: null\n    sandbox: null\n"]);
    outline.push(&mut out);
    out
}

/// A text in double quotes, valid in JSON and in YAML.
pub(super) fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_id_is_the_name_uuid_of_java() {
        // python3: uuid.UUID(bytes=hashlib.md5(b"api:gateway:revision").digest(), version=3)
        let id = deployment_id(" api ", "gateway", "revision\n");
        assert_eq!(id.as_str(), "24d8ac71-7298-341d-bf37-40fc1ef533c2");
    }

    #[test]
    fn ids_depend_on_seed_name_and_incarnation_only() {
        let start = Instant::START;
        let mut first = Catalog::new(Key::new(1), Arc::from("g"), true);
        let orders = first.add("orders", Kind::RestApi, start);
        let again = first.add("orders", Kind::RestApi, start);
        let mut second = Catalog::new(Key::new(1), Arc::from("g"), true);
        second.add("billing", Kind::RestApi, start);
        let same = second.add("orders", Kind::RestApi, start);
        let id = |catalog: &Catalog, index| catalog.get(index).unwrap().id.clone();
        assert_eq!(id(&first, orders), id(&second, same));
        assert_ne!(id(&first, orders), id(&first, again));
    }

    #[test]
    fn every_revision_and_incarnation_has_its_own_definition() {
        let mut catalog = Catalog::new(Key::new(1), Arc::from("g"), true);
        let mut digests = Vec::new();
        for _ in 0..2 {
            let index = catalog.add("Größe \"1\"", Kind::RestApi, Instant::START);
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
