//! The simulation, and that everything in it can fail.

mod credentials; // stories about keys, subscriptions and plans
mod determinism; // one story, one trace
mod idle; // faults that deliver nothing
mod kill_matrix; // every scenario is broken by some defect
mod planted; // every planted defect is found, and every property finds one
mod replicas; // what a gateway holds does not depend on how it learnt it
mod shrink; // a violation becomes a story of a few steps
mod small_scope; // every order of a few events, two lists and a crash
mod sweep; // seeds of every profile
