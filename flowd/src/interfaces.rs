//! Network interfaces of this host, as /sys and /proc show them, and which of them to watch.

mod error;
mod interface;
mod patterns;
mod routes;
mod statistics;
mod table;

use std::{fs, io, path::Path};

use crate::screen::{harmless, harmless_name};

pub use error::InterfaceError;
use flow_common::names::MAX_IFINDEX;
pub use interface::Interface;
pub use patterns::{Patterns, pattern};
pub use statistics::{Statistics, statistics};
pub use table::table;

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
    let raw = path.file_name()?;
    let name = raw.to_str().map_or_else(|| harmless_name(raw), str::to_owned);
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
        is_utf8: raw.to_str().is_some(),
        name,
    })
}

/// True if the interface of this name has this index: another device may have taken over the name, and this one
/// may have another by now.
#[must_use]
pub fn is_at(name: &str, ifindex: u32) -> bool {
    index(&Path::new("/sys/class/net").join(name)) == Some(ifindex)
}

/// Those of `all` to watch: what matches `patterns`, or without any what holds a default route; in both cases
/// without what a pattern behind a `!` matches.
///
/// # Errors
/// Names the pattern that matches nothing, and what exists.
pub fn choose(all: &[Interface], patterns: &[String]) -> Result<Vec<Interface>, InterfaceError> {
    let patterns = Patterns::new(patterns)?;
    if let Some(pattern) = patterns.unmatched(all, None) {
        return Err(InterfaceError::NoMatch { pattern: pattern.to_owned(), existing: names(all) });
    }
    let wanted = |interface: &&Interface| {
        if patterns.by_default_route() { interface.default_route } else { patterns.includes(&interface.name) }
    };
    let by_name = |interface: &&Interface| interface.is_utf8;
    let mut chosen: Vec<Interface> = all.iter().filter(by_name).filter(wanted).cloned().collect();
    if chosen.is_empty() {
        return Err(InterfaceError::NoDefault { existing: names(all) });
    }
    chosen.retain(|interface| !patterns.excludes(&interface.name));
    if chosen.is_empty() {
        return Err(InterfaceError::Excluded { excludes: patterns.excludes_shown(), existing: names(all) });
    }
    if let Some(far) = chosen.iter().find(|interface| interface.ifindex >= MAX_IFINDEX) {
        return Err(InterfaceError::IndexTooLarge { name: far.name.clone(), ifindex: far.ifindex });
    }
    Ok(chosen)
}

/// What is to be said of interfaces that cannot be watched whatever the patterns: to attach takes a name in UTF-8.
pub fn remarks(all: &[Interface]) -> impl Iterator<Item = String> {
    let others = all.iter().filter(|interface| !interface.is_utf8);
    others.map(|Interface { name, ifindex, .. }| {
        format!("interface {name} (index {ifindex}) cannot be watched: its name is no UTF-8; rename it")
    })
}

/// Checks patterns that are to take the place of `before` while the daemon runs. One that both have may match
/// nothing by now.
///
/// # Errors
/// Names the new pattern that is none, or that matches nothing, and what exists.
pub fn check_change(before: &[String], new: &[String]) -> Result<(), InterfaceError> {
    let (before, new) = (Patterns::new(before)?, Patterns::new(new)?);
    let all = list()?;
    match new.unmatched(&all, Some(&before)) {
        Some(pattern) => Err(InterfaceError::NoMatch { pattern: pattern.to_owned(), existing: names(&all) }),
        None => Ok(()),
    }
}

/// Names and indices of those interfaces of this network namespace that are to be watched now, by index; where
/// default routes choose, those in `kept` (by index), which are watched, as well: a route may go for a while. To look
/// takes none of the kernel's locks.
///
/// # Errors
/// Fails where /sys cannot be read.
pub fn present(patterns: &Patterns, kept: &[u32]) -> Result<Vec<(String, u32)>, InterfaceError> {
    let root = Path::new("/sys/class/net");
    let by_route = patterns.by_default_route();
    // Tables of routes may be long.
    let routed = if by_route { routes::default_interfaces() } else { Vec::new() };
    let wanted = |name: &String| !patterns.excludes(name) && (by_route || patterns.includes(name));
    let look = || -> Result<Vec<(String, u32)>, InterfaceError> {
        let entries = fs::read_dir(root).map_err(|source| read_error(root, source))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let found = names.filter(wanted).filter_map(|name| {
            let index = index(&root.join(&name))?;
            (!by_route || kept.contains(&index) || routed.contains(&name)).then_some((name, index))
        });
        let mut found: Vec<(String, u32)> = found.collect();
        found.sort_by_key(|(_, index)| *index);
        Ok(found)
    };
    let found = look()?;
    // One that gets another name while they are listed is under neither.
    let all = kept.iter().all(|kept| found.iter().any(|(_, index)| index == kept));
    if all { Ok(found) } else { look() }
}

/// What there is to know of an interface but its routes; `None` where it has gone. To ask for the speed takes the
/// kernel's one lock for network devices.
#[must_use]
pub fn find(name: &str) -> Option<Interface> {
    read(&Path::new("/sys/class/net").join(name), &[])
}

fn index(path: &Path) -> Option<u32> {
    fs::read_to_string(path.join("ifindex")).ok()?.trim().parse().ok()
}

fn names(all: &[Interface]) -> String {
    let names: Vec<String> = all.iter().map(|interface| harmless(&interface.name)).collect();
    names.join(", ")
}

fn read_error(path: &Path, source: io::Error) -> InterfaceError {
    InterfaceError::Read { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use flow_common::settings::LINK_ETHERNET;

    use super::{interface::ARPHRD_ETHER, *};

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
            is_utf8: true,
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
    fn a_change_of_patterns_names_what_is_new_and_matches_nothing() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let check = |before: &[&str], new: &[&str]| {
            check_change(&texts(before), &texts(new)).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["no such"], &["no such", "lo", "!x*"]), Ok(()));
        assert_eq!(check(&["lo"], &[]), Ok(()));
        let error = check(&["lo"], &["lo", "no such*"]).unwrap_err();
        assert!(error.contains("\"no such*\"") && error.contains("lo"), "{error}");
        assert!(check(&["lo"], &["eth["]).is_err());
    }

    #[test]
    fn what_is_present_is_what_patterns_say() {
        let present = |texts: &[&str], kept: &[u32]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let found = present(&Patterns::new(&texts).unwrap(), kept).unwrap();
            found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let lo = list().unwrap().into_iter().find(|interface| interface.name == "lo").unwrap();
        assert_eq!(present(&["l[o]"], &[]), ["lo"]);
        assert!(present(&["l*", "!lo"], &[]).is_empty());
        assert!(present(&[], &[lo.ifindex]).contains(&"lo".to_owned()), "a route may come back");
        assert!(!present(&["!lo"], &[lo.ifindex]).contains(&"lo".to_owned()));
    }

    #[test]
    fn this_host_has_a_loopback_device() {
        let all = list().unwrap();
        let lo = all.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(lo.is_loopback() && lo.link() == LINK_ETHERNET && lo.mac.is_empty());
        statistics("lo").unwrap();
        assert!(is_at("lo", lo.ifindex) && !is_at("lo", u32::MAX) && !is_at("an older name", lo.ifindex));
        assert!(statistics("no such interface").is_err());
    }
}
