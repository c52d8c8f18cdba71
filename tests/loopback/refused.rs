//! What keeps a gateway from starting: a clear line, and exit code 2.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use driftless_gateway::shell::StoreFile;
use driftless_gateway::store::{RedbStore, Store};

use crate::Named;
use crate::processes::{Gateway, Settings, TOKEN, folder, gateway_command};

pub(crate) const ALL: &[Named] = &[
    ("settings_that_cannot_be_read_are_refused", settings_that_cannot_be_read_are_refused),
    ("settings_with_mistakes_name_each", settings_with_mistakes_name_each),
    ("good_settings_are_checked_without_starting", good_settings_are_checked_without_starting),
    ("settings_come_from_the_environment_and_flags_too", settings_come_from_everywhere),
    ("a_token_is_never_shown", a_token_is_never_shown),
    ("an_authority_that_is_none_is_refused", an_authority_that_is_none_is_refused),
    ("a_port_in_use_is_named", a_port_in_use_is_named),
    ("a_store_in_use_is_named", a_store_in_use_is_named),
    ("a_store_that_cannot_be_used_is_named", a_store_that_cannot_be_used_is_named),
    ("completions_and_help_are_printed", completions_and_help_are_printed),
];

/// A port that nothing listens on is as good as any: these gateways never get to it.
const URL: &str = "https://127.0.0.1:1";

fn run(arguments: &[&str]) -> Output {
    gateway_command().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A refusal's lines.
#[track_caller]
fn refused(settings: &Path, more: &[&str]) -> String {
    let output = run(&[&["--config", settings.to_str().unwrap()], more].concat());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn good(folder: &Path) -> Settings {
    Settings::new(folder, URL).set("control_plane.insecure_skip_verify", true)
}

fn settings_that_cannot_be_read_are_refused() {
    let folder = folder("unreadable-settings");
    let missing = folder.join("missing.toml");
    let said = refused(&missing, &[]);
    assert!(said.contains("missing.toml: cannot be read: No such file"), "{said}");
    let binary = folder.join("binary.toml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    assert!(refused(&binary, &[]).contains("binary.toml: cannot be read"));
    let broken = folder.join("broken.toml");
    fs::write(&broken, "[store]\npath = \"a\n").unwrap();
    let said = refused(&broken, &["--check-config"]);
    assert!(said.contains("broken.toml:2:10: not TOML: "), "{said}");
}

fn settings_with_mistakes_name_each() {
    let folder = folder("mistakes");
    let settings = good(&folder).set("timeouts.conect", "\"1s\"").set("log.level", "\"loud\"");
    let said = refused(&settings.write(), &["--check-config", "--management", "nowhere"]);
    for part in [
        "timeouts.conect: unknown key; did you mean `connect`?",
        "log.level: one of error, warn, info, debug, trace is expected",
        "--management: management.listen: an address and a port",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches("error: ").count(), 3, "{said}");
}

fn good_settings_are_checked_without_starting() {
    let folder = folder("check");
    let settings = good(&folder).write();
    let output = run(&["--config", settings.to_str().unwrap(), "--check-config"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    assert!(said.starts_with("warning: insecure_skip_verify: "), "{said}");
    assert!(said.ends_with("the settings are fine\n"), "{said}");
    assert!(!folder.join("store.redb").exists());
}

fn settings_come_from_everywhere() {
    let folder = folder("environment");
    let store = folder.join("s.redb");
    let check = |url: &str| {
        let mut command = gateway_command();
        command
            .env("DRIFTLESS_CONTROL_PLANE_URL", url)
            .env("DRIFTLESS_CONTROL_PLANE_INSECURE_SKIP_VERIFY", "true")
            .env("DRIFTLESS_LOG_LEVELL", "info")
            .env("DRIFTLESS_TOKEN", TOKEN)
            .args(["--check-config", "--store", store.to_str().unwrap()]);
        command.output().unwrap()
    };
    let output = check(URL);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("warning: DRIFTLESS_LOG_LEVELL is no setting and is ignored"), "{said}");
    let output = check("ftp://a");
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("DRIFTLESS_CONTROL_PLANE_URL: control_plane.url: an address"), "{said}");
}

fn a_token_is_never_shown() {
    let folder = folder("token");
    let settings = good(&folder);
    let path = settings.write();
    for (token, problem) in [("", "holds no token"), ("a b", "holds characters")] {
        fs::write(settings.token_file(), token).unwrap();
        let said = refused(&path, &[]);
        assert!(said.contains(problem), "{said}");
    }
    fs::write(settings.token_file(), format!("{TOKEN} {TOKEN}")).unwrap();
    assert!(!refused(&path, &[]).contains(TOKEN));
    let inline = good(&folder).text("control_plane.token", TOKEN).write();
    let said = refused(&inline, &[]);
    assert!(said.contains("a token is not written into the settings"), "{said}");
    assert!(!said.contains(TOKEN));
}

fn an_authority_that_is_none_is_refused() {
    let folder = folder("authority");
    let authority = folder.join("ca.pem");
    let settings = Settings::new(&folder, URL)
        .text("control_plane.ca_file", authority.to_str().unwrap())
        .write();
    assert!(refused(&settings, &["--check-config"]).contains("ca.pem: "));
    fs::write(&authority, "no certificate").unwrap();
    let said = refused(&settings, &["--check-config"]);
    assert!(said.contains("ca.pem: holds no certificate in PEM form"), "{said}");
}

fn a_port_in_use_is_named() {
    let folder = folder("port-in-use");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let settings = good(&folder).text("management.listen", &address.to_string());
    let said = refused(&settings.write(), &[]);
    let expected =
        format!("cannot listen on {address} (management.listen): Address already in use");
    assert!(said.contains(&expected), "{said}");
}

fn a_store_in_use_is_named() {
    let folder = folder("store-in-use");
    let settings = good(&folder);
    let _first = Gateway::start(&settings);
    let said = refused(&settings.write(), &[]);
    assert!(said.contains("store.redb: another process is using it; stop that one"), "{said}");
}

fn a_store_that_cannot_be_used_is_named() {
    let folder = folder("unusable-store");
    let refused_with = |path: &Path| {
        refused(&good(&folder).text("store.path", path.to_str().unwrap()).write(), &[])
    };
    let said = refused_with(&folder);
    assert!(said.contains("Is a directory"), "{said}");
    let said = refused_with(&folder.join("nowhere/store.redb"));
    assert!(said.contains("nowhere/store.redb: No such file"), "{said}");
    let foreign = folder.join("foreign.redb");
    fs::write(&foreign, "this is a letter to somebody else, and not a store of anything").unwrap();
    let before = fs::read(&foreign).unwrap();
    let said = refused_with(&foreign);
    assert!(said.contains("not a Driftless store"), "{said}");
    assert_eq!(fs::read(&foreign).unwrap(), before);
    let newer = folder.join("newer.redb");
    write_newer(&newer);
    let said = refused_with(&newer);
    assert!(said.contains("use a newer version, or start with another file"), "{said}");
}

/// A store whose schema is one that no version has yet. It is a copy, and made from a copy: a
/// process that another test starts meanwhile holds every open file for a moment, and its lock.
fn write_newer(path: &Path) {
    let first = path.with_extension("first");
    let mut store = RedbStore::new(StoreFile::new(first.clone()));
    store.prepare().unwrap();
    assert!(store.recover().unwrap().rows.is_empty());
    drop(store);
    let draft = path.with_extension("draft");
    fs::copy(first, &draft).unwrap();
    let database = redb::Database::create(&draft).unwrap();
    let write = database.begin_write().unwrap();
    {
        let meta: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("meta");
        let mut meta = write.open_table(meta).unwrap();
        meta.insert("schema", b"99".as_slice()).unwrap();
    }
    write.commit().unwrap();
    drop(database);
    fs::copy(draft, path).unwrap();
}

fn completions_and_help_are_printed() {
    let output = run(&["--completions", "bash"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("--check-config"));
    let output = run(&["--help"]);
    assert!(text(&output.stdout).contains("Exit codes:"));
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("control_plane.url: is missing"), "{said}");
    assert!(said.contains("--config FILE names one, see --help"), "{said}");
}
