//! Each wrong answer, on the requests for which it makes sense.

use super::*;
use crate::story::switches::BatchEncoding;

const LIST: (&str, &str) = ("list", "/deployments");

/// Ten APIs, with a wrong answer armed for one request.
fn bench(to: &str, with: &str) -> ApimBench {
    let mut bench = ApimBench::new(Dialect::PlatformApi11);
    for number in 0..10 {
        bench.deploy(&format!("api-{number}"));
    }
    assert!(bench.apply(&format!(r#"{{"answer":{{"to":"{to}","with":{with}}}}}"#)));
    bench
}

#[track_caller]
fn list_with(with: &str) -> HttpResponse {
    let mut bench = bench(LIST.0, with);
    let wrong = bench.get(LIST.1, "application/json");
    assert_eq!(bench.manager.delivered().len(), 1, "{:?}", bench.manager.delivered());
    assert_eq!(bench.listed().len(), 10, "one answer only");
    wrong
}

#[track_caller]
fn rows_with(with: &str) -> usize {
    text(&list_with(with)).matches("artifactId").count()
}

#[test]
fn lists_lose_items_and_stay_well_formed() {
    assert_eq!(rows_with(r#""empty""#), 0);
    assert_eq!(rows_with(r#""without_tail""#), 7);
    assert_eq!(rows_with(r#""without_middle""#), 9);
    assert_eq!(rows_with(r#""first_only""#), 1);
    let empty = text(&list_with(r#""empty""#));
    assert_eq!(empty, r#"{"deployments":[]}"#);
}

#[test]
fn lists_take_another_shape() {
    assert_eq!(text(&list_with(r#""empty_object""#)), "{}");
    assert!(text(&list_with(r#""other_shape""#)).starts_with(r#"{"list":[{"#));
    let types = text(&list_with(r#""other_types""#));
    let types: serde_json::Value = serde_json::from_str(&types).unwrap();
    assert!(types["deployments"][9]["artifactId"].is_number());
    let html = list_with(r#""html""#);
    assert_eq!(html.status, 200);
    assert!(text(&html).starts_with("<!doctype html>"));
    let cut = list_with(r#""truncated""#);
    assert!(serde_json::from_slice::<serde_json::Value>(&cut.body).is_err());
}

#[test]
fn every_third_item_of_a_list_cannot_be_read() {
    let mut bench = bench("any", r#""odd_items","count":3"#);
    for number in 0..10 {
        let of = format!(r#""api":"api-{number}""#);
        assert!(bench.apply(&format!(r#"{{"create_key":{{{of},"name":"k"}}}}"#)));
    }
    assert!(bench.apply(r#"{"subscribe":{"application":"shop","api":"api-1"}}"#));
    assert_eq!(bench.listed().len(), 10, "makes no sense for artifacts");
    let keys = text(&bench.get("/apis/api-keys", "application/json"));
    assert_eq!([keys.matches("\"uid\"").count(), keys.matches("\"md5\"").count()], [2, 1]);
    assert_eq!(keys.matches("\"uuid\"").count(), 8);
    let id = bench.id("api-1");
    let subscriptions = text(&bench.get(&format!("/apis/{id}/subscriptions"), "application/json"));
    assert!(subscriptions.starts_with(r#"[{"no":""#), "{subscriptions}");
    let plans = text(&bench.get("/subscription-plans", "application/json"));
    assert_eq!(plans.matches(r#"{"no":""#).count(), 2);
    assert_eq!(bench.delivered("answer.odd_items"), 3);
}

#[test]
fn key_events_lose_their_hash_one_way_or_another() {
    let mut bench = ApimBench::new(Dialect::Apim470);
    bench.deploy("orders");
    bench.session();
    assert!(bench.apply(r#"{"odd_key_events":{"count":3}}"#));
    let mut created = |name: &str| {
        assert!(bench.apply(&format!(r#"{{"create_key":{{"api":"orders","name":"{name}"}}}}"#)));
        bench.frames().remove(0)
    };
    let frames = ["a", "b", "c", "d"].map(&mut created);
    assert!(frames[0].contains(r#"{\"sha256\":\"00"#), "{}", frames[0]);
    assert!(frames[1].contains(r#"{\"md5\":\""#), "{}", frames[1]);
    assert!(frames[2].contains(r#","apiKeyHashes":"{}","#), "{}", frames[2]);
    let hashes = |frame: &String| frame.contains(r#""apiKeyHashes":"{\"sha256\":\""#);
    assert!(hashes(&frames[3]));
    let begins = bench.ledger().access_events().iter().map(|event| event.begins);
    assert_eq!(begins.collect::<Vec<_>>(), [None, None, None, Some(3)]);
}

#[test]
fn any_request_gets_another_status_a_missing_route_or_nothing() {
    for (with, status, start) in [
        (r#"{"status":401}"#, 401, r#"{"code":401"#),
        (r#"{"status":404}"#, 404, ""),
        (r#"{"status":429}"#, 429, r#"{"code":429"#),
        (r#"{"status":500}"#, 500, "Server error"),
        (r#"{"status":503}"#, 503, "<!doctype html>"),
        (r#""route_missing""#, 404, "<!doctype html>"),
    ] {
        let response = list_with(with);
        assert_eq!(response.status, status);
        assert!(text(&response).starts_with(start), "{with}");
    }
    let mut silent = bench("any", r#""no_answer""#);
    let request = silent.request(Method::Get, "/deployments", "application/json");
    assert_eq!(silent.send(&request).outcome, Answered::NoAnswer);
    let mut slow = bench("any", r#"{"slow_ms":700}"#);
    let reply = slow.send(&request);
    assert_eq!(reply.delay, Duration::from_millis(700));
    assert_eq!(answer(reply).status, 200);
    assert_eq!(slow.send(&request).delay, Duration::ZERO);
}

#[test]
fn a_stale_list_is_as_it_was_and_a_mixed_one_is_half_so() {
    for (with, expected) in [(r#"{"stale_ms":2000}"#, 0), (r#"{"mixed_ms":2000}"#, 5)] {
        let mut bench = bench(LIST.0, with);
        bench.at(1_000);
        assert_eq!(bench.listed().len(), expected, "{with}");
        assert_eq!(bench.listed().len(), 10);
    }
    let mut same = bench(LIST.0, r#"{"stale_ms":2000}"#);
    same.at(90_000);
    assert_eq!(same.listed().len(), 10);
    assert!(same.manager.delivered().is_empty(), "no effect is not counted");
    let mut bench = bench("fetch", r#"{"stale_ms":500}"#);
    bench.at(1_000).revise_and_deploy("api-1");
    assert_eq!(bench.fetched_revision("api-1"), Some(1));
    assert_eq!(bench.fetched_revision("api-1"), Some(2));
}

#[test]
fn connects_are_refused_with_a_status_or_not_answered() {
    for (with, upgrade) in [
        (r#"{"status":503}"#, Upgrade::Status(503)),
        (r#""route_missing""#, Upgrade::Status(404)),
        (r#""no_answer""#, Upgrade::NoAnswer),
        (r#""empty_object""#, Upgrade::Accepted),
    ] {
        let mut bench = bench("connect", with);
        assert_eq!(bench.connect().1, upgrade);
        let counted = usize::from(upgrade != Upgrade::Accepted);
        assert_eq!(bench.manager.delivered().len(), counted);
    }
}

#[test]
fn archives_lie_about_their_entries() {
    let zip = |with: &str| {
        let mut bench = bench("fetch", with);
        bench.revise_and_deploy("api-1");
        let id = bench.id("api-1");
        let response = bench.fetch(&id);
        assert_eq!(bench.manager.delivered().len(), 1, "{with}");
        response.body
    };
    assert_eq!(unzip(&zip(r#""empty""#)), []);
    assert_eq!(unzip(&zip(r#""dot_dot_entry""#))[0].0, "../../api.yaml");
    // A reader by directory sees one name; both are in the file.
    let repeated = zip(r#""repeated_entry""#);
    let names = repeated.windows(8).filter(|window| *window == b"api.yaml").count();
    assert_eq!(names, 4);
    assert!(zip(r#""bomb""#).len() < 300_000);
    let cut = zip(r#""truncated""#);
    assert!(zip::ZipArchive::new(std::io::Cursor::new(cut)).is_err());
}

fn batch(with: &str, encoding: BatchEncoding) -> (Vec<u8>, usize) {
    let mut bench =
        ApimBench::with(Dialect::Apim470Fixed, |switches| switches.batch_encoding = encoding);
    for number in 0..8 {
        bench.deploy(&format!("api-{number}"));
    }
    let ids = bench.ledger().must_serve();
    let ids: Vec<String> = ids.map(|(_, must)| format!("\"{}\"", must.deployment)).collect();
    assert!(bench.apply(&format!(r#"{{"answer":{{"to":"fetch_batch","with":{with}}}}}"#)));
    let body = format!(r#"{{"deploymentIds":[{}]}}"#, ids.join(","));
    let response = bench.post("/deployments/batch", "application/x-tar+gzip", &body);
    (response.body, bench.manager.delivered().len())
}

#[test]
fn batches_lose_repeat_and_misplace_entries() {
    let paths = |with: &str| {
        let (body, delivered) = batch(with, BatchEncoding::Tar);
        assert_eq!(delivered, 1, "{with}");
        untar(&body).into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    assert_eq!(paths(r#""without_tail""#).len(), 6);
    assert_eq!(paths(r#""without_middle""#).len(), 7);
    assert_eq!(paths(r#""first_only""#).len(), 1);
    assert!(paths(r#""dot_dot_entry""#)[0].starts_with("../../"));
    let repeated = paths(r#""repeated_entry""#);
    assert_eq!((repeated.len(), &repeated[0]), (9, &repeated[8]));
}

#[test]
fn a_batch_bomb_is_small_on_the_wire() {
    let (tar, delivered) = batch(r#""bomb""#, BatchEncoding::Tar);
    assert_eq!((delivered, &tar[124..136]), (1, b" 77777777777".as_slice()));
    let (gzip, delivered) = batch(r#""bomb""#, BatchEncoding::TarGz);
    assert_eq!(delivered, 1);
    let mut reader = flate2::read::GzDecoder::new(gzip.as_slice()).take(20_000_000);
    assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), 20_000_000);
}

#[test]
fn what_makes_no_sense_for_a_request_does_nothing_and_waits() {
    let mut bench = bench("any", r#""bomb""#);
    assert_eq!(bench.listed().len(), 10);
    assert!(bench.manager.delivered().is_empty());
    let id = bench.id("api-1");
    bench.fetch(&id);
    assert_eq!(bench.delivered("answer.bomb"), 1);
}

#[test]
fn counts_and_windows_end() {
    let mut bench = bench("list", r#""empty","count":2"#);
    assert_eq!([bench.listed().len(), bench.listed().len(), bench.listed().len()], [0, 0, 10]);
    assert!(bench.apply(r#"{"answer":{"to":"list","with":"empty","for_ms":1000}}"#));
    bench.at(999);
    assert_eq!(bench.listed().len(), 0);
    bench.at(1_000);
    assert_eq!(bench.listed().len(), 10);
    assert!(bench.apply(r#"{"answer":{"to":"list","with":"empty","for_ms":1000}}"#));
    bench.manager.lift_faults(bench.now);
    assert_eq!(bench.listed().len(), 10);
    assert_eq!(bench.delivered("answer.empty"), 3);
}
