//! SHA-256 as text: 64 hexadecimal digits.

/// The digits of 32 bytes, in lower case.
pub fn to_hex(bytes: &[u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| {
            let base = if digit < 10 { b'0' } else { b'a' - 10 };
            char::from(base + digit)
        }));
    }
    text
}

/// The 32 bytes of 64 digits of either case; `None` for any other text.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = (*byte << 4) | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_either_case_are_the_bytes_again() {
        let bytes = std::array::from_fn(|place| (place * 37) as u8);
        let text = to_hex(&bytes);
        assert!(text.starts_with("00254a6f94b9de03"), "{text}");
        assert_eq!(from_hex(&text), Some(bytes));
        assert_eq!(from_hex(&text.to_uppercase()), Some(bytes));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "zz", &"a".repeat(63), &"a".repeat(65), &"g".repeat(64), &"é".repeat(32)]
        {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }
}
