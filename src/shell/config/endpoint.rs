//! Where the control plane is.

use std::fmt;

use hyper::Uri;

/// Scheme, host and port of the control plane. What it serves below is found by discovery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Whether TLS protects it.
    pub is_encrypted: bool,
    /// The host: a name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// Reads `https://HOST[:PORT]` or `http://HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let example = "an address such as \"https://apim.example.com:9443\" is expected";
        let uri: Uri = text.parse().map_err(|_| example.to_owned())?;
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(example.to_owned()),
        };
        let authority = uri.authority().ok_or(example)?;
        if authority.as_str().contains('@') {
            return Err("a user or a password in the address is not supported".to_owned());
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err("a path is not expected: where APIM serves is found by discovery, or set \
                        as `base_path`"
                .to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(example.to_owned());
        }
        let usual = if is_encrypted { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => Some(usual),
            _ => authority.port_u16().filter(|port| *port > 0),
        };
        let port = port.ok_or("the port is not a number from 1 to 65535")?;
        Ok(Self { is_encrypted, host: host.to_owned(), port })
    }

    /// `HOST:PORT`, as the `Host` header has it.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// An address below it. `scheme` is `http` or `ws`; TLS makes it `https` or `wss`.
    pub(in crate::shell) fn address(&self, scheme: &str, path: &str) -> String {
        let s = if self.is_encrypted { "s" } else { "" };
        format!("{scheme}{s}://{}{path}", self.authority())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address("http", ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_scheme_a_host_and_a_port() {
        for (text, printed) in [
            ("https://apim.example.com:9443", "https://apim.example.com:9443"),
            ("https://apim.example.com/", "https://apim.example.com:443"),
            ("http://127.0.0.1", "http://127.0.0.1:80"),
            ("https://[::1]:9443", "https://[::1]:9443"),
        ] {
            assert_eq!(
                Endpoint::parse(text).map(|found| found.to_string()),
                Ok(printed.to_owned())
            );
        }
        assert_eq!(
            Endpoint::parse("https://[::1]:9443").map(|found| found.host),
            Ok("::1".to_owned())
        );
        for text in [
            "",
            "apim.example.com:9443",
            "ftp://apim.example.com",
            "https://",
            "https://a:b@apim.example.com",
            "https://apim.example.com/internal",
            "https://apim.example.com?a=b",
            "https://apim.example.com:0",
            "https://apim.example.com:99999",
            "https://a b",
        ] {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
    }
}
