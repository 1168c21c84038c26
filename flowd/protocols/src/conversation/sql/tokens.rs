//! Statements in pieces, as far as needed to tell literals and comments from the rest.

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// PostgreSQL. A backslash escapes in plain strings where `standard_conforming_strings` is off; it is on by default
    /// since 9.1.
    Postgresql { escapes: bool },
    /// MySQL and MariaDB without `ANSI_QUOTES`, their default. A backslash escapes unless the session has
    /// `NO_BACKSLASH_ESCAPES`.
    Mysql { escapes: bool },
}

impl Flavour {
    /// As servers are unless they say otherwise.
    pub(crate) const MYSQL: Self = Self::Mysql { escapes: true };
}

/// A piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// White space, or a comment.
    Space,
    /// A number or a string.
    Literal,
    /// A word or a quoted name.
    Name(&'a [u8]),
    /// A sign, or a parameter's number.
    Other(&'a [u8]),
}

/// The pieces in their order.
pub(super) fn tokens(mut rest: &[u8], flavour: Flavour) -> impl Iterator<Item = Token<'_>> {
    std::iter::from_fn(move || {
        let (kind, len) = next(rest, flavour)?;
        let (token, after) = rest.split_at_checked(len.max(1)).unwrap_or((rest, &[]));
        rest = after;
        Some(match kind {
            Kind::Space => Token::Space,
            Kind::Literal => Token::Literal,
            Kind::Name => Token::Name(token),
            Kind::Other => Token::Other(token),
        })
    })
}

enum Kind {
    Space,
    Literal,
    Name,
    Other,
}

/// The first piece and its length, perhaps beyond the end.
fn next(rest: &[u8], flavour: Flavour) -> Option<(Kind, usize)> {
    let first = *rest.first()?;
    let second = rest.get(1).copied().unwrap_or_default();
    let (mysql, escapes) = match flavour {
        Flavour::Postgresql { escapes } => (false, escapes),
        Flavour::Mysql { escapes } => (true, escapes),
    };
    Some(match (first, second) {
        (b'\0' | b' ' | b'\t'..=b'\r', _) => (Kind::Space, 1),
        // MySQL takes two dashes for a comment only before white space: `a--1` is a sum.
        (b'-', b'-') if !mysql || rest.get(2).is_none_or(|third| *third <= b' ') => (Kind::Space, line(rest)),
        (b'#', _) if mysql => (Kind::Space, line(rest)),
        // What stands in these is executed: `/*!40101 SET NAMES utf8 */`.
        (b'/', b'*') if mysql && rest.get(2) == Some(&b'!') => (Kind::Space, 3 + digits(rest, 3)),
        (b'/', b'*') if mysql && rest.get(2..4) == Some(b"M!") => (Kind::Space, 4 + digits(rest, 4)),
        (b'*', b'/') if mysql => (Kind::Space, 2),
        (b'/', b'*') => (Kind::Space, comment(rest, !mysql)),
        (b'\'', _) => (Kind::Literal, quoted(rest, 0, escapes)),
        (b'"', _) if mysql => (Kind::Literal, quoted(rest, 0, escapes)),
        (b'"' | b'`', _) => (Kind::Name, quoted(rest, 0, false)),
        (b'e' | b'E', b'\'') => (Kind::Literal, quoted(rest, 1, true)),
        (b'b' | b'B' | b'n' | b'N' | b'x' | b'X', b'\'') => (Kind::Literal, quoted(rest, 1, escapes)),
        (b'u' | b'U', b'&') if rest.get(2) == Some(&b'\'') => (Kind::Literal, quoted(rest, 2, false)),
        (b'$', b'0'..=b'9') => (Kind::Other, 1 + digits(rest, 1)),
        (b'$', _) if !mysql => dollars(rest).map_or((Kind::Other, 1), |len| (Kind::Literal, len)),
        (b'0'..=b'9', _) => (Kind::Literal, number(rest)),
        _ if in_word(first) => (Kind::Name, rest.iter().take_while(|byte| in_word(**byte)).count()),
        _ => (Kind::Other, 1),
    })
}

const fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn line(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn digits(rest: &[u8], from: usize) -> usize {
    rest.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count()
}

/// A comment to its end; PostgreSQL nests them.
fn comment(rest: &[u8], nested: bool) -> usize {
    let (mut at, mut depth) = (0, 0);
    while let Some(pair) = rest.get(at..at + 2) {
        at += match pair {
            b"/*" if nested || depth == 0 => {
                depth += 1;
                2
            }
            b"*/" => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// What a quote at `at` begins, to the quote that ends it: twice is one in the text. `escapes`: a backslash takes the
/// next byte with it.
fn quoted(rest: &[u8], at: usize, escapes: bool) -> usize {
    let Some(quote) = rest.get(at) else { return rest.len() };
    let mut at = at + 1;
    while let Some(byte) = rest.get(at) {
        if escapes && *byte == b'\\' {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if rest.get(at + 1) == Some(quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    rest.len()
}

/// `$tag$ … $tag$` of PostgreSQL, where it is one; to the end where it has none.
fn dollars(rest: &[u8]) -> Option<usize> {
    let tag = rest.iter().skip(1).position(|byte| !(in_word(*byte) && *byte != b'$'))?;
    let tag = rest.get(..tag + 2).filter(|tag| tag.ends_with(b"$"))?;
    let body = rest.get(tag.len()..)?;
    let end = body.windows(tag.len()).position(|window| window == tag);
    Some(end.map_or(rest.len(), |end| end + 2 * tag.len()))
}

/// `12`, `1.5e-3`, `0xff`.
fn number(rest: &[u8]) -> usize {
    let mut before = b'0';
    let part = |byte: &u8| {
        let sign = matches!(byte, b'+' | b'-') && matches!(before, b'e' | b'E');
        before = *byte;
        sign || *byte == b'.' || byte.is_ascii_alphanumeric() || *byte == b'_'
    };
    rest.iter().copied().take_while(part).count()
}
