//! What the runtime decides, in tables.
