//! Flows over the whole API Manager, with exact frames and bodies.
