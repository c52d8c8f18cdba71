//! The built program: one story has one trace in every process, and a sweep does not depend on how
//! many threads run it.

use std::process::{Command, Output};

/// Runs `driftless` with an environment of its own.
fn driftless(arguments: &[&str], environment: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftless"));
    match command.args(arguments).env("NOISE", environment).output() {
        Ok(output) => output,
        Err(error) => panic!("driftless cannot be run: {error}"),
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_seed_has_the_same_trace_in_every_process() {
    for seed in ["0x0", "0x7", "0xca9a"] {
        let arguments = ["replay", seed, "--format", "json", "--trace"];
        let (first, second) = (driftless(&arguments, ""), driftless(&arguments, &"x".repeat(4000)));
        assert_eq!(first.status.code(), Some(0), "{}", text(&first));
        assert!(text(&first).contains("trace_hash"), "{}", text(&first));
        assert!(text(&first) == text(&second), "two processes differ on seed {seed}");
    }
}

#[cfg(feature = "wire")]
#[test]
fn a_seed_has_the_same_trace_over_sockets_in_every_process() {
    for seed in ["0x1", "0x140"] {
        let arguments = ["replay", seed, "--world", "wire", "--format", "json", "--trace"];
        let (first, second) = (driftless(&arguments, ""), driftless(&arguments, &"x".repeat(4000)));
        assert_eq!(first.status.code(), Some(0), "{}", text(&first));
        assert!(text(&first).lines().count() > 300, "{}", text(&first));
        assert!(text(&first) == text(&second), "two processes differ on seed {seed}");
        // Alone, and as one of many.
        let hash = text(&first).split(r#""trace_hash":""#).nth(1).unwrap_or_default().to_owned();
        let fast = text(&driftless(&["replay", seed, "--format", "json"], ""));
        assert!(!fast.contains(hash.get(..32).unwrap_or_default()), "both worlds have one trace");
    }
}

#[test]
fn a_sweep_is_the_same_on_one_thread_and_on_two() {
    let worlds: &[&str] = if cfg!(feature = "wire") { &["fast", "wire"] } else { &["fast"] };
    for world in worlds {
        let sweep = |jobs| {
            let seeds = ["run", "--seeds", "12", "--world", world, "--jobs", jobs];
            driftless(&[&seeds[..], &["--format", "json"]].concat(), "")
        };
        let (one, two) = (sweep("1"), sweep("2"));
        assert_eq!(one.status.code(), Some(0), "{}", text(&one));
        assert_eq!(text(&one), text(&two));
    }
}

#[test]
fn a_plant_is_found_and_named_in_the_line_that_shows_it_again() {
    let output =
        driftless(&["run", "--seed", "0xca9a", "--seeds", "1", "--plant", "lose_syncs"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("store_recovers"), "{}", text(&output));
    assert!(text(&output).contains("--plant lose_syncs"), "{}", text(&output));
    let chance = driftless(&["replay", "0x0", "--plant", "chance"], "");
    assert_eq!(chance.status.code(), Some(3), "{}", text(&chance));
}

#[test]
fn an_unknown_plant_is_refused_with_the_nearest() {
    let output = driftless(&["check", "--plant", "lose_sync"], "");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("lose_syncs"), "{said}");
}

#[test]
fn the_plants_are_listed_with_what_finds_them() {
    let output = driftless(&["list", "plants"], "");
    assert_eq!(output.status.code(), Some(0));
    for entry in driftless::plant::ALL {
        let line = text(&output);
        assert!(line.lines().any(|line| line.starts_with(entry.name)), "{}", entry.name);
    }
}
