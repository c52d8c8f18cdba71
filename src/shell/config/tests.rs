//! What the settings accept, and what they say about what they do not.

use super::*;

const GOOD: &str = "[control_plane]\nurl = \"https://apim.example.com:9443\"\n\n\
                    [store]\npath = \"/var/lib/driftless/store.redb\"\n";

fn read(text: &str, overrides: &[Override]) -> Result<Settings, Vec<String>> {
    let read = Settings::read(Some(("g.toml", text)), overrides, Some("token".to_owned()));
    read.map_err(|mistakes| mistakes.iter().map(Mistake::to_string).collect())
}

fn flag(name: &str, key: &str, text: &str) -> Override {
    let origin = Origin::Flag(name.to_owned());
    Override { origin, key: key.to_owned(), text: text.to_owned() }
}

#[test]
fn what_is_left_out_is_as_recommended() {
    let settings = read(GOOD, &[]).unwrap();
    assert_eq!(settings.endpoint.to_string(), "https://apim.example.com:9443");
    assert_eq!(settings.engine, engine::Config::recommended());
    assert_eq!(settings.timeouts, Timeouts::recommended());
    assert_eq!(settings.limits, Limits::recommended());
    assert_eq!(settings.trust, Trust::System);
    assert!(settings.management.listen.ip().is_loopback());
    assert_eq!(settings.warnings, Vec::<String>::new());
    assert!(!format!("{settings:?}").contains("\"token\""));
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let text = "[control_plane]\nurll = \"https://a\"\ntoken = \"hunter2\"\ndialect = \"apim-4.7\"\n\
                [timeouts]\nconnect = 5\nwrite = \"5 s\"\n[limit]\n[limits]\nbody_bytes_max = 1\n\
                store = 1.5\n[engine]\nlease = \"0s\"\n";
    let mistakes = read(text, &[flag("--log-level", "log.level", "inf")]).unwrap_err();
    assert_eq!(
        mistakes,
        [
            "g.toml:2:1: control_plane.urll: unknown key; did you mean `url`?",
            "g.toml:3:1: control_plane.token: a token is not written into the settings; name a \
             `token_file`, or set DRIFTLESS_TOKEN",
            "g.toml:4:11: control_plane.dialect: one of auto, apim-4.7.0, apim-4.7.0-fixed, \
             platform-api-1.1 is expected; did you mean `apim-4.7.0`?",
            "g.toml:6:11: timeouts.connect: a text in quotes is expected",
            "g.toml:7:9: timeouts.write: a duration such as \"250ms\", \"30s\", \"2m\" or \"1h\" is \
             expected",
            "g.toml:8:2: limit: unknown section; did you mean `limits`?",
            "g.toml:10:18: limits.body_bytes_max: a whole number from 1024 to 4294967295 is \
             expected",
            "g.toml:11:1: limits.store: unknown key",
            "g.toml:13:9: engine.lease: the duration is zero",
            "--log-level: log.level: one of error, warn, info, debug, trace is expected; did you \
             mean `info`?",
            "settings: store.path: is missing",
            "settings: control_plane.url: is missing",
        ]
    );
}

#[test]
fn what_is_no_toml_is_named_with_line_and_column() {
    let mistakes = read(&format!("{GOOD}[log]\nlevel = \"info\nformat = yes\n"), &[]).unwrap_err();
    assert!(mistakes.iter().any(|mistake| mistake.starts_with("g.toml:7:")), "{mistakes:?}");
    assert!(mistakes.iter().all(|mistake| mistake.contains("not TOML: ")), "{mistakes:?}");
}

#[test]
fn the_limits_of_a_definition_are_set_by_the_names_that_a_refusal_gives() {
    let text = format!("{GOOD}[limits]\ndefinition_text_bytes_max = 64\n");
    let over = flag("--definition", "limits.definition_bytes_max", "1024");
    let limits = read(&text, &[over]).unwrap().limits.definition;
    assert_eq!((limits.bytes_max, limits.text_bytes_max), (1024, 64));
    let long = format!("{{kind: RestApi, spec: {{context: /{}}}}}", "x".repeat(64));
    for document in [long, " ".repeat(1025)] {
        let refused = crate::wire::decode_api_within(document.as_bytes(), &limits).unwrap_err();
        let refused = refused.to_string();
        let named = FIELDS.iter().find(|field| refused.ends_with(&field.key()));
        assert!(named.is_some(), "{refused}");
    }
}

#[test]
fn a_flag_comes_before_the_file() {
    let settings = read(GOOD, &[flag("--url", "control_plane.url", "https://other")]).unwrap();
    assert_eq!(settings.endpoint.to_string(), "https://other:443");
}

#[test]
fn every_field_has_a_variable_and_what_is_none_is_named() {
    let given = [
        ("DRIFTLESS_LOG_LEVEL", "debug"),
        ("DRIFTLESS_LOG_LEVELL", "debug"),
        ("DRIFTLESS_TOKEN", "hunter2"),
        ("PATH", "/bin"),
    ];
    let variables = given.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let (overrides, unknown) = from_environment(variables);
    assert_eq!(unknown, ["DRIFTLESS_LOG_LEVELL"]);
    assert_eq!(overrides.len(), 1);
    assert_eq!(read(GOOD, &overrides).unwrap().log.level, tracing::Level::DEBUG);
}

#[test]
fn what_weakens_the_connection_is_asked_for_by_name_and_warned_about() {
    let plain = GOOD.replace("https", "http");
    let mistakes = read(&plain, &[]).unwrap_err();
    assert_eq!(
        mistakes,
        [
            "settings: control_plane.url: is not https; set insecure_plain_http where nobody can listen"
        ]
    );
    let flag = |name: &str| GOOD.replace("[store]", &format!("{name} = true\n[store]"));
    let allowed = flag("insecure_plain_http").replace("https", "http");
    assert_eq!(read(&allowed, &[]).unwrap().warnings.len(), 1);
    let settings = read(&flag("insecure_skip_verify"), &[]).unwrap();
    assert_eq!(settings.trust, Trust::Anything);
    assert!(settings.warnings[0].starts_with("insecure_skip_verify: "));
}

#[test]
fn the_token_comes_from_one_place() {
    let none = Settings::read(Some(("g.toml", GOOD)), &[], None).unwrap_err();
    assert_eq!(
        none[0].to_string(),
        "settings: control_plane.token_file: is missing, and so is DRIFTLESS_TOKEN"
    );
    let both = GOOD.replace("[store]", "token_file = \"/nowhere\"\n[store]");
    let both = read(&both, &[]).unwrap_err();
    assert_eq!(
        both,
        ["settings: control_plane.token_file: DRIFTLESS_TOKEN is set too; keep one of them"]
    );
}

#[test]
fn the_example_names_every_field_and_says_what_is_recommended() {
    let example = include_str!("example.toml");
    let token = std::env::temp_dir().join(format!("driftless-example-{}", std::process::id()));
    std::fs::write(&token, "token").unwrap();
    let text = example.replace("/etc/driftless/token", token.to_str().unwrap());
    let settings = Settings::read(Some(("example.toml", &text)), &[], None);
    std::fs::remove_file(&token).unwrap();
    let settings = settings.unwrap();
    assert_eq!(settings.engine, engine::Config::recommended());
    assert_eq!(settings.timeouts, Timeouts::recommended());
    assert_eq!(settings.limits, Limits::recommended());
    let good = read(GOOD, &[]).unwrap();
    assert_eq!((settings.management, settings.log), (good.management, good.log));
    let lines: Vec<&str> = example.lines().map(|line| line.trim_start_matches("# ")).collect();
    for field in FIELDS {
        let start = format!("{} = ", field.name);
        assert!(lines.iter().any(|line| line.starts_with(&start)), "{}", field.key());
    }
}
