//! Where the programs are attached, and in which order beside others.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where the programs are attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hook {
    /// TCX where the kernel has it, else clsact.
    #[default]
    Auto,
    /// Links of TCX.
    Tcx,
    /// Filters of the clsact qdisc.
    Clsact,
    /// Ingress by XDP; egress as with `auto`.
    Xdp,
}

/// Who runs the program of [`Hook::Xdp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XdpMode {
    /// The driver where it can, else the kernel.
    #[default]
    Auto,
    /// The driver.
    Native,
    /// The kernel.
    Generic,
}

/// Before or behind the programs of others that have the same hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Everything counts that reaches the hook.
    #[default]
    First,
    /// What others let through counts.
    Last,
    /// Right before the program of this name.
    Before(String),
    /// Right behind it.
    After(String),
}

impl Order {
    /// True where it names a program of others.
    #[must_use]
    pub const fn is_relative(&self) -> bool {
        matches!(self, Self::Before(_) | Self::After(_))
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Names of filters may have further colons.
        match text.split_once(':') {
            None if text == "first" => Ok(Self::First),
            None if text == "last" => Ok(Self::Last),
            Some(("before", name)) if !name.is_empty() => Ok(Self::Before(name.to_owned())),
            Some(("after", name)) if !name.is_empty() => Ok(Self::After(name.to_owned())),
            _ => Err(format!("\"{text}\" is none of first, last, before:NAME, after:NAME")),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::Before(name) => write!(f, "before:{name}"),
            Self::After(name) => write!(f, "after:{name}"),
        }
    }
}

impl Serialize for Order {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_they_are_written() {
        for text in ["first", "last", "before:cil_from_netdev", "after:a.o:[classifier]"] {
            let order: Order = text.parse().unwrap();
            assert_eq!((order.to_string(), order.is_relative()), (text.to_owned(), text.contains(':')));
        }
        for text in ["", "First", "before", "before:", "behind:x", "last:x"] {
            assert!(text.parse::<Order>().unwrap_err().contains("before:NAME"), "{text}");
        }
    }
}
