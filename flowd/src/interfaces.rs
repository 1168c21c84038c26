//! Network interfaces of this host, as /sys and /proc show them, and which of them to watch.

mod routes;
mod table;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use flow_common::{
    names::MAX_IFINDEX,
    settings::{LINK_ETHERNET, LINK_RAW},
};
use globset::{Glob, GlobSet, GlobSetBuilder};
pub use table::table;

const ARPHRD_ETHER: u32 = 1;
const ARPHRD_LOOPBACK: u32 = 772;

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub ifindex: u32,
    /// Link-layer address, empty where the device has none.
    pub mac: String,
    pub mtu: u32,
    /// The kernel's word: `up`, `down`, `unknown`, ...
    pub state: String,
    /// ARPHRD number of the kernel.
    pub kind: u32,
    /// Bytes per second, where the device tells.
    pub speed: Option<u64>,
    /// There is hardware behind it, which counts frames as they cross the wire; a virtual device counts
    /// what the kernel hands it, super-packets of segmentation offload included.
    pub physical: bool,
    pub default_route: bool,
}

/// The kernel's own counters of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
}

/// No interfaces to watch, or none that can be.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    /// /sys or /proc cannot be read.
    #[error("cannot read {}: {source}; flowd needs /proc and /sys mounted", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("interface pattern \"{pattern}\" is not valid: {reason}; write as in \"eth*\"")]
    Pattern { pattern: String, reason: String },
    #[error("no interface matches \"{pattern}\"; there are: {existing}")]
    NoMatch { pattern: String, existing: String },
    #[error("every interface that is asked for is left out by {excludes}; there are: {existing}")]
    Excluded { excludes: String, existing: String },
    #[error("no interface holds a default route; name one with -i, there are: {existing}")]
    NoDefault { existing: String },
    #[error(
        "interface {name} has index {ifindex}, flowd can watch indices below {MAX_IFINDEX}; make it anew"
    )]
    IndexTooLarge { name: String, ifindex: u32 },
}

impl Interface {
    /// [`LINK_ETHERNET`] or [`LINK_RAW`]: what its packets begin with.
    #[must_use]
    pub const fn link(&self) -> u8 {
        match self.kind {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => LINK_ETHERNET,
            _ => LINK_RAW,
        }
    }

    /// True for the loopback device, where each packet passes out and in at one place.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.kind == ARPHRD_LOOPBACK
    }
}

/// Every interface of this network namespace, by index.
///
/// # Errors
/// Fails where /sys cannot be read.
pub fn list() -> Result<Vec<Interface>, InterfaceError> {
    let root = Path::new("/sys/class/net");
    let routed = routes::default_interfaces();
    let entries = fs::read_dir(root).map_err(|source| read_error(root, source))?;
    let mut found: Vec<Interface> =
        entries.flatten().filter_map(|entry| read(&entry.path(), &routed)).collect();
    found.sort_by_key(|interface| interface.ifindex);
    Ok(found)
}

/// `None` for files that are no interface, and for interfaces that vanish meanwhile.
fn read(path: &Path, routed: &[String]) -> Option<Interface> {
    let name = path.file_name()?.to_str()?.to_owned();
    let text = |file: &str| fs::read_to_string(path.join(file)).ok().map(|text| text.trim().to_owned());
    let number = |file: &str| text(file)?.parse::<u32>().ok();
    let mac = text("address").filter(|mac| mac.chars().any(|digit| !matches!(digit, '0' | ':')));
    // Megabit per second; -1 or an error where the device cannot tell.
    let speed = number("speed").filter(|megabits| *megabits > 0 && *megabits < u32::MAX);
    Some(Interface {
        ifindex: number("ifindex")?,
        mac: mac.unwrap_or_default(),
        mtu: number("mtu").unwrap_or_default(),
        state: text("operstate").unwrap_or_default(),
        kind: number("type")?,
        speed: speed.map(|megabits| u64::from(megabits) * 125_000),
        physical: path.join("device").exists(),
        default_route: routed.contains(&name),
        name,
    })
}

/// The kernel's counters of the interface `name`.
///
/// # Errors
/// Fails where the interface has gone.
pub fn statistics(name: &str) -> io::Result<Statistics> {
    let folder = Path::new("/sys/class/net").join(name).join("statistics");
    let number = |file: &str| -> io::Result<u64> {
        let text = fs::read_to_string(folder.join(file))?;
        text.trim().parse().map_err(io::Error::other)
    };
    Ok(Statistics {
        rx_bytes: number("rx_bytes")?,
        rx_packets: number("rx_packets")?,
        tx_bytes: number("tx_bytes")?,
        tx_packets: number("tx_packets")?,
    })
}

/// The name that an interface of this index has now; `None` where it has gone or is in another namespace.
/// `name` is the last that was known.
#[must_use]
pub fn current_name(name: &str, ifindex: u32) -> Option<String> {
    let root = Path::new("/sys/class/net");
    let is_it = |name: &str| {
        let index = fs::read_to_string(root.join(name).join("ifindex")).ok();
        index.and_then(|index| index.trim().parse().ok()) == Some(ifindex)
    };
    if is_it(name) {
        return Some(name.to_owned());
    }
    let mut others =
        fs::read_dir(root).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    others.find(|name| is_it(name))
}

/// A pattern without its `!`, and whether it had one: then it leaves out.
#[must_use]
pub fn pattern(text: &str) -> (&str, bool) {
    text.strip_prefix('!').map_or((text, false), |rest| (rest, true))
}

/// Those of `all` to watch: what matches `patterns`, or without any what holds a default route; in both cases
/// without what a pattern behind a `!` matches.
///
/// # Errors
/// Names the pattern that matches nothing, and what exists.
pub fn choose(all: &[Interface], patterns: &[String]) -> Result<Vec<Interface>, InterfaceError> {
    let of_kind = |exclude| {
        let parsed = patterns.iter().map(|text| pattern(text)).filter(move |(_, is)| *is == exclude);
        parsed.map(|(text, _)| text).collect::<Vec<_>>()
    };
    let (includes, excludes) = (of_kind(false), of_kind(true));
    let mut chosen: Vec<Interface> = if includes.is_empty() {
        all.iter().filter(|interface| interface.default_route).cloned().collect()
    } else {
        let set = compile(&includes)?;
        for (index, pattern) in includes.iter().enumerate() {
            if !all.iter().any(|interface| set.matches(&interface.name).contains(&index)) {
                return Err(InterfaceError::NoMatch { pattern: (*pattern).to_owned(), existing: names(all) });
            }
        }
        all.iter().filter(|interface| set.is_match(&interface.name)).cloned().collect()
    };
    if chosen.is_empty() {
        return Err(InterfaceError::NoDefault { existing: names(all) });
    }
    let left_out = compile(&excludes)?;
    chosen.retain(|interface| !left_out.is_match(&interface.name));
    if chosen.is_empty() {
        let excludes =
            excludes.iter().map(|pattern| format!("\"!{pattern}\"")).collect::<Vec<_>>().join(", ");
        return Err(InterfaceError::Excluded { excludes, existing: names(all) });
    }
    if let Some(far) = chosen.iter().find(|interface| interface.ifindex >= MAX_IFINDEX) {
        return Err(InterfaceError::IndexTooLarge { name: far.name.clone(), ifindex: far.ifindex });
    }
    Ok(chosen)
}

fn compile(patterns: &[&str]) -> Result<GlobSet, InterfaceError> {
    let fail = |pattern: &str, error: &globset::Error| InterfaceError::Pattern {
        pattern: pattern.to_owned(),
        reason: error.kind().to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|error| fail(pattern, &error))?);
    }
    set.build().map_err(|error| fail(&patterns.join(", "), &error))
}

fn names(all: &[Interface]) -> String {
    let names: Vec<&str> = all.iter().map(|interface| interface.name.as_str()).collect();
    names.join(", ")
}

fn read_error(path: &Path, source: io::Error) -> InterfaceError {
    InterfaceError::Read { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, ifindex: u32, default_route: bool) -> Interface {
        Interface {
            name: name.to_owned(),
            ifindex,
            mac: String::new(),
            mtu: 1500,
            state: "up".to_owned(),
            kind: ARPHRD_ETHER,
            speed: None,
            physical: false,
            default_route,
        }
    }

    fn choose_names(patterns: &[&str]) -> Result<Vec<String>, String> {
        let all = [interface("lo", 1, false), interface("eth0", 2, true), interface("eth1", 3, false)];
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        choose(&all, &patterns)
            .map(|chosen| chosen.into_iter().map(|interface| interface.name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn patterns_choose_and_the_default_route_is_the_default() {
        assert_eq!(choose_names(&[]).unwrap(), ["eth0"]);
        assert_eq!(choose_names(&["eth*"]).unwrap(), ["eth0", "eth1"]);
        assert_eq!(choose_names(&["eth1", "lo"]).unwrap(), ["lo", "eth1"]);
    }

    #[test]
    fn excludes_take_away_from_what_is_chosen() {
        assert_eq!(choose_names(&["*", "!eth1", "!docker*"]).unwrap(), ["lo", "eth0"]);
        assert_eq!(choose_names(&["!e*1", "eth*"]).unwrap(), ["eth0"]);
        // Alone, from what is chosen without patterns.
        assert_eq!(choose_names(&["!eth1"]).unwrap(), ["eth0"]);
        let error = choose_names(&["eth0", "!e*"]).unwrap_err();
        assert!(error.contains("left out by \"!e*\"") && error.contains("lo, eth0"), "{error}");
        assert!(choose_names(&["!eth["]).is_err());
    }

    #[test]
    fn what_matches_nothing_is_named_with_what_exists() {
        let error = choose_names(&["lo", "wan0"]).unwrap_err();
        assert_eq!(error, "no interface matches \"wan0\"; there are: lo, eth0, eth1");
        assert!(choose_names(&["eth["]).unwrap_err().contains("\"eth[\""));
        let error = choose(&[interface("lo", 1, false)], &[]).unwrap_err().to_string();
        assert!(error.contains("default route") && error.contains("-i"), "{error}");
    }

    #[test]
    fn this_host_has_a_loopback_device() {
        let all = list().unwrap();
        let lo = all.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(lo.is_loopback() && lo.link() == LINK_ETHERNET && lo.mac.is_empty());
        statistics("lo").unwrap();
        assert_eq!(current_name("lo", lo.ifindex).as_deref(), Some("lo"));
        assert_eq!(current_name("an older name", lo.ifindex).as_deref(), Some("lo"));
        assert_eq!(current_name("lo", u32::MAX), None);
        assert!(statistics("no such interface").is_err());
    }
}
