//! Which lines of a trace matter to one subject: those that are about it, and those that lead to
//! what happens to it.

use std::collections::BTreeSet;

use super::names::has_word;
use super::trace::TraceLine;
use crate::story::step::{Actor, VERBS};

/// Requests and answers that speak of many items at once.
const LISTS: [&str; 4] = ["list", "read_keys", "read_subscriptions", "read_plans"];

/// What happens to a session, a store or the run as a whole.
const OF_ALL: [&str; 9] = [
    "open_session",
    "close_session",
    "upgrade",
    "closes",
    "start",
    "phase",
    "discover",
    "disk",
    "crash",
];

/// One subject: a name or an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceFilter {
    /// What names it.
    id: String,
    /// What names it in a trace where it is a key: `key NAME of ID`.
    key: Option<String>,
    /// The requests that were made about it, so that their answers are known.
    asked: BTreeSet<String>,
}

impl TraceFilter {
    /// What a name, an id, or the subject of a violation means: of the latter its id.
    pub fn new(subject: &str) -> Self {
        let id = subject.rsplit(['(', ')']).nth(1).unwrap_or(subject);
        let name = subject.strip_prefix("key ").and_then(|rest| rest.split(" of ").next());
        let key = name.map(|name| format!("key {} of {id}", name.to_lowercase()));
        Self { id: id.to_owned(), key, asked: BTreeSet::new() }
    }

    /// The same, knowing the requests about it among these lines.
    pub fn following(mut self, lines: &[TraceLine]) -> Self {
        lines.iter().for_each(|line| self.note(line));
        self
    }

    /// Notes a request about it, whose answer names nothing but the request.
    pub fn note(&mut self, line: &TraceLine) {
        if line.who == "engine" && self.is_named(line) {
            self.asked.extend(request_of(line));
        }
    }

    /// Whether a line is the answer to a request about it.
    fn is_answer(&self, line: &TraceLine) -> bool {
        line.what == "answers" && request_of(line).is_some_and(|asked| self.asked.contains(&asked))
    }

    /// Whether a line is about exactly the subject: a key, and not another one of its API.
    pub fn is_it(&self, line: &TraceLine) -> bool {
        has_word(&line.detail, self.key.as_ref().unwrap_or(&self.id))
    }

    /// Whether a line is an event or an answer that speaks of the subject, or may: a list does.
    pub fn is_told_by(&self, line: &TraceLine) -> bool {
        let lists = if self.key.is_some() { &LISTS[1..] } else { &LISTS[..1] };
        line.what == "start"
            || self.is_it(line)
            || (self.key.is_none() && self.is_answer(line))
            || (line.what == "answers" && lists.iter().any(|list| has_word(&line.detail, list)))
    }

    /// Whether any line names the subject.
    pub fn is_known(&self, lines: &[TraceLine]) -> bool {
        lines.iter().any(|line| self.is_it(line))
    }

    /// Whether a line names it.
    pub fn is_named(&self, line: &TraceLine) -> bool {
        has_word(&line.detail, &self.id)
    }

    /// Whether a line names it, or may lead to what happens to it: a fault, a session, a list.
    pub fn matters(&self, line: &TraceLine) -> bool {
        self.is_named(line)
            || self.is_answer(line)
            || OF_ALL.contains(&line.what)
            || LISTS.contains(&line.what)
            || (line.what == "answers" && LISTS.iter().any(|list| has_word(&line.detail, list)))
            || (line.who == "step" && is_fault(line.what))
    }
}

/// The request that a line is about, and at which gateway where there are several.
fn request_of(line: &TraceLine) -> Option<String> {
    let of = |name: &str| line.detail.split(' ').find(|word| word.starts_with(name));
    let request = of("request=")?;
    Some(format!("{} {request}", of("gateway=").unwrap_or_default()))
}

/// Whether a step of that name is something that goes wrong.
fn is_fault(name: &str) -> bool {
    VERBS.iter().any(|entry| entry.name == name && entry.actor != Actor::People)
}

#[cfg(test)]
mod tests {
    use super::*;
    use driftless_gateway::time::Instant;

    fn line(who: &'static str, what: &'static str, detail: &str) -> TraceLine {
        TraceLine { at: Instant::START, who, what, detail: detail.to_owned() }
    }

    #[test]
    fn what_names_a_subject_matters_and_so_does_what_may_lead_to_it() {
        let about = TraceFilter::new("orders");
        for (line, is_named, matters) in [
            (line("step", "deploy", r#"{"deploy":{"api":"orders"}}"#), true, true),
            (line("step", "deploy", r#"{"deploy":{"api":"pets"}}"#), false, false),
            (line("step", "partition", r#"{"partition":{"for_ms":1}}"#), false, true),
            (line("apim", "answers", "request=r2 list status=200 bytes=9"), false, true),
            (line("apim", "answers", "request=r3 fetch status=200 bytes=9"), false, false),
            (line("engine", "close_session", "session=s1"), false, true),
        ] {
            assert_eq!(
                (about.is_named(&line), about.matters(&line)),
                (is_named, matters),
                "{line}"
            );
        }
    }

    #[test]
    fn the_answer_to_a_request_about_it_matters() {
        let asked = line("engine", "fetch", "request=r3 GET /apis/24f1 (orders)");
        let answers = |request| {
            line("apim", "answers", &format!("request={request} fetch status=404 bytes=0"))
        };
        let about = TraceFilter::new("orders (24f1)");
        assert!(!about.matters(&answers("r3")));
        let about = about.following(&[asked]);
        assert!(about.matters(&answers("r3")) && about.is_told_by(&answers("r3")));
        assert!(!about.matters(&answers("r4")));
    }

    #[test]
    fn of_a_violation_the_id_counts() {
        let named = |subject: &str, detail: &str| {
            let (about, line) = (TraceFilter::new(subject), line("engine", "holds", detail));
            (about.is_named(&line), about.is_it(&line))
        };
        assert_eq!(named("orders (24f1)", "artifact=24f1"), (true, true));
        assert_eq!(named("key Web of orders (24f1)", "key web of 24f1 (orders)"), (true, true));
        assert_eq!(named("key Web of orders (24f1)", "key app of 24f1 (orders)"), (true, false));
        assert_eq!(named("store", "write=w1"), (false, false));
    }
}
