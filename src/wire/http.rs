//! HTTP as the codec sees it: no sockets, no framing.

use std::fmt;

/// The two methods that the contract uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

impl Method {
    /// The method's token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request without the `api-key` header: the token belongs to whoever owns the connection and
/// never passes through the engine, the codec or a trace (law 16).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Path and query, from the root of the host.
    pub path: String,
    /// The `Accept` header.
    pub accept: &'static str,
    /// A JSON body, sent with its content type.
    pub json: Option<Vec<u8>>,
    /// Whether the `api-key` header goes with it; discovery is sent without
    /// (`docs/apim.md` §1.1).
    pub authenticated: bool,
}

/// An answer whose body was read to its end. A body that broke off is a failure of the request,
/// not an answer. It prints without its body, which may carry hashes and tokens (law 16).
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The `Content-Type` header. It decides nothing (A-H26: content types lie).
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, content_type, body } = self;
        write!(f, "HttpResponse({status}, {content_type:?}, {} bytes)", body.len())
    }
}
