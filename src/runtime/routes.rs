//! Which APIs a path leads to, and which of them collide (`docs/routing.md` §4 and §5).

use std::sync::Arc;

use super::multimap::{Map, MultiMap};
use super::operations::Operations;
use super::path;
use super::template::Template;
use crate::model::{ArtifactId, Definition};

/// Where an API is found, and its operations there.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// The base path in its normal form, without its first `/`.
    base: Arc<str>,
    pub(super) operations: Operations,
}

/// An operation as it is told apart from those of other APIs at its base path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    base: Arc<str>,
    template: Template,
    method: Arc<str>,
}

/// The routes of all APIs that can be found.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Routes {
    by_base: MultiMap<Arc<str>, ArtifactId>,
    /// How many APIs have a base path of that many segments.
    depths: Map<usize, usize>,
    /// The operations of APIs that share their base path with another, so that what collides is
    /// known without a look at all of them.
    shared: MultiMap<Place, ArtifactId>,
}

/// APIs at the base path that a path begins with.
pub(super) struct LedTo<'a, 'p> {
    /// How many segments the base path has.
    pub(super) depth: usize,
    /// The APIs, in order of their ids.
    pub(super) apis: &'a [ArtifactId],
    /// The rest of the path.
    pub(super) rest: &'p str,
}

/// An operation that several APIs have at one base path. The first of them is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collision<'a> {
    /// The APIs, in order of their ids.
    pub apis: &'a [ArtifactId],
    /// The method.
    pub method: &'a str,
    /// The whole path, with `{}` for each variable.
    pub path: String,
}

impl Route {
    /// Where an API with this definition is found.
    pub(super) fn of(definition: &Definition) -> Self {
        let path = definition.base_path();
        let base = Arc::from(path::normal(&path).trim_matches('/'));
        Self { base, operations: Operations::of(definition) }
    }

    fn depth(&self) -> usize {
        if self.base.is_empty() { 0 } else { self.base.split('/').count() }
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        self.operations.iter().map(|entry| Place {
            base: Arc::clone(&self.base),
            template: entry.template.clone(),
            method: Arc::clone(&entry.method),
        })
    }
}

impl Routes {
    /// Puts a route in the place of another one of the same API. `route_of` gives the routes of
    /// the other APIs.
    pub(super) fn replace<'r>(
        &mut self,
        id: &ArtifactId,
        old: Option<&Route>,
        new: Option<&Route>,
        route_of: impl Fn(&ArtifactId) -> Option<&'r Route>,
    ) {
        if let Some(route) = old {
            self.remove(id, route, &route_of);
        }
        if let Some(route) = new {
            self.add(id, route, &route_of);
        }
    }

    fn add<'r>(
        &mut self,
        id: &ArtifactId,
        route: &Route,
        route_of: impl Fn(&ArtifactId) -> Option<&'r Route>,
    ) {
        if let [only] = self.by_base.get(&route.base)
            && let Some(theirs) = route_of(only)
        {
            let only = only.clone();
            self.share(&only, theirs);
        }
        if !self.by_base.get(&route.base).is_empty() {
            self.share(id, route);
        }
        self.by_base.insert(&route.base, id.clone());
        let depth = route.depth();
        let count = self.depths.get(&depth).copied().unwrap_or_default();
        self.depths.insert_mut(depth, count + 1);
    }

    fn remove<'r>(
        &mut self,
        id: &ArtifactId,
        route: &Route,
        route_of: impl Fn(&ArtifactId) -> Option<&'r Route>,
    ) {
        self.by_base.remove(&route.base, |held| held == id);
        let others = self.by_base.get(&route.base);
        if !others.is_empty() {
            let only = if let [only] = others { Some(only.clone()) } else { None };
            self.unshare(id, route);
            if let Some(only) = only
                && let Some(theirs) = route_of(&only)
            {
                self.unshare(&only, theirs);
            }
        }
        let depth = route.depth();
        match self.depths.get(&depth).copied().unwrap_or_default() {
            0 | 1 => drop(self.depths.remove_mut(&depth)),
            count => self.depths.insert_mut(depth, count - 1),
        }
    }

    fn share(&mut self, id: &ArtifactId, route: &Route) {
        for place in route.places() {
            self.shared.insert(&place, id.clone());
        }
    }

    fn unshare(&mut self, id: &ArtifactId, route: &Route) {
        for place in route.places() {
            self.shared.remove(&place, |held| held == id);
        }
    }

    /// The APIs that a path in its normal form leads to, by the length of their base path. Only
    /// as many segments are looked at as some base path has.
    pub(super) fn led_to<'a, 'p>(&'a self, path: &'p str) -> impl Iterator<Item = LedTo<'a, 'p>> {
        let inside = path.strip_prefix('/').unwrap_or(path);
        let mut ends = inside.match_indices('/').map(|(at, _)| at).chain([inside.len()]);
        let mut passed = 0;
        let found = self.depths.keys().map_while(move |&depth| {
            let end = match depth {
                0 => 0,
                _ => ends.nth(depth - passed - 1)?,
            };
            passed = depth;
            let (base, rest) = inside.split_at(end);
            let rest = if depth == 0 { path } else { rest };
            Some(LedTo { depth, apis: self.by_base.get(base), rest })
        });
        found.filter(|led_to| !led_to.apis.is_empty())
    }

    /// What collides, in order of base path and template.
    pub(super) fn collisions(&self) -> impl Iterator<Item = Collision<'_>> {
        let several = self.shared.iter().filter(|(_, apis)| apis.len() > 1);
        several.map(|(place, apis)| {
            let slash = if place.base.is_empty() { "" } else { "/" };
            let path = format!("{slash}{}{}", place.base, place.template.shown());
            Collision { apis, method: &place.method, path }
        })
    }
}
