//! The well-known of an APIM: where it serves (`docs/apim.md` §1.1,
//! `docs/controller.md` §1.2).

use serde::Deserialize;

use super::DecodeError;
use super::json::{self, Value};
use crate::model::BasePath;

/// The longest path that is taken for one, in bytes.
const PATH_BYTES_MAX: usize = 512;

#[derive(Deserialize)]
struct WellKnown<'a> {
    #[serde(borrow, default, rename = "gatewayPath")]
    gateway_path: Value<'a>,
}

/// Reads the well-known's body.
///
/// # Errors
/// Anything but a JSON object whose `gatewayPath` can stand in a URL is an error; it never
/// changes what is known about the control plane (C-H13: guessed control plane; law 13).
pub fn decode_base_path(body: &[u8]) -> Result<BasePath, DecodeError> {
    let known: WellKnown<'_> = json::read_object(body, "well-known")?;
    let path = known.gateway_path.required("gatewayPath")?;
    let base =
        BasePath::parse(&path).ok_or_else(|| DecodeError::new("gatewayPath names no path"))?;
    if is_usable(base.as_str()) {
        Ok(base)
    } else {
        Err(DecodeError::new("gatewayPath is no plain path"))
    }
}

/// Whether requests may be made below the path: no second host, query or fragment, nothing that
/// climbs, nothing that breaks a request line.
fn is_usable(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte);
    path.len() <= PATH_BYTES_MAX
        && path.bytes().all(allowed)
        && path.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Result<&str, &str>) {
        let found = decode_base_path(body.as_bytes());
        let found = found.as_ref().map(BasePath::as_str).map_err(DecodeError::reason);
        assert_eq!(found, expect, "{body}");
    }

    #[test]
    fn the_answer_of_a_ga_manager_names_its_base_path() {
        let ga = r#"{"gatewayPath":"internal/data/v1","controlPlane":{"type":"APIM","version":"4.7.0"}}"#;
        check(ga, Ok("/internal/data/v1"));
        check(r#"{"gatewayPath":" /internal/data/v1/ "}"#, Ok("/internal/data/v1"));
    }

    #[test]
    fn anything_else_is_an_error() {
        check("", Err("well-known is cut off at line 1 column 0"));
        check("<html>Carbon</html>", Err("well-known is not JSON at line 1 column 1"));
        check("null", Err("well-known is not an object"));
        check(r#"["internal/data/v1"]"#, Err("well-known is not an object"));
        check("{}", Err("gatewayPath is missing"));
        check(r#"{"gatewayPath":null}"#, Err("gatewayPath is missing"));
        check(r#"{"gatewayPath":""}"#, Err("gatewayPath is empty"));
        check(r#"{"gatewayPath":" / "}"#, Err("gatewayPath names no path"));
        check(r#"{"gatewayPath":7}"#, Err("gatewayPath is not a text"));
        check(r#"{"gatewayPath":["a"]}"#, Err("gatewayPath is not a text"));
        check(r#"{"gatewayPath":"a"} x"#, Err("well-known is not JSON at line 1 column 21"));
        for hostile in ["https://elsewhere/a", "a/../b", "a//b", "a?b", "a#b", "a b", "a\\\\b"] {
            let body = format!(r#"{{"gatewayPath":"{hostile}"}}"#);
            check(&body, Err("gatewayPath is no plain path"));
        }
    }
}
