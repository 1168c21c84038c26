//! Lines and words of protocols that are text.

use super::dialect::Step;

/// The first line of `bytes` without its end (LF, or CR LF), and how many bytes it has with it.
#[must_use]
pub(crate) fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// The first line as [`line`], where it is text of fewer than `most` bytes; else what is to be done. Both show as early as
/// they can, however the line is cut into segments.
pub(crate) fn text_line(bytes: &[u8], most: usize) -> Result<(&[u8], usize), Step> {
    let whole = line(bytes);
    let seen = whole.map_or(bytes, |(_, read)| bytes.get(..read - 1).unwrap_or_default());
    if seen.len() >= most || seen.iter().any(is_no_text) {
        return Err(Step::Lost);
    }
    whole.ok_or(Step::Need(bytes.len() + 1))
}

/// Control characters but white space.
const fn is_no_text(byte: &u8) -> bool {
    matches!(byte, 0..=8 | 14..=31 | 0x7f)
}

/// The words of a line, between blanks and tabs.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// Whether the first word of `bytes` is one of `list`, whatever its case, or may become one where the bytes end within it.
#[must_use]
pub(crate) fn begins_with_one(bytes: &[u8], list: &[&str]) -> bool {
    let end = bytes.iter().take(32).position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    let word = bytes.get(..end.unwrap_or(bytes.len().min(32))).unwrap_or_default();
    list.iter().map(|known| known.as_bytes()).any(|known| match end {
        Some(_) => known.eq_ignore_ascii_case(word),
        None => known.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word)),
    })
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
        for (bytes, step) in [
            (&b"PING\r"[..], Step::Need(6)),
            (b"PING\rPING\r", Step::Lost),
            (b"PING PING\n", Step::Lost),
            (b"PI\0", Step::Lost),
            (b"PI\0\r\n", Step::Lost),
        ] {
            assert_eq!(text_line(bytes, 9), Err(step), "{bytes:?}");
        }
        assert_eq!(text_line("p\u{ef}ng\r\nx".as_bytes(), 9), Ok(("p\u{ef}ng".as_bytes(), 7)));
    }

    #[test]
    fn a_word_is_known_by_its_beginning() {
        let begins = |text: &str| begins_with_one(text.as_bytes(), &["GET", "GETS", "MN"]);
        assert!(["", "g", "Get", "get\r", "gets a", "mn\n"].into_iter().all(begins));
        assert!(!["x", " get", "ge ", "getsx", "\n", "get\0", &"g".repeat(99)].into_iter().any(begins));
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
