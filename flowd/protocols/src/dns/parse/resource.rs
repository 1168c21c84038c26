//! Resource records (RFC 1035 section 4.1.3), and their data as text.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{bytes::u16_at, name};
use crate::{dns::iana, escape::escape};

/// Bytes of data that are shown of records without a text of their own.
const MAX_DATA: usize = 64;

/// A complete record: its parts by their places in the message.
pub(super) struct Record {
    pub(super) kind: u16,
    pub(super) ttl: u32,
    data: usize,
    /// Where the next record begins.
    pub(super) end: usize,
}

impl Record {
    /// The record at `at`; `None` where the message ends before it does.
    pub(super) fn at(message: &[u8], at: usize) -> Option<Self> {
        let fixed = name::skip(message, at)?;
        let kind = u16_at(message, fixed)?;
        let ttl = u32::from(u16_at(message, fixed + 4)?) << 16 | u32::from(u16_at(message, fixed + 6)?);
        let data = fixed + 10;
        let end = data + usize::from(u16_at(message, fixed + 8)?);
        (end <= message.len()).then_some(Self { kind, ttl, data, end })
    }

    /// The data as a zone file would have it, without the record's name and type where it is an address or a name.
    pub(super) fn text(&self, message: &[u8]) -> String {
        self.known(message).unwrap_or_else(|| self.unknown(message))
    }

    fn known(&self, message: &[u8]) -> Option<String> {
        let data = message.get(self.data..self.end)?;
        let word = |at: usize| u16_at(data, at);
        let name = |at: usize| name::read(message, self.data + at).map(|(name, _)| name);
        match iana::known(&iana::TYPES, self.kind)? {
            "A" => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string()),
            "AAAA" => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string()),
            "NS" | "CNAME" | "PTR" | "DNAME" => name(0),
            "MX" => Some(format!("{} {}", word(0)?, name(2)?)),
            "SRV" => Some(format!("{} {} {} {}", word(0)?, word(2)?, word(4)?, name(6)?)),
            "SOA" => {
                let (primary, end) = name::read(message, self.data)?;
                Some(format!("{primary} {}", name::read(message, end)?.0))
            }
            "TXT" | "SPF" => strings(data),
            _ => None,
        }
    }

    /// Type, length and data in hexadecimal (RFC 3597 section 5), cut.
    fn unknown(&self, message: &[u8]) -> String {
        let data = message.get(self.data..self.end).unwrap_or_default();
        let mut text = format!("{} \\# {} ", iana::kind(self.kind), data.len());
        for byte in data.iter().take(MAX_DATA) {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.trim_end().to_owned()
    }
}

/// Character strings in quotes (RFC 1035 section 3.3.14), at most [`MAX_DATA`] bytes of each.
fn strings(mut data: &[u8]) -> Option<String> {
    let mut text = String::new();
    while let Some((len, rest)) = data.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(*len))?;
        text.push_str(if text.is_empty() { "\"" } else { " \"" });
        escape(&mut text, string.get(..MAX_DATA).unwrap_or(string), b"\"");
        text.push('"');
        data = rest;
    }
    Some(text)
}
