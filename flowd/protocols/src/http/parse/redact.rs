//! What of a target may be logged: the query, fragment and user-info policy, and the escaping of odd bytes.
//!
//! The raw bytes never leave this module's callers' head buffer: what is kept has passed here.

use super::privacy::Privacy;
use crate::privacy::Query;

/// The loggable form of a request target.
///
/// `cut`: the target goes on beyond the copied bytes, so its last part may be the beginning of anything.
pub(crate) fn target(raw: &[u8], connect: bool, cut: bool, privacy: &Privacy) -> String {
    let query = privacy.query;
    if query == Query::Keep {
        return escape(&kept(raw, connect, cut, privacy));
    }
    let (path, arguments) = split_query(raw);
    let whole = !cut || path.len() < raw.len();
    let whole_path = whole;
    let mut clean = if connect {
        // Authority-form (RFC 9112 section 3.2.3).
        public_authority(path, whole).map(<[u8]>::to_vec).unwrap_or_default()
    } else if let Some((scheme, authority, rest)) = split_absolute(path) {
        let whole = whole || !rest.is_empty();
        let mut clean = scheme.to_vec();
        match public_authority(authority, whole) {
            Some(authority) => {
                clean.extend_from_slice(authority);
                clean.extend_from_slice(&privacy.path(rest, !whole_path));
            }
            // A slash inside a password ends the authority too early: what leads up to the `@` goes with it.
            None => clean.extend_from_slice(after_last(rest, b'@').unwrap_or(rest)),
        }
        clean
    } else {
        privacy.path(path, !whole_path)
    };
    if query == Query::Keys {
        push_keys(&mut clean, arguments);
    }
    escape(&clean)
}

/// A target that is kept: all of it, but for what is never logged.
fn kept(raw: &[u8], connect: bool, cut: bool, privacy: &Privacy) -> Vec<u8> {
    let end = raw.iter().position(|b| b"?#".contains(b)).unwrap_or(raw.len());
    let (path, arguments) = raw.split_at_checked(end).unwrap_or((raw, &[]));
    let cut = cut && arguments.is_empty();
    let mut clean = match split_absolute(path) {
        _ if connect => path.to_vec(),
        Some((scheme, authority, rest)) => [scheme, authority, &privacy.path(rest, cut)].concat(),
        None => privacy.path(path, cut),
    };
    if let Some((mark, arguments)) = arguments.split_first() {
        clean.push(*mark);
        clean.extend_from_slice(&privacy.arguments(arguments));
    }
    clean
}

/// The host of an absolute-form target (RFC 9112 section 3.2.2) or of a `Referer`, with its port.
pub(super) fn host_of(raw: &[u8], query: Query) -> Option<String> {
    let (path, _) = split_query(raw);
    let (_, authority, _) = split_absolute(path)?;
    host(authority, query)
}

/// A `Host` value: trimmed, without user info (which RFC 9110 section 7.2 does not allow there anyway).
pub(super) fn host(raw: &[u8], query: Query) -> Option<String> {
    let raw = raw.trim_ascii();
    let host = match query {
        Query::Keep => raw,
        Query::Drop | Query::Keys => after_last(raw, b'@').unwrap_or(raw),
    };
    (!host.is_empty()).then(|| escape(host))
}

/// Bytes outside printable ASCII become `%XX`, so that the text is one line in any encoding.
pub(super) fn escape(raw: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(raw.len());
    for &byte in raw {
        if (0x21..0x7f).contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Free text (user agent, content type): valid UTF-8 stays, the rest and controls become U+FFFD.
pub(super) fn text(raw: &[u8]) -> Option<String> {
    let raw = raw.trim_ascii();
    let clean = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    (!raw.is_empty()).then(|| String::from_utf8_lossy(raw).chars().map(clean).collect())
}

/// Everything before the first `?` or `#`, and the query behind it without the fragment.
fn split_query(raw: &[u8]) -> (&[u8], &[u8]) {
    let whole = raw.split(|&b| b == b'#').next().unwrap_or_default();
    match whole.iter().position(|&b| b == b'?').and_then(|at| whole.split_at_checked(at)) {
        Some((path, query)) => (path, query.get(1..).unwrap_or_default()),
        None => (whole, &[]),
    }
}

/// `scheme://`, the authority, and what follows it (RFC 3986 section 3).
fn split_absolute(raw: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let colon = raw.iter().position(|&b| b == b':')?;
    let (scheme, rest) = raw.split_at_checked(colon)?;
    let named = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b));
    if !named || !rest.starts_with(b"://") {
        return None;
    }
    let (scheme, rest) = raw.split_at_checked(colon + 3)?;
    let end = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    Some((scheme, authority, rest))
}

/// The authority without user info; nothing where it may be, or may begin with, a user and password.
fn public_authority(raw: &[u8], whole: bool) -> Option<&[u8]> {
    if let Some(host) = after_last(raw, b'@') {
        return Some(host);
    }
    // `user:secret` cut before its `@`, or ended early by a `/` or `?` in the secret, looks like
    // `host:port` with a port that is no number.
    let port = after_last(raw, b']').unwrap_or(raw).splitn(2, |&b| b == b':').nth(1).unwrap_or_default();
    (whole && port.iter().all(u8::is_ascii_digit)).then_some(raw)
}

fn after_last(raw: &[u8], byte: u8) -> Option<&[u8]> {
    raw.iter().rposition(|&b| b == byte).and_then(|at| raw.get(at + 1..))
}

/// Adds the names of `a=1&b=2` as `?a&b`. A part without `=` is a name.
fn push_keys(clean: &mut Vec<u8>, arguments: &[u8]) {
    let mut separator = b'?';
    for argument in arguments.split(|&b| b == b'&' || b == b';') {
        let name = argument.split(|&b| b == b'=').next().unwrap_or_default();
        // An escaped `=` hides a value from the split above.
        let end = name.windows(3).position(|w| w.eq_ignore_ascii_case(b"%3d")).unwrap_or(name.len());
        let name = name.get(..end).unwrap_or_default();
        if !name.is_empty() {
            clean.push(separator);
            clean.extend_from_slice(name);
            separator = b'&';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(raw: &[u8], connect: bool, cut: bool, query: Query) -> String {
        super::target(raw, connect, cut, &Privacy { query, ..Privacy::default() })
    }

    fn dropped(raw: &str) -> String {
        target(raw.as_bytes(), false, false, Query::Drop)
    }

    #[test]
    fn queries_follow_the_policy() {
        let raw = b"/a?token=secret&x=1;flag&=v&key%3Dhidden#part";
        assert_eq!(target(raw, false, false, Query::Drop), "/a");
        assert_eq!(target(raw, false, false, Query::Keys), "/a?token&x&flag&key");
        assert_eq!(target(raw, false, false, Query::Keep), "/a?token=secret&x=1;flag&=v&key%3Dhidden#part");
        assert_eq!(dropped("/a#frag?x=1"), "/a");
        assert_eq!(target(b"/a?", false, false, Query::Keys), "/a");
        assert_eq!(dropped("*"), "*");
    }

    #[test]
    fn user_info_goes_unless_kept() {
        assert_eq!(dropped("http://user:pass@host:80/x@y"), "http://host:80/x@y");
        assert_eq!(dropped("HTTPS://u:p@ss@host"), "HTTPS://host");
        assert_eq!(dropped("http://[2001:db8::1]:80/x"), "http://[2001:db8::1]:80/x");
        assert_eq!(dropped("http://[2001:db8::1]/x"), "http://[2001:db8::1]/x");
        assert_eq!(dropped("/go/http://user:pass@host/"), "/go/http://user:pass@host/");
        assert_eq!(target(b"http://u:p@h/", false, false, Query::Keep), "http://u:p@h/");
        assert_eq!(target(b"u:p@h:443", true, false, Query::Keys), "h:443");
        assert_eq!(target(b"h:443", true, false, Query::Drop), "h:443");
    }

    #[test]
    fn half_seen_passwords_do_not_leak() {
        let cut = |raw: &[u8], connect| target(raw, connect, true, Query::Drop);
        assert_eq!(cut(b"http://user:sec", false), "http://");
        assert_eq!(cut(b"http://secretuser", false), "http://");
        assert_eq!(cut(b"http://host/pa", false), "http://host/pa");
        assert_eq!(cut(b"http://host?pa", false), "http://host");
        assert_eq!(cut(b"user:secret", true), "");
        assert_eq!(dropped("http://user:sec?ret@host/"), "http://");
        assert_eq!(dropped("http://user:sec/ret@host/x"), "http://host/x");
    }

    #[test]
    fn odd_bytes_are_escaped() {
        assert_eq!(dropped("/\u{e9}\u{0}\u{7f}"), "/%C3%A9%00%7F");
        assert_eq!(text(b" a\tb\x01\xff ").as_deref(), Some("a b\u{fffd}\u{fffd}"));
        assert_eq!(text(b"  "), None);
        assert_eq!(host(b" user@example.org ", Query::Drop).as_deref(), Some("example.org"));
        assert_eq!(host(b" ", Query::Drop), None);
        assert_eq!(host_of(b"http://u:p@h:1?q", Query::Drop).as_deref(), Some("h:1"));
        assert_eq!(host_of(b"/only/path", Query::Drop), None);
    }
}
