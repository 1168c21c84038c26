//! Zones: names for nets.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Place};

/// Zones that exist without being named: what no configured net holds.
pub const BUILT_IN: [&str; 4] = ["internet", "private", "link-local", "multicast"];
/// Zones that can be named: metrics tell pairs of them apart.
const MAX_ZONES: usize = 4_096;
/// Nets over all zones.
const MAX_NETS: usize = 1_000_000;
/// Notes that are printed of one kind.
const MAX_NOTES: usize = 20;
/// Bytes of a name; it becomes a label value.
const MAX_NAME: usize = 64;

/// Names of nets, and which of them are ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Zones {
    /// Zones on our side of the network.
    pub home: Vec<String>,
    /// Nets by the name of their zone.
    #[serde(flatten)]
    pub nets: BTreeMap<String, Vec<String>>,
}

impl Default for Zones {
    fn default() -> Self {
        let home = ["private", "link-local", "multicast"].map(str::to_owned).to_vec();
        Self { home, nets: BTreeMap::new() }
    }
}

/// A net with the name of its zone and its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net<'a> {
    pub zone: &'a str,
    pub number: usize,
    pub net: IpNetwork,
}

/// What is wrong with a zone, and where: zone, and number of the net in its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    zone: String,
    number: Option<usize>,
    message: String,
    /// Another net that has to do with it.
    other: Option<(String, usize)>,
}

impl Zones {
    /// Every net.
    ///
    /// # Errors
    /// Says what is no net, and what stands twice.
    pub(super) fn parse(&self) -> Result<Vec<Net<'_>>, Fault> {
        let mut nets: Vec<Net<'_>> = Vec::new();
        let mut seen: HashMap<IpNetwork, (&str, usize)> = HashMap::new();
        let fault =
            |zone: &str, number, message| Fault { zone: zone.to_owned(), number, message, other: None };
        if self.nets.len() > MAX_ZONES {
            let message = format!("{} zones, and {MAX_ZONES} are allowed: join some", self.nets.len());
            return Err(fault("", None, message));
        }
        for (zone, list) in &self.nets {
            if zone.is_empty() || zone.len() > MAX_NAME || matches!(zone.as_str(), "other" | "retired") {
                let message = format!(
                    "\"{zone}\" cannot name a zone: use 1 to {MAX_NAME} bytes, and neither other nor retired"
                );
                return Err(fault(zone, None, message));
            }
            for (number, text) in list.iter().enumerate() {
                let net = net(text).map_err(|message| fault(zone, Some(number), message))?;
                if let Some((other, at)) = seen.insert(net, (zone, number))
                    && other != zone
                {
                    let message =
                        format!("{net} is in zone \"{zone}\" and in zone \"{other}\": take it out of one");
                    let other = Some((other.to_owned(), at));
                    return Err(Fault { other, ..fault(zone, Some(number), message) });
                }
                nets.push(Net { zone, number, net });
            }
        }
        if nets.len() > MAX_NETS {
            let message = format!("{} nets, and {MAX_NETS} are allowed: join some", nets.len());
            return Err(fault("", None, message));
        }
        for name in &self.home {
            if !BUILT_IN.contains(&name.as_str()) && !self.nets.contains_key(name) {
                let message = format!(
                    "home = \"{name}\" is no zone: home lists names of zones, those of [zones] or {}",
                    BUILT_IN.join(", ")
                );
                return Err(fault("home", None, message));
            }
        }
        Ok(nets)
    }

    /// Every net; those that cannot be used are left out, as [`super::Config::validate`] names them.
    #[must_use]
    pub fn nets(&self) -> Vec<Net<'_>> {
        self.parse().unwrap_or_default()
    }

    /// What is allowed but worth knowing: nets that stand twice, and which of two that overlap wins.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut nets = self.nets();
        nets.sort_by_key(|net| (net.net.ip(), net.net.prefix()));
        let mut notes = Vec::new();
        let mut outer: Vec<Net<'_>> = Vec::new();
        for net in nets {
            while outer.last().is_some_and(|outer| !outer.net.contains(net.net.ip())) {
                outer.pop();
            }
            if let Some(around) = outer.last() {
                if around.net == net.net {
                    notes.push(format!("zone \"{}\": {} stands there twice", net.zone, net.net));
                } else if around.zone != net.zone {
                    notes.push(format!(
                        "zone \"{}\": {} lies in {} of zone \"{}\"; \"{}\" wins there, as its prefix is longer",
                        net.zone, net.net, around.net, around.zone, net.zone
                    ));
                }
            }
            outer.push(net);
        }
        if notes.len() > MAX_NOTES {
            let more = notes.len() - MAX_NOTES;
            notes.truncate(MAX_NOTES);
            notes.push(format!("and {more} more like these"));
        }
        notes
    }

    pub(super) fn validate(&self, origin: &str) -> Result<(), ConfigError> {
        self.parse().map(drop).map_err(|fault| ConfigError::Section {
            origin: origin.to_owned(),
            section: "zones",
            message: fault.message,
        })
    }

    /// The same, naming lines of the file's `text`.
    pub(super) fn check(&self, file: &str, text: &str) -> Result<(), ConfigError> {
        self.parse().map(drop).map_err(|fault| fault.at(file, text))
    }
}

impl Fault {
    fn at(self, file: &str, text: &str) -> ConfigError {
        let place = |zone: &str, number: Option<usize>| {
            let table = DeTable::parse(text).ok()?;
            let zones = table.get_ref().get("zones")?;
            let DeValue::Table(nets) = zones.get_ref() else { return None };
            let Some((key, list)) = nets.iter().find(|(key, _)| key.get_ref().as_ref() == zone) else {
                return Some(Place::at(file, text, zones.span().start));
            };
            let item = match (list.get_ref(), number) {
                (DeValue::Array(items), Some(number)) => items.get(number).map(|item| item.span().start),
                _ => None,
            };
            Some(Place::at(file, text, item.unwrap_or(key.span().start)))
        };
        let here = place(&self.zone, self.number).unwrap_or_else(|| Place::at(file, text, 0));
        let mut message = self.message;
        if let Some(other) = self.other.and_then(|(zone, number)| place(&zone, Some(number))) {
            let _ = write!(message, " (the other is in line {})", other.line);
        }
        ConfigError::Syntax { place: here, message }
    }
}

/// A net without host bits; an address stands for itself.
fn net(text: &str) -> Result<IpNetwork, String> {
    let net: IpNetwork = text.parse().map_err(|_| {
        format!(
            "\"{text}\" is no net: write IPv4 or IPv6 with a prefix length, as in 10.0.0.0/8 or 2001:db8::/32"
        )
    })?;
    let network = net.network();
    if network != net.ip() {
        let prefix = net.prefix();
        return Err(format!("\"{text}\" has bits set behind its prefix: the net is {network}/{prefix}"));
    }
    Ok(net)
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn error(text: &str) -> String {
        Config::parse("f.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn free_names_are_zones() {
        let text = "[zones]\nhome = [\"office\"]\noffice = [\"10.1.0.0/16\", \"2001:db8::/32\"]\n\"data center\" = [\"192.0.2.1\"]\n";
        let config = Config::parse("f.toml", text).unwrap();
        config.validate("f.toml").unwrap();
        let nets: Vec<String> =
            config.zones.nets().iter().map(|net| format!("{} {}", net.zone, net.net)).collect();
        assert_eq!(nets, ["data center 192.0.2.1/32", "office 10.1.0.0/16", "office 2001:db8::/32"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let host = error("[zones]\noffice = [\n  \"10.1.0.0/16\",\n  \"10.2.0.5/16\",\n]\n");
        assert_eq!(
            host,
            "f.toml, line 4: \"10.2.0.5/16\" has bits set behind its prefix: the net is 10.2.0.0/16"
        );
        let twice = error("[zones]\na = [\"10.0.0.0/8\"]\n# two\nb = [\"10.0.0.0/8\"]\n");
        assert!(
            twice.starts_with("f.toml, line 4: 10.0.0.0/8 is in zone \"b\" and in zone \"a\""),
            "{twice}"
        );
        assert!(twice.ends_with("(the other is in line 2)"), "{twice}");
        assert!(error("[zones]\na = [\"10.0.0.0/33\"]\n").contains("line 2: \"10.0.0.0/33\" is no net"));
        assert!(error("[zones]\na = [\"ff:aa\"]\n").contains("is no net"));
        assert!(error("[zones]\nother = []\n").contains("line 2: \"other\" cannot name a zone"));
        assert!(
            error("[zones]\n\nhome = [\"10.0.0.0/8\"]\n")
                .contains("line 3: home = \"10.0.0.0/8\" is no zone")
        );
        assert!(error("[zones]\na = 5\n").starts_with("f.toml, line "));
    }

    #[test]
    fn overlaps_say_which_wins() {
        let text =
            "[zones]\na = [\"10.0.0.0/8\", \"10.0.0.0/8\"]\nb = [\"10.1.0.0/16\"]\nc = [\"11.0.0.0/8\"]\n";
        let notes = Config::parse("f.toml", text).unwrap().zones.notes();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("10.0.0.0/8 stands there twice"), "{notes:?}");
        assert!(notes[1].contains("10.1.0.0/16 lies in 10.0.0.0/8 of zone \"a\"; \"b\" wins"), "{notes:?}");
    }
}
