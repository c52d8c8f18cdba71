//! The binary's contract: exit codes, what goes where, and one content in both formats.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn driftless(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftless"));
    command.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    for variable in ["NO_COLOR", "CI_NODE_INDEX", "JOB_COMPLETION_INDEX", "TEST_SHARD_INDEX"] {
        command.env_remove(variable);
    }
    command
}

#[track_caller]
fn ends(arguments: &[&str], code: i32) -> (String, String) {
    ended(&driftless(arguments).output().unwrap(), code)
}

#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    (stdout, stderr)
}

#[test]
fn what_cannot_be_understood_ends_with_2_and_says_what_to_do() {
    for (arguments, says) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["run", "--seed", "x"], "expected decimal, 0x… or a commit hash"),
        (&["run", "--shard", "3/3"], "the first is 0/3"),
        (&["run", "--for", "90"], "expected a number with ms, s, m or h"),
        (&["run", "--for", "1s", "--seeds", "3"], "cannot be used with"),
        (&["run", "--jobs", "0"], "0 is not in 1.."),
        (&["run", "--profile", "no-such"], "unknown profile `no-such`"),
        (&["replay", "0xzz"], "`0xzz` is not a seed; expected decimal, 0x… or a commit hash"),
        (&["replay", "12ab"], "`12ab` is not a seed"),
        (&["replay", "no-such-story"], "unknown scenario `no-such-story`"),
        (&["check", "Cargo.toml"], "the name must be lower-case words"),
        (&["replay", "1", "--save", "Bad Name"], "use lower-case words joined by dashes"),
    ] {
        let (stdout, stderr) = ends(arguments, 2);
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
        assert_eq!(stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_bad_scenario_ends_with_2_and_names_file_line_and_column() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a-bad-story.json");
    std::fs::write(&path, "{\n  \"schema\": 1,\n  \"stepps\": []\n}\n").unwrap();
    let path = path.to_str().unwrap();
    let (_, stderr) = ends(&["check", path], 2);
    let expected = format!("error: {path}:3:3: unknown field `stepps`; did you mean `steps`?\n");
    assert_eq!(stderr, expected);
}

#[test]
fn an_unknown_gateway_ends_with_2_and_names_the_nearest() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateways");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a-story-of-two-gateways.json");
    let story = r#"{
  "schema": 1,
  "why": "Two gateways share a story.",
  "covers": ["R1"],
  "dialect": "apim-4.7.0",
  "seed": 1,
  "gateways": [{ "name": "east" }, { "name": "west" }],
  "steps": [
    { "at_ms": 0, "gateways": ["esat"], "deploy": { "api": "orders" } }
  ],
  "expect": { "serving": { "orders": 1 } }
}
"#;
    std::fs::write(&path, story).unwrap();
    let path = path.to_str().unwrap();
    let (_, stderr) = ends(&["check", path], 2);
    let expected =
        format!("error: {path}:9:32: there is no gateway `esat`; did you mean `east`?\n");
    assert_eq!(stderr, expected);
}

#[test]
fn nothing_selected_ends_with_4() {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    ends(&["check", empty.to_str().unwrap()], 4);
    let (_, stderr) = ends(&["run", "--seeds", "0"], 4);
    assert_eq!(stderr, "error: --seeds 0 asks for no seed\n");
    ends(&["run", "--seeds", "1", "--shard", "0/8"], 4);
}

#[test]
fn a_shard_without_its_total_ends_with_2() {
    let output = driftless(&["run", "--seeds", "8"]).env("JOB_COMPLETION_INDEX", "1").output();
    let (_, stderr) = ended(&output.unwrap(), 2);
    assert!(stderr.contains("DRIFTLESS_SHARDS"), "{stderr}");
}

#[test]
fn both_formats_list_the_same_and_colour_only_when_asked_to() {
    for what in ["profiles", "properties", "steps", "marks", "dialects"] {
        let (text, _) = ends(&["list", what], 0);
        let (json, _) = ends(&["list", what, "--format", "json"], 0);
        assert!(!json.is_empty(), "{what}");
        for line in json.lines() {
            let item: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(item["record"], "item");
            assert!(text.contains(item["name"].as_str().unwrap()), "{what}: {line}");
        }
        assert!(!text.contains('\x1b'));
        let (colored, _) = ends(&["list", what, "--color", "always"], 0);
        assert!(colored.contains("\x1b[1m"));
    }
}

#[test]
fn the_list_of_steps_says_every_wrong_answer_and_what_it_goes_with() {
    let (text, _) = ends(&["list", "steps"], 0);
    for says in [
        r#"{ "status": 201 to 599 }"#,
        r#"{ "stale_ms": 1 to 4999 }"#,
        r#"{ "delay_ms": 1 to 86400000 }"#,
        r#"where "to" is "connect": status, route_missing, no_answer"#,
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_sweep_through_a_pipe_keeps_its_tables_to_eighty_columns() {
    let (text, _) = ends(&["run", "--seeds", "3", "-v"], 0);
    let table = text.lines().skip_while(|line| !line.contains("Faults"));
    assert!(table.clone().count() > 4, "{text}");
    assert!(table.clone().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("have steps of people that had no effect:"), "{text}");
}

#[test]
fn what_people_do_in_vain_is_idle() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("idle");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a-story-with-idle-steps.json");
    let story = r#"{
  "schema": 1,
  "why": "Two of three steps find nothing to do.",
  "covers": [],
  "dialect": "apim-4.7.0",
  "seed": 1,
  "steps": [
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "at_ms": 1000, "undeploy": { "api": "carts" } },
    { "at_ms": 2000, "subscribe": { "application": "shop", "api": "orders", "plan": "None" } }
  ],
  "expect": { "serving": { "orders": 1 } }
}
"#;
    std::fs::write(&path, story).unwrap();
    let (text, _) = ends(&["replay", path.to_str().unwrap()], 0);
    let idle: Vec<&str> = text.lines().filter(|line| line.contains("Idle")).collect();
    let expected = ["steps[1] undeploy", "steps[2] subscribe"];
    assert_eq!(idle, expected.map(|step| format!("     Idle  had no effect: {step}")), "{text}");
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let mut child = driftless(&["list", "steps"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

/// What a run prints, whether everything held or not: these tests are about the report.
#[track_caller]
fn told(arguments: &[&str]) -> (i32, String) {
    let output = driftless(arguments).output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code == 0 || code == 1, "{}", String::from_utf8_lossy(&output.stderr));
    (code, String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_same_sweep_prints_the_same_json_however_many_jobs() {
    for further in ["--keep-going", "--quiet"] {
        let sweep =
            |jobs| told(&["run", "--seeds", "12", "--jobs", jobs, "--format", "json", further]);
        let one = sweep("1");
        assert_eq!(one, sweep("4"));
        let summary = one.1.lines().filter(|line| line.contains("\"record\":\"summary\""));
        assert_eq!(summary.count(), 1, "{}", one.1);
    }
}

#[test]
fn what_did_not_hold_ends_with_the_line_that_shows_it_again() {
    let (code, stdout) = told(&["run", "--seeds", "12"]);
    let last = stdout.lines().last().unwrap();
    assert_eq!(code == 1, last.starts_with("Reproduce  cargo sim replay 0x"), "{stdout}");
}

#[test]
fn a_seed_is_saved_as_a_story_that_reads_back_and_is_never_overwritten() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("saved");
    drop(std::fs::remove_dir_all(&folder));
    let path = folder.join("a-kept-seed.json");
    let path = path.to_str().unwrap();
    told(&["replay", "0x2a", "--save", path]);
    let first = std::fs::read_to_string(path).unwrap();
    told(&["replay", path, "--save", path]);
    assert_eq!(std::fs::read_to_string(path).unwrap(), first);
    let (_, stderr) = ends(&["replay", "0x2b", "--save", path], 2);
    assert!(stderr.contains("is there already"), "{stderr}");
}

#[test]
fn completions_name_the_verbs() {
    let (script, _) = ends(&["completions", "bash"], 0);
    assert!(script.contains("replay"));
}

#[test]
fn bytes_are_a_story_that_can_be_replayed_and_saved() {
    let bytes = "fuzz/corpus/story/verb-00.steps";
    let (stdout, _) = ends(&["replay", "--bytes", bytes, "--trace"], 0);
    assert!(stdout.contains("deploy") && stdout.contains("bytes verb-00"), "{stdout}");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a-story-of-bytes.json");
    let _not_there = std::fs::remove_file(&target);
    ends(&["replay", "--bytes", bytes, "--save", target.to_str().unwrap()], 0);
    ends(&["check", target.to_str().unwrap()], 0);
    let (_, stderr) = ends(&["replay", "--bytes", "no-such-file"], 2);
    assert!(stderr.contains("no-such-file"), "{stderr}");
    ends(&["replay", "7", "--bytes", bytes], 2);
}

/// A key that is made when something happens expires a span after that, so when it expires differs
/// between the worlds as their timing does.
#[cfg(feature = "wire")]
#[test]
fn two_worlds_that_differ_end_with_1_and_name_the_first_item() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unequal");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a-story-of-two-ends.json");
    let story = r#"{
  "schema": 1,
  "why": "What depends on timing is not the same in both worlds.",
  "covers": ["R1"],
  "dialect": "apim-4.7.0",
  "seed": 1,
  "steps": [
    { "at_ms": 0, "deploy": { "api": "orders" } },
    { "on": { "action": "list" }, "create_key": { "api": "orders", "name": "first", "valid_for_ms": 80000000 } }
  ],
  "expect": {
    "serving": { "orders": 1 }
  }
}
"#;
    std::fs::write(&path, story).unwrap();
    let path = path.to_str().unwrap();
    let (stdout, _) = ends(&["check", path], 1);
    assert!(stdout.contains("UNEQUAL  parity   a-story-of-two-ends   key first of"), "{stdout}");
    assert!(stdout.contains("fast      ") && stdout.contains("wire      "), "{stdout}");
    assert!(stdout.contains("1 violated"), "{stdout}");
    let again = format!("Reproduce  cargo sim replay {path} --world wire");
    assert!(stdout.contains(&again), "{stdout}");
    for world in ["fast", "wire"] {
        ends(&["check", path, "--world", world], 0);
    }
    let (stdout, _) = ends(&["check", path, "--format", "json"], 1);
    assert!(stdout.contains(r#""parity":"unequal""#), "{stdout}");
    assert!(stdout.contains(r#""record":"unequal""#), "{stdout}");
}

#[cfg(feature = "wire")]
#[test]
fn a_story_of_one_world_is_not_told_in_the_other() {
    let story = "an-answer-that-breaks-off-is-asked-again";
    let (_, stderr) = ends(&["replay", story], 2);
    assert!(stderr.contains("told in the wire world only: Where a body ends"), "{stderr}");
    ends(&["check", story, "--world", "fast"], 4);
    let (stdout, _) = ends(&["check", story], 0);
    assert!(stdout.contains("wire only"), "{stdout}");
}
