//! The codec: frames and bodies to and from the model. The only place that knows a field name.
//!
//! Everything that reads comes from outside and may be anything. A reader gives back what was
//! said, or a [`DecodeError`]; it never takes a strange answer for an empty one (law 3), repeats
//! nothing of it in a reason (law 16), and does bounded work (law 15).

mod error;
mod http;
mod json;
mod yaml;

mod absence;
mod ack;
mod archive;
mod content;
mod definition;
mod deployments;
mod discovery;
mod event;
mod existence;
mod hashes;
mod keys;
mod listed;
mod plans;
pub mod request;
mod subscriptions;
mod token;

pub use absence::is_not_deployed;
pub use ack::{decode_ack, encode_ack};
pub use archive::{ArchiveLimits, decode_batch, decode_definition};
pub use content::content_of;
pub use definition::{DefinitionLimits, decode_api, decode_api_within};
pub use deployments::decode_listing;
pub use discovery::decode_base_path;
pub use error::DecodeError;
pub use event::decode_event;
pub use existence::{decode_existence, encode_existence_check};
pub use http::{HttpRequest, HttpResponse, Method};
pub use keys::decode_keys;
pub use plans::decode_plans;
pub use subscriptions::decode_subscriptions;

#[cfg(test)]
mod tests;
