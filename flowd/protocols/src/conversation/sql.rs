//! What the dialects of SQL databases share: what a statement asks for, and how it is shown.

mod prepared;
mod tokens;

use std::borrow::Cow;

pub(crate) use prepared::{Meaning, Prepared};
pub(crate) use tokens::Flavour;
use tokens::{Token, tokens};

use crate::privacy::Statements;

/// Bytes of a statement that are looked at, and shown at most.
pub(crate) const MOST: usize = 4 << 10;

/// Requests that may wait with their statements; those behind them are shown without.
pub(crate) const WAITING: usize = 256;

/// Bytes of an operation's word at most.
const WORD: usize = 64;

/// The operation of a statement of white space and comments.
pub(crate) const EMPTY: &str = "EMPTY";

/// The first word of a statement in capitals, whatever it is; white space, comments, brackets and semicolons in front
/// are skipped. A word of `known` is borrowed from there.
pub(crate) fn operation(text: &[u8], flavour: Flavour, known: &[&'static str]) -> Cow<'static, str> {
    let skipped = |token: &Token<'_>| match token {
        Token::Space => true,
        Token::Other(sign) => matches!(sign, [b'(' | b';']),
        Token::Literal | Token::Name(_) => false,
    };
    let word = match tokens(text, flavour).find(|token| !skipped(token)) {
        Some(Token::Name(bytes) | Token::Other(bytes)) => bytes.get(..WORD).unwrap_or(bytes),
        Some(Token::Literal) => b"?",
        Some(Token::Space) | None => return EMPTY.into(),
    };
    let word = printable(word).to_ascii_uppercase();
    known.iter().find(|known| **known == word).map_or(Cow::Owned(word), |known| Cow::Borrowed(*known))
}

/// The statement as records show it.
pub(crate) fn shown(text: &[u8], flavour: Flavour, statements: Statements) -> Option<String> {
    let text = text.get(..MOST).unwrap_or(text);
    match statements {
        Statements::Drop => None,
        Statements::Normalized => Some(normalised(text, flavour)),
        Statements::Keep => Some(printable(text)),
    }
}

/// The text, without what steers a terminal: JSON escapes neither DEL nor the control characters behind it.
fn printable(text: &[u8]) -> String {
    let steers = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    String::from_utf8_lossy(text).replace(steers, "\u{fffd}")
}

/// The statement with `?` in place of each literal, without its comments, and with one space for any white space.
fn normalised(text: &[u8], flavour: Flavour) -> String {
    let (mut out, mut space) = (String::with_capacity(text.len()), false);
    for token in tokens(text, flavour) {
        if token == Token::Space {
            space = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
        }
        match token {
            Token::Name(bytes) | Token::Other(bytes) => out.push_str(&printable(bytes)),
            Token::Literal => out.push('?'),
            Token::Space => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    const POSTGRESQL: Flavour = Flavour::Postgresql { escapes: false };
    const MYSQL: Flavour = Flavour::MYSQL;

    fn word(text: &str, flavour: Flavour) -> String {
        operation(text.as_bytes(), flavour, &["SELECT"]).into_owned()
    }

    #[test]
    fn the_first_word_whatever_it_is() {
        for (text, expected) in [
            ("select 1", "SELECT"),
            ("  \n((Select 1))", "SELECT"),
            ("selec typo", "SELEC"),
            ("-- why\nupdate t", "UPDATE"),
            ("/* a */insert into t", "INSERT"),
            ("; ; begin;", "BEGIN"),
            ("IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM"),
            ("sélect", "SéLECT"),
            ("", "EMPTY"),
            (" ; -- nothing", "EMPTY"),
            ("'text'", "?"),
            ("{call x}", "{"),
            ("\u{9b}2J", "\u{fffd}2J"),
        ] {
            assert_eq!(word(text, POSTGRESQL), expected, "{text}");
            assert_eq!(word(text, MYSQL), expected, "{text}");
        }
        assert!(matches!(operation(b"select", MYSQL, &["SELECT"]), Cow::Borrowed("SELECT")));
    }

    #[test]
    fn comments_as_each_database_has_them() {
        assert_eq!(word("/* and /* a nested */ one */ update t", POSTGRESQL), "UPDATE");
        assert_eq!(word("/* not /* nested */ update t", MYSQL), "UPDATE");
        assert_eq!(word("# hash\nselect 1", MYSQL), "SELECT");
        assert_eq!(word("/*!40101 set names utf8 */", MYSQL), "SET");
        assert_eq!(word("/*M!100100 set x */", MYSQL), "SET");
        assert_eq!(word("/* no end", MYSQL), "EMPTY");
    }

    #[test]
    fn literals_become_question_marks() {
        let postgresql = |text: &str| normalised(text.as_bytes(), POSTGRESQL);
        for (text, expected) in [
            ("select * from t where a = 'it''s' and b=-1.5e-3", "select * from t where a = ? and b=-?"),
            ("select  \"Name 1\",\n c1 from t2 -- secret", "select \"Name 1\", c1 from t2"),
            ("select E'a\\'b', 'a\\', X'ff', U&'x', n'y'", "select ?, ?, ?, ?, ?"),
            ("do $body$ secret 'x $$ $body$ language x", "do ? language x"),
            ("select $1, $$a$$, a$1", "select $1, ?, a$1"),
            ("select a->>'key', '{1}'::int[], t.x, 0xff, .5", "select a->>?, ?::int[], t.x, ?, .?"),
            ("select 'no end", "select ?"),
            ("select \"no end", "select \"no end"),
            ("select /* secret */ 1", "select ?"),
        ] {
            assert_eq!(postgresql(text), expected, "{text}");
        }
        let mysql = |text: &str| normalised(text.as_bytes(), MYSQL);
        for (text, expected) in [
            ("select 'a\\'b', \"it\\\"s\", \"a\"\"b\"", "select ?, ?, ?"),
            ("select `a 1`, a--1, @x, _utf8'x'", "select `a 1`, a--?, @x, _utf8?"),
            ("insert into t values (1,'a'),(0x1f,null)", "insert into t values (?,?),(?,null)"),
        ] {
            assert_eq!(mysql(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_end_where_the_server_takes_them_to_end() {
        for (text, flavour) in [
            (r"select 'it\'s secret', 1", MYSQL),
            (r"select 'it\'s secret', 1", Flavour::Postgresql { escapes: true }),
            (r"select 'secret\', 1", POSTGRESQL),
            (r"select 'secret\', 1", Flavour::Mysql { escapes: false }),
        ] {
            assert_eq!(normalised(text.as_bytes(), flavour), "select ?, ?", "{flavour:?}");
        }
    }

    #[test]
    fn statements_are_shown_as_the_settings_say() {
        let text = format!("select '{}'", "x".repeat(2 * MOST));
        let shown = |statements| shown(text.as_bytes(), POSTGRESQL, statements);
        assert_eq!(shown(Statements::Drop), None);
        assert_eq!(shown(Statements::Normalized).as_deref(), Some("select ?"));
        assert_eq!(shown(Statements::Keep).map(|text| text.len()), Some(MOST));
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends(text in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            for flavour in [POSTGRESQL, MYSQL] {
                assert!(normalised(&text, flavour).len() <= 3 * text.len());
                operation(&text, flavour, &[]);
            }
        }

        /// Quotes, escapes and comments in any order: no letter of a literal comes through.
        #[test]
        fn no_literal_is_shown(parts in proptest::collection::vec(
            proptest::sample::select(&["''", "\\\\", "--", "/*", "*/", "\"", "$$", " ", "#", ";", "secret"][..]), 0..12
        )) {
            let text = format!("select '{}', a", parts.concat());
            assert_eq!(normalised(text.as_bytes(), MYSQL), "select ?, a");
            let text = format!("select '{}', a", parts.concat());
            assert_eq!(normalised(text.as_bytes(), POSTGRESQL), "select ?, a");
        }
    }
}
