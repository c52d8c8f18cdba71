//! What led to a violation, as a sentence: what the gateway did last to the subject, and what
//! reached it just before.

use crate::observe::{TraceFilter, TraceLine};
use crate::properties::Violation;

/// What the gateway did last to what a violation is about, and after what. `None` where the subject
/// is nothing that a trace names.
pub(super) fn cause(lines: &[TraceLine], violation: &Violation) -> Option<String> {
    let about = TraceFilter::new(&violation.subject).following(lines);
    let of_gateway = violation.gateway.as_ref().map(|name| format!("gateway={name} "));
    let is_here = |line: &&TraceLine| {
        line.at <= violation.at && of_gateway.as_ref().is_none_or(|of| line.detail.starts_with(of))
    };
    let here: Vec<&TraceLine> = lines.iter().filter(is_here).collect();
    let is_change = |line: &&&TraceLine| verb_of(line).is_some() && about.is_it(line);
    let change = here.iter().rposition(|line| is_change(&line));
    let before = here.get(..change.unwrap_or(here.len()))?;
    let told = before.iter().rposition(|line| may_change(line) && about.is_told_by(line));
    let told = told.and_then(|place| Some((*before.get(place)?, before.get(..place)?)));
    let told = told.map(|(line, earlier)| what_came(&about, line, earlier));
    match (change.and_then(|place| here.get(place)), told) {
        (Some(line), Some(told)) => {
            Some(format!("the gateway {} at {}, after {told}", verb_of(line)?, line.at))
        }
        (Some(line), None) => Some(format!("the gateway {} at {}", verb_of(line)?, line.at)),
        (None, Some(told)) => {
            Some(format!("the gateway changed nothing about it; what came last was {told}"))
        }
        (None, None) if about.is_known(lines) => {
            Some("no event and no answer about it reached the gateway".to_owned())
        }
        (None, None) => None,
    }
}

/// What a gateway does to a subject, as a sentence says it.
fn verb_of(line: &TraceLine) -> Option<&'static str> {
    match (line.who, line.what) {
        ("engine", "serves") => Some("began to serve it"),
        ("engine", "withdraws") => Some("withdrew it"),
        ("engine", "holds") => Some("took it up"),
        ("engine", "replaces") => Some("replaced it"),
        ("engine", "drops") => Some("dropped it"),
        _ => None,
    }
}

/// Whether a line is something that reaches a gateway and may change what it believes.
fn may_change(line: &TraceLine) -> bool {
    matches!(
        (line.who, line.what),
        ("apim", "event" | "answers") | ("engine", "start") | ("store", "unread")
    )
}

/// What came, and the how manieth of its kind it was.
fn what_came(about: &TraceFilter, line: &TraceLine, earlier: &[&TraceLine]) -> String {
    if line.what == "start" {
        return format!("the start of its process at {}", line.at);
    }
    if line.what == "unread" {
        return format!("the store did not give its definition at {}", line.at);
    }
    if line.what == "answers" {
        let words = line.detail.split_whitespace();
        let name = words.filter(|word| !word.contains(['=', '/'])).find(|word| *word != "GET");
        let status = line.detail.split_whitespace().find_map(|word| word.strip_prefix("status="));
        let (name, status) = (name.unwrap_or("?"), status.unwrap_or("?"));
        return format!("the answer `{name}` with status {status} at {}", line.at);
    }
    let kind = |line: &TraceLine| {
        let words = line.detail.split_whitespace();
        words.filter_map(|word| word.strip_prefix("type=")).map(str::to_owned).next()
    };
    let own = kind(line);
    let same = |other: &&&TraceLine| {
        other.what == "event" && kind(other) == own && about.is_told_by(other)
    };
    let name = own.as_deref().unwrap_or("?");
    match earlier.iter().filter(same).count() {
        0 => format!("the event `{name}` at {}", line.at),
        count => format!("one more event `{name}` at {} ({} before)", line.at, count),
    }
}

#[cfg(test)]
mod tests {
    use driftless_gateway::time::Instant;

    use super::*;

    fn line(ms: u64, who: &'static str, what: &'static str, detail: &str) -> TraceLine {
        TraceLine { at: Instant::from_millis(ms), who, what, detail: detail.to_owned() }
    }

    fn violation(subject: &str) -> Violation {
        Violation {
            property: "converges",
            gateway: None,
            at: Instant::from_millis(9000),
            subject: subject.to_owned(),
            expected: "1 keys".to_owned(),
            found: "0".to_owned(),
            cause: None,
            last_events: Vec::new(),
        }
    }

    const KEY: &str = "key web of 24eb0f4c-8e4a-406d-86b0-98fdd62db47a";

    #[test]
    fn a_sentence_says_what_was_done_and_what_came_before() {
        let event = |ms, kind: &str, of: &str| {
            line(ms, "apim", "event", &format!("type={kind} {of} (orders)"))
        };
        let other = "key app of 24eb0f4c-8e4a-406d-86b0-98fdd62db47a";
        let lines = [
            event(1000, "apikey.created", KEY),
            line(1001, "engine", "holds", &format!("{KEY} (orders)")),
            event(2000, "apikey.revoked", KEY),
            event(3000, "apikey.created", KEY),
            event(3000, "apikey.created", other),
            line(3001, "engine", "drops", &format!("{KEY} (orders)")),
            event(9500, "apikey.created", KEY),
        ];
        let about = |subject: &str| cause(&lines, &violation(subject));
        assert_eq!(
            about("key web of orders (24eb0f4c-8e4a-406d-86b0-98fdd62db47a)").as_deref(),
            Some(
                "the gateway dropped it at 00:00:03.001, after one more event `apikey.created` at \
                 00:00:03.000 (1 before)"
            )
        );
        assert_eq!(
            about("key app of orders (24eb0f4c-8e4a-406d-86b0-98fdd62db47a)").as_deref(),
            Some(
                "the gateway changed nothing about it; what came last was the event \
                 `apikey.created` at 00:00:03.000"
            )
        );
        assert_eq!(about("the run"), None);
    }

    #[test]
    fn a_list_or_a_start_may_be_what_came_before() {
        let id = "24eb0f4c-8e4a-406d-86b0-98fdd62db47a";
        let mut lines = vec![
            line(10, "engine", "serves", &format!("api=orders artifact={id} content=1")),
            line(20, "apim", "answers", "request=r2 list status=200 bytes=9"),
            line(21, "engine", "withdraws", &format!("api=orders artifact={id}")),
        ];
        let subject = format!("orders ({id})");
        assert_eq!(
            cause(&lines, &violation(&subject)).as_deref(),
            Some(
                "the gateway withdrew it at 00:00:00.021, after the answer `list` with status 200 at 00:00:00.020"
            )
        );
        lines.push(line(30, "engine", "start", "rows=0 tombstones=0"));
        lines.push(line(31, "engine", "serves", &format!("api=orders artifact={id} content=1")));
        assert_eq!(
            cause(&lines, &violation(&subject)).as_deref(),
            Some(
                "the gateway began to serve it at 00:00:00.031, after the start of its process \
                 at 00:00:00.030"
            )
        );
    }
}
