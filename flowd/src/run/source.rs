//! Where records and events come from: the kernel, or a story in tests.

use anyhow::{Result, bail};
use flow_common::{
    counter::InterfaceTotals,
    event::PayloadEvent,
    record::FlowRecord,
    settings::{Interface, Settings},
};

use crate::flow::EndReason;

/// What the kernel part is loaded with.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    pub settings: Settings,
    pub flows: u32,
    pub event_bytes: u32,
    /// Interfaces that can be watched at once.
    pub interfaces: u32,
}

/// What a drain found.
#[derive(Clone, Copy, Debug, Default)]
pub struct DrainReport {
    pub live: u32,
    pub scanned: u32,
    pub changed: u32,
    pub freed: u32,
    pub capacity: u32,
}

/// One requirement of the kernel part.
#[derive(Clone, Debug)]
pub struct Check {
    pub name: String,
    pub ok: bool,
    pub detail: String,
    pub remedy: String,
}

/// Takes a slot, its record and, on its last visit, why the flow ended.
pub type Visit<'a> = &'a mut dyn FnMut(u32, &FlowRecord, Option<EndReason>);

/// A packet path that fills a flow table.
pub trait Source: Send {
    /// Watches an interface; gives back how it is attached, for the log.
    fn attach(&mut self, name: &str, ifindex: u32, interface: Interface) -> Result<String>;
    /// Shows every record that changed since the last drain, and every ended flow once with its reason.
    /// `now` is in nanoseconds of the packet's clock.
    fn drain(&mut self, now: u64, visit: Visit<'_>) -> Result<DrainReport>;
    /// Totals of an interface over all CPUs.
    fn totals(&mut self, slot: u16) -> Result<InterfaceTotals>;
    /// Shows copied payload in the order of its capture; gives back how many events there were.
    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize;
    /// Shows the record in `slot` as it is now, where the source can.
    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord));
    /// Detaches and shows all that is left.
    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport>;
}

/// Loads the kernel part.
pub(super) fn load(_: &LoadOptions) -> Result<Box<dyn Source>> {
    bail!("this build has no kernel part; build with `cargo xtask build`")
}

/// Whether this host lets flowd run.
#[must_use]
pub fn check() -> Vec<Check> {
    Vec::new()
}
