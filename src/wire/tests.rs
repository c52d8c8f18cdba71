//! What holds for every reader: no byte makes one panic, no reason repeats what was sent, and no
//! part of an answer passes for the whole.

use proptest::prelude::*;

use super::*;

const LIMITS: ArchiveLimits = ArchiveLimits::recommended();

/// Reads `bytes` in every way there is and gives the reasons of those that refused.
fn reasons(bytes: &[u8]) -> Vec<String> {
    [
        decode_event(bytes).err(),
        decode_ack(bytes).err(),
        decode_base_path(bytes).err(),
        decode_listing(bytes).err(),
        decode_existence(bytes).err(),
        decode_keys(bytes).err(),
        decode_batch(bytes, &LIMITS).err(),
        decode_definition(bytes, &LIMITS).err(),
    ]
    .into_iter()
    .flatten()
    .map(|error| error.to_string())
    .chain(decode_listing(bytes).map_or_else(|_refused| Vec::new(), |listing| listing.unreadable))
    .collect()
}

/// One body of every kind that is JSON.
const BODIES: [&str; 7] = [
    r#"{"type":"api.deployed","payload":{"apiId":"d34a","deploymentId":"5a28","performedAt":"2026-04-09T15:40:37.586789Z"},"timestamp":"2026-04-09T15:40:37.586789Z","correlationId":"deploy:5a28"}"#,
    r#"{"type":"deployment.ack","payload":{"deploymentId":"5a28","artifactId":"d34a","resourceType":"api","action":"deploy","status":"success","performedAt":"2026-06-17T09:15:00.123456Z","errorCode":""}}"#,
    r#"{"gatewayPath":"internal/data/v1","controlPlane":{"type":"APIM","version":"4.7.0"}}"#,
    r#"{"deployments":[{"deploymentId":"5a28","artifactId":"d34a","kind":"RESTAPI","updatedAt":"2026-05-20T10:11:12Z"}]}"#,
    r#"{"artifacts":[{"artifactId":"d34a","exists":true}]}"#,
    r#"[{"uuid":"7c1e","name":"mobile-key","apiKeyHashes":{"sha256":"9f86d0"},"status":"ACTIVE"}]"#,
    r#"{"list":[{"id":"d34a","name":"Pizza"}]}"#,
];

/// The field values and texts of a body, each of which a sender may fill as it likes.
fn values(body: &str) -> Vec<&str> {
    body.split('"').skip(1).step_by(2).collect()
}

#[test]
fn a_part_of_a_body_is_refused_by_every_reader() {
    for body in BODIES {
        for length in 0..body.len() {
            assert_eq!(reasons(&body.as_bytes()[..length]).len(), 8, "{}", &body[..length]);
        }
        assert!(reasons(body.as_bytes()).len() < 8, "{body}");
    }
}

#[test]
fn no_reason_repeats_a_value() {
    for body in BODIES {
        for value in values(body) {
            let quoted = format!("\"{value}\"");
            for planted in
                ["\"hunter2\"", "[\"hunter2\"]", "{\"hunter2\":1}", "hunter2", "\"\\uhunter2\""]
            {
                let planted = body.replace(&quoted, planted);
                for reason in reasons(planted.as_bytes()) {
                    assert!(!reason.contains("hunter2"), "{planted}: {reason}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(!reasons(&bytes).is_empty());
    }

    #[test]
    fn no_change_to_an_archive_makes_a_reader_panic(
        form in 0..4_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let entries = [("5a28/api-d34a.yaml", archive::samples::YAML)];
        let mut body = match form {
            0 => archive::samples::apim_tar(&entries),
            1 => archive::samples::posix_tar(&entries),
            2 => archive::samples::gzip(&archive::samples::apim_tar(&entries)),
            _ => archive::samples::java_zip(&entries),
        };
        for (index, byte) in changes {
            let length = body.len();
            body[index.index(length)] = byte;
        }
        reasons(&body);
    }
}
