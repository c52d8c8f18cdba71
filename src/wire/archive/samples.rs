//! Archives for tests, made byte by byte as the senders make them.

use std::io::Write;

use flate2::Crc;
use flate2::write::{DeflateEncoder, GzEncoder};

/// A definition that could be one.
pub(crate) const YAML: &[u8] =
    b"apiVersion: gateway.api-platform.wso2.com/v1alpha1\nkind: RestApi\n";

/// A tar header as APIM writes it (`docs/apim.md` §3.3): numbers right-aligned, padded with
/// spaces and without a terminator, the magic with two NULs for a version.
pub(crate) fn apim_header(path: &str, size: usize) -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
    put(100, format!("{:>8o}", 0o100_644).as_bytes());
    put(108, format!("{:>8o}", 0).as_bytes());
    put(116, format!("{:>8o}", 0).as_bytes());
    put(124, format!("{size:>12o}").as_bytes());
    put(136, format!("{:>12o}", 0).as_bytes());
    put(156, b"0");
    put(257, b"ustar\0\0\0");
    seal(&mut header);
    header
}

/// Writes the checksum of a header.
pub(crate) fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..512].iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:>8o}").as_bytes());
}

/// One entry: the header and the content, padded.
pub(crate) fn apim_entry(path: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = apim_header(path, content.len());
    entry.extend(content);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

/// A whole tar as APIM writes it.
pub(crate) fn apim_tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar: Vec<u8> =
        entries.iter().flat_map(|(path, content)| apim_entry(path, content)).collect();
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// A tar as Go's and everyone's tools write it: numbers with leading zeros and a NUL.
pub(crate) fn posix_tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The bytes as one gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip as Java's `ZipOutputStream` writes it, which is APIM's: UTF-8 names, deflate, and sizes
/// behind the data instead of in the local header.
pub(crate) fn java_zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut zip, mut central) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = u32::try_from(zip.len()).unwrap();
        let name_length = u16::try_from(name.len()).unwrap();
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(content);
        let mut facts = crc.sum().to_le_bytes().to_vec();
        facts.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        facts.extend(u32::try_from(content.len()).unwrap().to_le_bytes());

        // Version 2.0, flags 3 and 11, deflate, a time of day and a date.
        let common = [20, 0, 0x08, 0x08, 8, 0, 0xea, 0x49, 0xd1, 0x5c];
        zip.extend(b"PK\x03\x04");
        zip.extend(common);
        zip.extend([0; 12]);
        zip.extend(name_length.to_le_bytes());
        zip.extend([0; 2]);
        zip.extend(name.as_bytes());
        zip.extend(packed);
        zip.extend(b"PK\x07\x08");
        zip.extend(&facts);

        central.extend(b"PK\x01\x02\x14\x00");
        central.extend(common);
        central.extend(facts);
        central.extend(name_length.to_le_bytes());
        central.extend([0; 12]);
        central.extend(offset.to_le_bytes());
        central.extend(name.as_bytes());
    }
    let (start, count) = (u32::try_from(zip.len()).unwrap(), u16::try_from(entries.len()).unwrap());
    zip.extend(&central);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend(count.to_le_bytes());
    zip.extend(count.to_le_bytes());
    zip.extend(u32::try_from(central.len()).unwrap().to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0; 2]);
    zip
}
