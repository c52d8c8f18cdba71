//! The names a scenario may use for what the world shows: triggers, requests, kinds, states.

use driftless_gateway::engine::{StatusKind, SyncState};
use driftless_gateway::model::{Dialect, Kind};

/// The requests of the contract, as [`driftless_gateway::engine::Request::name`] says them.
pub const REQUESTS: &[&str] = &[
    "discover",
    "list",
    "fetch",
    "fetch_batch",
    "check_exists",
    "read_keys",
    "read_subscriptions",
    "read_plans",
];

/// What `on.action` can wait for.
pub const ACTIONS: &[&str] = &[
    "open_session",
    "close_session",
    "ack",
    "store",
    "discover",
    "list",
    "fetch",
    "fetch_batch",
    "check_exists",
    "read_keys",
    "read_subscriptions",
    "read_plans",
];

/// What `on.event` can wait for: the frames that the simulated APIM sends.
pub const EVENTS: &[&str] = &[
    "connection.ack",
    "api.deployed",
    "api.undeployed",
    "api.deleted",
    "apikey.created",
    "apikey.updated",
    "apikey.revoked",
    "subscription.created",
    "subscription.updated",
    "subscription.deleted",
    "subscriptionPlan.created",
    "subscriptionPlan.updated",
    "subscriptionPlan.deleted",
    "application.updated",
];

/// What `on.state` can wait for.
pub const STATES: &[&str] = &["live", "stored", "synced", "restarted"];

/// Every resource kind that a status can be about.
pub const RESOURCE_KINDS: [StatusKind; 11] = [
    StatusKind::Artifact(Kind::LlmProvider),
    StatusKind::Artifact(Kind::LlmProxy),
    StatusKind::Artifact(Kind::RestApi),
    StatusKind::Artifact(Kind::WebSubApi),
    StatusKind::Artifact(Kind::WebBrokerApi),
    StatusKind::Artifact(Kind::Mcp),
    StatusKind::ApiKey,
    StatusKind::ApplicationKey,
    StatusKind::Subscription,
    StatusKind::Plan,
    StatusKind::Application,
];

/// Every state of a status.
pub const SYNC_STATES: [SyncState; 5] = [
    SyncState::Synced,
    SyncState::Syncing,
    SyncState::Stale,
    SyncState::Unsupported,
    SyncState::Unverified,
];

/// The resource kind of that name.
pub(super) fn resource_kind(name: &str) -> Option<StatusKind> {
    RESOURCE_KINDS.into_iter().find(|kind| kind.to_string() == name)
}

/// The state of that name.
pub(super) fn sync_state(name: &str) -> Option<SyncState> {
    SYNC_STATES.into_iter().find(|state| state.name() == name)
}

/// The names of every dialect.
pub(super) fn dialects() -> Vec<&'static str> {
    Dialect::ALL.into_iter().map(Dialect::name).collect()
}

/// Whether an id has the form of a law's evidence: `R4`, `C-H25`, `A-H2`, `FB-04`.
pub fn is_covered_id(id: &str) -> bool {
    let (number, digits_min) = if let Some(number) = id.strip_prefix("FB-") {
        (number, 2)
    } else if let Some(number) = id.strip_prefix("C-H").or_else(|| id.strip_prefix("A-H")) {
        (number, 1)
    } else if let Some(number) = id.strip_prefix('R') {
        (number, 1)
    } else {
        return false;
    };
    (digits_min..=3).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && number.bytes().any(|byte| byte != b'0')
}

/// A form that names have.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameForm {
    is_made_of: fn(&str) -> bool,
    says: &'static str,
    length_max: usize,
}

impl NameForm {
    /// APIs, applications and gateways: lower-case words joined by dashes.
    pub(super) const API: Self = Self {
        is_made_of: is_kebab_case,
        says: "lower-case words joined by dashes",
        length_max: 40,
    };

    /// Keys, users and plans: the case of a name can differ (A-H29).
    pub(super) const FREE: Self = Self {
        is_made_of: is_free,
        says: "letters, digits, spaces within and `-_.@`",
        length_max: 60,
    };

    /// Organizations: tenant domains.
    pub(super) const ORGANIZATION: Self = Self {
        is_made_of: |name| name.split('.').all(is_kebab_case),
        says: "lower-case words joined by dashes and dots",
        length_max: 60,
    };

    /// Why a text has not this form: what is wrong, and what was expected.
    pub(super) fn refusal(self, name: &str, what: &str) -> Option<(String, String)> {
        let length = name.chars().count();
        let expected = format!("expected {}, {} characters at most", self.says, self.length_max);
        if length > self.length_max {
            let begin: String = name.chars().take(20).collect();
            return Some((format!("`{begin}…` has {length} characters"), expected));
        }
        let is_good = (self.is_made_of)(name);
        (!is_good).then(|| (format!("`{name}` is not a name for {what}"), expected))
    }
}

/// Whether a name is made of letters, digits and some signs.
fn is_free(name: &str) -> bool {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "-_.@ ".contains(char);
    !name.is_empty() && name.trim() == name && name.chars().all(is_allowed)
}

/// Whether a name is made of lower-case words and digits joined by single dashes.
pub fn is_kebab_case(name: &str) -> bool {
    name.split('-').all(|word| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// Whether a text is a sentence: it begins with a capital or a digit, has three words and ends
/// with a full stop.
pub fn is_sentence(text: &str) -> bool {
    let begins =
        text.chars().next().is_some_and(|char| !char.is_lowercase() && char.is_alphanumeric());
    begins && text.ends_with('.') && text.split_whitespace().count() >= 3 && !text.contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_by_form() {
        for id in ["R4", "R12", "C-H25", "C-H01", "A-H2", "FB-04", "FB-137"] {
            assert!(is_covered_id(id), "{id}");
        }
        for id in ["", "R", "R0", "H4", "C-H", "FB-4", "fb-04", "R4 ", "FB-1234", "A-H2a"] {
            assert!(!is_covered_id(id), "{id}");
        }
    }

    #[test]
    fn names_and_sentences_are_checked_by_form() {
        let is = |form: NameForm, name: &str| form.refusal(name, "a thing").is_none();
        assert!(is(NameForm::API, "orders") && is(NameForm::API, "orders-2"));
        for name in ["", "Orders", "orders_2", "-orders", "a--b"] {
            assert!(!is(NameForm::API, name), "{name}");
        }
        assert!(is(NameForm::ORGANIZATION, "carbon.super") && !is(NameForm::ORGANIZATION, "a..b"));
        assert!(is_sentence("An outage is caught up with."));
        assert!(is(NameForm::FREE, "Mobile Key-1") && is(NameForm::FREE, "alice@carbon.super"));
        for name in ["", " a", "a\n", "a\"b", "é"] {
            assert!(!is(NameForm::FREE, name), "{name}");
        }
        assert!(is(NameForm::API, &"a".repeat(40)) && is(NameForm::FREE, &"a".repeat(60)));
        let (problem, expected) = NameForm::API.refusal(&"a".repeat(41), "an API").unwrap();
        assert_eq!(problem, "`aaaaaaaaaaaaaaaaaaaa…` has 41 characters");
        assert_eq!(expected, "expected lower-case words joined by dashes, 40 characters at most");
        for text in ["", "An outage", "lower case it is.", "One."] {
            assert!(!is_sentence(text), "{text}");
        }
    }

    #[test]
    fn kinds_and_states_are_found_by_the_names_they_print() {
        for kind in RESOURCE_KINDS {
            assert_eq!(resource_kind(&kind.to_string()), Some(kind));
        }
        for state in SYNC_STATES {
            assert_eq!(sync_state(state.name()), Some(state));
        }
        for request in REQUESTS {
            assert!(ACTIONS.contains(request));
        }
    }
}
