//! The programs in the kernel, attached to the interfaces that were chosen.

use anyhow::{Context, Result};
use flow_common::{key::FlowKey, names, settings::Settings};
use tracing::info;

use super::{
    follow::{self, Follow},
    pump,
};
use crate::{
    aggregate::{Capacity, Watched},
    clock::{self, WallClock},
    config::{Config, Hook, Order, XdpMode},
    interfaces::Interface,
    kernel::{self, FrameMode, Frames, LoadOptions},
    pipeline::Source,
};

/// Interfaces beyond those of the start for which there is room at least.
const ROOM: u16 = 16;

/// A source of packets that counts, and what is kept per interface.
pub(super) struct Watching {
    pub(super) source: Box<dyn Source>,
    pub(super) watched: Vec<Watched>,
    pub(super) follow: Follow,
    pub(super) capacity: Option<Capacity>,
    pub(super) clock: WallClock,
}

impl Watching {
    /// Loads the programs and attaches them to `chosen`.
    ///
    /// # Errors
    /// One line that names the interface, capability or feature of the kernel that is missing, and the remedy.
    pub(super) fn start(
        config: &Config,
        chosen: &[Interface],
        load: impl FnOnce(&LoadOptions) -> Result<Box<dyn Source>>,
    ) -> Result<Self> {
        let count = u16::try_from(chosen.len()).unwrap_or(u16::MAX);
        // Their bytes are kept by the millisecond: those of the start, and some that may come.
        let windows = if config.capacity.windows { count.saturating_add(ROOM) } else { 0 };
        let slots = u32::from(count) + u32::from(ROOM);
        let slots = slots.max(names::DEFAULT_INTERFACES).min(u32::from(FlowKey::MAX_INTERFACES) - 1);
        let mut source = load(&LoadOptions {
            settings: Settings { windows: windows.into(), reuse_time: 1, ..config.settings() },
            flows: config.flows,
            event_bytes: u32::try_from(config.event_buffer.0).unwrap_or(u32::MAX),
            interfaces: slots,
            hook: hook(config.hook),
            frames: frames(config, chosen),
            order: order(&config.order),
        })?;
        let clock = WallClock::measure().context("cannot read the clocks")?;
        let began = clock::monotonic().context("cannot read the clock")?;
        let watched = attach(source.as_mut(), chosen, config)?;
        let follow = Follow::new(&watched, config, u16::try_from(slots).unwrap_or(u16::MAX), windows)?;
        let capacity = capacity(config, &watched, began);
        Ok(Self { source, watched, follow, capacity, clock })
    }
}

/// Attaches to each interface under slots counted from 1.
fn attach(source: &mut dyn Source, chosen: &[Interface], config: &Config) -> Result<Vec<Watched>> {
    let mut watched = Vec::new();
    for (interface, slot) in chosen.iter().zip(1..) {
        let hook = source.attach(&interface.name, interface.ifindex, follow::setting(interface, slot))?;
        info!("watching {} ({hook})", interface.name);
        watched.push(follow::describe(interface, slot, &config.capacity));
    }
    Ok(watched)
}

fn capacity(config: &Config, watched: &[Watched], began: u64) -> Option<Capacity> {
    let mut capacity = Capacity::new(pump::capacity_options(config));
    capacity.begin(began);
    for interface in watched {
        for direction in interface.directions() {
            capacity.watch(interface.slot, *direction, interface.speed);
        }
    }
    config.capacity.windows.then_some(capacity)
}

const fn hook(hook: Hook) -> Option<kernel::Hook> {
    match hook {
        Hook::Auto | Hook::Xdp => None,
        Hook::Tcx => Some(kernel::Hook::Tcx),
        Hook::Clsact => Some(kernel::Hook::Clsact),
    }
}

fn frames(config: &Config, chosen: &[Interface]) -> Option<Frames> {
    /// Up to this, a frame is in one buffer with every driver; how far beyond is each driver's own affair.
    const MTU: u32 = 1_500;
    let mode = match config.xdp_mode {
        XdpMode::Auto => FrameMode::Auto,
        XdpMode::Native => FrameMode::Native,
        XdpMode::Generic => FrameMode::Generic,
    };
    let frags = chosen.iter().any(|interface| interface.mtu > MTU && !interface.is_loopback());
    (config.hook == Hook::Xdp).then_some(Frames { mode, frags })
}

fn order(order: &Order) -> kernel::Order {
    match order {
        Order::First => kernel::Order::First,
        Order::Last => kernel::Order::Last,
        Order::Before(name) => kernel::Order::Before(name.clone()),
        Order::After(name) => kernel::Order::After(name.clone()),
    }
}
