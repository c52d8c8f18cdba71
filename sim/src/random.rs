//! Keyed randomness: every draw is a function of the seed and a name, never of a stream's
//! position, so deleting one step of a story leaves every other draw as it was.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use siphasher::{sip::SipHasher13 as Hasher64, sip128::SipHasher13 as Hasher128};

/// A seed with the path of names that led here. Copying it copies no state: the same name gives
/// the same draw every time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    low: u64,
    high: u64,
}

impl Key {
    /// The root key of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { low: seed, high: 0x6b65_7965_6420_6279 }
    }

    /// The key below this one with that name.
    #[must_use]
    pub fn child(self, name: &str) -> Self {
        self.below_bytes(name.as_bytes())
    }

    /// The key below this one with that number.
    #[must_use]
    pub fn nth(self, number: u64) -> Self {
        self.below_bytes(&number.to_le_bytes())
    }

    fn below_bytes(self, bytes: &[u8]) -> Self {
        let hash = Hasher128::new_with_keys(self.low, self.high).hash(bytes);
        Self { low: hash.h1, high: hash.h2 }
    }

    /// The number drawn for a name.
    pub fn draw(self, name: &str) -> u64 {
        Hasher64::new_with_keys(self.low, self.high).hash(name.as_bytes())
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(self, name: &str, bound: u64) -> u64 {
        let wide = u128::from(self.draw(name)) * u128::from(bound);
        // The product of two 64-bit numbers has its upper half below `bound`.
        (wide >> 64) as u64
    }

    /// A number from `low` to `high`, both included; `low` when they are the wrong way round.
    pub fn between(self, name: &str, low: u64, high: u64) -> u64 {
        match high.checked_sub(low).and_then(|span| span.checked_add(1)) {
            Some(count) => low + self.below(name, count),
            None if high < low => low,
            None => self.draw(name),
        }
    }

    /// Whether something that happens `times` in `of` happens.
    pub fn chance(self, name: &str, times: u64, of: u64) -> bool {
        self.below(name, of) < times
    }

    /// One of the choices; `None` when there is none.
    pub fn pick<'a, T>(self, name: &str, choices: &'a [T]) -> Option<&'a T> {
        choices.get(usize::try_from(self.below(name, choices.len() as u64)).ok()?)
    }

    /// A random (version 4) UUID for a name.
    pub fn uuid(self, name: &str) -> String {
        let Self { low, high } = self.child(name);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&low.to_be_bytes());
        bytes[8..].copy_from_slice(&high.to_be_bytes());
        uuid_text(bytes, 4)
    }

    /// An independent portable stream, for the rare draw that wants many numbers. Use integer
    /// ranges only: floats differ between machines.
    pub fn fork(self, name: &str) -> ChaCha8Rng {
        let (first, second) = (self.child(name), self.child(name).nth(1));
        let mut seed = [0; 32];
        for (place, word) in
            seed.chunks_exact_mut(8).zip([first.low, first.high, second.low, second.high])
        {
            place.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(seed)
    }
}

/// The text of a UUID with its version and variant bits set.
pub fn uuid_text(mut bytes: [u8; 16], version: u8) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 0x0f)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn a_draw_depends_on_seed_and_names_only() {
        let key = Key::new(7).child("orders").nth(3);
        assert_eq!(key.draw("jitter"), Key::new(7).child("orders").nth(3).draw("jitter"));
        assert_ne!(key.draw("jitter"), key.draw("other"));
        assert_ne!(key.draw("jitter"), Key::new(8).child("orders").nth(3).draw("jitter"));
        assert_eq!(key.fork("a").next_u64(), key.fork("a").next_u64());
        assert_ne!(key.fork("a").next_u64(), key.fork("b").next_u64());
    }

    #[test]
    fn ranges_are_inclusive_and_total() {
        let key = Key::new(1);
        assert_eq!(key.below("x", 0), 0);
        assert_eq!(key.below("x", 1), 0);
        assert_eq!(key.between("x", 9, 3), 9);
        assert_eq!(key.between("x", 0, u64::MAX), key.draw("x"));
        let mut seen = [false; 5];
        for n in 0..200 {
            let drawn = key.nth(n).between("x", 10, 14);
            assert!((10..=14).contains(&drawn));
            seen[usize::try_from(drawn - 10).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(key.pick::<u8>("x", &[]), None);
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let uuid = Key::new(1).uuid("orders");
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
        assert_eq!(uuid, Key::new(1).uuid("orders"));
    }
}
