//! What the gateway costs over loopback, beside the numbers to reach: `cargo bench --bench
//! loopback`, or a part of it by name: `-- sync`, `-- events`, `-- idle`. Like the suite, this program is its own simulated API Manager.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "the numbers are its result")]

/// A client for the pages.
mod page;
/// The processes, and waiting for them.
#[expect(dead_code, reason = "the suite uses more of it")]
mod processes;

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use processes::{Apim, Gateway, Settings, folder};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return ExitCode::from(driftless::cli::main().code());
    }
    let named: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let parts =
        PARTS.iter().filter(|(name, _)| named.is_empty() || named.iter().any(|it| it == name));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() {
        let names = PARTS.map(|(name, _)| name).join(", ");
        println!("no part has that name; there are: {names}");
        return ExitCode::from(4);
    }
    println!("over loopback with TLS, release mode; the gateway alone is measured");
    for (_, run) in parts {
        run();
    }
    ExitCode::SUCCESS
}

/// What is measured, by name.
const PARTS: [(&str, fn()); 3] = [("sync", syncs), ("events", events), ("idle", idle)];

fn syncs() {
    for (apis, keys, reach) in
        [(1_000, 0, ""), (10_000, 5, "≤ 3 s, ≤ 150 MiB"), (100_000, 0, "linear")]
    {
        first_sync(apis, keys, reach);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
fn now() -> Instant {
    Instant::now()
}

/// A field of `/proc/PID/status`, in KiB.
fn memory_kib(gateway: &Gateway, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time used, in hundredths of a second.
fn processor_ticks(gateway: &Gateway) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", gateway.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = |place: usize| fields[place].parse::<u64>().unwrap();
    ticks(11) + ticks(12)
}

fn settings(folder: &std::path::Path, apim: &Apim) -> Settings {
    Settings::of(folder, apim)
        .without("engine.read_lag_max")
        .without("engine.backoff_min")
        .without("engine.backoff_max")
        .text("log.level", "warn")
        .set("log.format", "\"json\"")
}

fn first_sync(apis: u64, keys: u64, reach: &str) {
    let folder = folder(&format!("bench-sync-{apis}"));
    let apim = Apim::start(&folder, &["--dialect", "apim-4.7.0-fixed", "--quiet"]);
    for first in (0..apis).step_by(1_000) {
        let steps = (first..(first + 1_000).min(apis)).map(|number| {
            let deploy = format!(r#"{{"deploy":{{"api":"api-{number}"}}}}"#);
            if keys == 0 {
                return deploy;
            }
            format!(r#"{deploy},{{"import_keys":{{"api":"api-{number}","count":{keys}}}}}"#)
        });
        apim.step(&format!("[{}]", steps.collect::<Vec<_>>().join(",")));
    }
    let settings = settings(&folder, &apim).text("log.level", "info");
    let begun = now();
    let mut gateway = Gateway::start(&settings);
    gateway.until("everything served", |status| {
        status["kinds"]["RestApi"]["served"] == apis
            && status["definitions_to_read"] == 0
            && status["kinds"]["ApiKey"]["served"].as_u64() >= Some(apis * keys)
    });
    let took = begun.elapsed();
    let (peak, now) = (memory_kib(&gateway, "VmHWM"), memory_kib(&gateway, "VmRSS"));
    println!(
        "first sync  {apis:>7} APIs {:>6} keys   {:>8} ms   peak {:>4} MiB, then {:>4} MiB   {reach}",
        apis * keys,
        took.as_millis(),
        peak / 1024,
        now / 1024
    );
}

/// A thousand key events a second for ten seconds.
fn events() {
    let folder = folder("bench-events");
    let apim = Apim::start(&folder, &["--dialect", "apim-4.7.0-fixed", "--quiet"]);
    apim.step(r#"{"deploy":{"api":"orders"}}"#);
    let mut gateway = Gateway::start(&settings(&folder, &apim).text("log.level", "info"));
    gateway.until_synced(1);
    let (batches, each) = (1_000_u32, 10_u32);
    let begun = now();
    for batch in 0..batches {
        let key = |number: u32| {
            format!(r#"{{"create_key":{{"api":"orders","name":"key-{batch}-{number}"}}}}"#)
        };
        let steps: Vec<String> = (0..each).map(key).collect();
        apim.step(&format!("[{}]", steps.join(",")));
        let due = Duration::from_millis(10) * (batch + 1);
        if let Some(left) = due.checked_sub(begun.elapsed()) {
            std::thread::park_timeout(left);
        }
    }
    let took = begun.elapsed();
    let keys = u64::from(batches * each);
    gateway.until("every key", |status| status["kinds"]["ApiKey"]["served"].as_u64() >= Some(keys));
    let metrics = gateway.page("/metrics").1;
    let a_second = u128::from(keys) * 1000 / took.as_millis().max(1);
    for name in ["driftless_event_seconds", "driftless_commit_seconds"] {
        println!(
            "{name:<24} {a_second} events/s   p50 ≤ {} s   p99 ≤ {} s   {}",
            quantile(&metrics, name, 50),
            quantile(&metrics, name, 99),
            if name.contains("event") { "p99 ≤ 0.005 s" } else { "" }
        );
    }
}

/// The bound of the bucket that a hundredth of all falls into.
fn quantile(metrics: &str, name: &str, percent: u64) -> String {
    let start = format!("{name}_bucket{{le=\"");
    let buckets: Vec<(&str, u64)> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(&start)?.split_once("\"} "))
        .map(|(bound, count)| (bound, count.parse().unwrap()))
        .collect();
    let total = buckets.last().unwrap().1;
    let within = |(_, count): &&(&str, u64)| count * 100 >= total * percent;
    buckets.iter().find(within).unwrap().0.to_owned()
}

/// Half a minute in which nothing happens.
fn idle() {
    let folder = folder("bench-idle");
    let apim = Apim::start(&folder, &["--quiet"]);
    let steps: Vec<String> =
        (0..1_000).map(|number| format!(r#"{{"deploy":{{"api":"api-{number}"}}}}"#)).collect();
    apim.step(&format!("[{}]", steps.join(",")));
    let mut gateway = Gateway::start(&settings(&folder, &apim).text("log.level", "info"));
    gateway.until_synced(1_000);
    let before = processor_ticks(&gateway);
    let begun = now();
    while begun.elapsed() < Duration::from_secs(60) {
        std::thread::park_timeout(Duration::from_secs(1));
    }
    let used = processor_ticks(&gateway) - before;
    println!(
        "idle        1000 APIs, 60 s   {used} hundredths of a second of one core   {} MiB",
        memory_kib(&gateway, "VmRSS") / 1024
    );
}
