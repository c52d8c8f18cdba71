//! [`Scenario`] to its canonical text.

use serde::Serialize;

use super::print::{array, line, object};
use super::{Expect, SCHEMA, Scenario, StoreChoice};
use crate::story::step::{Observable, Step, When};

/// The whole file, with a line feed at the end.
pub(super) fn scenario(scenario: &Scenario) -> String {
    let mut fields = WrittenFields::default();
    fields.put("schema", &SCHEMA);
    fields.put("why", &scenario.why);
    fields.put("covers", &scenario.covers);
    if let Some(source) = &scenario.source {
        fields.put("source", source);
    }
    fields.put("dialect", scenario.dialect.name());
    fields.put("seed", &scenario.seed);
    let switches = scenario.switches.given(scenario.dialect);
    if !switches.is_none() {
        fields.put("switches", &switches);
    }
    if scenario.store != StoreChoice::default() {
        fields.put("store", &scenario.store);
    }
    if let Some(only) = &scenario.only {
        fields.put("only", only);
    }
    if !scenario.gateways.is_empty() {
        fields.put("gateways", &scenario.gateways);
    }
    if let Some(faults_stay_ms) = scenario.faults_stay_ms {
        fields.put("faults_stay_ms", &faults_stay_ms);
    }
    fields.text("steps", array(&scenario.steps.iter().map(step).collect::<Vec<_>>()));
    fields.text("expect", expect(&scenario.expect));
    let mut text = object(&fields.0);
    text.push('\n');
    text
}

/// The fields of an object as text, in order.
#[derive(Default)]
struct WrittenFields(Vec<(String, String)>);

impl WrittenFields {
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.text(name, line(value));
    }

    fn text(&mut self, name: &str, text: String) {
        self.0.push((name.to_owned(), text));
    }
}

/// One step on one line.
fn step(step: &Step) -> String {
    let when = match &step.when {
        When::AtMs(at_ms) => format!("\"at_ms\": {at_ms}"),
        When::On(trigger) => {
            let (field, name) = match &trigger.seen {
                Observable::Action(name) => ("action", name),
                Observable::Event(name) => ("event", name),
                Observable::Answer(name) => ("answer", name),
                Observable::State(name) => ("state", name),
            };
            let mut on = format!("\"on\": {{ \"{field}\": {}", line(name));
            if let Some(gateway) = &trigger.gateway {
                on.push_str(&format!(", \"gateway\": {}", line(gateway)));
            }
            if trigger.nth != 1 {
                on.push_str(&format!(", \"nth\": {}", trigger.nth));
            }
            if trigger.from_ms != 0 {
                on.push_str(&format!(", \"from_ms\": {}", trigger.from_ms));
            }
            if trigger.after_ms != 0 {
                on.push_str(&format!(", \"after_ms\": {}", trigger.after_ms));
            }
            on + " }"
        }
    };
    let verb = line(&step.verb);
    let inner = verb.strip_prefix("{ ").and_then(|verb| verb.strip_suffix(" }"));
    let mut scope = String::new();
    if let Some(organization) = &step.scope.organization {
        scope.push_str(&format!("\"organization\": {}, ", line(organization)));
    }
    if !step.scope.gateways.is_empty() {
        scope.push_str(&format!("\"gateways\": {}, ", line(&step.scope.gateways)));
    }
    format!("{{ {when}, {scope}{} }}", inner.unwrap_or(&verb))
}

/// One claim a line.
fn expect(expect: &Expect) -> String {
    let mut fields = claims(expect);
    if !expect.gateways.is_empty() {
        let mut gateways = WrittenFields::default();
        for (name, of) in &expect.gateways {
            gateways.text(name, object(&claims(of).0));
        }
        fields.text("gateways", object(&gateways.0));
    }
    if !expect.delivered.is_empty() {
        fields.put("delivered", &expect.delivered);
    }
    object(&fields.0)
}

/// What is claimed of a gateway.
fn claims(expect: &Expect) -> WrittenFields {
    let mut fields = WrittenFields::default();
    if !expect.serving.is_empty() {
        fields.put("serving", &expect.serving);
    }
    if !expect.status.is_empty() {
        let status: Vec<String> = expect
            .status
            .iter()
            .map(|(kind, state)| format!("{}: {}", line(&kind.to_string()), line(state.name())))
            .collect();
        fields.text("status", format!("{{ {} }}", status.join(", ")));
    }
    if !expect.was_status.is_empty() {
        fields.put("was_status", &expect.was_status);
    }
    if !expect.always_served.is_empty() {
        fields.put("always_served", &expect.always_served);
    }
    if !expect.never_served.is_empty() {
        fields.put("never_served", &expect.never_served);
    }
    if !expect.keys.is_empty() {
        fields.put("keys", &expect.keys);
    }
    for (name, claims) in [("opens", &expect.opens), ("refuses", &expect.refuses)] {
        if !claims.is_empty() {
            fields.text(name, array(&claims.iter().map(line).collect::<Vec<_>>()));
        }
    }
    if !expect.acked.is_empty() {
        fields.put("acked", &expect.acked);
    }
    if !expect.requests_max.is_empty() {
        fields.put("requests_max", &expect.requests_max);
    }
    if let Some(writes_max) = expect.writes_max {
        fields.put("writes_max", &writes_max);
    }
    fields
}
