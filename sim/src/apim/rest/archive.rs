//! Archives byte for byte as the two control planes write them: ZIP, TAR and gzip.
//!
//! Where compression is not asked for, ZIP entries are stored and gzip holds stored blocks: any
//! reader must take both, and storing costs a copy.

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// A file in an archive.
pub(in crate::apim) struct ArchiveEntry<'a> {
    /// Its path.
    pub(in crate::apim) path: &'a str,
    /// Its bytes.
    pub(in crate::apim) bytes: &'a [u8],
}

/// Which program wrote a TAR.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) enum TarStyle {
    /// APIM's own builder: numbers right-aligned with spaces and without a terminator, version
    /// bytes NUL, mode with the file-type bits (§3.3, A-H12).
    Apim,
    /// Go's `archive/tar`.
    Go,
}

/// DOS date and time 2026-06-17 09:15:00, low half first.
const DOS_MOMENT: u32 = 0x5cd1_49e0;

/// A ZIP as Java's `ZipOutputStream` writes it: deflated with sizes in a data descriptor, or
/// stored with sizes in the header.
pub(in crate::apim) fn zip(entries: &[ArchiveEntry<'_>], compress: bool) -> Vec<u8> {
    let data: usize = entries.iter().map(|entry| entry.bytes.len() + 2 * entry.path.len()).sum();
    let mut out = Vec::with_capacity(data + 160 * entries.len() + 64);
    let mut central = Vec::with_capacity(128 * entries.len());
    for entry in entries {
        let (crc, size) = (crc(entry.bytes), entry.bytes.len());
        if compress {
            let packed = deflate(entry.bytes, true);
            zip_entry(&mut out, &mut central, entry.path, Method::Deflated(&packed), crc, size);
        } else {
            let stored = Method::Stored(entry.bytes);
            zip_entry(&mut out, &mut central, entry.path, stored, crc, size);
        }
    }
    zip_end(&mut out, &central, entries.len());
    out
}

/// How an entry's bytes are held.
#[derive(Clone, Copy)]
enum Method<'a> {
    Stored(&'a [u8]),
    Deflated(&'a [u8]),
}

/// Appends one entry and its line of the central directory.
fn zip_entry(
    out: &mut Vec<u8>,
    central: &mut Vec<u8>,
    path: &str,
    method: Method<'_>,
    crc: u32,
    size: usize,
) {
    let start = out.len();
    let (packed, flags, code) = match method {
        Method::Stored(bytes) => (bytes, 0x0800, 0),
        Method::Deflated(bytes) => (bytes, 0x0808, 8),
    };
    let sizes = [crc, low32(packed.len()), low32(size)];
    let head = |out: &mut Vec<u8>, sizes: [u32; 3]| {
        put16(out, &[20, flags, code]);
        put32(out, &[DOS_MOMENT]);
        put32(out, &sizes);
        put16(out, &[low16(path.len()), 0]);
    };
    put32(out, &[0x0403_4b50]);
    let is_deflated = code != 0;
    head(out, if is_deflated { [0; 3] } else { sizes });
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(packed);
    if is_deflated {
        put32(out, &[0x0807_4b50]);
        put32(out, &sizes);
    }

    put32(central, &[0x0201_4b50]);
    put16(central, &[20]);
    head(central, sizes);
    put16(central, &[0, 0, 0]);
    put32(central, &[0, low32(start)]);
    central.extend_from_slice(path.as_bytes());
}

fn zip_end(out: &mut Vec<u8>, central: &[u8], count: usize) {
    let start = low32(out.len());
    out.extend_from_slice(central);
    put32(out, &[0x0605_4b50]);
    put16(out, &[0, 0, low16(count), low16(count)]);
    put32(out, &[low32(central.len()), start]);
    put16(out, &[0]);
}

/// A TAR.
pub(in crate::apim) fn tar(entries: &[ArchiveEntry<'_>], style: TarStyle) -> Vec<u8> {
    let data: usize =
        entries.iter().map(|entry| 512 + entry.bytes.len().next_multiple_of(512)).sum();
    let mut out = Vec::with_capacity(data + 1024);
    for entry in entries {
        tar_header(&mut out, entry.path, entry.bytes.len() as u64, style);
        out.extend_from_slice(entry.bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn tar_header(out: &mut Vec<u8>, path: &str, size: u64, style: TarStyle) {
    let start = out.len();
    out.resize(start + 512, 0);
    let Some(header) = out.get_mut(start..) else { return };
    let path = path.as_bytes().get(..100).unwrap_or(path.as_bytes());
    header[..path.len()].copy_from_slice(path);
    let mode = if style == TarStyle::Apim { 0o100_644 } else { 0o644 };
    octal(header, 100..108, mode, style);
    octal(header, 108..116, 0, style);
    octal(header, 116..124, 0, style);
    octal(header, 124..136, size, style);
    octal(header, 136..148, 0, style);
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    if style == TarStyle::Go {
        header[263..265].copy_from_slice(b"00");
    }
    header[148..156].fill(b' ');
    let sum = u64::from(header.iter().map(|&byte| u32::from(byte)).sum::<u32>());
    match style {
        TarStyle::Apim => octal(header, 148..156, sum, style),
        // Go closes the checksum with NUL and space.
        TarStyle::Go => octal(header, 148..155, sum, style),
    }
}

/// Writes a number: APIM pads with spaces up to the end, Go with zeros up to a final NUL.
fn octal(header: &mut [u8], field: std::ops::Range<usize>, value: u64, style: TarStyle) {
    let Some(field) = header.get_mut(field) else { return };
    let (digits, pad) = match style {
        TarStyle::Apim => (field, b' '),
        TarStyle::Go => {
            let Some((last, digits)) = field.split_last_mut() else { return };
            *last = 0;
            (digits, b'0')
        }
    };
    digits.fill(pad);
    let mut rest = value;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (rest & 7) as u8;
        rest >>= 3;
        if rest == 0 {
            break;
        }
    }
}

/// Bytes in gzip, with the header that Go writes.
pub(in crate::apim) fn gzip(bytes: &[u8], compress: bool) -> Vec<u8> {
    gzip_of(&deflate(bytes, compress), crc(bytes), bytes.len())
}

fn gzip_of(packed: &[u8], crc: u32, size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(packed.len() + 18);
    out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    out.extend_from_slice(packed);
    put32(&mut out, &[crc, low32(size)]);
    out
}

fn deflate(bytes: &[u8], compress: bool) -> Vec<u8> {
    if compress {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        if encoder.write_all(bytes).is_ok()
            && let Ok(packed) = encoder.finish()
        {
            return packed;
        }
    }
    let mut out = Vec::with_capacity(bytes.len() + 5 * (bytes.len() / 0xffff + 1));
    let mut rest = bytes;
    loop {
        let (block, after) = rest.split_at(rest.len().min(0xffff));
        out.push(u8::from(after.is_empty()));
        put16(&mut out, &[low16(block.len()), !low16(block.len())]);
        out.extend_from_slice(block);
        if after.is_empty() {
            return out;
        }
        rest = after;
    }
}

/// How many repeats of 258 bytes a bomb has.
const BOMB_REPEATS: usize = 96 << 10;

/// How many zero bytes a bomb unpacks to.
pub(in crate::apim) const BOMB_SIZE: usize = 1 + 258 * BOMB_REPEATS;

/// A deflate stream of 24 KiB that unpacks to 24 MiB of zeros, a thousand times its size: one
/// dynamic block in which the longest repeat takes a bit and its distance another, both 0. It is
/// no larger, because a reader that lets it through has to unpack it many times in a sweep.
fn bomb() -> Vec<u8> {
    let mut bits = Bits::default();
    // Last block, dynamic codes: 286 literal and length codes, 1 distance code, and all 19
    // lengths of the code that describes them.
    for (value, width) in [(1, 1), (2, 2), (286 - 257, 5), (0, 5), (15, 4)] {
        bits.put(value, width);
    }
    // That code, in the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15: "18" (a run of
    // zeros) is 0, "1" is 10 and "2" is 11, most significant bit first.
    for width in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0] {
        bits.put(width, 3);
    }
    let (one, two, zeros) = (0b01, 0b11, 0b0);
    // Literal 0 has two bits; 255 zeros; the end has two bits; 28 zeros; 285 has one bit; the
    // distance has one bit.
    bits.put(two, 2);
    for run in [138, 117] {
        bits.put(zeros, 1);
        bits.put(run - 11, 7);
    }
    bits.put(two, 2);
    bits.put(zeros, 1);
    bits.put(28 - 11, 7);
    bits.put(one, 2);
    bits.put(one, 2);
    // Literal 0 is 10, the end 11, most significant bit first; the repeats are zero bits.
    bits.put(0b01, 2);
    for _ in 0..BOMB_REPEATS / 16 {
        bits.put(0, 32);
    }
    bits.put(0b11, 2);
    bits.finish()
}

#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    pending: u64,
    width: u32,
}

impl Bits {
    fn put(&mut self, value: u64, width: u32) {
        self.pending |= value << self.width;
        self.width += width;
        while self.width >= 8 {
            self.out.push((self.pending & 0xff) as u8);
            self.pending >>= 8;
            self.width -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.width > 0 {
            self.out.push((self.pending & 0xff) as u8);
        }
        self.out
    }
}

/// A ZIP whose one file unpacks to [`BOMB_SIZE`] bytes.
pub(in crate::apim) fn zip_bomb(path: &str) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    zip_entry(&mut out, &mut central, path, Method::Deflated(&bomb()), 0, BOMB_SIZE);
    zip_end(&mut out, &central, 1);
    out
}

/// A gzip that unpacks to [`BOMB_SIZE`] bytes.
pub(in crate::apim) fn gzip_bomb() -> Vec<u8> {
    gzip_of(&bomb(), 0, BOMB_SIZE)
}

/// A plain TAR cannot unpack to more than it is; its bomb claims a file of eight gigabytes.
pub(in crate::apim) fn tar_bomb(path: &str, style: TarStyle) -> Vec<u8> {
    let mut out = Vec::new();
    tar_header(&mut out, path, 0o77_777_777_777, style);
    out.resize(2048, b'0');
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn put16(out: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

fn put32(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

fn low16(value: usize) -> u16 {
    (value & 0xffff) as u16
}

fn low32(value: usize) -> u32 {
    (value & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    const ENTRIES: [ArchiveEntry<'_>; 2] = [
        ArchiveEntry { path: "d1/api-a.yaml", bytes: b"kind: RestApi\n" },
        ArchiveEntry { path: "d2/api-b.yaml", bytes: &[b'x'; 70_000] },
    ];

    #[test]
    fn a_zip_is_read_back_by_a_real_reader() {
        for compress in [false, true] {
            let bytes = zip(&ENTRIES, compress);
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            assert_eq!(archive.len(), 2);
            for (place, entry) in ENTRIES.iter().enumerate() {
                let mut file = archive.by_index(place).unwrap();
                let mut read = Vec::new();
                file.read_to_end(&mut read).unwrap();
                assert_eq!(file.name().unwrap(), entry.path);
                assert_eq!(read, entry.bytes);
            }
        }
        assert!(zip::ZipArchive::new(std::io::Cursor::new(zip(&[], false))).unwrap().is_empty());
    }

    #[test]
    fn the_tar_of_apim_has_its_odd_header() {
        let bytes = tar(&ENTRIES[..1], TarStyle::Apim);
        assert_eq!(bytes.len(), 512 + 512 + 1024);
        assert_eq!(&bytes[..14], b"d1/api-a.yaml\0");
        assert_eq!(&bytes[100..108], b"  100644");
        assert_eq!(&bytes[108..124], b"       0       0");
        assert_eq!(&bytes[124..136], b"          16");
        assert_eq!(&bytes[136..148], b"           0");
        let mut summed = bytes[..512].to_vec();
        summed[148..156].fill(b' ');
        let sum: u64 = summed.iter().map(|&byte| u64::from(byte)).sum();
        assert_eq!(std::str::from_utf8(&bytes[148..156]).unwrap(), format!("{sum:8o}"));
        assert_eq!(bytes[156], b'0');
        assert_eq!(&bytes[257..265], b"ustar\0\0\0");
        assert_eq!(&bytes[512..526], ENTRIES[0].bytes);
        assert!(bytes[526..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn the_tar_of_go_has_zero_padded_numbers() {
        let bytes = tar(&ENTRIES[..1], TarStyle::Go);
        assert_eq!(&bytes[100..108], b"0000644\0");
        assert_eq!(&bytes[124..136], b"00000000016\0");
        assert_eq!(&bytes[154..156], b"\0 ");
        assert_eq!(&bytes[257..265], b"ustar\x0000");
    }

    #[test]
    fn gzip_is_read_back_whatever_the_blocks() {
        let data = vec![7; 200_000];
        for compress in [false, true] {
            let mut read = Vec::new();
            let packed = gzip(&data, compress);
            flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut read).unwrap();
            assert_eq!(read, data);
        }
    }

    #[test]
    fn a_bomb_unpacks_to_what_it_says() {
        let packed = bomb();
        assert!(packed.len() < 26_000);
        let mut reader = flate2::read::DeflateDecoder::new(packed.as_slice());
        let size = std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
        assert_eq!(usize::try_from(size).unwrap(), BOMB_SIZE);
    }
}
