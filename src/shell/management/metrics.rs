//! `/metrics`: the Prometheus text format, version 0.0.4.
//!
//! Written by hand: most of the page is read from the engine's status when a scraper asks, and a
//! client library would keep metrics of its own.

use std::fmt::Write as _;

use super::Scene;
use crate::shell::counters::{BUCKETS, Times};

struct MetricsPage(String);

impl MetricsPage {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(name);
        let mut open = '{';
        for (label, text) in labels {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
            open = ',';
        }
        self.0.push_str(if labels.is_empty() { " " } else { "} " });
        let _ = writeln!(self.0, "{value}");
    }

    fn times(&mut self, name: &str, help: &str, times: &Times) {
        self.family(name, "histogram", help);
        let (bucket, mut sum) = (format!("{name}_bucket"), 0);
        let bounds = BUCKETS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        for (count, bound) in times.buckets.iter().zip(bounds) {
            sum += count;
            self.sample(&bucket, &[("le", bound)], sum);
        }
        let (seconds, micros) = (times.sum.as_secs(), times.sum.subsec_micros());
        let _ = writeln!(self.0, "{name}_sum {seconds}.{micros:06}");
        self.sample(&format!("{name}_count"), &[], times.count);
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

/// The page.
pub(super) fn metrics(scene: &Scene<'_>) -> String {
    let mut page = MetricsPage(String::with_capacity(8192));
    let live = u64::from(scene.engine.is_live());
    page.one("driftless_session_live", "gauge", "Whether the session is established.", live);
    let ready = u64::from(scene.watch.is_ready());
    page.one("driftless_ready", "gauge", "Whether the gateway is ready.", ready);
    let version = scene.publisher.snapshot().version();
    page.one("driftless_snapshot_version", "gauge", "Version of the snapshot in force.", version);
    kinds(scene, &mut page);
    traffic(scene, &mut page);
    commits(scene, &mut page);
    anomalies(scene, &mut page);
    page.0
}

fn kinds(scene: &Scene<'_>, page: &mut MetricsPage) {
    let status = scene.engine.status();
    page.family("driftless_kind_state", "gauge", "1 for the state that a kind is in.");
    for (kind, it) in &status.kinds {
        let labels = [("kind", &*kind.to_string()), ("state", it.state.name())];
        page.sample("driftless_kind_state", &labels, 1);
    }
    page.family("driftless_kind_state_seconds", "gauge", "How long a kind has been in its state.");
    for (kind, it) in &status.kinds {
        let seconds = scene.now.since(it.since).as_secs();
        let labels = [("kind", &*kind.to_string())];
        page.sample("driftless_kind_state_seconds", &labels, seconds);
    }
    page.family("driftless_held", "gauge", "Artifacts served, or other things held, by kind.");
    for (kind, it) in &status.kinds {
        page.sample("driftless_held", &[("kind", &*kind.to_string())], it.served as u64);
    }
    page.family("driftless_retained", "gauge", "Artifacts held and not served, by kind.");
    for (kind, it) in &status.kinds {
        page.sample("driftless_retained", &[("kind", &*kind.to_string())], it.retained as u64);
    }
    let unreadable = scene.unreadable().len() as u64;
    let help = "Artifacts whose newest definition cannot be read; the one before is served.";
    page.one("driftless_unreadable_definitions", "gauge", help, unreadable);
    let colliding = scene.publisher.snapshot().collisions().count() as u64;
    let help = "Operations that several APIs have at one base path, of which one is served.";
    page.one("driftless_colliding_operations", "gauge", help, colliding);
}

fn traffic(scene: &Scene<'_>, page: &mut MetricsPage) {
    let counters = scene.counters;
    for (name, help, value) in [
        ("driftless_dials_total", "Sessions begun.", counters.dials),
        (
            "driftless_sessions_ended_total",
            "Sessions that ended or never opened.",
            counters.sessions_ended,
        ),
        ("driftless_frames_total", "Frames received.", counters.frames),
        ("driftless_frame_bytes_total", "Bytes of frames received.", counters.frame_bytes),
        ("driftless_pings_total", "Pings that renewed the lease.", counters.pings),
        ("driftless_acks_total", "Acks sent.", counters.acks),
        ("driftless_answer_bytes_total", "Bytes of answers received.", counters.answer_bytes),
    ] {
        page.one(name, "counter", help, value);
    }
    page.family("driftless_requests_total", "counter", "Requests that ended, by name and outcome.");
    for ((name, outcome), count) in &counters.requests {
        let labels = [("name", *name), ("outcome", *outcome)];
        page.sample("driftless_requests_total", &labels, *count);
    }
}

fn commits(scene: &Scene<'_>, page: &mut MetricsPage) {
    let counters = scene.counters;
    let name = "driftless_commits_failed_total";
    page.one(name, "counter", "Writes that failed.", counters.commits_failed);
    let help = "How long durable writes took.";
    page.times("driftless_commit_seconds", help, &counters.commit_times);
    let help = "From the arrival of an event to when what it says is durable and shown; events \
                that need a definition first are not among them.";
    page.times("driftless_event_seconds", help, &counters.event_times);
}

fn anomalies(scene: &Scene<'_>, page: &mut MetricsPage) {
    let anomalies = scene.engine.status().anomalies;
    let name = "driftless_not_usable_total";
    page.family(name, "counter", "What was seen and could not be used, by what it is.");
    for (what, count) in [
        ("unknown_events", anomalies.unknown_events.total()),
        ("events_not_held", anomalies.events_not_held.total()),
        ("malformed_frames", anomalies.malformed_frames),
        ("unreadable_keys", anomalies.unreadable_keys),
        ("incomplete_changes", anomalies.incomplete_changes),
        ("evicted", anomalies.evicted),
        ("acks_dropped", anomalies.acks_dropped),
        ("acks_superseded", anomalies.acks_superseded),
    ] {
        page.sample(name, &[("what", what)], count);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_label_keeps_its_text_on_one_line_and_within_its_quotes() {
        let mut page = MetricsPage(String::new());
        page.sample("seen", &[("what", "a\"b\\c\nd"), ("kind", "RestApi")], 3);
        assert_eq!(page.0, "seen{what=\"a\\\"b\\\\c\\nd\",kind=\"RestApi\"} 3\n");
    }

    #[test]
    fn a_bucket_counts_everything_below_its_bound_and_the_last_one_counts_all() {
        let (mut page, mut times) = (MetricsPage(String::new()), Times::default());
        for micros in [400, 2_500, 2_501, 3_000_000] {
            times.add(Duration::from_micros(micros));
        }
        page.times("took_seconds", "How long it took.", &times);
        let lines = [
            "# HELP took_seconds How long it took.",
            "# TYPE took_seconds histogram",
            "took_seconds_bucket{le=\"0.0005\"} 1",
            "took_seconds_bucket{le=\"0.001\"} 1",
            "took_seconds_bucket{le=\"0.0025\"} 2",
            "took_seconds_bucket{le=\"0.005\"} 3",
            "took_seconds_bucket{le=\"0.01\"} 3",
            "took_seconds_bucket{le=\"0.05\"} 3",
            "took_seconds_bucket{le=\"0.25\"} 3",
            "took_seconds_bucket{le=\"1\"} 3",
            "took_seconds_bucket{le=\"+Inf\"} 4",
            "took_seconds_sum 3.005401",
            "took_seconds_count 4",
        ];
        assert_eq!(page.0.lines().collect::<Vec<_>>(), lines);
    }
}
