//! Where a step is aimed at: gateways and organizations by their places.

/// A gateway's place among those of the story, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct GatewayIndex(pub usize);

impl GatewayIndex {
    /// The first gateway; the only one where a story names none.
    pub const FIRST: Self = Self(0);
}

/// An organization's place, in the order in which the gateways name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct OrganizationIndex(pub usize);

/// A gateway to be registered: in which organization.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Registration {
    /// The organization that it belongs to.
    pub organization: OrganizationIndex,
}

/// What a verb is about, besides what it names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Aim {
    /// Whose APIs, applications and plans are meant.
    pub organization: OrganizationIndex,
    /// The gateways that are meant; every one when there is none.
    pub gateways: Vec<GatewayIndex>,
}

impl Aim {
    /// Whether that gateway is meant.
    pub fn is_at(&self, gateway: GatewayIndex) -> bool {
        self.gateways.is_empty() || self.gateways.contains(&gateway)
    }
}
