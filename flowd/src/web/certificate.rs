//! From when to when a certificate holds: the one field that flowd reads of it by itself (X.509 in DER, RFC 5280
//! section 4.1). Whether it is a good one is the client's to judge.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, civil, tz::TimeZone};

/// A certificate that ends so soon is worth a word.
const SOON: Duration = Duration::from_secs(14 * 86_400);

const SEQUENCE: u8 = 0x30;
/// `[0] EXPLICIT`, the version.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From the first moment to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Validity {
    /// Of a certificate in DER; none of what is no such thing.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = element(certificate, SEQUENCE)?;
        let (mut signed, _) = element(certificate, SEQUENCE)?;
        if signed.first() == Some(&VERSION) {
            signed = element(signed, VERSION)?.1;
        }
        // Serial number, signature algorithm and issuer come before it.
        for _ in 0..3 {
            signed = any(signed)?.2;
        }
        let (dates, _) = element(signed, SEQUENCE)?;
        let (from, rest) = time(dates)?;
        Some(Self { from, to: time(rest)?.0 })
    }

    /// What is to be said of it at `now`, if anything.
    pub(super) fn remark(self, now: SystemTime) -> Option<String> {
        let now = Timestamp::try_from(now).ok()?;
        let day = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
        if now < self.from {
            return Some(format!("it holds only from {} on", day(self.from)));
        }
        if now > self.to {
            return Some(format!("it has expired, on {}", day(self.to)));
        }
        let soon = now.checked_add(SOON).is_ok_and(|soon| soon > self.to);
        soon.then(|| format!("it expires on {}", day(self.to)))
    }
}

/// Tag, content and what follows of the first element. Lengths above 64 KiB are no certificate's.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Content of the first element, and what follows, where it has that tag.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    any(der).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// RFC 5280 section 4.1.2.5: always with seconds, always in UTC.
fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (tag, content, rest) = any(der)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, text) = match tag {
        UTC_TIME => {
            let (year, text) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2_000 + year } else { 1_900 + year }, text)
        }
        GENERALIZED_TIME => {
            let (year, text) = text.split_at_checked(4)?;
            (year.parse().ok()?, text)
        }
        _ => return None,
    };
    let field = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    if text.len() != 10 {
        return None;
    }
    let moment = civil::DateTime::new(year, field(0)?, field(2)?, field(4)?, field(6)?, field(8)?, 0).ok()?;
    Some((TimeZone::UTC.to_timestamp(moment).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        if length < 0x80 {
            [&[tag, length], content].concat()
        } else {
            [&[tag, 0x81, length], content].concat()
        }
    }

    /// As much of a certificate as is read, and some that is not.
    fn certificate(version: bool, from: &[u8], to: &[u8]) -> Vec<u8> {
        let dates = wrapped(SEQUENCE, &[from, to].concat());
        let version = if version { wrapped(VERSION, &[2, 1, 2]) } else { Vec::new() };
        let serial = wrapped(2, &[7; 20]);
        let (algorithm, name) = (wrapped(SEQUENCE, &[5, 0]), wrapped(SEQUENCE, &[0x31; 40]));
        let signed =
            wrapped(SEQUENCE, &[version, serial, algorithm.clone(), name.clone(), dates, name].concat());
        wrapped(SEQUENCE, &[signed, algorithm, wrapped(3, &[0; 16])].concat())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let utc = |text: &str| wrapped(UTC_TIME, text.as_bytes());
        let general = |text: &str| wrapped(GENERALIZED_TIME, text.as_bytes());
        for version in [true, false] {
            let der = certificate(version, &utc("261129000000Z"), &general("20510228235959Z"));
            let validity = Validity::of(&der).unwrap();
            assert_eq!(
                validity,
                Validity { from: at("2026-11-29T00:00:00Z"), to: at("2051-02-28T23:59:59Z") }
            );
        }
        assert_eq!(
            Validity::of(&certificate(true, &utc("500101000000Z"), &utc("491231235959Z"))).unwrap(),
            Validity { from: at("1950-01-01T00:00:00Z"), to: at("2049-12-31T23:59:59Z") }
        );
        for wrong in ["261329000000Z", "2611290000Z", "261129000000", "26112900000xZ", ""] {
            assert_eq!(Validity::of(&certificate(true, &utc(wrong), &utc("261129000000Z"))), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_read_or_not_and_nothing_else() {
        let time = wrapped(UTC_TIME, b"261129000000Z");
        let der = certificate(true, &time, &time);
        for length in 0..der.len() {
            let _ = Validity::of(&der[..length]);
            for value in [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x83, 0xff] {
                let mut changed = der.clone();
                changed[length] = value;
                let _ = Validity::of(&changed);
            }
        }
    }

    #[test]
    fn a_word_comes_before_the_end() {
        let validity = Validity { from: at("2026-01-01T00:00:00Z"), to: at("2026-12-01T00:00:00Z") };
        let remark = |now: &str| validity.remark(SystemTime::from(at(now)));
        assert!(remark("2025-12-31T23:59:59Z").unwrap().contains("only from 2026-01-01"));
        assert_eq!(remark("2026-11-16T00:00:00Z"), None);
        assert!(remark("2026-11-18T00:00:00Z").unwrap().contains("expires on 2026-12-01 00:00 UTC"));
        assert!(remark("2026-12-01T00:00:01Z").unwrap().contains("has expired"));
    }
}
