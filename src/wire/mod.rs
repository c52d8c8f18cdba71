//! The codec: frames and bodies to and from the model. The only place that knows a field name.

mod http;

pub use http::{HttpRequest, HttpResponse, Method};
