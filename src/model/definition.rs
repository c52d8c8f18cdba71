//! What a definition (`api.yaml`) says a request may do with an API.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::Tier;

/// Where an API stands in its life.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Lifecycle {
    /// Not offered yet.
    Created,
    /// Offered for trial.
    Prototyped,
    /// Offered; also what a definition says that is silent about it, for APIM deploys it then.
    #[default]
    Published,
    /// Still served, to be replaced.
    Deprecated,
    /// Withheld for a time.
    Blocked,
    /// Taken back.
    Retired,
    /// A word with no settled meaning, cut to 32 characters; such an API is withheld.
    Unclear(String),
}

impl Lifecycle {
    /// Reads a state whatever its case.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "CREATED" => Self::Created,
            "PROTOTYPED" => Self::Prototyped,
            "PUBLISHED" => Self::Published,
            "DEPRECATED" => Self::Deprecated,
            "BLOCKED" => Self::Blocked,
            "RETIRED" => Self::Retired,
            _ => Self::Unclear(text.chars().take(32).collect()),
        }
    }

    /// Whether an API in this state is served.
    pub const fn is_served(&self) -> bool {
        matches!(self, Self::Prototyped | Self::Published | Self::Deprecated)
    }

    /// Whether an API in this state is as if it were not there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Created | Self::Retired)
    }

    /// The word for it, in APIM's spelling where APIM has one.
    pub fn name(&self) -> &str {
        match self {
            Self::Created => "CREATED",
            Self::Prototyped => "PROTOTYPED",
            Self::Published => "PUBLISHED",
            Self::Deprecated => "DEPRECATED",
            Self::Blocked => "BLOCKED",
            Self::Retired => "RETIRED",
            Self::Unclear(word) => word,
        }
    }
}

impl fmt::Display for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who may call an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum AuthType {
    /// Everyone, without credentials.
    None,
    /// An application.
    Application,
    /// A person, through an application.
    ApplicationUser,
    /// Both. Also what a definition says that is silent about it: silence opens nothing.
    #[default]
    Any,
}

impl AuthType {
    /// Reads an auth type whatever its case, with a space, `_`, `-` or nothing between words;
    /// APIM's older name of `Any` among them. `None` for a word that is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.chars().filter(|char| !matches!(char, ' ' | '_' | '-' | '&'));
        match letters.collect::<String>().to_ascii_lowercase().as_str() {
            "none" => Some(Self::None),
            "application" => Some(Self::Application),
            "applicationuser" => Some(Self::ApplicationUser),
            "any" | "applicationapplicationuser" => Some(Self::Any),
            _ => None,
        }
    }
}

/// One operation of an API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// The HTTP method, in upper case.
    pub method: Arc<str>,
    /// The path template below the API's base path, as it is written: variables as `{id}`, and
    /// perhaps a `*` as the last segment, which stands for any rest (`docs/routing.md` §2).
    pub path: Arc<str>,
    /// Who may call it.
    pub auth: AuthType,
    /// The scopes of which a caller has to hold one; none is asked for when there is none here.
    pub scopes: BTreeSet<String>,
    /// Its limit, over all callers.
    pub tier: Tier,
}

/// What a request may do with an API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// The name shown to people.
    pub display_name: String,
    /// The version, a text such as `v1.0`; empty for none.
    pub version: String,
    /// The context as it came; requests are routed by [`Definition::base_path`].
    pub context: String,
    /// Where the API stands.
    pub lifecycle: Lifecycle,
    /// Its limit, over all callers and operations.
    pub tier: Tier,
    /// Whether operations that are not open to everyone want an API key.
    pub wants_key: bool,
    /// Whether they want an open subscription.
    pub wants_subscription: bool,
    /// The operations, in the order of the document.
    pub operations: Vec<Operation>,
}

impl Definition {
    /// The path below which the API is served, as it is written: it begins with `/` and does not
    /// end in one; empty for an API at the root.
    ///
    /// It is the context, in which `$version` and `{version}` stand for the version. Nothing is
    /// appended: a context without them has the version in it already, or is served without one
    /// (`docs/routing.md` §4). Empty segments are left out.
    pub fn base_path(&self) -> String {
        let version = self.version.trim_matches('/');
        let filled = if self.context.contains(['$', '{']) {
            Cow::Owned(self.context.replace("$version", version).replace("{version}", version))
        } else {
            Cow::Borrowed(self.context.as_str())
        };
        let mut path = String::with_capacity(filled.len() + 1);
        for segment in filled.split('/').filter(|segment| !segment.is_empty()) {
            path.push('/');
            path.push_str(segment);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_the_context_with_its_version() {
        for (context, version, path) in [
            ("/pizza/v1.0", "v1.0", "/pizza/v1.0"),
            ("/pizza", "v1.0", "/pizza"),
            ("/pizza/$version", "v1.0", "/pizza/v1.0"),
            ("/{version}/pizza", "v1.0", "/v1.0/pizza"),
            ("pizza//menu/", "v1.0", "/pizza/menu"),
            ("/pizza-$version", "v1.0", "/pizza-v1.0"),
            ("/$version", "v1.0", "/v1.0"),
            ("/pizza/$version", "", "/pizza"),
            ("/", "v1.0", ""),
        ] {
            let definition = Definition {
                display_name: String::new(),
                version: version.to_owned(),
                context: context.to_owned(),
                lifecycle: Lifecycle::Published,
                tier: Tier::Unlimited,
                wants_key: false,
                wants_subscription: false,
                operations: Vec::new(),
            };
            assert_eq!(definition.base_path(), path, "{context} {version}");
        }
    }

    #[test]
    fn three_states_are_served() {
        for (text, served) in [
            ("PUBLISHED", true),
            ("prototyped", true),
            ("Deprecated", true),
            ("BLOCKED", false),
            ("RETIRED", false),
            ("CREATED", false),
            ("PUBLISHING", false),
        ] {
            let lifecycle = Lifecycle::parse(text);
            assert_eq!(lifecycle.is_served(), served, "{text}");
            assert_eq!(lifecycle.name(), text.to_ascii_uppercase());
        }
    }

    #[test]
    fn an_auth_type_is_read_in_every_spelling() {
        for (text, auth) in [
            ("None", Some(AuthType::None)),
            ("Application", Some(AuthType::Application)),
            ("Application User", Some(AuthType::ApplicationUser)),
            ("APPLICATION_USER", Some(AuthType::ApplicationUser)),
            ("Application & Application User", Some(AuthType::Any)),
            ("any", Some(AuthType::Any)),
            ("Nobody", None),
        ] {
            assert_eq!(AuthType::parse(text), auth, "{text}");
        }
    }
}
