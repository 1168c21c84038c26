//! The least and the most that a value may be.

use std::{fmt::Display, ops::RangeInclusive};

use super::error::ConfigError;

/// Whether the value of `key` is in its range; `origin` is where it came from.
///
/// # Errors
/// Names the origin, the key, its value and the range.
pub(super) fn within<T: Copy + PartialOrd + Display>(
    origin: &str,
    key: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    let remedy = format!("use a value from {} to {}", range.start(), range.end());
    Err(ConfigError::Value { origin: origin.to_owned(), key: key.into(), value: value.to_string(), remedy })
}
