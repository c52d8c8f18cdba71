//! Every form of archive that a control plane sends, and every way for one to be no good.

use super::samples::{YAML, apim_entry, apim_header, apim_tar, gzip, java_zip, posix_tar, seal};
use super::*;

const LIMITS: ArchiveLimits = ArchiveLimits::recommended();
const A: &str = "5a28c0f4-cf8e-3f75-bfd2-84b50a4d9bb8/api-d34a.yaml";
const B: &str = "77aa01f4-cf8e-3f75-bfd2-84b50a4d9bb8/api-e45b.yaml";

fn deployment(path: &str) -> &str {
    path.split_once('/').unwrap().0
}

/// The batch holds these definitions, by deployment id.
#[track_caller]
fn check(body: &[u8], expect: &[(&str, &[u8])]) {
    let batch = decode_batch(body, &LIMITS).unwrap();
    let found: Vec<_> =
        batch.iter().map(|packed| (packed.deployment.as_str(), &*packed.content.bytes)).collect();
    assert_eq!(found, expect);
}

#[track_caller]
fn refuse_within(limits: &ArchiveLimits, body: &[u8], reason: &str) {
    let found = decode_batch(body, limits).map_err(|error| error.to_string());
    assert_eq!(found, Err(reason.to_owned()));
}

#[track_caller]
fn refuse(body: &[u8], reason: &str) {
    refuse_within(&LIMITS, body, reason);
}

#[test]
fn the_raw_tar_of_apim_is_read_to_the_byte() {
    let mut body = Vec::new();
    body.extend(b"5a28/api-d34a.yaml");
    body.resize(100, 0);
    body.extend(b"  100644       0       0");
    body.extend(b"           5           0");
    body.extend(b"    7666");
    body.extend(b"0");
    body.resize(257, 0);
    body.extend(b"ustar\0\0\0");
    body.resize(512, 0);
    body.extend(b"a: b\n");
    body.resize(2048, 0);
    assert!(body == apim_tar(&[("5a28/api-d34a.yaml", b"a: b\n")]));
    check(&body, &[("5a28", b"a: b\n")]);
}

#[test]
fn a_batch_is_read_in_every_form_it_comes_in() {
    let entries: [(&str, &[u8]); 2] = [(A, YAML), (B, b"b: 1")];
    let expect: [(&str, &[u8]); 2] = [(deployment(A), YAML), (deployment(B), b"b: 1")];
    check(&apim_tar(&entries), &expect);
    check(&posix_tar(&entries), &expect);
    check(&gzip(&apim_tar(&entries)), &expect);
    check(&gzip(&posix_tar(&entries)), &expect);
    check(&java_zip(&entries), &expect);
    check(&gzip(&java_zip(&entries)), &expect);
}

#[test]
fn an_archive_without_entries_is_an_empty_batch() {
    check(&[0; 1024], &[]);
    check(&[0; 10240], &[]);
    check(&gzip(&[0; 1024]), &[]);
    check(&java_zip(&[]), &[]);
}

#[test]
fn the_parent_directory_is_the_deployment_and_other_files_do_not_count() {
    let mut body = apim_header("out/", 0);
    body[156] = b'5';
    seal(&mut body);
    body.extend(apim_tar(&[
        ("./out/5a28/api.yml", YAML),
        ("out/5a28/README.md", b"\xff"),
        ("out/5a28/API.YAML", b""),
    ]));
    check(&body, &[("5a28", YAML)]);
}

#[test]
fn bodies_that_are_no_archive_are_refused() {
    refuse(b"", "archive is neither zip nor tar");
    refuse(b"{\"deployments\":[]}", "archive is neither zip nor tar");
    refuse(&[b'x'; 2048], "archive is neither zip nor tar");
    refuse(&[0; 511], "archive is neither zip nor tar");
    refuse(&gzip(b"a: b"), "archive is neither zip nor tar");
    refuse(&gzip(&gzip(&apim_tar(&[(A, YAML)]))), "archive is packed with gzip twice");
}

#[test]
fn a_path_that_is_not_a_plain_one_is_refused_by_name() {
    for (path, why) in [
        ("../5a28/api.yaml", "is a path with empty or dot segments"),
        ("5a28/../api.yaml", "is a path with empty or dot segments"),
        ("5a28//api.yaml", "is a path with empty or dot segments"),
        ("/5a28/api.yaml", "is an absolute path"),
        ("5a28/api\\x.yaml", "has a backslash"),
        ("5a28/api\n.yaml", "has control characters"),
        ("api.yaml", "is in no directory"),
    ] {
        let reason = format!("{path:?} {why}");
        refuse(&apim_tar(&[(B, YAML), (path, YAML)]), &reason);
        refuse(&java_zip(&[(B, YAML), (path, YAML)]), &reason);
    }
    refuse(&apim_tar(&[("", YAML)]), "\"\" is no path");
    let mut not_utf8 = apim_tar(&[(A, YAML)]);
    not_utf8[40] = 0xff;
    seal(&mut not_utf8);
    refuse(&not_utf8, "\"5a28c0f4-cf8e-3f75-bfd2-84b50a4d9bb8/api\u{fffd}d34a.yaml\" is not UTF-8");
}

#[test]
fn two_definitions_for_one_deployment_are_refused() {
    let twice = "\"5a28/b.yaml\" is its deployment's second definition";
    refuse(&apim_tar(&[("5a28/a.yaml", YAML), ("5a28/b.yaml", YAML)]), twice);
    refuse(
        &java_zip(&[("5a28/a.yaml", YAML), ("x/5a28/b.yaml", YAML)]),
        &twice.replace("\"5a28", "\"x/5a28"),
    );
    refuse(
        &java_zip(&[("5a28/a.yaml", YAML), ("5a28/a.yaml", YAML)]),
        "zip is broken: invalid Zip archive: header inconsistency detected: duplicate file names in central directory",
    );
}

#[test]
fn a_definition_that_is_no_text_or_empty_is_refused_by_name() {
    refuse(&apim_tar(&[("5a28/a.yaml", b"a: \xff")]), "\"5a28/a.yaml\" is not UTF-8");
    refuse(&apim_tar(&[("5a28/a.yaml", b"")]), "\"5a28/a.yaml\" is empty");
    refuse(&java_zip(&[("5a28/a.yaml", b" \n")]), "\"5a28/a.yaml\" is empty");
}

#[test]
fn a_tar_cut_anywhere_is_refused() {
    let whole = apim_tar(&[(A, YAML), (B, YAML)]);
    for length in 0..whole.len() {
        assert!(decode_batch(&whole[..length], &LIMITS).is_err(), "cut at {length}");
    }
    refuse(&whole[..1024], "tar is cut off at byte 1024: no end marker");
    refuse(&whole[..2560], "tar is cut off at byte 2048: half an end marker");
    refuse(&whole[..560], &format!("{A:?} is cut off"));
}

#[test]
fn a_gzip_and_a_zip_cut_anywhere_are_refused() {
    for whole in [gzip(&apim_tar(&[(A, YAML)])), java_zip(&[(A, YAML)])] {
        for length in 0..whole.len() {
            assert!(decode_batch(&whole[..length], &LIMITS).is_err(), "cut at {length}");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(decode_batch(&longer, &LIMITS).is_err());
    }
}

#[test]
fn the_last_header_twice_is_no_end_marker() {
    let mut body = apim_entry(A, YAML);
    body.extend(apim_header(A, YAML.len()));
    refuse(&body, &format!("{A:?} is cut off"));
}

#[test]
fn a_tar_that_goes_on_behind_its_end_is_refused() {
    let mut body = apim_tar(&[(A, YAML)]);
    body.extend(apim_tar(&[(B, YAML)]));
    refuse(&body, "tar goes on behind the end marker at byte 1024");
}

#[test]
fn a_flipped_bit_in_a_header_is_refused() {
    let mut body = apim_tar(&[(A, YAML), (B, YAML)]);
    body[1024] ^= 1;
    let path = B.replacen('7', "6", 1);
    refuse(&body, &format!("{path:?} at byte 1024 has a wrong checksum"));
}

#[test]
fn a_flipped_bit_in_packed_data_is_refused() {
    let whole = gzip(&apim_tar(&[(A, YAML)]));
    for at in 10..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        assert!(decode_batch(&flipped, &LIMITS).is_err(), "flipped at {at}");
    }
    let zip = java_zip(&[(A, YAML)]);
    for at in 30 + A.len()..30 + A.len() + 20 {
        let mut flipped = zip.clone();
        flipped[at] ^= 1;
        assert!(decode_batch(&flipped, &LIMITS).is_err(), "flipped at {at}");
    }
}

#[test]
fn what_is_neither_file_nor_directory_is_refused() {
    for entry_type in *b"123467xgLKS" {
        let mut body = apim_tar(&[(A, b"")]);
        body[156] = entry_type;
        seal(&mut body);
        refuse(&body, &format!("{A:?} is neither a file nor a directory"));
    }
}

#[test]
fn every_limit_holds_and_names_what_broke_it() {
    let tar = apim_tar(&[("1/a.yaml", YAML), ("2/a.yaml", YAML)]);
    let size = YAML.len();
    refuse_within(
        &ArchiveLimits { body_bytes_max: tar.len() - 1, ..LIMITS },
        &tar,
        "archive has 3072 bytes, over 3071",
    );
    for body in [tar, java_zip(&[("1/a.yaml", YAML), ("2/a.yaml", YAML)])] {
        let reason = "archive has over 1 entries";
        refuse_within(&ArchiveLimits { entries_max: 1, ..LIMITS }, &body, reason);
        let reason = format!("\"1/a.yaml\" has over {} bytes", size - 1);
        refuse_within(&ArchiveLimits { entry_bytes_max: size - 1, ..LIMITS }, &body, &reason);
        let reason = format!("\"2/a.yaml\" brings the archive over {} bytes", 2 * size - 1);
        let limits = ArchiveLimits { unpacked_bytes_max: 2 * size - 1, ..LIMITS };
        refuse_within(&limits, &body, &reason);
        let reason = "\"1/a.yaml\" has a path over the limit";
        refuse_within(&ArchiveLimits { path_bytes_max: 7, ..LIMITS }, &body, reason);
        assert!(decode_batch(&body, &LIMITS).is_ok());
    }
}

#[test]
fn bombs_do_not_go_off() {
    let zeros = vec![b'0'; 16 << 20];
    let ratio = "brings the archive over 200 times its packed size";
    let packed = gzip(&zeros);
    assert!(packed.len() < 20_000);
    refuse(&packed, &format!("gzip stream {ratio}"));
    let bomb: [(&str, &[u8]); 1] = [("1/a.yaml", &zeros[..8 << 20])];
    refuse(&java_zip(&bomb), &format!("\"1/a.yaml\" {ratio}"));
    refuse(&gzip(&apim_tar(&bomb)), &format!("gzip stream {ratio}"));
    let no_ratio = ArchiveLimits { ratio_max: usize::MAX, unpacked_bytes_max: 2 << 20, ..LIMITS };
    refuse_within(&no_ratio, &packed, "gzip stream has over 2097152 bytes");
}

#[test]
fn a_size_that_is_only_claimed_is_not_believed() {
    let claimed = apim_header("5a28/a.yaml", 0o77_777_777_777);
    refuse(&claimed, "\"5a28/a.yaml\" has over 8388608 bytes");
    refuse(&apim_header("5a28/a.yaml", 8 << 20), "\"5a28/a.yaml\" is cut off");
    let mut binary = apim_header("5a28/a.yaml", 0);
    binary[124..136].fill(0xff);
    seal(&mut binary);
    refuse(&binary, "\"5a28/a.yaml\" has over 8388608 bytes");
    let mut words = apim_header("5a28/a.yaml", 0);
    words[124..136].copy_from_slice(b"hunter2     ");
    seal(&mut words);
    refuse(&words, "\"5a28/a.yaml\" has no readable size");

    // The central directory says one byte where the data has more, and the other way round.
    let zip = java_zip(&[("5a28/a.yaml", YAML)]);
    let central = zip.len() - 22 - 46 - "5a28/a.yaml".len();
    for claim in [1_u32, 1 << 20] {
        let mut lying = zip.clone();
        lying[central + 24..central + 28].copy_from_slice(&claim.to_le_bytes());
        assert!(decode_batch(&lying, &LIMITS).is_err(), "{claim}");
    }
    let mut many = zip;
    let end = many.len() - 22;
    many[end + 8..end + 12].copy_from_slice(&[0xff, 0x0f, 0xff, 0x0f]);
    refuse(&many, "zip has an end record that does not fit it");
}

#[test]
fn the_zip_of_an_api_has_exactly_one_definition() {
    let check = |entries: &[(&str, &[u8])], expect: Result<&[u8], &str>| {
        let found = decode_definition(&java_zip(entries), &LIMITS);
        let found = found.as_ref().map(|content| &*content.bytes).map_err(DecodeError::reason);
        assert_eq!(found, expect);
    };
    check(&[("api.yaml", YAML)], Ok(YAML));
    check(
        &[("Pizza-1.0/", b""), ("Pizza-1.0/api.yml", YAML), ("Pizza-1.0/a.json", b"{}")],
        Ok(YAML),
    );
    check(&[], Err("archive has no definition"));
    check(&[("api.json", b"{}")], Err("archive has no definition"));
    check(&[("api.yaml", YAML), ("b/c.yml", YAML)], Err("\"b/c.yml\" is a second definition"));
    check(&[("api.yaml", b"")], Err("\"api.yaml\" is empty"));
    let content = decode_definition(&java_zip(&[("api.yaml", YAML)]), &LIMITS).unwrap();
    assert_eq!(content, content_of(YAML));
}
