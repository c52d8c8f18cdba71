//! The file of production, and `driftless-gateway --show-store` on it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use driftless_gateway::shell::StoreFile;
use driftless_gateway::store::{RedbStore, Store, StoreError};

use crate::workload::{batches, definition, everything, histories, put};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The tests of this file run one at a time. A process that is being started holds a copy of
/// every open file for a moment, and with it the lock of another test's store.
fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path of its own for each test, without what an earlier run left there.
fn path(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("store");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    let _absent = fs::remove_file(&path);
    path
}

fn store_at(path: &Path) -> RedbStore<StoreFile> {
    RedbStore::new(StoreFile::new(path.to_owned()))
}

fn filled(name: &str) -> PathBuf {
    let path = path(name);
    let mut store = store_at(&path);
    batches().iter().for_each(|batch| store.commit(batch).unwrap());
    path
}

fn gateway(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_driftless-gateway")).args(arguments).output().unwrap()
}

fn show(path: &Path, format: &str) -> Output {
    gateway(&["--show-store", path.to_str().unwrap(), "--format", format])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_store_in_a_file_survives_its_process() {
    let _alone = alone();
    let path = filled("survives.redb");
    assert_eq!(everything(&mut store_at(&path)).as_ref().ok(), histories().last());
}

#[test]
fn a_file_is_for_one_process() {
    let _alone = alone();
    let path = filled("locked.redb");
    let mut first = store_at(&path);
    first.recover().unwrap();
    let error = store_at(&path).recover().unwrap_err();
    let StoreError::Io(problem) = &error else { panic!("{error:?}") };
    assert!(problem.contains("locked.redb") && problem.contains("stop that one"), "{problem}");
    let shown = show(&path, "text");
    assert_eq!(shown.status.code(), Some(2));
    assert!(text(&shown.stderr).contains("another process is using it"));
    drop(first);
    store_at(&path).recover().unwrap();
}

#[test]
fn a_file_that_is_not_ours_is_not_touched() {
    let _alone = alone();
    let path = path("notes.txt");
    fs::write(&path, "do not lose this").unwrap();
    let mut store = store_at(&path);
    let batch = put("orders", 1, definition("x", 1));
    assert!(matches!(store.commit(&batch), Err(StoreError::NotOurs(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "do not lose this");
    let shown = show(&path, "text");
    assert_eq!(shown.status.code(), Some(2));
    assert!(text(&shown.stderr).starts_with("error: not a Driftless store"));
}

#[test]
fn a_store_is_shown_for_people_and_unchanged() {
    let _alone = alone();
    let path = filled("shown.redb");
    let before = fs::read(&path).unwrap();
    let shown = show(&path, "text");
    assert_eq!((shown.status.code(), text(&shown.stderr)), (Some(0), String::new()));
    let printed = text(&shown.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "schema         4");
    assert_eq!(lines[1], "control plane  /api/internal/v1 dialect=apim-4.7.0");
    assert_eq!(lines[2], "artifacts      21 served=20");
    let orders = lines.iter().find(|line| line.starts_with("  orders ")).unwrap();
    let digest = definition("paths: {}\n", 20).digest;
    assert_eq!(
        *orders,
        format!(
            "  orders kind=RestApi state=undeployed deployment=deployment-3 \
             performed_at=2026-03-03T01:02:03.45Z digest={digest} confirmed=false"
        )
    );
    assert!(lines.contains(&"tombstones     2"), "{printed}");
    let at = lines.iter().position(|line| line.starts_with("resources ")).unwrap();
    assert_eq!(
        lines[at..],
        [
            "resources      5 keys=1 subscriptions=1 plans=1 applications=1 gone=1",
            "  key \"mobile\" artifact=orders hashes=2 fence=2026-03-01T01:02:03.45Z",
            "    hash=redacted uuid=7c1e expires_at=2026-03-28T01:02:03.45Z \
             created_at=2026-03-01T01:02:03.45Z listable=true",
            "    hash=redacted listable=false",
            "  key \"m\\\"obile\" artifact=pets gone fence=2026-03-07T01:02:03.45Z",
            "  subscription s1 artifact=orders application=shop token=redacted plan=gold \
             status=ACTIVE fence=2026-03-01T01:02:03.45Z",
            "  plan gold name=\"Gold plan\" quota=5/minute stops_on_quota=true active=true \
             fence=2026-03-07T01:02:03.45Z",
            "  application shop name=\"Shop\" keys=1 7c1e fence=2026-03-01T01:02:03.45Z",
        ]
    );
    check_redacted(&printed);
    assert!(fs::read(&path).unwrap() == before);
}

/// No hash is in what is printed.
#[track_caller]
fn check_redacted(printed: &str) {
    for hash in ["ab", "cd"] {
        assert!(!printed.to_lowercase().contains(&hash.repeat(4)), "{printed}");
    }
}

#[test]
fn a_store_is_shown_as_json_lines() {
    let _alone = alone();
    let shown = show(&filled("json.redb"), "json");
    assert_eq!(shown.status.code(), Some(0));
    check_redacted(&text(&shown.stdout));
    let lines: Vec<serde_json::Value> =
        text(&shown.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1 + 21 + 2 + 5);
    assert_eq!((&lines[0]["is"], &lines[0]["schema"]), (&"store".into(), &4.into()));
    let counts = &lines[0]["resources"];
    assert_eq!((&counts["keys"], &counts["gone"]), (&1.into(), &1.into()));
    let resources = [
        r#"{"is":"key","artifact":"orders","name":"mobile","hashes":[{"hash":"redacted","uuid":"7c1e","expires_at":"2026-03-28T01:02:03.45Z","created_at":"2026-03-01T01:02:03.45Z","listable":true},{"hash":"redacted","uuid":null,"expires_at":null,"created_at":null,"listable":false}],"fence":"2026-03-01T01:02:03.45Z"}"#,
        r#"{"is":"gone","resource":"key m\"obile of pets","fence":"2026-03-07T01:02:03.45Z"}"#,
        r#"{"is":"subscription","subscription":"s1","artifact":"orders","application":"shop","token":"redacted","plan":"gold","status":"ACTIVE","fence":"2026-03-01T01:02:03.45Z"}"#,
        r#"{"is":"plan","plan":"gold","name":"Gold plan","quota":{"count":5,"unit":"minute"},"stops_on_quota":true,"expires_at":null,"active":true,"fence":"2026-03-07T01:02:03.45Z"}"#,
        r#"{"is":"application","application":"shop","name":"Shop","keys":["7c1e"],"fence":"2026-03-01T01:02:03.45Z"}"#,
    ];
    let expected: Vec<serde_json::Value> =
        resources.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[24..], expected);
    let orders = lines.iter().find(|line| line["artifact"] == "orders").unwrap();
    assert_eq!(orders["digest"].as_str().map(str::len), Some(64));
    assert_eq!(orders["generation"]["performed_at"], "2026-03-03T01:02:03.45Z");
    assert_eq!(lines.iter().filter(|line| line["is"] == "tombstone").count(), 2);
}

#[test]
fn wrong_use_ends_with_2_and_says_why() {
    let _alone = alone();
    for arguments in [&["--format", "json"][..], &["--no-such-flag"], &[]] {
        let output = gateway(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
    let missing = show(&path("missing.redb"), "text");
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("missing.redb"));
    for arguments in ["--help", "--version"] {
        assert_eq!(gateway(&[arguments]).status.code(), Some(0));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let _alone = alone();
    let path = filled("pipe.redb");
    let mut child = Command::new(env!("CARGO_BIN_EXE_driftless-gateway"))
        .args(["--show-store", path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!((child.wait().unwrap().code(), complaint), (Some(0), String::new()));
}
