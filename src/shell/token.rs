//! The registration token: where it comes from, and that it shows nowhere (law 16).

use std::cell::{Cell, RefCell};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::header::HeaderValue;

/// The longest token, in bytes; APIM refuses what is longer than 128 (`docs/apim.md` §1.2).
const TOKEN_BYTES_MAX: u64 = 4096;

/// Where the token comes from. It was read once, so that a mistake is found at the start.
#[derive(Clone)]
pub struct TokenSource {
    again: Option<Again>,
    first: HeaderValue,
}

/// Where a token that may be replaced is read again.
#[derive(Clone)]
struct Again {
    place: String,
    read: Arc<dyn Fn() -> Result<HeaderValue, String> + Send + Sync>,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.again {
            Some(again) => write!(f, "TokenSource({})", again.place),
            None => f.write_str("TokenSource(fixed)"),
        }
    }
}

impl TokenSource {
    /// A token that stays the same.
    ///
    /// # Errors
    /// What is wrong with it; the token is not repeated.
    pub fn fixed(token: &str) -> Result<Self, String> {
        Ok(Self { again: None, first: header(token)? })
    }

    /// The token in a file, which may be replaced while the gateway runs.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn file(path: PathBuf) -> Result<Self, String> {
        let first = read(&path)?;
        let place = path.display().to_string();
        let again = Again { place, read: Arc::new(move || read(&path)) };
        Ok(Self { again: Some(again), first })
    }

    /// The token that somebody keeps, who may replace it while the gateway runs: asked where a
    /// file would be read. `place` names them in logs.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn kept(
        place: &str,
        ask: impl Fn() -> String + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let named = place.to_owned();
        let read = move || header(&ask()).map_err(|problem| format!("{named}: {problem}"));
        let first = read()?;
        let again = Again { place: place.to_owned(), read: Arc::new(read) };
        Ok(Self { again: Some(again), first })
    }
}

fn header(token: &str) -> Result<HeaderValue, String> {
    let token = token.trim();
    if token.is_empty() {
        return Err("holds no token".to_owned());
    }
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    let header = HeaderValue::from_str(token).ok().filter(|_| is_plain);
    let mut header = header.ok_or("holds characters that a token cannot have")?;
    header.set_sensitive(true);
    Ok(header)
}

fn read(path: &Path) -> Result<HeaderValue, String> {
    let named = |problem: String| format!("{}: {problem}", path.display());
    let mut text = String::new();
    let file = File::open(path).map_err(|error| named(error.to_string()))?;
    let mut file = file.take(TOKEN_BYTES_MAX + 1);
    file.read_to_string(&mut text).map_err(|error| named(error.to_string()))?;
    if text.len() as u64 > TOKEN_BYTES_MAX {
        return Err(named(format!("is over {TOKEN_BYTES_MAX} bytes, which no token is")));
    }
    header(&text).map_err(named)
}

/// The token in use. A file is read again at each dial, and before the next request once a token
/// was refused, so that rotating it needs no restart.
pub(super) struct Credentials {
    again: Option<Again>,
    current: RefCell<HeaderValue>,
    is_suspect: Cell<bool>,
}

impl Credentials {
    /// Credentials from `source`.
    pub(super) fn new(source: TokenSource) -> Self {
        let TokenSource { again, first } = source;
        Self { again, current: RefCell::new(first), is_suspect: Cell::new(false) }
    }

    /// The value of the `api-key` header.
    pub(super) fn header(&self) -> HeaderValue {
        if self.is_suspect.take() {
            self.refresh();
        }
        self.current.borrow().clone()
    }

    /// The token was refused.
    pub(super) fn refused(&self) {
        self.is_suspect.set(true);
    }

    /// Reads the file again. A file that cannot be read leaves the token as it is.
    pub(super) fn refresh(&self) {
        let Some(again) = &self.again else { return };
        match (again.read)() {
            Ok(token) if token == *self.current.borrow() => {}
            Ok(token) => {
                tracing::info!(place = again.place, "the token was replaced");
                *self.current.borrow_mut() = token;
            }
            Err(problem) => {
                tracing::warn!(%problem, "the token cannot be read again; the earlier one is used");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_and_never_shown() {
        let source = TokenSource::fixed(" hunter2\n").unwrap();
        assert_eq!(source.first.to_str().unwrap(), "hunter2");
        assert!(!format!("{source:?} {:?}", source.first).contains("hunter2"));
        for (token, problem) in [
            ("", "holds no token"),
            (" \n", "holds no token"),
            ("hunter 2", "holds characters that a token cannot have"),
            ("hunter2\r\nx: y", "holds characters that a token cannot have"),
            ("hünter2", "holds characters that a token cannot have"),
        ] {
            assert_eq!(TokenSource::fixed(token).map(|_| ()), Err(problem.to_owned()));
        }
    }

    #[test]
    fn a_replaced_file_is_read_again_when_the_token_was_refused() {
        let directory =
            std::env::temp_dir().join(format!("driftless-token-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("token");
        std::fs::write(&path, "first\n").unwrap();
        let credentials = Credentials::new(TokenSource::file(path.clone()).unwrap());
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(credentials.header().to_str().unwrap(), "first");
        credentials.refused();
        assert_eq!(credentials.header().to_str().unwrap(), "second");
        std::fs::remove_file(&path).unwrap();
        credentials.refused();
        assert_eq!(credentials.header().to_str().unwrap(), "second");
        assert!(TokenSource::file(path).is_err());
        std::fs::remove_dir(&directory).unwrap();
    }
}
