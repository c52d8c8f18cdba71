//! Properties over random operations, one file for each thing that has them.

mod store;
