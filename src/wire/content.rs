//! Bytes of a definition to [`Content`].

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::{Content, ContentDigest};

/// The definition made of these bytes, with its SHA-256.
pub fn content_of(bytes: &[u8]) -> Content {
    Content { bytes: Arc::from(bytes), digest: ContentDigest(Sha256::digest(bytes).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256() {
        let content = content_of(b"abc");
        assert_eq!(content.digest.0[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(content.digest.to_string(), "ba7816bf");
        assert_eq!(&*content.bytes, b"abc");
    }
}
