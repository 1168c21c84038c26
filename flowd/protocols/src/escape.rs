//! Bytes from the network as text that any log can hold.

/// Appends `bytes` to `text`: printable ASCII as it is, all else as `\DDD`, the byte in decimal (RFC 1035
/// section 5.1, RFC 4343 section 2.1). `special` are printable bytes that need a backslash before them; the
/// backslash itself always does.
pub(super) fn escape(text: &mut String, bytes: &[u8], special: &[u8]) {
    for byte in bytes {
        match byte {
            b'!'..=b'~' => {
                if *byte == b'\\' || special.contains(byte) {
                    text.push('\\');
                }
                text.push(char::from(*byte));
            }
            _ => {
                text.push('\\');
                for digit in [byte / 100, byte / 10 % 10, byte % 10] {
                    text.push(char::from(b'0' + digit));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_is_left() {
        let mut text = String::new();
        escape(&mut text, b"a.b \\\x00\xff\"", b".");
        assert_eq!(text, "a\\.b\\032\\\\\\000\\255\"");
    }
}
