//! Which operation a path and a method mean, among those of one API.

use super::super::operations::{Match, Operations};
use super::super::path;
use super::*;

/// The template that is found, `None` for none; or that there is one for another method.
fn found<'t>(templates: &[&'t str], request: &str) -> Result<Option<&'t str>, &'static str> {
    let (method, path) = request.split_once(' ').unwrap();
    let split = |template: &&'t str| template.split_once(' ').unwrap();
    let operations = templates
        .iter()
        .map(split)
        .map(|(method, path)| operation(method, path, AuthType::None))
        .collect();
    let operations = Operations::of(&Definition { operations, ..pizza() });
    match operations.find(&path::normal(path), method) {
        Match::Operation(entry) => Ok(Some(templates[entry.index])),
        Match::OtherMethod => Err("another method"),
        Match::Nothing => Ok(None),
    }
}

/// Templates, a request, and the template that it means.
type Row = (&'static [&'static str], &'static str, Option<&'static str>);

const ORDER: &[&str] = &[
    "GET /*",
    "GET /items/*",
    "GET /{kind}/{id}",
    "GET /items/{id}",
    "GET /items/{id}.json",
    "GET /items/pre-{id}.json",
    "GET /items/all",
    "GET /items/{id}/*",
    "GET /items",
];

const TABLE: &[Row] = &[
    // Literal, mixed with more text, mixed, variable, end, rest: the first that differs counts.
    (ORDER, "GET /items/all", Some("GET /items/all")),
    (ORDER, "GET /items/pre-7.json", Some("GET /items/pre-{id}.json")),
    (ORDER, "GET /items/7.json", Some("GET /items/{id}.json")),
    (ORDER, "GET /items/7", Some("GET /items/{id}")),
    (ORDER, "GET /things/7", Some("GET /{kind}/{id}")),
    (ORDER, "GET /items", Some("GET /items")),
    (ORDER, "GET /items/", Some("GET /items")),
    (ORDER, "GET /items/7/8", Some("GET /items/{id}/*")),
    (ORDER, "GET /items/7/", Some("GET /items/{id}/*")),
    (ORDER, "GET /things", Some("GET /*")),
    (ORDER, "GET /", Some("GET /*")),
    (&["GET /{kind}/all", "GET /items/*"], "GET /items/all", Some("GET /items/*")),
    (&["GET /{a}/x", "GET /{b}/x"], "GET /1/x", Some("GET /{a}/x")),
    (&["GET /{a}{b}", "GET /{a}"], "GET /12", Some("GET /{a}{b}")),
    (&["GET /x", "GET /x/"], "GET /x/", Some("GET /x/")),
    (&["GET /x", "GET /x/*"], "GET /x/", Some("GET /x")),
    // A trailing slash.
    (&["GET /x"], "GET /x/", Some("GET /x")),
    (&["GET /x/"], "GET /x", None),
    (&["GET /x/"], "GET /x/", Some("GET /x/")),
    (&["GET /{id}"], "GET /7/", None),
    (&["GET /{id}/"], "GET /7/", Some("GET /{id}/")),
    (&["GET /{id}/"], "GET /7", None),
    (&["GET /"], "GET /", Some("GET /")),
    (&["GET /"], "GET /x", None),
    (&["GET /*"], "GET /", Some("GET /*")),
    (&["GET /x/*"], "GET /x", Some("GET /x/*")),
    (&["GET /x/*"], "GET /x/", Some("GET /x/*")),
    (&["GET /x/*"], "GET /xy", None),
    (&["GET /x/*"], "GET /x/y/z", Some("GET /x/*")),
    (&["GET /{id}/*"], "GET /7", Some("GET /{id}/*")),
    (&["GET /x/{id}/*"], "GET /x/", None),
    // A variable is one character or more of one segment.
    (&["GET /items/{id}"], "GET /items/", None),
    (&["GET /items/{id}"], "GET /items/7/8", None),
    (&["GET /items/{id}"], "GET /Items/7", None),
    (&["GET /items/{id}"], "GET /items/a:b;c=1", Some("GET /items/{id}")),
    (&["GET /items/{id}.json"], "GET /items/7.json", Some("GET /items/{id}.json")),
    (&["GET /items/{id}.json"], "GET /items/a.json.json", Some("GET /items/{id}.json")),
    (&["GET /items/{id}.json"], "GET /items/.json", None),
    (&["GET /items/{id}.json"], "GET /items/7.jsonx", None),
    (&["GET /items/{id}.json"], "GET /items/7xjson", None),
    (&["GET /items/{id}.json"], "GET /items/7.json/", None),
    (&["GET /files/pre-{id}"], "GET /files/pre-7", Some("GET /files/pre-{id}")),
    (&["GET /files/pre-{id}"], "GET /files/pre-", None),
    (&["GET /{x}:{y}"], "GET /1:2", Some("GET /{x}:{y}")),
    (&["GET /{x}:{y}"], "GET /1::2", Some("GET /{x}:{y}")),
    (&["GET /{x}:{y}"], "GET /::", None),
    (&["GET /{x}:{y}"], "GET /:::", Some("GET /{x}:{y}")),
    (&["GET /{x}:{y}"], "GET /1%3A2", None),
    (&["GET /a{x}b{y}c"], "GET /a1bb2c", Some("GET /a{x}b{y}c")),
    (&["GET /a{x}b{y}c"], "GET /abbc", None),
    (&["GET /{x}{y}"], "GET /1", None),
    (&["GET /{x}{y}"], "GET /%20", None),
    (&["GET /{x}20"], "GET /a%20", None),
    (&["GET /{x}0"], "GET /a%20", None),
    (&["GET /{x}%20"], "GET /a%20", Some("GET /{x}%20")),
    (&["GET /{x}00{y}"], "GET /%100001", Some("GET /{x}00{y}")),
    // Percent-encoding.
    (&["GET /a b"], "GET /a%20b", Some("GET /a b")),
    (&["GET /a%20b"], "GET /a b", Some("GET /a%20b")),
    (&["GET /ü"], "GET /%c3%bc", Some("GET /ü")),
    (&["GET /%C3%BC"], "GET /ü", Some("GET /%C3%BC")),
    (&["GET /~a"], "GET /%7e%61", Some("GET /~a")),
    (&["GET /a/b"], "GET /a%2Fb", None),
    (&["GET /{id}"], "GET /a%2Fb", Some("GET /{id}")),
    (&["GET /a%2Fb"], "GET /a%2fb", Some("GET /a%2Fb")),
    (&["GET /100%"], "GET /100%25", Some("GET /100%")),
    (&["GET /a+b"], "GET /a b", None),
    // Segments that move, and empty ones.
    (&["GET /x"], "GET /y/../x", Some("GET /x")),
    (&["GET /x"], "GET /y/%2e%2E/x", Some("GET /x")),
    (&["GET /x"], "GET /./x", Some("GET /x")),
    (&["GET /x/y"], "GET /x//y", Some("GET /x/y")),
    (&["GET /x/*"], "GET /x/../y", None),
    (&["GET /..%2Fx"], "GET /..%2Fx", Some("GET /..%2Fx")),
    (&["GET /{id}"], "GET /..", None),
    (&["GET /{id}"], "GET /...", Some("GET /{id}")),
    (&["GET /a/../x"], "GET /x", Some("GET /a/../x")),
    // What looks like a variable or a rest, and is none.
    (&["GET /a/*/b"], "GET /a/*/b", Some("GET /a/*/b")),
    (&["GET /a/*/b"], "GET /a/1/b", None),
    (&["GET /a*"], "GET /ab", None),
    (&["GET /*.json"], "GET /a.json", None),
    (&["GET /{a{b}}"], "GET /1%7d", Some("GET /{a{b}}")),
    (&["GET /}{"], "GET /%7D%7B", Some("GET /}{")),
    (&["GET /}{"], "GET /1", None),
    (&["GET /{}"], "GET /1", Some("GET /{}")),
    (&["GET /{a/b}"], "GET /1", Some("GET /{a/b}")),
];

#[test]
fn a_request_means_the_most_precise_template_that_it_fits() {
    for (templates, request, expect) in TABLE {
        assert_eq!(found(templates, request), Ok(*expect), "{request} among {templates:?}");
        if templates.len() > 1 && !matches!(expect, Some("GET /{a}/x" | "GET /{a}{b}")) {
            let backwards: Vec<&str> = templates.iter().rev().copied().collect();
            assert_eq!(found(&backwards, request), Ok(*expect), "{request} among {backwards:?}");
        }
    }
}

#[test]
fn the_method_is_looked_for_before_the_path() {
    let templates = ["GET /items/{id}", "POST /items/all"];
    for (request, expect) in [
        ("GET /items/all", Ok(Some("GET /items/{id}"))),
        ("POST /items/all", Ok(Some("POST /items/all"))),
        ("POST /items/7", Err("another method")),
        ("get /items/7", Err("another method")),
        ("DELETE /items/all", Err("another method")),
        ("DELETE /other", Ok(None)),
    ] {
        assert_eq!(found(&templates, request), expect, "{request}");
    }
}
