//! For every scenario there is a defect that it finds and that a story without any fault does not:
//! the scenario shows something.

use driftless::plant::{ALL, Plant};
use driftless::story::file::Scenario;
use driftless_gateway::model::Dialect;

use crate::planted::{scenarios, violated};

/// One API, deployed; no fault. What breaks this breaks everything and shows nothing.
fn plain(dialect: Dialect) -> Scenario {
    let text = format!(
        r#"{{"schema":1,"why":"One API is deployed, and nothing goes wrong.","covers":["R1"],
        "dialect":"{}","seed":1,"steps":[{{"at_ms":0,"deploy":{{"api":"orders"}}}}],
        "expect":{{"serving":{{"orders":1}}}}}}"#,
        dialect.name()
    );
    Scenario::parse(&text).unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[test]
fn every_scenario_is_broken_by_a_plant_that_breaks_no_plain_story() {
    let blunt: Vec<(Dialect, Plant)> = Dialect::ALL
        .into_iter()
        .flat_map(|dialect| ALL.iter().map(move |entry| (dialect, entry.plant)))
        .filter(|(dialect, plant)| !violated(&plain(*dialect), Some(*plant)).is_empty())
        .collect();
    let (mut rows, mut survivors) = (Vec::new(), Vec::new());
    for (name, story) in scenarios() {
        let mut kills = Vec::new();
        for entry in ALL.iter().filter(|entry| !blunt.contains(&(story.dialect, entry.plant))) {
            let found = violated(&story, Some(entry.plant));
            if !found.is_empty() {
                let found: Vec<_> = found.into_iter().collect();
                kills.push(format!("{} ({})", entry.name, found.join(" ")));
            }
        }
        if kills.is_empty() {
            survivors.push(name.clone());
        }
        rows.push(format!("{name}\n    {}", kills.join("\n    ")));
    }
    let blunt: Vec<_> =
        blunt.iter().map(|(dialect, plant)| format!("{plant:?}@{}", dialect.name())).collect();
    let matrix = format!("{}\n\nblunt: {}", rows.join("\n"), blunt.join(" "));
    println!("{matrix}");
    assert!(survivors.is_empty(), "no plant breaks {survivors:?}\n\n{matrix}");
}
