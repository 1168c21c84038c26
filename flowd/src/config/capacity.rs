//! The table `[capacity]`.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, str::FromStr};

use globset::Glob;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ConfigError, Span};

const HOLD: RangeInclusive<Span> = Span::seconds(1)..=Span::seconds(3_600);

/// How full links are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// Bytes are kept by the millisecond: without, there are no peaks, bursts or samples.
    pub windows: bool,
    /// How long a peak is shown at least.
    pub hold: Span,
    /// Share of a link's speed over which a window is a burst.
    pub burst_share: Share,
    /// Speeds of uplinks that are slower than their port, by pattern of interface.
    pub speeds: BTreeMap<String, Rate>,
}

/// A share, above 0 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(pub f64);

// Not a number is no share.
impl Eq for Share {}

/// The speed of a link, bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u64);

const RATES: [(&str, u64); 3] = [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1_000)];

impl Default for Capacity {
    fn default() -> Self {
        Self { windows: true, hold: Span::seconds(30), burst_share: Share(0.9), speeds: BTreeMap::new() }
    }
}

impl Capacity {
    /// How long a peak is shown, ms: two intervals at least, as scrapes see it only at the end of one.
    #[must_use]
    pub fn hold(&self, interval: Span) -> u64 {
        (self.hold.nanos().max(interval.nanos().saturating_mul(2))) / 1_000_000
    }

    /// The speed that is configured for an interface, bytes per second. Of several patterns that match, the longest
    /// counts.
    #[must_use]
    pub fn speed(&self, interface: &str) -> Option<u64> {
        let matches =
            |pattern: &str| Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(interface));
        let matching = self.speeds.iter().filter(|(pattern, _)| matches(pattern));
        matching.max_by_key(|(pattern, _)| pattern.len()).map(|(_, rate)| rate.0 / 8)
    }

    pub(super) fn validate(&self, origin: &str) -> Result<(), ConfigError> {
        super::range::within(origin, "capacity.hold", self.hold, HOLD)?;
        let share = self.burst_share.0;
        if !(share > 0.0 && share <= 1.0) {
            let remedy = "use a share of the link's speed above 0 and up to 1".to_owned();
            let (origin, value) = (origin.to_owned(), share.to_string());
            return Err(ConfigError::Value { origin, key: "capacity.burst_share".into(), value, remedy });
        }
        for (pattern, rate) in &self.speeds {
            let fail = |message| {
                Err(ConfigError::Section { origin: origin.to_owned(), section: "capacity", message })
            };
            if let Err(error) = Glob::new(pattern) {
                let kind = error.kind();
                return fail(format!("speeds.\"{pattern}\": not a pattern ({kind}); write as in \"eth*\""));
            }
            if rate.0 == 0 {
                return fail(format!("speeds.\"{pattern}\" = 0: a link has a speed, as in \"1Gbit\""));
            }
        }
        Ok(())
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        super::units::parse(text, &RATES).map(Self).ok_or_else(|| {
            format!("\"{text}\" is no speed; write a whole number and kbit, Mbit or Gbit, as in \"250Mbit\"")
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::units::print(f, self.0, &RATES)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Span};

    #[test]
    fn the_longest_pattern_gives_the_speed() {
        let text = "[capacity.speeds]\n\"wan*\" = \"1Gbit\"\nwan1 = \"250Mbit\"\n";
        let capacity = Config::parse("f", text).unwrap().capacity;
        assert_eq!(capacity.speed("wan0"), Some(125_000_000));
        assert_eq!(capacity.speed("wan1"), Some(31_250_000));
        assert_eq!(capacity.speed("lan0"), None);
    }

    #[test]
    fn peaks_are_held_for_two_intervals_at_least() {
        let capacity = Config::default().capacity;
        assert_eq!(capacity.hold(Span::seconds(10)), 30_000);
        assert_eq!(capacity.hold(Span::seconds(60)), 120_000);
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_remedy() {
        for (text, parts) in [
            ("[capacity]\nhold = \"0s\"\n", ["capacity.hold = 0", "from 1s"]),
            ("[capacity]\nburst_share = 0.0\n", ["capacity.burst_share = 0", "above 0"]),
            ("[capacity]\nburst_share = nan\n", ["capacity.burst_share", "above 0"]),
            ("[capacity.speeds]\nwan = \"0Gbit\"\n", ["speeds.\"wan\" = 0", "1Gbit"]),
            ("[capacity.speeds]\n\"wan[\" = \"1Gbit\"\n", ["speeds.\"wan[\"", "eth*"]),
            ("[capacity.speeds]\nwan = \"1000\"\n", ["line 2", "250Mbit"]),
            ("[capacity]\nburst = 0.5\n", ["line 2", "capacity.burst_share"]),
        ] {
            let error = match Config::parse("f.toml", text) {
                Ok(config) => config.validate("f.toml").unwrap_err().to_string(),
                Err(error) => error.to_string(),
            };
            assert!(parts.iter().all(|part| error.contains(part)) && !error.contains('\n'), "{error}");
        }
    }
}
