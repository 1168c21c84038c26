//! Commands of the text protocol.

use crate::conversation::lines::{line, number, text, words};

/// Bytes of a command's line, at most: many keys of 250 bytes.
pub(super) const LINE: usize = 16 << 10;

/// Bytes of a command's word, at most.
const WORD: usize = 32;

/// Bytes of a key, at most (`KEY_MAX_LENGTH`).
const KEY: usize = 250;

/// How a command is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// By one line.
    Line,
    /// By values, and `END`.
    Values,
    /// By lines, and `END`, or by one other line.
    Lines,
    /// By a line of the meta commands: perhaps not at all where it is quiet. With the opaque token that the client gave,
    /// which comes back.
    Meta { verb: u8, quiet: bool, opaque: u64 },
    /// By `OK`, and then by what the server does.
    Watch,
    /// Never.
    None,
}

/// A command with what its line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub(super) word: &'a str,
    pub(super) answer: Answer,
    /// Bytes of the line, and of the data block behind it with its end.
    pub(super) read: usize,
    pub(super) data: u64,
    /// Whether it is well-formed and of a word that is known.
    pub(super) known: bool,
}

/// Parses the command in the first line of `bytes`, which is whole. `None` for what no client sends.
pub(super) fn parse(bytes: &[u8]) -> Option<Command<'_>> {
    let (text_of, read) = line(bytes)?;
    let mut rest = words(text_of);
    let word = text(rest.next()?).filter(|word| word.len() <= WORD)?;
    let arguments: Vec<&[u8]> = rest.by_ref().take(16).collect();
    let last = rest.last().or_else(|| arguments.last().copied());
    let silent = last == Some(b"noreply");
    let count = arguments.len() - usize::from(silent && arguments.last() == Some(&&b"noreply"[..]));
    let argument = |at: usize| arguments.get(at).copied().unwrap_or_default();
    let is_number = |at: usize| number(argument(at).strip_prefix(b"-").unwrap_or(argument(at))).is_some();
    let is_key = (1..=KEY).contains(&argument(0).len()) && argument(0).iter().all(|byte| *byte > b' ');
    let mut command = Command { word, answer: Answer::Line, read, data: 0, known: true };
    match word {
        "set" | "add" | "replace" | "append" | "prepend" | "cas" => {
            let wanted = if word == "cas" { 5 } else { 4 };
            command.known = is_key && count == wanted && (1..wanted).all(is_number);
            command.data =
                number(argument(3)).filter(|_| command.known).map_or(0, |len| len.saturating_add(2));
        }
        "get" | "gets" => (command.answer, command.known) = (Answer::Values, is_key),
        "gat" | "gats" => (command.answer, command.known) = (Answer::Values, count >= 2 && is_number(0)),
        "delete" => command.known = is_key && count <= 2,
        "incr" | "decr" => command.known = is_key && count == 2 && is_number(1),
        "touch" => command.known = is_key && count == 2 && is_number(1),
        "mg" | "ms" | "md" | "ma" | "me" | "mn" => {
            command.known = (word == "mn" && count == 0) || (word != "mn" && is_key);
            let flags = || arguments.iter().skip(1 + usize::from(word == "ms"));
            let opaque = flags().find(|flag| flag.first() == Some(&b'O')).map_or(0, |flag| token(flag));
            let verb = word.as_bytes().get(1).copied().unwrap_or_default();
            command.answer = Answer::Meta { verb, quiet: flags().any(|flag| *flag == b"q"), opaque };
            if word == "ms" {
                command.known &= is_number(1);
                command.data =
                    number(argument(1)).filter(|_| command.known).map_or(0, |len| len.saturating_add(2));
            }
        }
        "stats" | "lru_crawler" => command.answer = Answer::Lines,
        "slabs" | "lru" | "version" | "flush_all" | "verbosity" | "cache_memlimit" | "shutdown" => {}
        "watch" => command.answer = Answer::Watch,
        "quit" => (command.answer, command.known) = (Answer::None, count == 0),
        _ => command.known = false,
    }
    if silent && !matches!(command.answer, Answer::Values | Answer::Meta { .. }) {
        command.answer = Answer::None;
    }
    Some(command)
}

/// A short name of an opaque token (FNV-1a).
pub(super) fn token(flag: &[u8]) -> u64 {
    flag.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
