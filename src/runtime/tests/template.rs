//! Which operation a path and a method mean.

use super::super::template::{Match, find};
use super::*;

#[track_caller]
fn check(templates: &[(&str, &str)], method: &str, path: &str, expect: Option<usize>) {
    let operations: Vec<Operation> =
        templates.iter().map(|(method, path)| operation(method, path, AuthType::None)).collect();
    let expect = expect.map_or(Match::Nothing, |index| Match::Operation(&operations[index]));
    assert_eq!(find(&operations, path, method), expect, "{method} {path}");
}

#[test]
fn an_exact_path_comes_before_a_template_and_that_before_a_wildcard() {
    let templates = [
        ("GET", "/*"),
        ("GET", "/items/*"),
        ("GET", "/{kind}/{id}"),
        ("GET", "/items/{id}"),
        ("GET", "/items/all"),
        ("GET", "/items/{id}/*"),
    ];
    for (path, expect) in [
        ("/items/all", 4),
        ("/items/7", 3),
        ("/things/7", 2),
        ("/items", 1),
        ("/items/", 1),
        ("/items/7/8", 5),
        ("/things", 0),
        ("/", 0),
        ("", 0),
    ] {
        check(&templates, "GET", path, Some(expect));
    }
}

#[test]
fn a_variable_is_one_segment_that_is_not_empty() {
    let templates = [("GET", "/items/{id}")];
    check(&templates, "GET", "/items/7", Some(0));
    check(&templates, "GET", "/items/%2F", Some(0));
    for path in ["/items", "/items/", "/items/7/8", "/items/7/", "//items/7", "/Items/7", ""] {
        check(&templates, "GET", path, None);
    }
}

#[test]
fn the_method_is_looked_for_before_the_path() {
    let templates = [("GET", "/items/{id}"), ("POST", "/items/all")];
    check(&templates, "GET", "/items/all", Some(0));
    check(&templates, "POST", "/items/all", Some(1));
    let operations = templates.map(|(method, path)| operation(method, path, AuthType::None));
    for (method, path, expect) in [
        ("POST", "/items/7", Match::OtherMethod),
        ("get", "/items/7", Match::OtherMethod),
        ("DELETE", "/items/all", Match::OtherMethod),
        ("DELETE", "/other", Match::Nothing),
    ] {
        assert_eq!(find(&operations, path, method), expect, "{method} {path}");
    }
}

#[test]
fn among_equals_the_first_wins() {
    check(&[("GET", "/{a}/x"), ("GET", "/{b}/x")], "GET", "/1/x", Some(0));
}

#[test]
fn a_path_that_moves_within_itself_is_nothing() {
    for path in ["/..", "/items/../x", "/items/%2e%2E/x", "/.%2e", "/items/.", "/%2e"] {
        check(&[("GET", "/*")], "GET", path, None);
    }
    for path in ["/...", "/.well-known", "/a..b", "/%2f"] {
        check(&[("GET", "/*")], "GET", path, Some(0));
    }
}
