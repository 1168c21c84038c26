//! The two engines behind one face.

use std::io;

use anyhow::Result;
use flow_common::{
    counter::{InterfaceTotals, Passage},
    dissect::{Link, NO_TAG},
    event::PayloadEvent,
    key::Direction,
    offload::Offload,
    packet::Captured,
    record::FlowRecord,
    settings::{Interface, LINK_ETHERNET, Omissions, Settings},
    workspace::Arrival,
};
use flowd_protocols::conversation::Decision;

use crate::{
    clock::WallClock,
    config::Config,
    kernel::{DrainReport, Kernel, LoadOptions},
    native::Native,
    pipeline::{Source, Visit},
};

/// What runs the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// This process: no privilege.
    Native,
    /// The BPF program, by test runs.
    Kernel,
}

pub(super) enum Engine {
    Native(Box<Native>),
    Kernel(Box<Replay>),
}

/// The kernel engine, and the native one for frames that the kernel does not take.
pub(super) struct Replay {
    kernel: Kernel,
    /// Counts frames that are shorter than their own headers; the kernel refuses to run them.
    refused: Native,
    interface: u16,
}

/// Payload copies between two looks at the ring buffer are bounded by this many packets.
const EVENT_BYTES: u32 = 64 << 20;

/// Interfaces of a capture whose bytes are kept by the millisecond; few have more than one.
const WINDOWS: u32 = 16;

impl Engine {
    pub(super) fn new(kind: EngineKind, config: &Config) -> Result<Self> {
        // HTTP inside tunnels is found in any case; whose flows are printed is up to the reader.
        let settings = Settings {
            packet_time: 1,
            decapsulate: u32::MAX,
            windows: if config.capacity.windows { WINDOWS } else { 0 },
            ..config.settings()
        };
        let native = Native::new(settings, config.flows);
        if kind == EngineKind::Native {
            return Ok(Self::Native(Box::new(native)));
        }
        let options =
            LoadOptions { settings, flows: config.flows, event_bytes: EVENT_BYTES, ..LoadOptions::default() };
        Ok(Self::Kernel(Box::new(Replay { kernel: Kernel::load(&options)?, refused: native, interface: 0 })))
    }

    /// Whether packets that begin so can be accounted for.
    pub(super) fn reads(&self, link: Link) -> bool {
        matches!(self, Self::Native(_)) || link == Link::Ethernet
    }

    /// Accounts for one packet at `time` ns, seen by the interface in `slot`.
    pub(super) fn packet(&mut self, packet: &Captured<'_>, link: Link, slot: u16, time: u64) -> Result<()> {
        let arrival = Arrival {
            interface: slot,
            link,
            hook: Direction::Ingress,
            one_point: true,
            omissions: Omissions::NONE,
            moved_tag: NO_TAG,
            offload: Offload::default(),
        };
        match self {
            Self::Native(native) => native.packet(packet, arrival, time),
            Self::Kernel(replay) => {
                if replay.interface != slot {
                    replay.kernel.replay_from(Interface {
                        slot,
                        link: LINK_ETHERNET,
                        one_point: 1,
                        ..Interface::default()
                    })?;
                    replay.interface = slot;
                }
                if replay.kernel.replay(packet.data, packet.original_len, time, Offload::default())?.is_err()
                {
                    replay.refused.packet(packet, arrival, time);
                }
            }
        }
        Ok(())
    }
}

impl Source for Engine {
    fn drain_part(&mut self, now: u64, visit: Visit<'_>) -> Result<Option<DrainReport>> {
        self.sweep(Some(now), visit)?;
        Ok(Some(DrainReport::default()))
    }

    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport> {
        self.sweep(None, visit)?;
        Ok(DrainReport::default())
    }

    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        match self {
            Self::Native(native) => native.events(visit),
            Self::Kernel(replay) => replay.kernel.events(visit),
        }
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        match self {
            Self::Native(native) => native.record(slot).into_iter().for_each(visit),
            Self::Kernel(replay) => replay.kernel.record(slot).iter().for_each(visit),
        }
    }

    fn steer(&mut self, decision: &Decision) {
        let Decision { key, slot, copies, app } = decision;
        match self {
            Self::Native(native) => native.steer(key, *slot, copies.looks(), *app),
            Self::Kernel(replay) => replay.kernel.steer(key, *slot, copies.looks(), *app),
        }
    }

    fn passed(&self, slot: u16, direction: Direction, from: u64, sums: &mut [u64]) -> u64 {
        match self {
            Self::Native(native) => native.passed(slot, direction, from, sums),
            Self::Kernel(replay) => {
                let missed = replay.kernel.passed(slot, direction, from, sums);
                missed.max(replay.refused.passed(slot, direction, from, sums))
            }
        }
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        slots.iter().map(|slot| self.totals_of(*slot)).collect()
    }

    fn clock(&self) -> io::Result<WallClock> {
        Ok(WallClock::CAPTURE)
    }
}

impl Engine {
    /// Ends what is over at `now`, or everything; shows what ended, and what lives with no reason.
    fn sweep(&mut self, now: Option<u64>, visit: Visit<'_>) -> Result<()> {
        match self {
            Self::Native(native) => native.sweep(now, visit),
            Self::Kernel(replay) => {
                replay.kernel.sweep_all(now, visit)?;
                replay.refused.sweep(now, visit);
            }
        }
        Ok(())
    }

    fn totals_of(&self, slot: u16) -> Result<InterfaceTotals> {
        Ok(match self {
            Self::Native(native) => native.totals(slot),
            Self::Kernel(replay) => {
                let mut totals = replay.kernel.totals(slot)?;
                let refused = replay.refused.totals(slot);
                for (into, from) in totals.passages.iter_mut().zip(&refused.passages) {
                    Passage::add(into, from);
                }
                totals
            }
        })
    }
}
