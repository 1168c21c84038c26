//! Text that others chose, as names of interfaces or values of labels, on a terminal.

use std::{ffi::OsStr, fmt::Write as _, os::unix::ffi::OsStrExt as _};

/// `text` without what steers a terminal, or shows it in another order than it stands there.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if steers(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// The same of a name that may be no UTF-8: bytes that are none as `\xff`.
#[must_use]
pub fn harmless_name(name: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        shown.push_str(&harmless(chunk.valid()));
        for byte in chunk.invalid() {
            // A string takes whatever is written.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// Control characters, marks of direction, and what has no width.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_escaped_and_nothing_else() {
        assert_eq!(harmless("büro-0 \u{4e2d}"), "büro-0 \u{4e2d}");
        assert_eq!(harmless("a\u{1b}[31m\r\nb\u{202e}c"), "a\\u{1b}[31m\\r\\nb\\u{202e}c");
        assert_eq!(harmless_name(OsStr::from_bytes(b"e\xffth\x1b0")), "e\\xffth\\u{1b}0");
    }
}
