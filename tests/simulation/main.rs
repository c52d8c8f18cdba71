//! The simulation, and that everything in it can fail.

mod determinism; // one story, one trace
mod kill_matrix; // every scenario is broken by some defect
mod planted; // every planted defect is found, and every property finds one
mod sweep; // seeds of every profile
