//! A TCP connection, segment by segment, and what is copied of it.

#![allow(clippy::indexing_slicing, reason = "tests")]

use flow_common::{
    app::{App, Apps},
    event::PayloadEvent,
    settings::Settings,
    wire::tcp::flag,
};

use super::{World, frames};

pub(crate) const PSH: u16 = flag::PSH | flag::ACK;

pub(crate) fn world(copies: Apps) -> World {
    let mut world = World::new(64);
    world.settings = Settings { copies, ..world.settings };
    world
}

/// A connection to a port: where both sides are.
pub(crate) struct Talk {
    pub(crate) world: World,
    port: u16,
    pub(crate) next: [u32; 2],
}

impl Talk {
    pub(crate) fn new(port: u16, copies: Apps) -> Self {
        Self { world: world(copies), port, next: [u32::MAX - 100, 5_000] }
    }

    /// A segment `step` bytes away from where its side is.
    pub(crate) fn raw(&mut self, client: bool, flags: u16, step: i32, payload: &[u8]) {
        let [own, peer] = if client { [0, 1] } else { [1, 0] };
        let (source, destination) = if client { (40_000, self.port) } else { (self.port, 40_000) };
        let tcp = frames::Tcp {
            source,
            destination,
            sequence: self.next[own].wrapping_add_signed(step),
            acknowledgement: self.next[peer],
            flags,
            window: 1_000,
            options: Vec::new(),
        };
        let mut ip = frames::V4::of(6);
        if !client {
            (ip.source, ip.destination) = (ip.destination, ip.source);
        }
        self.world.now += 1_000;
        self.world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&tcp.wrap(payload))));
    }

    pub(crate) fn send(&mut self, client: bool, flags: u16, payload: &[u8]) {
        self.raw(client, flags, 0, payload);
        let own = usize::from(!client);
        self.next[own] = self.next[own].wrapping_add(payload.len() as u32);
    }

    /// What every copy so far is, and its length.
    pub(crate) fn copied(&self) -> Vec<(What, usize)> {
        self.world.events.iter().map(|(event, bytes)| (what(event), bytes.len())).collect()
    }

    /// What the flow's record says that it speaks.
    pub(crate) fn app(&self) -> Option<App> {
        App::from_number(self.world.records()[0].app)
    }
}

/// Number of the protocol, and kind.
pub(crate) type What = (u8, u8);

pub(crate) const fn what(event: &PayloadEvent) -> What {
    (event.app, event.kind)
}
