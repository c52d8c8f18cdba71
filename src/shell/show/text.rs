//! Texts of strangers, as a terminal may see them.

use std::str::EscapeDebug;

/// A text of the control plane's, harmless on a terminal.
pub(super) fn plain(text: &str) -> EscapeDebug<'_> {
    text.escape_debug()
}
