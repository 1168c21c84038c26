//! Times in records: nanoseconds inside, RFC 3339 and microseconds in JSON.

use std::cell::Cell;

use serde::Serializer;

/// Bytes of `2026-11-29T09:02:51.078845710Z`, and of what stands there before the fraction.
const LEN: usize = 30;
const SECOND_LEN: usize = 19;

thread_local! {
    /// The last seconds that were asked for, plus one, and their texts: a record asks for its first and its last time
    /// by turns, and a calendar takes longer than all the rest of a time's text.
    static SECONDS: [Cell<(u64, [u8; SECOND_LEN])>; 16] = const { [const { Cell::new((0, [0; SECOND_LEN])) }; 16] };
}

/// Nanoseconds since the epoch as RFC 3339 with nine digits, in UTC.
#[must_use]
pub fn time_text(nanoseconds: u64) -> String {
    with_text(nanoseconds, str::to_owned)
}

fn with_text<T>(nanoseconds: u64, work: impl FnOnce(&str) -> T) -> T {
    let mut text = [b'Z'; LEN];
    let written = second(nanoseconds / 1_000_000_000).and_then(|second| {
        let (whole, fraction) = text.split_first_chunk_mut::<SECOND_LEN>()?;
        *whole = second;
        let [point, digits @ .., _] = fraction else { return None };
        *point = b'.';
        let mut rest = nanoseconds % 1_000_000_000;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Some(())
    });
    // 64 bits of nanoseconds end in the year 2554: there is a text for each.
    work(written.and_then(|()| str::from_utf8(&text).ok()).unwrap_or_default())
}

/// `2026-11-29T09:02:51`.
fn second(seconds: u64) -> Option<[u8; SECOND_LEN]> {
    SECONDS.with(|known| {
        let place = known.get(seconds as usize % known.len())?;
        let (last, text) = place.get();
        if last == seconds + 1 {
            return Some(text);
        }
        let time = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
        let text = *time.to_string().as_bytes().first_chunk()?;
        place.set((seconds + 1, text));
        Some(text)
    })
}

/// Nanoseconds as microseconds. Exact for durations up to 104 days: an f64 has 53 bits.
#[must_use]
pub fn micros(ns: u64) -> f64 {
    ns as f64 / 1000.0
}

/// For serde: a time in nanoseconds since the epoch as RFC 3339.
///
/// # Errors
/// Those of the serializer.
pub fn rfc3339<S: Serializer>(nanoseconds: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    with_text(*nanoseconds, |text| serializer.serialize_str(text))
}

/// For serde: the same, `null` where unknown.
///
/// # Errors
/// Those of the serializer.
pub fn rfc3339_option<S: Serializer>(nanoseconds: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match nanoseconds {
        Some(nanoseconds) => rfc3339(nanoseconds, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::time_text;

    proptest! {
        #[test]
        fn every_time_has_the_text_that_the_calendar_gives(times in prop::collection::vec(any::<u64>(), 1..4)) {
            for time in times {
                for near in [time, time.saturating_add(1), time.saturating_add(1_000_000_000), time, 0, u64::MAX] {
                    let calendar = jiff::Timestamp::from_nanosecond(i128::from(near)).unwrap();
                    prop_assert_eq!(time_text(near), format!("{calendar:.9}"));
                }
            }
        }
    }
}
