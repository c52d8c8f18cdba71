//! `api_yaml`: a definition is read within its limits, and written again as JSON, which is YAML,
//! it reads back the same.

use driftless_gateway::model::{AuthType, Definition, Kind, Lifecycle, Operation, Tier};
use driftless_gateway::wire::DecodeError;
use serde_json::{Value, json};

use super::json::{self as tree, Json, Read, Refused};

/// What reads a definition.
pub type DecodeApi = fn(&[u8]) -> Result<Definition, DecodeError>;

/// Checks one definition.
///
/// # Panics
/// When one was read that has no operations or a text over its limit, that reads back as another
/// one, or that is JSON and says something else.
pub fn check_definition(document: &[u8], decode: DecodeApi) {
    let decoded = decode(document);
    if let Some(expected) = of_json(document) {
        match (&decoded, &expected) {
            (Ok(decoded), Ok(expected)) => assert_eq!(decoded, expected, "read in another way"),
            (Ok(decoded), Err(Refused::Wrong)) => panic!("no definition, read as {decoded:?}"),
            (Err(error), Ok(expected)) => panic!("{expected:?} was refused: {error}"),
            (_, Err(_)) => {}
        }
    }
    if let Ok(definition) = decoded {
        is_within_limits(&definition);
        // The root that is put in front of a path may bring it over the limit.
        if definition.operations.iter().any(|operation| operation.path.len() > 4096) {
            return;
        }
        let again = decode(document_of(&definition).as_bytes());
        assert_eq!(again, Ok(definition), "written again it is another definition");
    }
}

fn is_within_limits(definition: &Definition) {
    let Definition { display_name, version, context, operations, .. } = definition;
    assert!(!operations.is_empty() && !context.is_empty(), "{definition:?} serves nothing");
    for operation in operations {
        let method = &operation.method;
        assert!(!method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase()));
        assert!(operation.path.starts_with('/'), "{}", operation.path);
    }
    let paths = operations.iter().map(|operation| &*operation.path);
    let scopes = operations.iter().flat_map(|operation| &operation.scopes).map(String::as_str);
    let texts = [display_name, version, context].map(String::as_str).into_iter();
    for text in texts.chain(paths).chain(scopes) {
        assert!(!text.chars().any(char::is_control), "{text:?} is of several lines");
    }
    assert!([display_name, version, context].iter().all(|text| text.len() <= 4096));
}

/// The definition as a document again, in JSON.
pub(super) fn document_of(definition: &Definition) -> String {
    let operations = definition.operations.iter().map(|operation| {
        let scopes: Vec<&String> = operation.scopes.iter().collect();
        let auth = match operation.auth {
            AuthType::None => "None",
            AuthType::Application => "Application",
            AuthType::ApplicationUser => "Application User",
            AuthType::Any => "Any",
        };
        let mut policies =
            vec![json!({"name": "auth", "params": {"type": auth, "scopes": scopes}})];
        policies.extend(rate_limit(&operation.tier));
        json!({"method": &*operation.method, "path": &*operation.path, "policies": policies})
    });
    let mut policies: Vec<Value> = rate_limit(&definition.tier).into_iter().collect();
    let wanted = [
        (definition.wants_key, "api-key-auth"),
        (definition.wants_subscription, "subscription-validation"),
    ];
    policies.extend(wanted.iter().filter(|(is, _)| *is).map(|(_, name)| json!({"name": name})));
    json!({
        "kind": Kind::RestApi.name(),
        "spec": {
            "displayName": definition.display_name,
            "version": definition.version,
            "context": definition.context,
            "lifecycleStatus": definition.lifecycle.name(),
            "policies": policies,
            "operations": operations.collect::<Vec<_>>(),
        },
    })
    .to_string()
}

fn rate_limit(tier: &Tier) -> Option<Value> {
    let name = match tier {
        Tier::Unlimited => return None,
        Tier::Gold => "Gold",
        Tier::Silver => "Silver",
        Tier::Bronze => "Bronze",
        Tier::Unknown(name) => name,
    };
    Some(json!({"name": "rate-limit", "params": {"tier": name}}))
}

/// What a document says that is an object of JSON, whose texts and lists YAML reads the same;
/// `None` for any other.
fn of_json(document: &[u8]) -> Option<Read<Definition>> {
    if document.iter().any(|byte| matches!(byte, b'\t' | b'\r')) {
        return None;
    }
    let tree = tree::read(document).ok()?;
    (matches!(tree, Json::Fields(_)) && is_plain(&tree, 1)).then(|| definition(&tree))
}

/// Whether the tree is one that both grammars read alike: of texts, lists and objects, at most 20
/// deep. Scalars of other kinds are texts in YAML, tabs and some characters no YAML at all, and a
/// name has to be short.
fn is_plain(tree: &Json<'_>, depth: usize) -> bool {
    let is_text = |text: &str| text.chars().all(|letter| (' '..='~').contains(&letter));
    depth < 20
        && match tree {
            Json::Null => true,
            Json::Flag(_) | Json::Number(_) | Json::OtherNumber(_) => false,
            Json::Text(text) => is_text(text),
            Json::Items(items) => items.iter().all(|item| is_plain(item, depth + 1)),
            Json::Fields(fields) => fields.iter().all(|(name, value)| {
                is_text(name) && (1..=200).contains(&name.len()) && is_plain(value, depth + 1)
            }),
        }
}

/// A field of what is an object or nothing, and there at most once.
fn field<'j, 'a>(tree: &'j Json<'a>, name: &str) -> Read<&'j Json<'a>> {
    match tree {
        Json::Null => Ok(tree),
        _ => Ok(tree.object(&[name])?.get(name)),
    }
}

fn items<'j, 'a>(tree: &'j Json<'a>) -> Read<&'j [Json<'a>]> {
    if tree.is_there() { tree.items() } else { Ok(&[]) }
}

fn short<'j>(tree: &'j Json<'_>) -> Read<Option<&'j str>> {
    let text = tree.optional_text()?;
    if text.is_some_and(|text| text.len() > 4096) { Err(Refused::Wrong) } else { Ok(text) }
}

fn definition(document: &Json<'_>) -> Read<Definition> {
    Kind::parse(field(document, "kind")?.text()?).map_err(|_| Refused::Wrong)?;
    let spec = field(document, "spec")?;
    let own = policies(field(spec, "policies")?)?;
    let operations = items(field(spec, "operations")?)?;
    if operations.is_empty() {
        return Err(Refused::Wrong);
    }
    let text = |name| Ok(short(field(spec, name)?)?.unwrap_or_default().to_owned());
    Ok(Definition {
        display_name: text("displayName")?,
        version: text("version")?,
        context: short(field(spec, "context")?)?.ok_or(Refused::Wrong)?.to_owned(),
        lifecycle: short(field(spec, "lifecycleStatus")?)?
            .map(Lifecycle::parse)
            .unwrap_or_default(),
        tier: own.tier,
        wants_key: own.names.contains(&"api-key-auth"),
        wants_subscription: own.names.contains(&"subscription-validation"),
        operations: operations.iter().map(operation).collect::<Read<_>>()?,
    })
}

fn operation(tree: &Json<'_>) -> Read<Operation> {
    let method = short(field(tree, "method")?)?.ok_or(Refused::Wrong)?;
    if method.len() > 32 || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Refused::Wrong);
    }
    let path = short(field(tree, "path")?)?.ok_or(Refused::Wrong)?;
    let braces = |brace: u8| path.bytes().filter(|byte| *byte == brace).count();
    if braces(b'{') != braces(b'}') {
        return Err(Refused::Wrong);
    }
    let rooted = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let policies = policies(field(tree, "policies")?)?;
    Ok(Operation {
        method: method.to_ascii_uppercase().into(),
        path: rooted.into(),
        auth: policies.auth.unwrap_or_default(),
        scopes: policies.scopes.into_iter().map(str::to_owned).collect(),
        tier: policies.tier,
    })
}

#[derive(Default)]
struct Policies<'j> {
    names: Vec<&'j str>,
    tier: Tier,
    auth: Option<AuthType>,
    scopes: Vec<&'j str>,
}

fn policies<'j>(list: &'j Json<'_>) -> Read<Policies<'j>> {
    let mut found = Policies::default();
    for policy in items(list)? {
        let name = short(field(policy, "name")?)?.ok_or(Refused::Wrong)?;
        let params = field(policy, "params")?;
        match name {
            "rate-limit" => {
                let tier = short(field(params, "tier")?)?.map(Tier::parse).unwrap_or_default();
                found.tier = tier.max(found.tier);
            }
            "auth" if found.names.contains(&"auth") => return Err(Refused::Wrong),
            "auth" => {
                let word = short(field(params, "type")?)?;
                let auth = word.map(|word| AuthType::parse(word).ok_or(Refused::Wrong));
                found.auth = Some(auth.transpose()?.unwrap_or_default());
                for scope in items(field(params, "scopes")?)? {
                    found.scopes.push(short(scope)?.ok_or(Refused::Wrong)?);
                }
            }
            _ => {}
        }
        found.names.push(name);
    }
    Ok(found)
}
