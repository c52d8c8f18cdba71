//! cargo-fuzz targets over the parsers of `driftless-gateway` and over whole stories.
//!
//! A target is glue: it decodes bytes and calls a library. Generators and oracles live in the
//! package `driftless`, so that fuzzing, sweeps and scenarios share them. The package is a member
//! of the workspace and not a default member: `cargo test` does not build it.
//!
//! There is no target yet.
