//! What is fixed once the programs are loaded.

use flow_common::{names, settings::Settings};

use crate::hook::{Hook, order::Order, xdp::Frames};

/// What is fixed once the programs are loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    pub settings: Settings,
    /// Flows that fit into the table.
    pub flows: u32,
    /// Bytes of the ring buffer; rounded up to a power of two.
    pub event_bytes: u32,
    /// Interfaces that can be watched at once.
    pub interfaces: u32,
    /// The only hook to attach by; the best that works without it.
    pub hook: Option<Hook>,
    /// Ingress by XDP, and only egress by `hook`.
    pub frames: Option<Frames>,
    pub order: Order,
}

impl LoadOptions {
    /// The size that the ring buffer gets.
    pub(crate) const fn ring_bytes(&self) -> u32 {
        let bytes = self.event_bytes.next_power_of_two();
        if bytes < 4_096 { 4_096 } else { bytes }
    }

    /// Rings of bins that programs on `cpus` CPUs write to; one where nobody asks for any, as there is no empty map.
    pub(crate) fn rings(&self, cpus: usize) -> u32 {
        let each = self.settings.windows.saturating_mul(2);
        each.saturating_mul(u32::try_from(cpus).unwrap_or(u32::MAX)).max(1)
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            settings: Settings::DEFAULT,
            flows: names::DEFAULT_FLOWS,
            event_bytes: names::DEFAULT_EVENT_BYTES,
            interfaces: names::DEFAULT_INTERFACES,
            hook: None,
            frames: None,
            order: Order::default(),
        }
    }
}
