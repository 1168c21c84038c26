//! What of a target may be logged, as configured.

use crate::http::Query;

/// What stands for a value that is left out.
const HIDDEN: &[u8] = b"***";

/// Shortest segment of hexadecimal digits that is taken for an identifier: shorter ones may be words.
const LONG_HEX: usize = 16;

/// What is shown of targets and their parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    pub query: Query,
    /// Names of parameters whose values are never logged, in lower case.
    pub redact: Vec<String>,
    /// Paths such as `/users/{id}`, which stand for all that they match.
    pub templates: Vec<String>,
    /// Numbers, UUIDs and long hexadecimal segments of other paths become `{id}`.
    pub template_paths: bool,
    /// The ids of `traceparent` are shown.
    pub trace_context: bool,
}

impl Privacy {
    /// `path` or what stands for it. A path that is not known to its end fits no template.
    pub(super) fn path(&self, path: &[u8], cut: bool) -> Vec<u8> {
        if !cut && let Some(template) = self.templates.iter().find(|template| fits(template.as_bytes(), path))
        {
            return template.as_bytes().to_vec();
        }
        if !self.template_paths {
            return path.to_vec();
        }
        let segments = path.split(|&b| b == b'/').map(|s| if is_identifier(s) { &b"{id}"[..] } else { s });
        segments.collect::<Vec<_>>().join(&b'/')
    }

    /// Arguments as they are, but for the values of parameters that are not to be logged. `a=1&b=2` or what
    /// follows a `#`; names count however they are written (escapes, case).
    pub(super) fn arguments(&self, arguments: &[u8]) -> Vec<u8> {
        let mut clean = Vec::with_capacity(arguments.len());
        for argument in arguments.split_inclusive(|b| b"&;#?".contains(b)) {
            let at = argument.iter().position(|&b| b == b'=');
            let escaped = argument.windows(3).position(|w| w.eq_ignore_ascii_case(b"%3d"));
            let (name, value) = match (at, escaped) {
                (Some(at), Some(escaped)) if escaped < at => (escaped, escaped + 3),
                (Some(at), _) => (at, at + 1),
                (None, Some(escaped)) => (escaped, escaped + 3),
                (None, None) => (argument.len(), argument.len()),
            };
            let hidden = value > name && self.hides(argument.get(..name).unwrap_or_default());
            if !hidden {
                clean.extend_from_slice(argument);
                continue;
            }
            clean.extend_from_slice(argument.get(..value).unwrap_or_default());
            clean.extend_from_slice(HIDDEN);
            clean.extend(argument.last().filter(|b| b"&;#?".contains(b)));
        }
        clean
    }

    fn hides(&self, name: &[u8]) -> bool {
        let name = unescaped(name);
        self.redact.iter().any(|hidden| {
            let hidden = hidden.as_bytes();
            // `filter[token]` and `user.password` as well.
            name == hidden || name.split(|b| b"[].".contains(b)).any(|part| part == hidden)
        })
    }
}

/// A parameter's name in lower case, its escapes undone (RFC 3986 section 2.1).
fn unescaped(name: &[u8]) -> Vec<u8> {
    let digit =
        |b: Option<&u8>| b.and_then(|&b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = (byte == b'%').then(|| digit(tail.first()).zip(digit(tail.get(1)))).flatten();
        let (byte, tail) = match escape {
            Some((high, low)) => (high << 4 | low, tail.get(2..).unwrap_or_default()),
            None => (if byte == b'+' { b' ' } else { byte }, tail),
        };
        plain.push(byte.to_ascii_lowercase());
        rest = tail;
    }
    plain
}

/// Whether `path` is what `template` stands for, segment by segment.
fn fits(template: &[u8], path: &[u8]) -> bool {
    let (mut wanted, mut have) = (template.split(|&b| b == b'/'), path.split(|&b| b == b'/'));
    loop {
        match (wanted.next(), have.next()) {
            (None, None) => return true,
            (Some([b'{', .., b'}']), Some([_, ..])) => {}
            (Some(wanted), Some(have)) if wanted == have => {}
            _ => return false,
        }
    }
}

/// A number, a UUID (RFC 9562 section 4) or long hexadecimal digits.
fn is_identifier(segment: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
    let uuid = || {
        let lengths = segment.split(|&b| b == b'-').map(<[u8]>::len);
        lengths.eq([8, 4, 4, 4, 12]) && segment.split(|&b| b == b'-').all(hex)
    };
    !segment.is_empty()
        && (segment.iter().all(u8::is_ascii_digit) || segment.len() >= LONG_HEX && hex(segment) || uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_kind_become_one() {
        let privacy = Privacy {
            templates: vec!["/users/{name}/orders/{id}".into(), "/a//{x}".into()],
            template_paths: true,
            ..Privacy::default()
        };
        let path = |path: &str, cut| String::from_utf8(privacy.path(path.as_bytes(), cut)).unwrap();
        for (raw, clean) in [
            ("/users/ann/orders/17", "/users/{name}/orders/{id}"),
            ("/users//orders/17", "/users//orders/{id}"),
            ("/users/ann/orders/17/", "/users/ann/orders/{id}/"),
            ("/a//b", "/a//{x}"),
            ("/v1/42/x", "/v1/{id}/x"),
            ("/f/0123456789abcdef", "/f/{id}"),
            ("/f/deadbeef/cafe", "/f/deadbeef/cafe"),
            ("/u/01234567-89ab-CDEF-0123-456789abcdef.json", "/u/01234567-89ab-CDEF-0123-456789abcdef.json"),
            ("/u/01234567-89ab-CDEF-0123-456789abcdef", "/u/{id}"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(path(raw, false), clean, "{raw}");
        }
        assert_eq!(path("/users/ann/orders/17", true), "/users/ann/orders/{id}");
    }

    #[test]
    fn values_of_named_parameters_never_stay() {
        let redact = ["token", "pass word"].map(str::to_owned).to_vec();
        let privacy = Privacy { redact, ..Privacy::default() };
        let clean = |raw: &str| String::from_utf8(privacy.arguments(raw.as_bytes())).unwrap();
        for (raw, expected) in [
            ("a=1&token=SECRET", "a=1&token=***"),
            ("TOKEN=SECRET;b", "TOKEN=***;b"),
            ("t%6Fken=SECRET#x", "t%6Fken=***#x"),
            ("x=1#token=SECRET", "x=1#token=***"),
            ("user[token]=SECRET=x&", "user[token]=***&"),
            ("pass+word=SECRET", "pass+word=***"),
            ("token%3DSECRET", "token%3D***"),
            ("tokens=3&token", "tokens=3&token"),
            ("", ""),
        ] {
            assert_eq!(clean(raw), expected, "{raw}");
        }
    }
}
