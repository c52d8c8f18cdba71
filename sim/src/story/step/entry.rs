//! What a step tells about itself: one entry of the vocabulary.

/// Who does what a step says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Actor {
    /// People at APIM: what a gateway must follow.
    People,
    /// A control plane that goes wrong at the level of meaning.
    ControlPlane,
    /// A network.
    Network,
    /// The gateway's own machine.
    Machine,
}

impl Actor {
    /// The word printed for the actor.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::ControlPlane => "control-plane",
            Self::Network => "network",
            Self::Machine => "machine",
        }
    }
}

/// What a step is about, where a story has several gateways.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reach {
    /// Something that belongs to an organization, on all of its gateways at once.
    Organization,
    /// Something that belongs to an organization, on gateways one by one.
    OrganizationsGateways,
    /// Gateways one by one, of whatever organization.
    Gateways,
    /// APIM as a whole.
    Everything,
}

/// A field whose value is one of several names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The field.
    pub field: &'static str,
    /// The names that it takes.
    pub of: &'static [&'static str],
    /// The names among them that take a number, and from where to where it is.
    pub numbers: &'static [(&'static str, u64, u64)],
    /// Which of the names it takes, where another field decides that.
    pub depends: Option<Depends>,
}

impl Choice {
    /// Any of those names.
    pub const fn of(field: &'static str, of: &'static [&'static str]) -> Self {
        Self { field, of, numbers: &[], depends: None }
    }

    /// The same, where some take a number.
    pub const fn with_numbers(self, numbers: &'static [(&'static str, u64, u64)]) -> Self {
        Self { numbers, ..self }
    }

    /// The same, where another field decides.
    pub const fn depending(self, depends: Depends) -> Self {
        Self { depends: Some(depends), ..self }
    }
}

/// The names that a field takes by the name that another field has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Depends {
    /// The other field.
    pub on: &'static str,
    /// Its names, and which names go with each.
    pub names: &'static [(&'static str, &'static [&'static str])],
}

/// How a story of bytes has a step: by which numbers, and in which ranges the two parameters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// The numbers of the step; each number is one step's.
    pub tags: &'static [u8],
    /// The range of the first parameter.
    pub a: (u64, u64),
    /// The range of the second one.
    pub b: (u64, u64),
}

impl Form {
    /// A story of bytes is told in the fast world, so a step of the wire world has no number.
    pub const ONLY_IN_WIRE: Self = Self::of(&[]);

    /// A step of those numbers. Numbers are never given to another step, so that inputs that were
    /// kept go on to mean the same.
    pub const fn of(tags: &'static [u8]) -> Self {
        Self { tags, a: (0, u16::MAX as u64), b: (0, u16::MAX as u64) }
    }

    /// The same with a range for the first parameter.
    pub const fn a(self, least: u64, most: u64) -> Self {
        Self { a: (least, most), ..self }
    }

    /// The same with a range for the second one.
    pub const fn b(self, least: u64, most: u64) -> Self {
        Self { b: (least, most), ..self }
    }
}

/// What a step tells about itself, besides what its fields do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name in a scenario file, in `expect.delivered` and in reports.
    pub name: &'static str,
    /// Who does it.
    pub actor: Actor,
    /// What it is about, where a story has several gateways.
    pub reach: Reach,
    /// What it says, in a few words.
    pub says: &'static str,
    /// Its fields by example, as JSON.
    pub example: &'static str,
    /// The fields that are a choice.
    pub choices: &'static [Choice],
    /// How a story of bytes has it.
    pub form: Form,
}

impl Entry {
    /// Whether only the wire world can do it.
    pub const fn is_only_in_wire(&self) -> bool {
        self.form.tags.is_empty()
    }
}
