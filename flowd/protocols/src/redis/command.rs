//! Commands as a client sends them: an array of bulk strings, or a line.

use crate::conversation::lines::{line, number, words};

/// Bytes that a command's name has at most, and those of its subcommands that matter.
const NAME: u64 = 64;

/// Elements of a command, and bytes of one, at most (`proto-max-bulk-len` and the limit of `networking.c`).
const MOST_ELEMENTS: u64 = 1 << 20;
const MOST_BYTES: u64 = 512 << 20;

/// Bytes of a length with its end, at most.
const LENGTH: usize = 16;

/// Bytes of a command on a line, at most. Redis takes 64 KiB; longer ones than this are hardly typed.
const LINE: usize = 16 << 10;

/// The begin of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub(super) name: &'a [u8],
    /// The arguments behind the name, where they are short and the command is one of which they matter.
    pub(super) first: Option<&'a [u8]>,
    pub(super) second: Option<&'a [u8]>,
    /// Arguments behind the name.
    pub(super) arguments: u64,
    /// Bytes that are read, and arguments behind them.
    pub(super) read: usize,
    pub(super) left: u64,
    pub(super) inline: bool,
}

/// What stands at the front of a client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    Command(Command<'a>),
    /// So many bytes that mean nothing: an empty line or an empty array, which servers pass over.
    Nothing(usize),
    /// So many bytes are needed at least.
    Need(usize),
    Wrong,
}

/// Parses the begin of a command.
pub(super) fn parse(bytes: &[u8]) -> Parsed<'_> {
    match bytes.first() {
        None => Parsed::Need(1),
        Some(b'*') => array(bytes).unwrap_or_else(|parsed| parsed),
        Some(_) => inline(bytes),
    }
}

/// The length in a line such as `$12`, of `kind`; and the bytes of the line.
fn length(bytes: &[u8], kind: u8) -> Result<(u64, usize), Parsed<'_>> {
    let Some(first) = bytes.first() else { return Err(Parsed::Need(1)) };
    if *first != kind {
        return Err(Parsed::Wrong);
    }
    match line(bytes) {
        Some((text, read)) if text.len() + 2 == read && read <= LENGTH => {
            let digits = text.get(1..).unwrap_or_default();
            // "*-1" is an array that is not there.
            if digits == b"-1" {
                return Ok((0, read));
            }
            number(digits).map(|number| (number, read)).ok_or(Parsed::Wrong)
        }
        Some(_) => Err(Parsed::Wrong),
        None if bytes.len() >= LENGTH => Err(Parsed::Wrong),
        None if !bytes.iter().skip(1).all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'\r')) => {
            Err(Parsed::Wrong)
        }
        None => Err(Parsed::Need(bytes.len() + 1)),
    }
}

/// A bulk string of at most [`NAME`] bytes at `at`, and where the next element begins. `None` for a longer one.
fn short(bytes: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, Parsed<'_>> {
    let need = |parsed| match parsed {
        Parsed::Need(more) => Parsed::Need(at + more),
        parsed => parsed,
    };
    let (len, read) = length(bytes.get(at..).unwrap_or_default(), b'$').map_err(need)?;
    if len > NAME {
        return Ok(None);
    }
    let (begin, end) = (at + read, at + read + len as usize);
    match (bytes.get(begin..end), bytes.get(end..end + 2)) {
        (Some(text), Some(b"\r\n")) => Ok(Some((text, end + 2))),
        (Some(_), Some(_)) => Err(Parsed::Wrong),
        _ => Err(Parsed::Need(end + 2)),
    }
}

fn array(bytes: &[u8]) -> Result<Parsed<'_>, Parsed<'_>> {
    let (elements, at) = length(bytes, b'*')?;
    if elements == 0 {
        return Ok(Parsed::Nothing(at));
    }
    if elements > MOST_ELEMENTS {
        return Err(Parsed::Wrong);
    }
    let Some((name, read)) = short(bytes, at)? else { return Err(Parsed::Wrong) };
    if !is_name(name) {
        return Err(Parsed::Wrong);
    }
    let arguments = elements - 1;
    let mut command = Command { name, arguments, read, left: arguments, ..Command::default() };
    let matters = [&b"CLIENT"[..], b"REPLCONF"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if matters && arguments > 1 {
        for at in 0..2 {
            let Some((text, read)) = short(bytes, command.read)? else { break };
            *(if at == 0 { &mut command.first } else { &mut command.second }) = Some(text);
            (command.read, command.left) = (read, command.left - 1);
        }
    }
    Ok(Parsed::Command(command))
}

/// RESP, "Inline commands": words between blanks on a line. Empty lines are passed over.
fn inline(bytes: &[u8]) -> Parsed<'_> {
    let whole = line(bytes);
    // The same of a line that has ended as of one that has not, which may come in segments of any size.
    let begin = whole.map_or(bytes, |(text, _)| text);
    if !begin.iter().take(NAME as usize).all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\t' | 0x80..)) {
        return Parsed::Wrong;
    }
    let Some((text, read)) = whole else {
        return if bytes.len() < LINE { Parsed::Need(bytes.len() + 1) } else { Parsed::Wrong };
    };
    if read > LINE {
        return Parsed::Wrong;
    }
    let mut words = words(text);
    let Some(name) = words.next() else { return Parsed::Nothing(read) };
    if !is_name(name) {
        return Parsed::Wrong;
    }
    let (first, second) = (words.next(), words.next());
    let known = usize::from(first.is_some()) + usize::from(second.is_some());
    let arguments = (known + words.count()) as u64;
    Parsed::Command(Command { name, first, second, arguments, read, left: 0, inline: true })
}

/// Whether a command may be named so: modules name theirs with points and the like.
fn is_name(name: &[u8]) -> bool {
    name.len() <= NAME as usize
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':' | b'|'))
}

/// How many bytes of `bytes` are arguments of which `left` are to come, whether there or not; and how many come behind
/// them. As [`Parsed`] where the next one cannot be read.
pub(super) fn arguments(bytes: &[u8], mut left: u64) -> Result<(usize, u64), Parsed<'_>> {
    let mut at = 0;
    while left > 0 && at < bytes.len() {
        match length(bytes.get(at..).unwrap_or_default(), b'$') {
            Ok((len, read)) if len <= MOST_BYTES => {
                let end = at + read + len as usize;
                if !b"\r\n".starts_with(bytes.get(end..bytes.len().min(end + 2)).unwrap_or_default()) {
                    return Err(Parsed::Wrong);
                }
                (at, left) = (end + 2, left - 1);
            }
            Ok(_) => return Err(Parsed::Wrong),
            Err(Parsed::Need(_)) if at > 0 => break,
            Err(parsed) => return Err(parsed),
        }
    }
    Ok((at, left))
}
