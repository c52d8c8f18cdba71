//! Bodies that do not depend on what is deployed: errors as each program writes them.

use driftless_gateway::wire::HttpResponse;

/// An answer.
pub(in crate::apim) fn response(status: u16, content_type: &str, body: Vec<u8>) -> HttpResponse {
    let content_type = (!content_type.is_empty()).then(|| content_type.to_owned());
    HttpResponse { status, content_type, body }
}

/// A JSON answer.
pub(in crate::apim) fn json(status: u16, body: String) -> HttpResponse {
    response(status, "application/json", body.into_bytes())
}

/// A bare string, as handlers answer errors (§3.0, A-H26).
pub(in crate::apim) fn text(status: u16, body: &str) -> HttpResponse {
    response(status, "text/plain", body.as_bytes().to_vec())
}

/// A status without a body: JAX-RS on a missing route, and the zip of nothing.
pub(in crate::apim) fn empty(status: u16) -> HttpResponse {
    response(status, "", Vec::new())
}

/// The 401 of APIM's global mapper.
pub(in crate::apim) fn unauthenticated() -> HttpResponse {
    apim_error(401, "", "Unauthenticated request")
}

/// An error object of APIM.
pub(in crate::apim) fn apim_error(status: u16, message: &str, description: &str) -> HttpResponse {
    json(
        status,
        format!(
            r#"{{"code":{status},"message":"{message}","description":"{description}","moreInfo":"","error":[]}}"#
        ),
    )
}

/// An error object of the Platform API.
pub(in crate::apim) fn platform_error(
    status: u16,
    message: &str,
    description: &str,
) -> HttpResponse {
    json(
        status,
        format!(r#"{{"code":{status},"message":"{message}","description":"{description}"}}"#),
    )
}

/// A page for people, as a servlet container or a proxy writes it.
pub(in crate::apim) fn container_page(status: u16) -> HttpResponse {
    let title = match status {
        200 => "Welcome",
        404 => "HTTP Status 404 \u{2013} Not Found",
        503 => "HTTP Status 503 \u{2013} Service Unavailable",
        _ => "Error",
    };
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    );
    response(status, "text/html;charset=utf-8", body.into_bytes())
}

/// The body that goes with a status that a fault asks for.
pub(in crate::apim) fn status(status: u16) -> HttpResponse {
    match status {
        401 => unauthenticated(),
        404 => empty(404),
        500 => text(500, "Server error"),
        502..=504 => container_page(status),
        400..=499 => apim_error(status, "Refused", "The request was refused"),
        _ => apim_error(
            status,
            "Internal server error",
            "The server encountered an internal error. Please contact administrator.",
        ),
    }
}
