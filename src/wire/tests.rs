//! What holds for every reader: no byte makes one panic, no reason repeats what was sent, and no
//! part of an answer passes for the whole.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::model::{ArtifactId, Event, KeyReading, ResourceChange};

const LIMITS: ArchiveLimits = ArchiveLimits::recommended();

/// How many readers there are.
const READERS: usize = 10;

fn api() -> ArtifactId {
    ArtifactId::new("d34a")
}

/// Reads `bytes` in every way there is and gives the reasons of those that refused.
fn refusals(bytes: &[u8]) -> Vec<String> {
    let refused: [Option<DecodeError>; READERS] = [
        decode_event(bytes).err(),
        decode_ack(bytes).err(),
        decode_base_path(bytes).err(),
        decode_listing(bytes).err(),
        decode_existence(bytes).err(),
        decode_keys(bytes).err(),
        decode_subscriptions(bytes, &api()).err(),
        decode_plans(bytes).err(),
        decode_batch(bytes, &LIMITS).err(),
        decode_definition(bytes, &LIMITS).err(),
    ];
    refused.into_iter().flatten().map(|error| error.to_string()).collect()
}

/// The reasons of those that refused, and of those that refused a part.
fn reasons(bytes: &[u8]) -> Vec<String> {
    let mut reasons = refusals(bytes);
    if let Ok(Event::Changed(event)) = decode_event(bytes)
        && let ResourceChange::KeyUnreadable { why, .. } = event.change
    {
        reasons.push(why);
    }
    if let Ok(listing) = decode_listing(bytes) {
        reasons.extend(listing.unreadable);
    }
    if let Ok(KeyReading::Keys(listed)) = decode_keys(bytes) {
        reasons.extend(listed.unreadable);
    }
    if let Ok(listed) = decode_subscriptions(bytes, &api()) {
        reasons.extend(listed.unreadable);
    }
    if let Ok(listed) = decode_plans(bytes) {
        reasons.extend(listed.unreadable);
    }
    reasons
}

/// One body of every kind that is JSON.
const BODIES: [&str; 13] = [
    r#"{"type":"api.deployed","payload":{"apiId":"d34a","deploymentId":"5a28","performedAt":"2026-04-09T15:40:37.586789Z"},"timestamp":"2026-04-09T15:40:37.586789Z","correlationId":"deploy:5a28"}"#,
    r#"{"type":"deployment.ack","payload":{"deploymentId":"5a28","artifactId":"d34a","resourceType":"api","action":"deploy","status":"success","performedAt":"2026-06-17T09:15:00.123456Z","errorCode":""}}"#,
    r#"{"gatewayPath":"internal/data/v1","controlPlane":{"type":"APIM","version":"4.7.0"}}"#,
    r#"{"deployments":[{"deploymentId":"5a28","artifactId":"d34a","kind":"RESTAPI","updatedAt":"2026-05-20T10:11:12Z"}]}"#,
    r#"{"artifacts":[{"artifactId":"d34a","exists":true}]}"#,
    r#"[{"uuid":"7c1e","name":"mobile-key","apiKeyHashes":{"sha256":"9f86d0"},"artifactUuid":"d34a","status":"ACTIVE","createdAt":"2026-06-17T09:15:00Z","expiresAt":"2026-07-17T09:15:00Z"}]"#,
    r#"{"list":[{"id":"d34a","name":"Pizza"}]}"#,
    r#"{"type":"apikey.created","payload":{"apiId":"d34a","uuid":"7c1e","apiKeyHashes":"9f86d0","maskedApiKey":"****Qx7A","name":"mobile-key","expiresAt":"2026-07-17T09:15:00.123Z","expiresIn":{"duration":1,"unit":"days"}},"timestamp":"2026-06-17T09:15:00.2Z","correlationId":"9b","userId":"alice"}"#,
    r#"{"type":"apikey.updated","payload":{"apiId":"d34a","keyName":"mobile-key","apiKeyHashes":{"sha256":"1b4f0e"},"maskedApiKey":"****n0Zt"}}"#,
    r#"{"type":"subscription.created","payload":{"apiId":"d34a","subscriptionId":"s1","applicationId":"a1","subscriptionToken":"t0k-en","subscriptionPlanId":"p1","status":"ACTIVE"}}"#,
    r#"{"type":"application.updated","payload":{"applicationId":"shop","applicationUuid":"a1","applicationName":"Shop","applicationType":"genai","mappings":[{"apiKeyUuid":"7c1e"}]}}"#,
    r#"[{"id":"s1","apiId":"d34a","applicationId":"a1","subscriptionToken":"t0k-en","subscriptionPlanId":"p1","status":"ACTIVE"}]"#,
    r#"[{"id":"p1","planName":"Gold","stopOnQuotaReach":true,"throttleLimitCount":20,"throttleLimitUnit":"MINUTE","expiryTime":"2027-01-01T00:00:00Z","status":"ACTIVE"}]"#,
];

/// The field values and texts of a body, each of which a sender may fill as it likes.
fn values(body: &str) -> Vec<&str> {
    body.split('"').skip(1).step_by(2).collect()
}

#[test]
fn a_part_of_a_body_is_refused_by_every_reader() {
    for body in BODIES {
        for length in 0..body.len() {
            let part = &body[..length];
            assert_eq!(refusals(part.as_bytes()).len(), READERS, "{part}");
        }
        assert!(refusals(body.as_bytes()).len() < READERS, "{body}");
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

/// What every reader makes of `bytes`, as a trace or a report would print it.
fn printed(bytes: &[u8]) -> String {
    format!(
        "{:?} {:#?} {:?} {:?} {:?} {:?}",
        decode_event(bytes),
        decode_event(bytes),
        decode_keys(bytes),
        decode_subscriptions(bytes, &api()),
        decode_plans(bytes),
        HttpResponse { status: 200, content_type: None, body: bytes.to_vec() },
    )
}

/// Frames and bodies with `secret` in every field that a secret, its hash or its mask comes in.
fn with_secret(secret: &str) -> Vec<String> {
    let text = format!(r#""{{\"sha256\":\"{secret}\"}}""#);
    let object = format!(r#"{{"sha256":"{secret}","{secret}":"{secret}"}}"#);
    let bare = format!("\"{secret}\"");
    let mut bodies = vec![
        format!(
            r#"{{"type":"subscription.created","payload":{{"apiId":"d34a","subscriptionId":"s1","subscriptionToken":"{secret}","status":"ACTIVE"}}}}"#
        ),
        format!(
            r#"[{{"id":"s1","apiId":"d34a","subscriptionToken":"{secret}","status":"ACTIVE"}}]"#
        ),
        format!(
            r#"[{{"id":"s1","apiId":"d34a","subscriptionToken":["{secret}"],"status":"ACTIVE"}}]"#
        ),
    ];
    for hashes in [text, object, bare, format!("[\"{secret}\"]")] {
        for event_type in ["apikey.created", "apikey.updated", "apikey.revoked"] {
            bodies.push(format!(
                r#"{{"type":"{event_type}","payload":{{"apiId":"d34a","name":"k","apiKey":"{secret}","apiKeyHashes":{hashes},"maskedApiKey":"{secret}"}}}}"#
            ));
        }
        bodies.push(format!(
            r#"[{{"uuid":"7c1e","name":"k","artifactUuid":"d34a","apiKeyHashes":{hashes},"maskedApiKey":"{secret}","status":"ACTIVE"}}]"#
        ));
    }
    bodies
}

#[test]
fn nothing_that_is_read_prints_a_key_a_token_or_a_hash() {
    let hex: String = Sha256::digest("hunter2").iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = format!("{:?}", Sha256::digest("hunter2"));
    let bytes = bytes.trim_matches(['[', ']']).to_owned();
    for secret in ["hunter2", &hex, &hex.to_uppercase(), &format!("$sha256${hex}"), &hex[1..]] {
        let body_bytes = format!("{:?}", secret.as_bytes());
        let body_bytes = body_bytes.trim_matches(['[', ']']);
        for body in with_secret(secret) {
            for length in [body.len(), body.len() - 1, body.len() / 2] {
                let body = &body.as_bytes()[..length];
                let printed = printed(body) + &reasons(body).concat();
                for marker in [secret, &hex, &hex.to_uppercase(), &bytes, body_bytes] {
                    assert!(!printed.contains(marker), "{marker} in {printed}");
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
