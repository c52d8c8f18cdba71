//! What the core is built from: nothing that reaches for the machine.

use std::process::Command;

use crate::{none, root};

/// Crates that do IO, or run things that do.
const FORBIDDEN: &[&str] = &[
    "tokio",
    "tokio-rustls",
    "tokio-tungstenite",
    "hyper",
    "hyper-util",
    "mio",
    "rcgen",
    "ring",
    "turmoil",
    "rustls",
    "tungstenite",
    "socket2",
    "axum",
];

fn complaints(tree: &str) -> Vec<String> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| FORBIDDEN.contains(name))
        .map(|name| format!("the core depends on {name}"))
        .collect()
}

#[test]
fn the_core_is_built_without_io() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "driftless", "--no-default-features"])
        .args(["--edges", "normal,build", "--prefix", "none", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {stderr}");
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.starts_with("driftless v"), "{tree}");
    none(complaints(&tree));
}

#[test]
fn a_crate_that_does_io_is_found() {
    let tree = "driftless v0.1.0\nclap v4.6.0\ntokio v1.54.1\nmio v1.0.0 (*)\ntokio-like v1.0.0\n";
    assert_eq!(complaints(tree).len(), 2);
}
