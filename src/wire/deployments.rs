//! The deployments list (`docs/apim.md` §3.2, `docs/controller.md` §2.2).
//!
//! Only an object with an array named `deployments` is a list. Everything else is an error and
//! never "nothing deployed" (C-H04: anything is a list; law 3). One bad row does not take the
//! others with it.

use std::mem;

use serde::Deserialize;

use super::DecodeError;
use super::json::{self, Array, Collect, Object, Value, label};
use crate::model::{
    ArtifactId, DeploymentId, Kind, ListedArtifact, ListedState, Listing, UnknownKind,
};

/// With more unreadable rows than this the body as a whole is not believed to be the list.
const UNREADABLE_MAX: usize = 10_000;

#[derive(Deserialize)]
struct DeploymentsBody {
    #[serde(default)]
    deployments: Array<Rows>,
}

/// A row of either form: GA writes `updatedAt` and no `state`, everyone else `deployedAt` and
/// `state`; `etag` is of no use here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RowIn<'a> {
    #[serde(borrow, default)]
    artifact_id: Value<'a>,
    #[serde(borrow, default)]
    deployment_id: Value<'a>,
    #[serde(borrow, default)]
    kind: Value<'a>,
    #[serde(borrow, default)]
    state: Value<'a>,
    #[serde(borrow, default)]
    deployed_at: Value<'a>,
    #[serde(borrow, default)]
    updated_at: Value<'a>,
}

/// Reads the list.
///
/// # Errors
/// A body of another shape, or one with more than 10,000 unreadable rows.
pub fn decode_listing(body: &[u8]) -> Result<Listing, DecodeError> {
    let body: DeploymentsBody = json::read_object(body, "deployments list")?;
    body.deployments.items("deployments")?.finish()
}

/// The rows as they arrive. A row without `state` waits under an empty [`ListedState::Unclear`]
/// until it is known whether other rows have one.
#[derive(Default)]
struct Rows {
    rows: Vec<ListedArtifact>,
    unreadable: Vec<String>,
    unreadable_more: usize,
    index: usize,
    with_state: bool,
    without_state: bool,
}

impl<'de> Collect<'de> for Rows {
    type Item = Object<RowIn<'de>>;

    fn add(&mut self, item: Self::Item) {
        let index = self.index;
        self.index += 1;
        match self.row(item) {
            Ok(row) => self.rows.push(row),
            Err(error) if self.unreadable.len() < UNREADABLE_MAX => {
                self.unreadable.push(error.within(&format!("row {index}")).to_string());
            }
            Err(_counted) => self.unreadable_more += 1,
        }
    }
}

impl Rows {
    fn row(&mut self, item: Object<RowIn<'_>>) -> Result<ListedArtifact, DecodeError> {
        let row = item.fields("it")?;
        let has_state = row.state.is_present();
        self.with_state |= has_state;
        self.without_state |= !has_state;
        let deployed_at = row.deployed_at.time("deployedAt")?;
        let updated_at = row.updated_at.time("updatedAt")?;
        Ok(ListedArtifact {
            artifact: ArtifactId::new(&row.artifact_id.id("artifactId")?),
            deployment: DeploymentId::new(&row.deployment_id.id("deploymentId")?),
            kind: read_kind(&row.kind.required("kind")?),
            state: read_state(row.state)?,
            listed_at: deployed_at.or(updated_at),
        })
    }

    fn finish(mut self) -> Result<Listing, DecodeError> {
        if self.unreadable_more > 0 {
            let count = self.unreadable.len() + self.unreadable_more;
            return Err(DecodeError::new(format!("{count} of {} rows unreadable", self.index)));
        }
        for row in &mut self.rows {
            if row.state == ListedState::Unclear(String::new()) {
                row.state = if self.with_state {
                    ListedState::Unclear("missing".to_owned())
                } else {
                    ListedState::Deployed
                };
            }
        }
        let repeated = keep_newest(&mut self.rows);
        Ok(Listing {
            rows: self.rows,
            unreadable: self.unreadable,
            repeated,
            has_state: (self.with_state || self.without_state).then_some(self.with_state),
        })
    }
}

/// Sorts the rows by artifact and keeps one of each: the newest, of equally old ones that with the
/// greatest deployment id, and of those that say different things of one deployment the one that
/// serves less, so that the order of the answer never decides. Returns how many went.
fn keep_newest(rows: &mut Vec<ListedArtifact>) -> u64 {
    rows.sort_unstable_by(|a, b| a.artifact.cmp(&b.artifact));
    let before = rows.len();
    fn rank(row: &ListedArtifact) -> impl Ord + use<'_> {
        (row.listed_at, &row.deployment, &row.state, &row.kind)
    }
    rows.dedup_by(|later, kept| {
        let same = later.artifact == kept.artifact;
        if same && rank(later) > rank(kept) {
            mem::swap(later, kept);
        }
        same
    });
    u64::try_from(before - rows.len()).unwrap_or(u64::MAX)
}

fn read_kind(name: &str) -> Result<Kind, UnknownKind> {
    Kind::parse(name).map_err(|_named| UnknownKind(label(name)))
}

/// The state in any case. The Platform API also lists what it is about to do (C-H10: unknown
/// state), and that is what it wants.
fn read_state(value: Value<'_>) -> Result<ListedState, DecodeError> {
    if !value.is_present() {
        return Ok(ListedState::Unclear(String::new()));
    }
    let state = value.required("state")?;
    let is = |name: &str| state.eq_ignore_ascii_case(name);
    Ok(if is("deployed") || is("deploying") {
        ListedState::Deployed
    } else if is("undeployed") || is("undeploying") {
        ListedState::Undeployed
    } else {
        ListedState::Unclear(label(&state))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn row(artifact: &str, deployment: &str, state: ListedState, at: &str) -> ListedArtifact {
        ListedArtifact {
            artifact: ArtifactId::new(artifact),
            deployment: DeploymentId::new(deployment),
            kind: Ok(Kind::RestApi),
            state,
            listed_at: Timestamp::parse(at).ok(),
        }
    }

    #[track_caller]
    fn check(body: &str, expect: &Listing) {
        assert_eq!(decode_listing(body.as_bytes()).as_ref(), Ok(expect), "{body}");
    }

    #[track_caller]
    fn refuse(body: &str, reason: &str) {
        assert_eq!(decode_listing(body.as_bytes()), Err(DecodeError::new(reason)), "{body}");
    }

    /// A list of one unreadable row beside a good one.
    #[track_caller]
    fn unreadable(bad: &str, reason: &str) {
        let good =
            r#"{"deploymentId":"5a28","artifactId":"d34a","kind":"RestApi","state":"deployed"}"#;
        let body = format!(r#"{{"deployments":[{bad},{good}]}}"#);
        let found = decode_listing(body.as_bytes()).unwrap();
        assert_eq!(found.unreadable, [format!("row 0: {reason}")], "{body}");
        assert_eq!(found.rows.len(), 1, "{body}");
        assert!(!found.is_complete());
    }

    #[test]
    fn a_ga_row_has_no_state_and_is_deployed() {
        let body = r#"{"deployments":[{"deploymentId":"5a28","artifactId":"d34a","kind":"RESTAPI","updatedAt":"2026-05-20T10:11:12Z"}]}"#;
        let rows = vec![row("d34a", "5a28", ListedState::Deployed, "2026-05-20T10:11:12Z")];
        check(body, &Listing { rows, has_state: Some(false), ..Listing::default() });
    }

    #[test]
    fn fixed_and_platform_rows_tell_their_state_in_any_case() {
        for (state, expect) in [
            ("deployed", ListedState::Deployed),
            ("DEPLOYING", ListedState::Deployed),
            ("Undeployed", ListedState::Undeployed),
            ("UNDEPLOYING", ListedState::Undeployed),
            ("ARCHIVED", ListedState::Unclear("ARCHIVED".to_owned())),
        ] {
            let body = format!(
                r#"{{"deployments":[{{"deploymentId":"5a28","artifactId":"d34a","kind":"RestApi","state":"{state}","deployedAt":"2026-05-20T10:11:12.5Z","etag":7}}],"count":1}}"#
            );
            let rows = vec![row("d34a", "5a28", expect, "2026-05-20T10:11:12.5Z")];
            check(&body, &Listing { rows, has_state: Some(true), ..Listing::default() });
        }
    }

    #[test]
    fn an_empty_list_is_a_list() {
        check(r#"{"deployments":[]}"#, &Listing::default());
    }

    #[test]
    fn another_shape_is_an_error_and_never_empty() {
        refuse("", "deployments list is cut off at line 1 column 0");
        refuse("{}", "deployments is missing");
        refuse("null", "deployments list is not an object");
        refuse("[]", "deployments list is not an object");
        refuse(r#"{"list":[]}"#, "deployments is missing");
        refuse(r#"{"deployments":null}"#, "deployments is missing");
        refuse(r#"{"deployments":{}}"#, "deployments is not an array");
        refuse(r#"{"deployments":"none"}"#, "deployments is not an array");
        refuse("Server error", "deployments list is not JSON at line 1 column 1");
        refuse(
            r#"{"deployments":[{"artifactId":"a"},{"artif"#,
            "deployments list is cut off at line 1 column 42",
        );
        refuse(
            r#"{"deployments":[],"deployments":[]}"#,
            "deployments list gives deployments twice, at line 1 column 31",
        );
    }

    #[test]
    fn a_bad_row_is_told_and_the_others_count() {
        unreadable("7", "it is not an object");
        unreadable("null", "it is missing");
        unreadable("[]", "it is not an object");
        unreadable(r#"{"deploymentId":"1","kind":"RestApi"}"#, "artifactId is missing");
        unreadable(r#"{"artifactId":"1","kind":"RestApi"}"#, "deploymentId is missing");
        unreadable(r#"{"artifactId":"1","deploymentId":"1"}"#, "kind is missing");
        unreadable(r#"{"artifactId":1,"deploymentId":"1","kind":"x"}"#, "artifactId is not a text");
        unreadable(
            r#"{"artifactId":"1","deploymentId":"1","kind":"x","state":true}"#,
            "state is not a text",
        );
        unreadable(
            r#"{"artifactId":"1","deploymentId":"1","kind":"x","updatedAt":1747735872000}"#,
            "updatedAt is not a text",
        );
        unreadable(
            r#"{"artifactId":"1","deploymentId":"1","kind":"x","deployedAt":"today"}"#,
            "deployedAt is no timestamp",
        );
    }

    #[test]
    fn an_unknown_kind_is_a_row_all_the_same() {
        let body = r#"{"deployments":[{"deploymentId":"1","artifactId":"a","kind":"Soap"}]}"#;
        let found = decode_listing(body.as_bytes()).unwrap();
        assert_eq!(found.rows[0].kind, Err(UnknownKind("Soap".to_owned())));
    }

    #[test]
    fn a_row_without_the_state_that_others_have_is_unclear() {
        let body = r#"{"deployments":[{"deploymentId":"1","artifactId":"a","kind":"RestApi"},
            {"deploymentId":"2","artifactId":"b","kind":"RestApi","state":"deployed"}]}"#;
        let rows = vec![
            row("a", "1", ListedState::Unclear("missing".to_owned()), ""),
            row("b", "2", ListedState::Deployed, ""),
        ];
        check(body, &Listing { rows, has_state: Some(true), ..Listing::default() });
    }

    #[test]
    fn of_rows_of_one_age_the_one_that_serves_less_wins_in_any_order() {
        let of = |state: &str| {
            format!(r#"{{"deploymentId":"1","artifactId":"a","kind":"RestApi","state":"{state}"}}"#)
        };
        for (one, other) in [("deployed", "undeployed"), ("undeployed", "deployed")] {
            let body = format!(r#"{{"deployments":[{},{}]}}"#, of(one), of(other));
            let rows = vec![row("a", "1", ListedState::Undeployed, "")];
            let has_state = Some(true);
            check(&body, &Listing { rows, repeated: 1, has_state, ..Listing::default() });
        }
    }

    #[test]
    fn the_newest_row_of_an_artifact_wins_in_any_order() {
        let of = |deployment: &str, at: &str| {
            format!(r#"{{"deploymentId":"{deployment}","artifactId":"a","kind":"RestApi"{at}}}"#)
        };
        let rows = [
            of("1", r#","updatedAt":"2026-05-20T10:11:12Z""#),
            of("3", r#","updatedAt":"2026-05-20T10:11:13Z""#),
            of("4", ""),
            of("2", r#","updatedAt":"2026-05-20T10:11:13Z""#),
        ];
        for first in 0..rows.len() {
            let mut turned = rows.clone();
            turned.rotate_left(first);
            let body = format!(r#"{{"deployments":[{}]}}"#, turned.join(","));
            let rows = vec![row("a", "3", ListedState::Deployed, "2026-05-20T10:11:13Z")];
            let expect =
                Listing { rows, repeated: 3, has_state: Some(false), ..Listing::default() };
            check(&body, &expect);
        }
    }

    #[test]
    fn a_body_of_nothing_but_bad_rows_is_bounded() {
        let body = format!(r#"{{"deployments":[0{}]}}"#, ",0".repeat(UNREADABLE_MAX));
        refuse(&body, "10001 of 10001 rows unreadable");
    }
}
