//! A definition (`api.yaml`, `docs/apim.md` §3.1) to [`Definition`].
//!
//! Fields that are absent and policies that are not known here are passed over; a field or a
//! policy that is known and cannot be read is an error, for what it would have refused is not
//! known. Without kind, context or operations it is no definition at all (law 3).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::DecodeError;
use super::yaml::{self, Node};
use crate::model::{AuthType, Definition, Kind, Lifecycle, Operation, Tier};

/// How large a definition may be (`docs/routing.md` §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DefinitionLimits {
    /// The whole definition, in bytes.
    pub bytes_max: usize,
    /// Each text that is taken from it, in bytes.
    pub text_bytes_max: usize,
}

impl DefinitionLimits {
    /// Limits for production; the simulation runs the same. A definition with a thousand
    /// operations has about 300,000 bytes.
    pub const fn recommended() -> Self {
        Self { bytes_max: 1 << 20, text_bytes_max: 4 << 10 }
    }
}

/// Reads a definition within the recommended limits.
///
/// # Errors
/// As [`decode_api_within`].
pub fn decode_api(bytes: &[u8]) -> Result<Definition, DecodeError> {
    decode_api_within(bytes, &DefinitionLimits::recommended())
}

/// Reads a definition.
///
/// # Errors
/// Bytes that are not one document of YAML, that lack kind, context or operations, that exceed a
/// limit, or in which something that decides about requests cannot be read. The reason repeats
/// nothing of them.
pub fn decode_api_within(
    bytes: &[u8],
    limits: &DefinitionLimits,
) -> Result<Definition, DecodeError> {
    check_length("definition", bytes.len(), limits.bytes_max, "definition_bytes_max")?;
    let document = yaml::read(bytes, "definition")?;
    Kind::parse(document.field("kind")?.required("kind")?)
        .map_err(|_| DecodeError::new("kind is not known"))?;
    let spec = document.field("spec")?;
    let policies = Policies::read(spec.field("policies")?, limits)?;
    let text = |name| Ok(optional(spec, name, limits)?.unwrap_or_default().to_owned());
    Ok(Definition {
        display_name: text("displayName")?,
        version: text("version")?,
        context: required(spec, "context", limits)?.to_owned(),
        lifecycle: optional(spec, "lifecycleStatus", limits)?
            .map(Lifecycle::parse)
            .unwrap_or_default(),
        tier: policies.tier,
        wants_key: policies.wants_key,
        wants_subscription: policies.wants_subscription,
        operations: operations(spec, limits)?,
    })
}

fn operations(spec: &Node<'_>, limits: &DefinitionLimits) -> Result<Vec<Operation>, DecodeError> {
    let operations = spec.field("operations")?.items("operations")?;
    if operations.is_empty() {
        return Err(DecodeError::new("operations is missing or empty"));
    }
    let numbered = operations.iter().enumerate();
    numbered
        .map(|(index, node)| {
            operation(node, limits).map_err(|error| error.within(&format!("operation {index}")))
        })
        .collect()
}

fn operation(node: &Node<'_>, limits: &DefinitionLimits) -> Result<Operation, DecodeError> {
    let method = required(node, "method", limits)?;
    if method.len() > 32 || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(DecodeError::new("method is not a method"));
    }
    let path = required(node, "path", limits)?;
    if path.matches('{').count() != path.matches('}').count() {
        return Err(DecodeError::new("path has a brace without its other one"));
    }
    let root = if path.starts_with('/') { "" } else { "/" };
    let policies = Policies::read(node.field("policies")?, limits)?;
    Ok(Operation {
        method: Arc::from(method.to_ascii_uppercase()),
        path: Arc::from(format!("{root}{path}")),
        auth: policies.auth.unwrap_or_default(),
        scopes: policies.scopes,
        tier: policies.tier,
    })
}

/// What the policies of an API or of an operation come to.
#[derive(Default)]
struct Policies {
    wants_key: bool,
    wants_subscription: bool,
    /// The stricter, where there are several.
    tier: Tier,
    auth: Option<AuthType>,
    scopes: BTreeSet<String>,
}

impl Policies {
    fn read(list: &Node<'_>, limits: &DefinitionLimits) -> Result<Self, DecodeError> {
        let mut policies = Self::default();
        for (index, policy) in list.items("policies")?.iter().enumerate() {
            policies
                .add(policy, limits)
                .map_err(|error| error.within(&format!("policy {index}")))?;
        }
        Ok(policies)
    }

    fn add(&mut self, policy: &Node<'_>, limits: &DefinitionLimits) -> Result<(), DecodeError> {
        let params = policy.field("params")?;
        match required(policy, "name", limits)? {
            "api-key-auth" => self.wants_key = true,
            "subscription-validation" => self.wants_subscription = true,
            "rate-limit" => {
                let tier = optional(params, "tier", limits)?.map(Tier::parse).unwrap_or_default();
                self.tier = tier.max(std::mem::take(&mut self.tier));
            }
            "auth" if self.auth.is_some() => {
                return Err(DecodeError::new("auth is given twice"));
            }
            "auth" => {
                let auth = optional(params, "type", limits)?.map(|word| {
                    AuthType::parse(word).ok_or_else(|| DecodeError::new("type is no auth type"))
                });
                self.auth = Some(auth.transpose()?.unwrap_or_default());
                for scope in params.field("scopes")?.items("scopes")? {
                    let scope = scope.required("scope")?;
                    check_text("scope", scope, limits)?;
                    self.scopes.insert(scope.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn optional<'n>(
    node: &'n Node<'_>,
    name: &str,
    limits: &DefinitionLimits,
) -> Result<Option<&'n str>, DecodeError> {
    let text = node.field(name)?.text(name)?;
    check_text(name, text.unwrap_or_default(), limits)?;
    Ok(text)
}

fn required<'n>(
    node: &'n Node<'_>,
    name: &str,
    limits: &DefinitionLimits,
) -> Result<&'n str, DecodeError> {
    optional(node, name, limits)?.ok_or_else(|| DecodeError::new(format!("{name} is missing")))
}

fn check_text(name: &str, text: &str, limits: &DefinitionLimits) -> Result<(), DecodeError> {
    check_length(name, text.len(), limits.text_bytes_max, "definition_text_bytes_max")
}

/// The reason names the setting, so that whoever reads it knows what to change.
fn check_length(what: &str, length: usize, most: usize, setting: &str) -> Result<(), DecodeError> {
    if length <= most {
        return Ok(());
    }
    let why = format!("{what} has {length} bytes, over the {most} of limits.{setting}");
    Err(DecodeError::new(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A definition as the converter writes it, with every policy that is known here.
    const PIZZA: &str = r#"apiVersion: gateway.api-platform.wso2.com/v1alpha1
kind: RestApi
metadata:
  name: pizza-v1
spec:
  displayName: "pizza"
  version: v1.0
  context: /pizza/v1.0
  lifecycleStatus: DEPRECATED
  upstream:
    main:
      url: http://pizza.example:8080
      ref: null
    sandbox: null
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
    path: /items/{id}
    policies:
    - name: auth
      version: v1
      executionCondition: null
      params:
        type: Application
        scopes: [read, write]
    - name: rate-limit
      version: v1
      executionCondition: null
      params:
        tier: Bronze
    - name: set-headers
      version: v1
      executionCondition: null
      params:
        request: revision-1
  - method: post
    path: items
    policies:
    - name: auth
      params:
        type: None
  - method: DELETE
    path: /items
"#;

    fn operation(method: &str, path: &str, auth: AuthType) -> Operation {
        let (method, path) = (Arc::from(method), Arc::from(path));
        Operation { method, path, auth, scopes: BTreeSet::new(), tier: Tier::Unlimited }
    }

    #[track_caller]
    fn refused(document: &str, reason: &str) {
        assert_eq!(decode_api(document.as_bytes()), Err(DecodeError::new(reason)), "{document}");
    }

    #[test]
    fn all_that_decides_about_requests_is_read() {
        let read = decode_api(PIZZA.as_bytes()).unwrap();
        let mut first = operation("GET", "/items/{id}", AuthType::Application);
        first.scopes = ["read", "write"].map(str::to_owned).into();
        first.tier = Tier::Bronze;
        let second = operation("POST", "/items", AuthType::None);
        let third = operation("DELETE", "/items", AuthType::Any);
        let expect = Definition {
            display_name: "pizza".to_owned(),
            version: "v1.0".to_owned(),
            context: "/pizza/v1.0".to_owned(),
            lifecycle: Lifecycle::Deprecated,
            tier: Tier::Gold,
            wants_key: true,
            wants_subscription: true,
            operations: vec![first, second, third],
        };
        assert_eq!(read, expect);
    }

    #[test]
    fn what_is_absent_is_published_unlimited_and_open_to_keys_of_every_kind() {
        let read = decode_api(
            b"kind: RESTAPI\nspec:\n  context: /p\n  policies: []\n  operations: [{method: GET, path: /}]\n",
        )
        .unwrap();
        assert_eq!((read.lifecycle, read.tier), (Lifecycle::Published, Tier::Unlimited));
        assert!(!read.wants_key && !read.wants_subscription);
        assert_eq!(read.operations, [operation("GET", "/", AuthType::Any)]);
    }

    #[test]
    fn of_two_tiers_the_stricter_counts() {
        for (one, other, tier) in [
            ("Silver", "Gold", Tier::Silver),
            ("Unlimited", "Gold", Tier::Gold),
            ("Bronze", "Iron", Tier::Unknown("Iron".to_owned())),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let document = format!(
                    "{{kind: RestApi, spec: {{context: /p, operations: [{{method: GET, path: /}}], policies: [{{name: rate-limit, params: {{tier: {one}}}}}, {{name: rate-limit, params: {{tier: {other}}}}}]}}}}"
                );
                assert_eq!(decode_api(document.as_bytes()).unwrap().tier, tier);
            }
        }
    }

    #[test]
    fn what_is_no_definition_is_an_error_and_never_an_empty_one() {
        refused("", "definition is empty");
        refused("hunter2", "what should hold kind is not a mapping");
        refused("{}", "kind is missing");
        refused("kind: hunter2", "kind is not known");
        refused("kind: RestApi", "context is missing");
        refused("{kind: RestApi, spec: []}", "what should hold policies is not a mapping");
        refused("{kind: RestApi, spec: {context: /p}}", "operations is missing or empty");
        let spec = |rest: &str| format!("{{kind: RestApi, spec: {{context: /p, {rest}}}}}");
        refused(&spec("operations: []"), "operations is missing or empty");
        refused(&spec("operations: {a: b}"), "operations is not a list");
        refused(&spec("operations: [{path: /}]"), "operation 0: method is missing");
        refused(
            &spec("operations: [{method: '* *', path: /}]"),
            "operation 0: method is not a method",
        );
        refused(
            &spec("operations: [{method: GET, path: [hunter2]}]"),
            "operation 0: path is not a text",
        );
        refused(
            &spec("operations: [{method: GET, path: '/items/{id'}]"),
            "operation 0: path has a brace without its other one",
        );
        let policy = |policy: &str| {
            spec(&format!("operations: [{{method: GET, path: /, policies: [{policy}]}}]"))
        };
        refused(
            &policy("hunter2"),
            "operation 0: policy 0: what should hold params is not a mapping",
        );
        refused(&policy("{version: v1}"), "operation 0: policy 0: name is missing");
        refused(
            &policy("{name: auth, params: {type: hunter2}}"),
            "operation 0: policy 0: type is no auth type",
        );
        refused(
            &policy("{name: auth}, {name: auth}"),
            "operation 0: policy 1: auth is given twice",
        );
        refused(
            &policy("{name: auth, params: {scopes: hunter2}}"),
            "operation 0: policy 0: scopes is not a list",
        );
    }

    #[test]
    fn what_exceeds_a_limit_is_refused_by_its_name() {
        let longest = "subscription-validation".len();
        let limits = DefinitionLimits { bytes_max: PIZZA.len(), text_bytes_max: longest };
        assert!(decode_api_within(PIZZA.as_bytes(), &limits).is_ok());
        let refused = |document: &str, limits: DefinitionLimits, reason: String| {
            let read = decode_api_within(document.as_bytes(), &limits);
            assert_eq!(read, Err(DecodeError::new(reason)), "{document}");
        };
        let (length, most) = (PIZZA.len(), PIZZA.len() - 1);
        let why = format!("{length} bytes, over the {most} of limits.definition_bytes_max");
        let short = DefinitionLimits { bytes_max: most, ..limits };
        refused(PIZZA, short, format!("definition has {why}"));
        let (length, most) = (longest + 1, longest);
        let why = format!("{length} bytes, over the {most} of limits.definition_text_bytes_max");
        for (text, what) in [
            ("pizza\"", "displayName"),
            ("v1.0\n  context", "version"),
            ("/pizza/v1.0", "context"),
            ("/items/{id}", "operation 0: path"),
            ("set-headers", "operation 0: policy 2: name"),
            ("write]", "operation 0: policy 0: scope"),
            ("Bronze", "operation 0: policy 1: tier"),
        ] {
            let end = text.find(['"', '\n', ']']).unwrap_or(text.len());
            let longer = format!("{:x<length$}", &text[..end]) + &text[end..];
            let document = PIZZA.replacen(text, &longer, 1);
            let room = DefinitionLimits { bytes_max: document.len(), ..limits };
            refused(&document, room, format!("{what} has {why}"));
        }
    }

    #[test]
    fn a_definition_that_is_cut_off_is_an_error_or_lacks_something() {
        // YAML cannot tell a document from a part that ends between two lines; the archive does.
        for end in 0..PIZZA.find("  operations:").unwrap() {
            assert!(decode_api(&PIZZA.as_bytes()[..end]).is_err(), "{end}");
        }
    }
}
