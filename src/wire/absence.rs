//! The two meanings of 404: "nothing is deployed here" and "there is no such route" (FB-09:
//! missing route).

use serde::de::IgnoredAny;

use super::json;

/// Whether the body of a 404 to a fetch is the control plane's own: empty from APIM
/// (`docs/apim.md` §3.1), a JSON object from the Platform API. A proxy or a server without
/// the route answers with a page or plain text, which says nothing about an artifact.
pub fn is_not_deployed(body: &[u8]) -> bool {
    body.trim_ascii().is_empty() || json::read_object::<IgnoredAny>(body, "404").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_control_planes_own_words_count() {
        for body in ["", "\r\n", r#"{"code":404,"message":"Not Found"}"#, "{}"] {
            assert!(is_not_deployed(body.as_bytes()), "{body}");
        }
        for body in ["404 page not found\n", "<html></html>", "null", "[]", "\"\"", "{", "{} x"] {
            assert!(!is_not_deployed(body.as_bytes()), "{body}");
        }
    }
}
