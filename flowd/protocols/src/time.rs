//! Times in records: nanoseconds inside, RFC 3339 and microseconds in JSON.

use serde::Serializer;

/// Nanoseconds since the epoch as RFC 3339 with nine digits, in UTC.
#[must_use]
pub fn time_text(nanoseconds: u64) -> String {
    let Ok(time) = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)) else {
        return String::new();
    };
    format!("{time:.9}")
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
    serializer.serialize_str(&time_text(*nanoseconds))
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
