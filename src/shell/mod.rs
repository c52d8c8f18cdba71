//! Everything that touches the machine: files, sockets, clocks. The rest of the crate builds
//! without it.
