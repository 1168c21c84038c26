//! The table `[governor]`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What the daemon may cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Governor {
    /// Processor time of the threads that read packets and write logs, as a share of one core.
    pub cpu: Budget,
}

/// A share of one core, or none: then nothing is governed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Hundredths of a percent; 0: off.
    hundredths: u32,
}

/// More cores than any machine has.
const MOST: u32 = 10_000 * 4_096;

impl Default for Governor {
    fn default() -> Self {
        Self { cpu: Budget { hundredths: 200 } }
    }
}

impl Budget {
    /// Nothing is governed.
    pub const OFF: Self = Self { hundredths: 0 };

    /// Of one core; `None` where it is off.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.hundredths > 0).then(|| f64::from(self.hundredths) / 10_000.0)
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if ["off", "0", "0%"].contains(&text.trim()) {
            return Ok(Self::OFF);
        }
        let number = text.trim().strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
        let hundredths = number.map(|percent| (percent * 100.0).round());
        // What rounds to nothing would be off, which nobody has asked for.
        match hundredths.filter(|share| (1.0..=f64::from(MOST)).contains(share)) {
            Some(share) => Ok(Self { hundredths: share as u32 }),
            None => Err(format!(
                "\"{text}\" is no share of a core; write percent from 0.01% on, as in \"2%\", or \"off\""
            )),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hundredths {
            0 => f.write_str("off"),
            share => write!(f, "{}%", f64::from(share) / 100.0),
        }
    }
}

impl Serialize for Budget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Budget;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share of a core as in \"2%\", or \"off\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Budget, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Budget, E> {
                // Without a unit only nothing is clear.
                number.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn read(value: &str) -> Result<Option<f64>, String> {
        let config = Config::parse("f", &format!("[governor]\ncpu = {value}\n"));
        config.map(|config| config.governor.cpu.share()).map_err(|error| error.to_string())
    }

    #[test]
    fn shares_of_one_core() {
        assert_eq!(Config::default().governor.cpu.share(), Some(0.02));
        for (text, share) in
            [("\"2%\"", 0.02), ("\"0.5 %\"", 0.005), ("\"0.01%\"", 0.0001), ("\"150%\"", 1.5)]
        {
            assert_eq!(read(text), Ok(Some(share)), "{text}");
        }
        for text in ["\"off\"", "\"0\"", "\"0%\"", "0"] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in ["off", "2%", "0.5%", "0.01%", "150%"] {
            assert_eq!(text.parse::<super::Budget>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["2", "\"2\"", "\"-1%\"", "\"0.001%\"", "\"nan%\"", "\"inf%\"", "\"two\"", "true", "0.02"]
        {
            let error = read(text).unwrap_err();
            assert!(error.contains("\"2%\"") && error.starts_with("f, line 2"), "{text}: {error}");
        }
    }
}
