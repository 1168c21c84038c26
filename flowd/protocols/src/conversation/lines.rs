//! Lines and words of protocols that are text.

use super::dialect::Step;

/// The first line of `bytes` without its end (LF, or CR LF), and how many bytes it has with it.
#[must_use]
pub(crate) fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// What is to be done where `bytes` hold no end of a line: wait for it, unless no line has `most` bytes.
#[must_use]
pub(crate) const fn unended(bytes: &[u8], most: usize) -> Step {
    if bytes.len() >= most { Step::Lost } else { Step::Need(bytes.len() + 1) }
}

/// The words of a line, between blanks and tabs.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// A number of decimal digits alone.
#[must_use]
pub(crate) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 19 {
        return None;
    }
    word.iter().try_fold(0_u64, |number, byte| {
        byte.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

/// Text of printable ASCII characters; `None` for anything else.
#[must_use]
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~')).then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// The word of `list` (capitals, sorted) that `word` is, whatever its case.
#[must_use]
pub(crate) fn listed(list: &'static [&'static str], word: &[u8]) -> Option<&'static str> {
    let mut capitals = [0; 32];
    let capitals = capitals.get_mut(..word.len())?;
    capitals.copy_from_slice(word);
    capitals.make_ascii_uppercase();
    let at = list.binary_search_by(|listed| listed.as_bytes().cmp(capitals)).ok()?;
    list.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_lf_or_cr_lf() {
        assert_eq!(line(b"PING\r\nx"), Some((&b"PING"[..], 6)));
        assert_eq!(line(b"PING\nx"), Some((&b"PING"[..], 5)));
        assert_eq!(line(b"PING\r"), None);
        assert_eq!(unended(b"PING\r", 6), Step::Need(6));
        assert_eq!(unended(b"PING\r", 5), Step::Lost);
    }

    #[test]
    fn words_are_read_as_they_are() {
        assert_eq!(words(b" a\t bc ").collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
        let numbers = [&b"12"[..], b"0", b"", b"-1", b"1x", b"99999999999999999999"].map(number);
        assert_eq!(numbers, [Some(12), Some(0), None, None, None, None]);
        assert_eq!(text(b"a b"), Some("a b"));
        assert_eq!(text(b"a\x00b"), None);
        assert_eq!(listed(&["GET", "SET"], b"gEt"), Some("GET"));
        assert_eq!(listed(&["GET", "SET"], b"GETS"), None);
        assert_eq!(listed(&["GET"], &[b'a'; 99]), None);
    }
}
