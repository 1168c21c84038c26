//! First lines and where a head ends.
//!
//! More tolerant than a server must be: a monitor that refuses what the endpoints understood misses traffic.

/// Longest method token that is believed; the longest registered one has 17 letters.
const MAX_METHOD: usize = 32;

/// Methods of RFC 9110 section 9, RFC 5789, WebDAV and its relatives (the registry of RFC 9110 section
/// 16.1.1), UPnP and Windows services. Any other token is a method only with a whole request line behind it.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "ORDERPATCH",
    "PROPFIND",
    "PROPPATCH",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "BITS_POST",
    "CCM_POST",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
];

/// What a first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First<'a> {
    /// `version` is missing where the line is cut, and so may be the end of `target`, or where it is none.
    Request { method: &'a str, target: &'a [u8], version: Option<&'static str> },
    /// `status` is missing only where the line is cut, `version` where it is SHOUTcast's.
    Response { version: Option<&'static str>, status: Option<u16> },
}

/// A line without a version: HTTP/0.9 had none.
pub(super) const SIMPLE: &str = "0.9";

/// What SHOUTcast's servers say in place of a version: `ICY 200 OK`.
const SHOUTCAST: &[u8] = b"ICY ";

/// What is known of a head from the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Verdict {
    NotHttp,
    More,
    /// The head ends after so many bytes, empty line included.
    Complete(usize),
}

/// Looks for the end of a head that grows; never looks at a byte twice, however small the pieces.
#[derive(Debug, Default)]
pub(in crate::http) struct Scanner {
    /// Where the current line begins.
    line: usize,
    /// Up to here there is no further line end.
    searched: usize,
    /// The first line is whole and good.
    begun: bool,
}

impl Scanner {
    /// `head` holds all bytes of earlier calls and perhaps more.
    pub(in crate::http) fn advance(&mut self, head: &[u8]) -> Verdict {
        loop {
            let fresh = head.get(self.searched..).unwrap_or_default();
            let Some(at) = fresh.iter().position(|&b| b == b'\n') else {
                self.searched = head.len();
                return if self.begun || may_begin(head) { Verdict::More } else { Verdict::NotHttp };
            };
            let end = self.searched + at + 1;
            let line = without_end(head.get(self.line..end).unwrap_or_default());
            self.line = end;
            self.searched = end;
            if self.begun {
                if line.is_empty() {
                    return Verdict::Complete(end);
                }
                continue;
            }
            if first(line).is_none() {
                return Verdict::NotHttp;
            }
            self.begun = true;
        }
    }
}

/// A line without its CRLF or bare LF (RFC 9112 section 2.2).
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A whole first line, without its line end.
pub(super) fn first(line: &[u8]) -> Option<First<'_>> {
    if begins_response(line) {
        let (version, rest) = status_version(line)?;
        let (digits, rest) = rest.split_at_checked(3)?;
        // RFC 9112 section 4 wants a space before an empty reason phrase; many servers leave it out.
        if !matches!(rest.first(), None | Some(b' ' | b'\t')) {
            return None;
        }
        return Some(First::Response { version, status: Some(status(digits)?) });
    }
    let (method, rest) = method(line)?;
    // RFC 9112 section 3 allows parsing on whitespace-delimited words; a stray word between target and
    // version is tolerated behind a known method.
    let mut words = rest.split(|b| matches!(b, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)).filter(|w| !w.is_empty());
    let target = words.next()?;
    let known = is_known(method);
    // HTTP/2's preface by prior knowledge (RFC 9113 section 3.4): the last line of HTTP/1 on its connection.
    if line == b"PRI * HTTP/2.0" {
        return Some(First::Request { method: "PRI", target, version: Some("2.0") });
    }
    let (target, version) = match (words.next(), words.next_back()) {
        // No target: the sender's mistake, but a request, and servers answer it.
        (None, _) if known && let Some(version) = version_word(target) => (&[][..], Some(version)),
        // HTTP/0.9 had only GET and no header; that version is also assumed where a slip (`GET /HTTP/1.1`)
        // hides the version of a longer head.
        (None, _) if known && (target.starts_with(b"/") || target.starts_with(b"http://")) => {
            (target, Some(SIMPLE))
        }
        (None, _) => return None,
        (Some(b"HTTP/1."), None) if known => (target, None),
        (Some(version), None) => (target, Some(version_word(version)?)),
        (Some(_), Some(version)) if known => (target, Some(version_word(version)?)),
        (Some(_), Some(_)) => return None,
    };
    Some(First::Request { method, target, version })
}

/// A first line without its end: what can be said of it, if it is sure enough to be HTTP.
pub(super) fn cut(line: &[u8]) -> Option<First<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if begins_response(line) {
        let (version, rest) = status_version(line)?;
        return Some(First::Response { version, status: rest.get(..3).and_then(status) });
    }
    let (method, rest) = method(line)?;
    // Without a version to vouch for it, the line has to look the part.
    if !is_known(method) || rest.iter().any(u8::is_ascii_control) {
        return None;
    }
    let target = rest.split(|&b| b == b' ').find(|word| !word.is_empty())?;
    let begins = target.first().is_some_and(|b| b.is_ascii_alphanumeric() || b"/*[".contains(b));
    begins.then_some(First::Request { method, target, version: None })
}

/// Whether a first line may go on like this. Never refuses the beginning of what [`first`] accepts.
fn may_begin(line: &[u8]) -> bool {
    const STATUS: [&[u8]; 2] = [b"HTTP/1.x nnn ", b"ICY nnn "];
    let is_like = |shape: &[u8]| {
        line.iter().zip(shape).all(|(&have, &want)| match want {
            b'x' | b'n' => have.is_ascii_digit(),
            b' ' => matches!(have, b' ' | b'\t' | b'\r'),
            _ => have == want,
        })
    };
    STATUS.into_iter().any(is_like)
        || match line.iter().position(|&b| b == b' ') {
            Some(_) => method(line).is_some(),
            None => line.len() <= MAX_METHOD && is_method(line),
        }
}

/// RFC 9110 section 9.1: a method is a token, and case-sensitive. All that were ever in use begin with a letter.
fn is_method(token: &[u8]) -> bool {
    // RFC 9110 section 5.6.2.
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    token.first().is_some_and(u8::is_ascii_alphabetic) && token.iter().all(is_token)
}

/// A method by itself, as HTTP/2 has it.
pub(crate) fn method_of(token: &[u8]) -> Option<&str> {
    std::str::from_utf8(token).ok().filter(|_| token.len() <= MAX_METHOD && is_method(token))
}

fn begins_response(line: &[u8]) -> bool {
    line.starts_with(b"HTTP/") || line.starts_with(SHOUTCAST)
}

fn is_known(method: &str) -> bool {
    METHODS.contains(&method)
}

/// The method and what follows its space.
fn method(line: &[u8]) -> Option<(&str, &[u8])> {
    let at = line.iter().position(|&b| b == b' ')?;
    let (token, rest) = line.split_at_checked(at)?;
    Some((method_of(token)?, rest))
}

/// The version of a status line, which SHOUTcast's have not, and what follows its space.
fn status_version(line: &[u8]) -> Option<(Option<&'static str>, &[u8])> {
    if let Some(rest) = line.strip_prefix(SHOUTCAST) {
        return Some((None, rest));
    }
    let (word, rest) = line.split_at_checked(8)?;
    let version = version_word(word)?;
    Some((Some(version), rest.strip_prefix(b" ")?))
}

fn status(digits: &[u8]) -> Option<u16> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    (100..=999).contains(&status).then_some(status)
}

/// `HTTP/1.x`, case-sensitive (RFC 9112 section 2.3).
fn version_word(word: &[u8]) -> Option<&'static str> {
    const VERSIONS: [&str; 10] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"];
    match word.strip_prefix(b"HTTP/1.")? {
        [digit] => VERSIONS.get(usize::from(digit.checked_sub(b'0')?)).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Option<(&str, &str, &str)> {
        match first(line.as_bytes())? {
            First::Request { method, target, version } => {
                Some((method, std::str::from_utf8(target).unwrap(), version.unwrap_or_default()))
            }
            First::Response { .. } => None,
        }
    }

    #[test]
    fn request_lines() {
        assert_eq!(request("GET / HTTP/1.1"), Some(("GET", "/", "1.1")));
        assert_eq!(request("GET  /a  HTTP/1.0 "), Some(("GET", "/a", "1.0")));
        assert_eq!(request("OPTIONS * HTTP/1.1"), Some(("OPTIONS", "*", "1.1")));
        assert_eq!(request("CONNECT h:25 HTTP/1.1"), Some(("CONNECT", "h:25", "1.1")));
        assert_eq!(request("CONNECT h:25 / HTTP/1.0"), Some(("CONNECT", "h:25", "1.0")));
        assert_eq!(request("VERSION-CONTROL /x HTTP/1.1"), Some(("VERSION-CONTROL", "/x", "1.1")));
        for method in ["BREW", "get", "Get", "X-PING", "a.b", "BPROPFIND"] {
            assert_eq!(request(&format!("{method} /pot HTTP/1.1")), Some((method, "/pot", "1.1")));
        }
        assert_eq!(request("GET /old"), Some(("GET", "/old", "0.9")));
        assert_eq!(request("POST /HTTP/1.1"), Some(("POST", "/HTTP/1.1", "0.9")));
        assert_eq!(request("OPTIONS HTTP/1.1"), Some(("OPTIONS", "", "1.1")));
        assert_eq!(request("GET / HTTP/1."), Some(("GET", "/", "")));
    }

    #[test]
    fn what_is_no_request_line() {
        for line in [
            "get /old",
            "(get) / HTTP/1.1",
            "7 / HTTP/1.1",
            "SOURCE /live ICE/1.0",
            "GET / http/1.1",
            "GET / HTTP/2.0",
            "PRI / HTTP/2.0",
            "OPTIONS sip:a SIP/2.0",
            "DESCRIBE rtsp://h/x RTSP/1.0",
            "BREW /old",
            "BREW HTTP/1.1",
            "BREW / HTTP/1.",
            "GET it",
            "GET ",
            "GET",
            "",
            "BREW a b HTTP/1.1",
            "GET / HTTP/1.10",
            "GET\t/ HTTP/1.1",
        ] {
            assert_eq!(request(line), None, "{line}");
        }
    }

    #[test]
    fn status_lines() {
        let status = |line: &'static str| match first(line.as_bytes()) {
            Some(First::Response { version, status }) => Some((version.unwrap_or_default(), status.unwrap())),
            _ => None,
        };
        assert_eq!(status("HTTP/1.1 200 OK"), Some(("1.1", 200)));
        assert_eq!(status("HTTP/1.1 200"), Some(("1.1", 200)));
        assert_eq!(status("HTTP/1.0 999 "), Some(("1.0", 999)));
        assert_eq!(status("ICY 200 OK"), Some(("", 200)));
        for line in [
            "ICY OK",
            "ICY 2000",
            "RTSP/1.0 200 OK",
            "SIP/2.0 200 OK",
            "ICAP/1.0 200 OK",
            "HTTP/1.1 099 x",
            "HTTP/1.1 2000",
            "HTTP/1.1 20",
            "HTTP/1.1",
            "HTTP/2 200",
            "HTTP/1.1 +20 x",
        ] {
            assert_eq!(status(line), None, "{line}");
        }
    }

    #[test]
    fn cut_lines() {
        assert_eq!(
            cut(b"GET /very/lo"),
            Some(First::Request { method: "GET", target: b"/very/lo", version: None })
        );
        assert_eq!(cut(b"GET /a HTT"), Some(First::Request { method: "GET", target: b"/a", version: None }));
        assert_eq!(cut(b"HTTP/1.1 200"), Some(First::Response { version: Some("1.1"), status: Some(200) }));
        assert_eq!(cut(b"HTTP/1.1 20"), Some(First::Response { version: Some("1.1"), status: None }));
        for line in [&b"GET"[..], b"GET ", b"BREW /x", b"GET \x00\x01", b"HTTP/1."] {
            assert_eq!(cut(line), None);
        }
    }

    #[test]
    fn every_beginning_of_a_good_line_may_go_on() {
        for line in [
            "GET / HTTP/1.1\r\n",
            "a.b / HTTP/1.1\r\n",
            "ICY 200 OK\r\n",
            "HTTP/1.1 200\r\n",
            "HTTP/1.1 200 OK\n",
            "BASELINE-CONTROL / HTTP/1.0\n",
        ] {
            for end in 0..line.len() - 1 {
                let head = &line.as_bytes()[..end];
                assert!(end == 0 || may_begin(head), "{:?}", &line[..end]);
            }
        }
        assert!(!may_begin(b"(get / HTTP/1.1"));
        assert!(!may_begin(b"HTTP/2"));
        assert!(!may_begin(b"HTTP/1.1 20x"));
        assert!(!may_begin(b"\x16\x03\x01"));
        assert!(!may_begin(&[b'A'; 40]));
    }
}
