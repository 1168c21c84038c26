//! Interfaces that come and go, and what passed each of them.

use std::sync::Arc;

use flow_common::counter::InterfaceTotals;

use super::Ledger;
use crate::{
    aggregate::{
        CapacityNumbers, Presence, Watched,
        interface::{InterfaceNumbers, KernelReading},
    },
    interfaces::Statistics,
};

impl Ledger {
    /// Takes in an interface that is watched from now on, in a slot of its own or in the one that it had. `before`
    /// is what the kernel has counted so far.
    pub fn watch(&mut self, watched: Watched, before: Option<Statistics>) {
        self.live.set_name(watched.slot, Arc::clone(&watched.name));
        match self.numbers.interface(watched.slot) {
            Some(interface) => interface.resume(watched, before),
            None => {
                let interfaces = &mut self.numbers.interfaces;
                let at = interfaces.partition_point(|other| other.watched.slot < watched.slot);
                interfaces.insert(at, InterfaceNumbers::new(watched, before));
            }
        }
        self.announce();
    }

    /// Nothing of the interface in `slot` is counted from now on; `totals` are its last.
    pub fn unwatch(&mut self, slot: u16, totals: &InterfaceTotals, kernel: Option<Statistics>) {
        if let Some(interface) = self.numbers.interface(slot) {
            interface.pause(totals, kernel);
        }
    }

    /// The properties of a watched interface, which may change.
    pub fn describe(&mut self, watched: &Watched) {
        if let Some(interface) = self.numbers.interface(watched.slot) {
            interface.watched = watched.clone();
        }
    }

    /// Shows nothing more of the interface in `slot`.
    pub fn hide(&mut self, slot: u16) {
        if let Some(interface) = self.numbers.interface(slot) {
            interface.presence = Presence::Hidden;
        }
    }

    /// Makes `slot` free for another interface. No flow must live there.
    pub fn forget(&mut self, slot: u16) {
        self.numbers.forget(slot);
    }

    /// Flows that live at the interface in `slot`.
    pub fn active(&mut self, slot: u16) -> u64 {
        self.numbers.interface(slot).map_or(0, |interface| interface.active)
    }

    /// Takes over an interface's totals and what the kernel counted in the same time.
    pub fn interface(&mut self, slot: u16, totals: &InterfaceTotals, kernel: Option<KernelReading>) {
        if let Some(interface) = self.numbers.interface(slot) {
            interface.update(totals, kernel);
        }
    }

    /// Takes over what is known of an interface's peaks.
    pub fn capacity(&mut self, slot: u16, capacity: Option<[CapacityNumbers; 2]>) {
        if let Some(interface) = self.numbers.interface(slot) {
            interface.capacity = capacity;
        }
    }
}
