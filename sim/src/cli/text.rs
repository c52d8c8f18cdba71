//! [`Record`]s for people: a right-aligned word, a bracketed time, then nouns with counts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::measure::{counted, per_second, simulated, took};
#[cfg(feature = "wire")]
use super::record::ServingRecord;
use super::record::{
    IdleBy, IdleRecord, Item, Record, ShrunkRecord, Status, StoryRecord, ViolationRecord,
};
use super::table::{Row, by_count, lines, wrap};

/// The column in which everything after the status word begins.
const INDENT: &str = "           ";

/// The column in which stands what belongs to an entry of a list.
const DEEPER: &str = "    ";

/// What a colour means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tone {
    /// It held.
    Good,
    /// It did not hold.
    Bad,
    /// Somebody should look.
    Odd,
    /// Neither.
    Plain,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "\x1b[1;32m",
            Self::Bad => "\x1b[1;31m",
            Self::Odd => "\x1b[1;33m",
            Self::Plain => "\x1b[1m",
        }
    }
}

/// Writes records as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Text {
    /// Whether to colour.
    pub(super) color: bool,
    /// Whether to say what each story delivered.
    pub(super) verbose: bool,
    /// How many columns a line has.
    pub(super) width: usize,
}

impl Text {
    /// A record as text, with its line feeds. `wall` is how long it took.
    pub(super) fn record(self, record: &Record, wall: Option<Duration>) -> String {
        match record {
            Record::Story(story) => self.story(story, wall),
            Record::Violation(violation) => self.violation(violation),
            Record::Differed { story, first, second } => {
                let head = format!("same_trace   {story}");
                let rest = "two runs of this story have different traces";
                format!(
                    "{}{INDENT}{rest}: {first} and {second}\n",
                    self.line(Tone::Bad, "DIFFERED", &head)
                )
            }
            Record::Unequal { .. } => self.unequal(record),
            Record::Reproduce { command } => self.line(Tone::Plain, "Reproduce", command),
            Record::Sweep { mix, base, seeds, shard } => {
                let mut rest = format!("{mix}, seeds from {base}");
                if let Some(seeds) = seeds {
                    rest = format!("{rest}, {}", counted(*seeds, "seed"));
                }
                if let Some(shard) = shard {
                    rest = format!("{rest}, shard {shard}");
                }
                self.line(Tone::Plain, "Sweep", &rest)
            }
            Record::Swept { seeds, violated, simulated_ms, events, crashes } => {
                let (tone, word) = verdict(*violated == 0);
                let wall = wall.unwrap_or_default();
                let rest = [
                    took(wall),
                    counted(*seeds, "seed"),
                    format!("{} seeds/s", per_second(*seeds, wall)),
                    simulated(Duration::from_millis(*simulated_ms)),
                    counted(*events, "event"),
                    crashes_of(*crashes),
                ];
                self.line(tone, word, &rest.join("   "))
            }
            Record::Faults { delivered } => self.faults(delivered),
            Record::Marks { reached, of, missing } => self.marks(*reached, *of, missing),
            Record::Canary { missed: None, .. } => {
                self.line(Tone::Good, "Canary", "the planted defect was found")
            }
            Record::Canary { missed: Some(missed), .. } => {
                self.line(Tone::Bad, "Canary", &format!("the planted defect was missed: {missed}"))
            }
            Record::Idle { by, seeds, of, steps } => self.idle(*by, (*seeds, *of), steps),
            Record::Stopped { ran } => {
                let rest = format!(
                    "after {}, at the first that did not hold; --keep-going goes on",
                    counted(*ran, "seed")
                );
                self.line(Tone::Plain, "Stopped", &rest)
            }
            Record::LeftOut { scenarios, why } => {
                let rest = format!("{}: {why}", counted(*scenarios as u64, "scenario"));
                self.line(Tone::Plain, "Left out", &rest)
            }
            Record::Trace { line } => format!("{line}\n"),
            Record::Shrunk(shrunk) => self.shrunk(shrunk, wall),
            Record::Saved { path } => self.line(Tone::Plain, "Saved", path),
            #[cfg(feature = "wire")]
            Record::Serving(serving) => self.serving(serving),
            Record::Item(item) => self.item(item),
            Record::Summary { ran, noun, violated, differed } => {
                self.summary(*ran, noun, *violated, *differed)
            }
        }
    }

    fn shrunk(self, shrunk: &ShrunkRecord, wall: Option<Duration>) -> String {
        let ShrunkRecord { story, property, steps_before, steps_after, told, .. } = shrunk;
        let mut rest: Vec<String> = wall.map(took).into_iter().collect();
        rest.push(format!("{story}: {steps_before} steps to {steps_after}"));
        rest.push(format!("{property} stays violated"));
        rest.push(format!("{} told", stories(*told)));
        if !shrunk.is_done {
            rest.push("the time was up; --for gives more".to_owned());
        }
        let tone = if shrunk.is_done { Tone::Good } else { Tone::Odd };
        let mut text = self.line(tone, "Shrunk", &rest.join("   "));
        for step in &shrunk.steps {
            let _ = writeln!(text, "{INDENT}{step}");
        }
        text
    }

    #[cfg(feature = "wire")]
    fn serving(self, serving: &ServingRecord) -> String {
        let ServingRecord { url, admin, dialect, authority, token_file } = serving;
        let mut lines = self.line(Tone::Good, "Serving", &format!("{url}   {dialect}"));
        lines.push_str(&self.line(Tone::Plain, "Admin", admin));
        if let Some(authority) = authority {
            lines.push_str(&self.line(Tone::Plain, "Trust", authority));
        }
        lines + &self.line(Tone::Plain, "Token", token_file)
    }

    fn word(self, tone: Tone, word: &str) -> String {
        let padded = format!("{word:>9}");
        if self.color { format!("{}{padded}\x1b[0m", tone.code()) } else { padded }
    }

    fn line(self, tone: Tone, word: &str, rest: &str) -> String {
        format!("{}  {rest}\n", self.word(tone, word))
    }

    fn story(self, story: &StoryRecord, wall: Option<Duration>) -> String {
        let (tone, word) = match story.status {
            Status::Ok => (Tone::Good, "ok"),
            Status::Violated => (Tone::Bad, "VIOLATED"),
            Status::Differed => (Tone::Bad, "DIFFERED"),
            Status::Unequal => (Tone::Bad, "UNEQUAL"),
        };
        let mut rest: Vec<String> = wall.map(took).into_iter().collect();
        rest.push(format!("{:<58}", story.story));
        if !story.covers.is_empty() {
            rest.push(format!("{:<10}", story.covers.join(" ")));
        }
        rest.push(simulated(Duration::from_millis(story.simulated_ms)));
        rest.push(counted(story.events, "event"));
        rest.extend(story.parity.map(|parity| parity.name().to_owned()));
        let mut text = self.line(tone, word, &rest.join("  "));
        if self.verbose {
            let _ = writeln!(text, "{INDENT}delivered  {}", self.delivered(&story.delivered));
            let _ = writeln!(text, "{INDENT}trace      {}", story.trace_hash);
        }
        for step in &story.idle {
            text.push_str(&self.line(Tone::Odd, "Idle", &format!("had no effect: {step}")));
        }
        text
    }

    fn violation(self, violation: &ViolationRecord) -> String {
        let ViolationRecord { property, story, at, .. } = violation;
        let head = format!("{property}   {story}   at {at}");
        let mut text = self.line(Tone::Bad, "VIOLATED", &head);
        if let Some(gateway) = &violation.gateway {
            let _ = writeln!(text, "{INDENT}gateway   {gateway}");
        }
        for (name, value) in [
            ("subject", &violation.subject),
            ("expected", &violation.expected),
            ("found", &violation.found),
        ] {
            let value = value.replace('\n', &format!("\n{INDENT}          "));
            let _ = writeln!(text, "{INDENT}{name:<8}  {value}");
        }
        if let Some(cause) = &violation.cause {
            let _ = writeln!(text, "{INDENT}cause     {cause}");
        }
        if !violation.last_events.is_empty() {
            let _ = writeln!(text, "{INDENT}last events");
            for event in &violation.last_events {
                let _ = writeln!(text, "{INDENT}  {event}");
            }
        }
        text
    }

    fn unequal(self, record: &Record) -> String {
        let Record::Unequal { story, gateway, item, fast, wire } = record else {
            return String::new();
        };
        let mut text = self.line(Tone::Bad, "UNEQUAL", &format!("parity   {story}   {item}"));
        if let Some(gateway) = gateway {
            let _ = writeln!(text, "{INDENT}gateway   {gateway}");
        }
        let _ = writeln!(text, "{INDENT}fast      {fast}\n{INDENT}wire      {wire}");
        text
    }

    /// How often each fault took effect, as a table.
    fn faults(self, delivered: &BTreeMap<&'static str, u64>) -> String {
        let total = delivered.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
        let rest = match delivered.len() {
            0 => "none took effect".to_owned(),
            kinds => format!("took effect {}, of {}", times(total), counted(kinds as u64, "kind")),
        };
        let rows = by_count(delivered.iter().map(|(name, count)| (*name, *count)));
        self.line(Tone::Plain, "Faults", &rest) + &self.table(&rows)
    }

    /// The steps that had no effect, as a table.
    fn idle(
        self,
        by: IdleBy,
        (seeds, of): (u64, u64),
        steps: &BTreeMap<&'static str, IdleRecord>,
    ) -> String {
        let who = match by {
            IdleBy::Faults => "faults",
            IdleBy::People => "steps of people",
        };
        // Steps of people are drawn whether they find anything or not, so most seeds have some.
        let is_told = by == IdleBy::Faults || self.verbose;
        let end = if is_told { ":" } else { " (-v names them)" };
        let rest = format!("{seeds} of {} have {who} that had no effect{end}", counted(of, "seed"));
        if !is_told {
            return self.line(Tone::Plain, "Idle", &rest);
        }
        let rows = by_count(steps.iter().map(|(name, idle)| (*name, idle.seeds)));
        let mut text = self.line(Tone::Plain, "Idle", &rest);
        for (line, (name, _)) in lines(&rows, 0).iter().zip(&rows) {
            let example = steps.get(name).map_or("", |idle| idle.example.as_str());
            let _ = writeln!(text, "{INDENT}{line}   first in {example}");
        }
        text
    }

    fn table(self, rows: &[Row<'_>]) -> String {
        let lines = lines(rows, self.width.saturating_sub(INDENT.len()));
        lines.iter().map(|line| format!("{INDENT}{line}\n")).collect()
    }

    /// What a story delivered, on lines as wide as the terminal.
    fn delivered(self, delivered: &BTreeMap<&'static str, u64>) -> String {
        if delivered.is_empty() {
            return "no fault".to_owned();
        }
        let indent = INDENT.len() + 11;
        let rows = by_count(delivered.iter().map(|(name, count)| (*name, *count)));
        let words = rows.iter().map(|(name, count)| format!("{name} {count}"));
        wrap(words, "   ", self.width.saturating_sub(indent)).join(&format!("\n{:indent$}", ""))
    }

    fn marks(self, reached: usize, of: usize, missing: &[&str]) -> String {
        let rest = format!("{reached} of {of} situations reached");
        if missing.is_empty() {
            return self.line(Tone::Good, "Marks", &rest);
        }
        let mut text = self.line(Tone::Odd, "Marks", &format!("{rest}; never reached:"));
        let words = missing.iter().map(|name| (*name).to_owned());
        for line in wrap(words, ", ", self.width.saturating_sub(INDENT.len())) {
            let _ = writeln!(text, "{INDENT}{line}");
        }
        text
    }

    fn item(self, item: &Item) -> String {
        let name = format!("{:<32}", item.name);
        let class = match item.class {
            "" => String::new(),
            class => format!("{class:<14}"),
        };
        let indent = 34 + class.len();
        let says = item.says.split(' ').map(str::to_owned);
        let says = wrap(says, " ", self.width.saturating_sub(indent));
        let name = if self.color { format!("\x1b[1m{name}\x1b[0m") } else { name };
        let mut text = format!("{name}  {class}{}\n", says.join(&format!("\n{:indent$}", "")));
        if !item.example.is_empty() {
            let _ = writeln!(text, "{DEEPER}\"{}\": {}", item.name, item.example);
        }
        for choice in &item.choices {
            let head = format!("{DEEPER}\"{}\":", choice.field);
            text.push_str(&self.listed(&head, choice.of.iter().cloned()));
            for (name, of) in &choice.by {
                let on = choice.on.unwrap_or_default();
                let head = format!("{DEEPER}  where \"{on}\" is \"{name}\":");
                text.push_str(&self.listed(&head, of.iter().map(|name| (*name).to_owned())));
            }
        }
        text
    }

    /// Words after a head, on as many lines as they need.
    fn listed(self, head: &str, words: impl Iterator<Item = String>) -> String {
        let indent = head.len() + 1;
        let lines = wrap(words, ", ", self.width.saturating_sub(indent));
        format!("{head} {}\n", lines.join(&format!("\n{:indent$}", "")))
    }

    fn summary(self, ran: u64, noun: &str, violated: u64, differed: u64) -> String {
        let ran = counted(ran, noun);
        let rest = match (violated, differed) {
            (0, 0) => format!("{ran}, no property violated"),
            (violated, 0) => format!("{ran}, {violated} violated"),
            (violated, differed) => format!("{ran}, {violated} violated, {differed} differed"),
        };
        let tone = if violated + differed == 0 { Tone::Good } else { Tone::Bad };
        self.line(tone, "Summary", &rest)
    }
}

const fn verdict(held: bool) -> (Tone, &'static str) {
    if held { (Tone::Good, "ok") } else { (Tone::Bad, "VIOLATED") }
}

fn stories(count: u64) -> String {
    if count == 1 { "1 story".to_owned() } else { counted(count, "storie") }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn crashes_of(crashes: u64) -> String {
    if crashes == 1 { "1 crash".to_owned() } else { counted(crashes, "crashe") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Text = Text { color: false, verbose: false, width: 80 };

    #[test]
    fn a_story_is_one_line() {
        let record = Record::Story(StoryRecord {
            story: "an-outage-is-caught-up-with".to_owned(),
            status: Status::Ok,
            covers: vec!["FB-06".to_owned()],
            simulated_ms: 185_000,
            events: 1204,
            delivered: BTreeMap::from([("partition", 1)]),
            idle: Vec::new(),
            trace_hash: "00ff".to_owned(),
            parity: None,
            wire_trace_hash: None,
        });
        let wall = Some(Duration::from_millis(20));
        let expected = format!(
            "       ok  [   0.02s]  {:<58}  FB-06       00:03:05 simulated  1204 events\n",
            "an-outage-is-caught-up-with"
        );
        assert_eq!(PLAIN.record(&record, wall), expected);
        let verbose = Text { verbose: true, ..PLAIN }.record(&record, wall);
        assert!(
            verbose.ends_with("           delivered  partition 1\n           trace      00ff\n")
        );
    }

    #[test]
    fn a_violation_is_a_block() {
        let record = Record::Violation(ViolationRecord {
            property: "ack_truth".to_owned(),
            story: "seed 0x2a".to_owned(),
            gateway: Some("east".to_owned()),
            at: "00:00:04.125".to_owned(),
            subject: "api orders".to_owned(),
            expected: "acked after durable".to_owned(),
            found: "acked\nbefore".to_owned(),
            cause: Some("the gateway began to serve it at 00:00:04.120".to_owned()),
            last_events: vec!["00:00:04.120  engine  store".to_owned()],
        });
        let expected = "\x20VIOLATED  ack_truth   seed 0x2a   at 00:00:04.125
           gateway   east
           subject   api orders
           expected  acked after durable
           found     acked
                     before
           cause     the gateway began to serve it at 00:00:04.120
           last events
             00:00:04.120  engine  store
";
        assert_eq!(PLAIN.record(&record, None), expected);
        let colored = Text { color: true, ..PLAIN }.record(&record, None);
        assert!(colored.starts_with("\x1b[1;31m VIOLATED\x1b[0m  ack_truth"));
    }

    #[test]
    fn faults_and_idle_steps_of_a_sweep_keep_to_the_width() {
        let delivered: BTreeMap<_, _> = crate::story::step::VERBS
            .iter()
            .zip(1000..)
            .map(|(verb, count)| (verb.name, count))
            .collect();
        let faults = PLAIN.record(&Record::Faults { delivered }, None);
        assert!(faults.starts_with("   Faults  took effect "), "{faults}");
        assert!(faults.lines().all(|line| line.len() <= 80), "{faults}");
        assert!(faults.lines().count() < crate::story::step::VERBS.len(), "several in a line");
        let idle = |seeds, example: &str| IdleRecord { seeds, example: example.to_owned() };
        let steps =
            BTreeMap::from([("crash", idle(2, "seed 0x7")), ("hold", idle(31, "seed 0x1"))]);
        let record = |by| Record::Idle { by, seeds: 32, of: 100, steps: steps.clone() };
        let expected = "     Idle  32 of 100 seeds have faults that had no effect:
           hold  31   first in seed 0x1
           crash  2   first in seed 0x7
";
        assert_eq!(PLAIN.record(&record(IdleBy::Faults), None), expected);
        let brief = PLAIN.record(&record(IdleBy::People), None);
        assert!(brief.ends_with("have steps of people that had no effect (-v names them)\n"));
        let verbose = Text { verbose: true, ..PLAIN };
        assert_eq!(verbose.record(&record(IdleBy::People), None).lines().count(), 3);
    }

    #[test]
    fn a_sweep_ends_with_its_figures() {
        let record = Record::Swept {
            seeds: 2000,
            violated: 0,
            simulated_ms: 148_320_000,
            events: 3_100_000,
            crashes: 14_000,
        };
        let expected = "       ok  [   1.80s]   2000 seeds   1111 seeds/s   41.2 h simulated   \
                        3.1 M events   14 k crashes\n";
        assert_eq!(PLAIN.record(&record, Some(Duration::from_millis(1800))), expected);
    }
}
