//! Interfaces that come and go while the daemon runs: which are watched, and under which slot.
//!
//! A slot belongs to a name, not to a device: what comes back under a name goes on with its counters, and a device
//! that is renamed counts under its new name. The kernel's news only say when to look; what is there, and whether
//! the programs still stand there, is looked up each time, so that no news that was lost matters.

mod slots;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Result;
use flow_common::settings;
use slots::{Device, Slots, State};
use tracing::{info, warn};

use crate::pipeline::Source;
use crate::{
    aggregate::{Capacity, Ledger, Watched},
    config::{self, Config},
    interfaces::{self, Interface, Patterns, Statistics},
    kernel::Changes,
};

/// What follows from an interface that comes or goes.
pub(super) struct Parts<'a> {
    pub(super) source: &'a mut dyn Source,
    pub(super) ledger: &'a mut Ledger,
    pub(super) capacity: Option<&'a mut Capacity>,
}

pub(super) struct Follow {
    patterns: Patterns,
    speeds: config::Capacity,
    slots: Slots,
    /// Slots whose bytes are kept by the millisecond.
    windows: u16,
    /// Interfaces that should be watched and cannot be, and why.
    refused: BTreeMap<String, String>,
    changes: Option<Changes>,
    /// There was news since the last thorough look.
    changed: bool,
    /// Look whatever the news.
    look: bool,
}

/// Which of the interfaces that should be watched are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) names: Vec<Arc<str>>,
    /// No other is watched.
    pub(super) all: bool,
}

/// What the programs are told of an interface.
pub(super) fn setting(interface: &Interface, slot: u16) -> settings::Interface {
    let one_point = u8::from(interface.is_loopback());
    settings::Interface { slot, link: interface.link(), one_point, ..settings::Interface::default() }
}

/// An interface as the numbers know it.
pub(super) fn describe(interface: &Interface, slot: u16, speeds: &config::Capacity) -> Watched {
    Watched {
        slot,
        name: Arc::from(interface.name.as_str()),
        one_point: interface.is_loopback(),
        physical: interface.physical,
        speed: speeds.speed(&interface.name).or(interface.speed),
        mac: interface.mac.clone(),
        mtu: interface.mtu,
        ifindex: interface.ifindex,
    }
}

impl Follow {
    /// Follows what the configuration names, beginning with what is `watched` already; `slots` interfaces fit, of
    /// the first `windows` of which bytes are kept by the millisecond.
    ///
    /// # Errors
    /// A pattern is none.
    pub(super) fn new(watched: &[Watched], config: &Config, slots: u16, windows: u16) -> Result<Self> {
        let changes = Changes::listen();
        if let Err(error) = &changes {
            warn!("no news of interfaces ({error}): looking for them once per interval");
        }
        Ok(Self {
            patterns: Patterns::new(&config.interfaces)?,
            speeds: config.capacity.clone(),
            slots: Slots::new(watched, slots),
            windows,
            refused: BTreeMap::new(),
            changes: changes.ok(),
            changed: true,
            look: true,
        })
    }

    /// True where there may be something to do.
    pub(super) fn has_news(&mut self) -> bool {
        let news = self.changes.as_mut().is_some_and(Changes::any);
        self.changed |= news;
        std::mem::take(&mut self.look) | news
    }

    /// Takes over the patterns and speeds of a configuration that was checked; they count from the next look on.
    pub(super) fn reconfigure(&mut self, config: &Config) {
        if let Ok(patterns) = Patterns::new(&config.interfaces) {
            self.patterns = patterns;
        }
        self.speeds = config.capacity.clone();
        (self.look, self.changed) = (true, true);
    }

    /// Detaches from what has gone, attaches to what has come. `now` is nanoseconds of the packets' clock. Where it is
    /// `thorough`, it also looks whether the programs still stand everywhere, for which the kernel takes a lock that
    /// others may hold for long.
    ///
    /// # Errors
    /// The kernel cannot be told any more.
    pub(super) fn look(&mut self, now: u64, thorough: bool, parts: &mut Parts<'_>) -> Result<()> {
        let watched: Vec<u32> = self.slots.watched().map(|watched| watched.ifindex).collect();
        let present = match interfaces::present(&self.patterns, &watched) {
            Ok(present) => present,
            Err(error) => {
                warn!("{error}");
                return Ok(());
            }
        };
        let renamed = self.leave(now, &present, thorough, parts)?;
        self.refused.retain(|name, _| present.iter().any(|(other, _)| other == name));
        for (name, ifindex) in &present {
            let is_watched = self.slots.watched().any(|watched| watched.ifindex == *ifindex);
            // One that was refused waits.
            if !is_watched && (thorough || !self.refused.contains_key(name)) {
                let old = renamed.iter().find(|old| old.ifindex == *ifindex);
                self.come(name, *ifindex, old.map(|old| &*old.name), parts)?;
            }
        }
        // Renamed to what is not to be watched, or found no place under the new name.
        for Watched { ifindex, .. } in renamed {
            if !self.slots.watched().any(|watched| watched.ifindex == ifindex) {
                parts.source.detach(ifindex)?;
            }
        }
        self.retire(now, parts)
    }

    /// Ends what is not there any more under its name. Gives back those that still have their programs, and another
    /// name.
    fn leave(
        &mut self,
        now: u64,
        present: &[(String, u32)],
        thorough: bool,
        parts: &mut Parts<'_>,
    ) -> Result<Vec<Watched>> {
        let mut renamed = Vec::new();
        let changed = thorough && (std::mem::take(&mut self.changed) || self.changes.is_none());
        let watched: Vec<Watched> = self.slots.watched().cloned().collect();
        for old in watched {
            let found = present.iter().find(|(_, ifindex)| *ifindex == old.ifindex).map(|(name, _)| name);
            let same = found.is_some_and(|name| **name == *old.name);
            if same && (!thorough || parts.source.stands(old.ifindex)) {
                if changed {
                    self.refresh(&old, parts);
                }
                continue;
            }
            if let Some(name) = found.filter(|_| !same && parts.source.stands(old.ifindex)) {
                self.pause(now, &old, Some(name), false, parts)?;
                renamed.push(old);
                continue;
            }
            parts.source.detach(old.ifindex)?;
            // Still there, it is not to be watched any more, and nobody misses it.
            let left = interfaces::is_at(&old.name, old.ifindex);
            if same {
                warn!("the programs on interface {} have gone: attaching them again", old.name);
            } else if !left {
                warn!("interface {} has gone: flowd counts nothing there until it is back", old.name);
            } else {
                info!("not watching {} any more", old.name);
            }
            let name = left.then_some(&*old.name);
            // A device on its way out loses its programs before its name.
            self.pause(now, &old, name, !left || same, parts)?;
        }
        Ok(renamed)
    }

    /// `name` is that under which the kernel's counters of the device can be read still.
    fn pause(
        &mut self,
        now: u64,
        old: &Watched,
        name: Option<&str>,
        lost: bool,
        parts: &mut Parts<'_>,
    ) -> Result<()> {
        let kernel = name.and_then(|name| statistics(name, old.ifindex));
        let totals = parts.source.totals(&[old.slot])?;
        let totals = totals.first().copied().unwrap_or_default();
        parts.ledger.unwatch(old.slot, &totals, kernel);
        self.slots.set(old.slot, State::Gone { since: now, lost });
        Ok(())
    }

    /// Takes over what may change of an interface that stays.
    fn refresh(&mut self, old: &Watched, parts: &mut Parts<'_>) {
        let Some(interface) = interfaces::find(&old.name) else { return };
        let new = describe(&interface, old.slot, &self.speeds);
        if new == *old || new.ifindex != old.ifindex {
            return;
        }
        if new.speed != old.speed
            && let Some(capacity) = &mut parts.capacity
        {
            capacity.set_speed(new.slot, new.speed);
        }
        parts.ledger.describe(&new);
        self.slots.put(new);
    }

    /// Watches an interface; it has the programs already where it has an `old` name.
    fn come(&mut self, name: &str, ifindex: u32, old: Option<&str>, parts: &mut Parts<'_>) -> Result<()> {
        let Some(interface) = interfaces::find(name).filter(|found| found.ifindex == ifindex) else {
            self.look = true;
            return Ok(());
        };
        let Some((slot, before)) = self.slots.find(name) else {
            let most = self.slots.capacity();
            self.refuse(name, format!("{most} interfaces are watched at most, and each has its place"));
            return Ok(());
        };
        if let Some(before) = before {
            self.forget(before, parts)?;
        }
        let setting = setting(&interface, slot);
        let how = if let Some(old) = old {
            parts.source.assign(ifindex, setting)?;
            format!("interface {old} is {name} now: it counts under its new name")
        } else {
            let hook = match parts.source.attach(name, ifindex, setting) {
                Ok(hook) => hook,
                Err(error) => {
                    self.refuse(name, error.to_string());
                    return Ok(());
                }
            };
            if !interfaces::is_at(name, ifindex) {
                // The programs are on whatever took over the name meanwhile, and the news of that are on the way.
                self.look = true;
                return parts.source.detach(ifindex);
            }
            format!("watching {name} ({hook})")
        };
        self.refused.remove(name);
        let watched = describe(&interface, slot, &self.speeds);
        if let Some(capacity) = &mut parts.capacity {
            if capacity.watches(slot) {
                capacity.set_speed(slot, watched.speed);
            } else if slot <= self.windows {
                for direction in watched.directions() {
                    capacity.watch(slot, *direction, watched.speed);
                }
            } else {
                info!("no peaks of {name}: their memory was taken for {} interfaces", self.windows);
            }
        }
        parts.ledger.watch(watched.clone(), statistics(name, ifindex));
        self.slots.put(watched);
        info!("{how}");
        Ok(())
    }

    fn refuse(&mut self, name: &str, why: String) {
        if self.refused.get(name) != Some(&why) {
            warn!("{name} is not watched: {why}; trying again once per interval");
            self.refused.insert(name.to_owned(), why);
        }
    }

    /// Lets the series of what has been gone for long leave, and its slot after them.
    fn retire(&mut self, now: u64, parts: &mut Parts<'_>) -> Result<()> {
        for slot in self.slots.idle(now) {
            // Flows end with the next drain.
            if parts.ledger.active(slot) == 0 {
                parts.ledger.hide(slot);
                self.slots.hide(slot);
            }
        }
        for slot in self.slots.over(now) {
            self.forget(slot, parts)?;
        }
        Ok(())
    }

    fn forget(&mut self, slot: u16, parts: &mut Parts<'_>) -> Result<()> {
        parts.ledger.forget(slot);
        if let Some(capacity) = &mut parts.capacity {
            capacity.forget(slot);
        }
        self.slots.free(slot);
        parts.source.clear(slot)
    }

    /// Slots with the name and index of their device, where that is watched now.
    pub(super) fn slots(&self) -> Vec<(u16, Option<Device>)> {
        self.slots.all()
    }

    pub(super) fn missing(&self) -> Missing {
        let patterns = &self.patterns;
        let wanted =
            |name: &str| !patterns.excludes(name) && (patterns.by_default_route() || patterns.includes(name));
        let mut names: Vec<Arc<str>> = self.slots.lost().filter(|name| wanted(name)).collect();
        for name in self.patterns.exact() {
            let is_there = self.slots.watched().any(|watched| *watched.name == *name);
            if !is_there && !self.refused.contains_key(name) && !names.iter().any(|lost| **lost == *name) {
                names.push(Arc::from(name));
            }
        }
        names.retain(|name| !self.refused.contains_key(&**name));
        names
            .extend(self.refused.keys().map(|name| Arc::from(format!("{name} (not attached: see the log)"))));
        Missing { all: self.slots.watched().next().is_none(), names }
    }
}

/// The kernel's counters, of that device only.
pub(super) fn statistics(name: &str, ifindex: u32) -> Option<Statistics> {
    interfaces::is_at(name, ifindex).then(|| interfaces::statistics(name).ok()).flatten()
}

#[cfg(test)]
mod tests;
