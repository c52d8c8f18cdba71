//! What a definition says to whoever judges requests: written into the document, and told by the
//! ledger to a property that judges for itself.

use std::fmt::Write as _;

use crate::story::step::Lifecycle;

/// What a definition depends on, besides the API that it is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Outline {
    /// The revision.
    pub revision: u32,
    /// The lifecycle state of the API when the revision was deployed.
    pub lifecycle: Lifecycle,
    /// Whether a caller needs a subscription. Only the Platform API tells a gateway of any.
    pub validates_subscriptions: bool,
    /// Whether a gateway can read it.
    pub is_readable: bool,
}

/// One operation of an API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// The HTTP method.
    pub method: &'static str,
    /// The URI template below the API's context.
    pub path: String,
    /// Who may call it: `None`, `Application`, `Application User` or `Any`.
    pub auth: &'static str,
    /// The scopes of which a caller has to hold one.
    pub scopes: &'static [&'static str],
    /// Its tier; none for one without limits of its own.
    pub tier: Option<&'static str>,
}

const AUTHS: [(&str, &[&str]); 4] =
    [("Application", &[]), ("Application User", &["read", "write"]), ("Any", &[]), ("None", &[])];

const TIERS: [&str; 4] = ["Bronze", "Silver", "Gold", "Unlimited"];

const OPERATIONS: [(&str, &str); 3] = [("GET", "items"), ("POST", "items"), ("GET", "items/{id}")];

/// One of four choices.
fn pick<T: Copy>(choices: [T; 4], place: u32) -> T {
    let [first, second, third, fourth] = choices;
    match place % 4 {
        0 => first,
        1 => second,
        2 => third,
        _ => fourth,
    }
}

impl Outline {
    /// The tier of the API as a whole.
    pub fn tier(&self) -> &'static str {
        pick(TIERS, self.revision + 1)
    }

    /// The operations. Auth types and tiers go round from revision to revision.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + use<> {
        let revision = self.revision;
        OPERATIONS.iter().zip(0_u32..).map(move |(&(method, path), nth)| {
            let (auth, scopes) = pick(AUTHS, nth + revision + 3);
            let tier = (nth != 1).then(|| pick(TIERS, nth + revision));
            Operation { method, path: format!("/r{revision}/{path}"), auth, scopes, tier }
        })
    }

    /// The path under which an API of that name is reached.
    pub fn context(name: &str) -> String {
        format!("/{}/v1.0", slug(name))
    }

    /// Appends `lifecycleStatus`, `policies` and `operations` of the document.
    pub(in crate::apim) fn push(&self, out: &mut String) {
        let _ = write!(out, "  lifecycleStatus: {}\n  policies:\n", self.lifecycle.name());
        push_policy(out, "  ", "api-key-auth", None);
        if self.validates_subscriptions {
            push_policy(out, "  ", "subscription-validation", None);
        }
        push_policy(out, "  ", "rate-limit", Some(&["tier: ", self.tier()]));
        out.push_str("  operations:\n");
        for operation in self.operations() {
            let Operation { method, path, auth, scopes, tier } = operation;
            let _ = write!(out, "  - method: {method}\n    path: {path}\n    policies:\n");
            push_policy(out, "    ", "auth", Some(&["type: ", auth]));
            let _ = writeln!(out, "        scopes: [{}]", scopes.join(", "));
            if let Some(tier) = tier {
                push_policy(out, "    ", "rate-limit", Some(&["tier: ", tier]));
            }
        }
    }
}

/// Appends one policy with no parameters, or with one.
fn push_policy(out: &mut String, indent: &str, name: &str, parameter: Option<&[&str]>) {
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    push(&[indent, "- name: ", name, "\n", indent, "  version: v1\n"]);
    push(&[indent, "  executionCondition: null\n", indent, "  params:"]);
    match parameter {
        Some(parameter) => {
            push(&["\n", indent, "    "]);
            push(parameter);
            push(&["\n"]);
        }
        None => push(&[" {}\n"]),
    }
}

/// A name as `metadata.name` takes it: lower case, `-` for what it does not take, at most 60
/// characters.
pub(in crate::apim) fn slug(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    name.chars().take(60).map(|c| keep(c.to_ascii_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_the_policies_in_block_form() {
        let outline = Outline {
            revision: 1,
            lifecycle: Lifecycle::Published,
            validates_subscriptions: true,
            is_readable: true,
        };
        let mut out = String::new();
        outline.push(&mut out);
        let head = "  lifecycleStatus: PUBLISHED
  policies:
  - name: api-key-auth
    version: v1
    executionCondition: null
    params: {}
  - name: subscription-validation
    version: v1
    executionCondition: null
    params: {}
  - name: rate-limit
    version: v1
    executionCondition: null
    params:
      tier: Gold
  operations:
  - method: GET
    path: /r1/items
    policies:
    - name: auth
      version: v1
      executionCondition: null
      params:
        type: Application
        scopes: []
    - name: rate-limit
      version: v1
      executionCondition: null
      params:
        tier: Silver
  - method: POST
    path: /r1/items
    policies:
    - name: auth
      version: v1
      executionCondition: null
      params:
        type: Application User
        scopes: [read, write]
  - method: GET
    path: /r1/items/{id}
";
        assert!(out.starts_with(head), "{out}");
    }

    #[test]
    fn every_auth_type_and_tier_is_met_by_some_revision() {
        let of = |revision| Outline {
            revision,
            lifecycle: Lifecycle::Published,
            validates_subscriptions: false,
            is_readable: true,
        };
        let operations: Vec<Operation> = (1..5).flat_map(|r| of(r).operations()).collect();
        for (auth, _) in AUTHS {
            assert_eq!(operations.iter().filter(|it| it.auth == auth).count(), 3);
        }
        for tier in TIERS {
            assert!(operations.iter().any(|it| it.tier == Some(tier)));
            assert!((1..5).any(|revision| of(revision).tier() == tier));
        }
    }
}
