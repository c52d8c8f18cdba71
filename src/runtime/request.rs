//! What is asked, as far as it is judged.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::SecretHash;

/// Whom a request is made for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Principal {
    /// An application: an application's token, or an API key alone.
    #[default]
    Application,
    /// A person, through an application: a user's token.
    User,
}

/// A request to be judged. Whoever builds it has verified the token that `principal` and `scopes`
/// come from, where there was one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiRequest<'a> {
    /// The HTTP method, in upper case.
    pub method: &'a str,
    /// The path as it came; from the first `?` or `#` on it is not looked at.
    pub path: &'a str,
    /// The API key.
    pub api_key: Option<&'a str>,
    /// The subscription token.
    pub subscription_token: Option<&'a str>,
    /// Whom it is made for.
    pub principal: Principal,
    /// The scopes held.
    pub scopes: &'a [&'a str],
}

impl<'a> ApiRequest<'a> {
    /// A request without credentials.
    pub const fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            api_key: None,
            subscription_token: None,
            principal: Principal::Application,
            scopes: &[],
        }
    }

    /// The same request with an API key.
    #[must_use]
    pub const fn with_key(self, key: &'a str) -> Self {
        Self { api_key: Some(key), ..self }
    }

    /// The same request with a subscription token.
    #[must_use]
    pub const fn with_token(self, token: &'a str) -> Self {
        Self { subscription_token: Some(token), ..self }
    }

    /// The path without query and fragment.
    pub(super) fn bare_path(&self) -> &'a str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }
}

impl fmt::Debug for ApiRequest<'_> {
    /// Says whether there are credentials, never which (law 16); a query may hold one, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest")
            .field("method", &self.method)
            .field("path", &self.bare_path())
            .field("api_key", &self.api_key.map(|_| Hidden))
            .field("subscription_token", &self.subscription_token.map(|_| Hidden))
            .field("principal", &self.principal)
            .field("scopes", &self.scopes)
            .finish()
    }
}

/// Stands where a secret would be printed.
struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The longest credential that is hashed, in bytes. APIM's keys have fewer than 2,048.
const CREDENTIAL_BYTES_MAX: usize = 8_192;

/// The hash of a credential; `None` for what is too long or too short to be one.
pub(super) fn hash_of(credential: &str) -> Option<SecretHash> {
    let plausible = (1..=CREDENTIAL_BYTES_MAX).contains(&credential.len());
    plausible.then(|| SecretHash(Sha256::digest(credential).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_printed() {
        let request = ApiRequest::new("GET", "/pizza?apikey=hunter2").with_key("hunter3");
        let printed = format!("{:?}", request.with_token("hunter4"));
        assert!(!printed.contains("hunter"), "{printed}");
        assert!(printed.contains("api_key: Some(…)"), "{printed}");
    }

    #[test]
    fn what_can_be_no_credential_is_not_hashed() {
        assert_eq!(hash_of(""), None);
        assert_eq!(hash_of(&"x".repeat(CREDENTIAL_BYTES_MAX + 1)), None);
        assert_eq!(hash_of("abc").unwrap().0[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
