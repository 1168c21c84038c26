//! What is known of the packet at hand, and how it came.

use crate::{
    clock::Pace,
    counter::Tally,
    dissect::{Headers, Link, NO_TAG, Skip, Start},
    env::Datagram,
    key::{Direction, FlowKey, TunnelKind},
    offload::Offload,
    record::Volume,
    settings::Omissions,
};

/// How a packet came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Slot of the interface.
    pub interface: u16,
    pub link: Link,
    pub hook: Direction,
    /// Both directions of a conversation pass this one hook (loopback, captures).
    pub one_point: bool,
    pub omissions: Omissions,
    /// VLAN id of a tag that the NIC or the kernel has moved out of the frame, or [`NO_TAG`].
    pub moved_tag: u16,
    pub offload: Offload,
}

impl Arrival {
    /// The hook, where the two directions of a conversation pass different ones.
    #[inline(always)]
    #[must_use]
    pub const fn crossing(&self) -> Option<Direction> {
        if self.one_point { None } else { Some(self.hook) }
    }
}

/// What is known of the packet at hand. It is kept outside the stack, of which BPF programs have 512 bytes:
/// the caller lends the room for it, sets `arrival`, and finds nothing else of use in it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Workspace {
    pub arrival: Arrival,
    pub(crate) start: Start,
    /// A [`Counter`] and a [`Family`], as numbers: of an enum the compiler knows the range, and would leave
    /// out the comparison that the verifier needs.
    pub(crate) skip: (u32, u32),
    pub(crate) headers: Headers,
    pub(crate) inside: Headers,
    pub(crate) key: FlowKey,
    pub(crate) datagram: Datagram,
    pub(crate) volume: Volume,
    pub(crate) tally: Tally,
    /// What this CPU knows of the time; stays from packet to packet.
    pub pace: Pace,
    /// When the sender's packet before this one passed.
    pub(crate) own_last: u64,
    pub(crate) repeated: (u32, u32),
    pub(crate) tunnel_id: u32,
    pub(crate) depth: u8,
    pub(crate) tunnel: TunnelKind,
    pub(crate) sender: u8,
    /// What [`crate::tcp::track`] found of the segment.
    pub(crate) verdict: u8,
    /// The record's, from before the segment.
    pub(crate) last_talker: u8,
    /// Of the copy that is to be made: its length, kind and protocol.
    pub(crate) copied: u16,
    pub(crate) what: u16,
    /// Copies that were asked for on this CPU, and what [`crate::env::Env::waiting`] last said.
    pub(crate) copies: u32,
    pub(crate) waiting: u32,
    pub(crate) slot: u32,
    pub(crate) deafness: u32,
    pub(crate) client: u32,
}

/// Bytes that a BPF program cannot read in place: as many as the longest header has.
pub type Scratch = [u64; 8];

/// What a program has to itself beside its stack.
#[derive(Debug)]
#[repr(C)]
pub struct Room {
    pub work: Workspace,
    pub scratch: Scratch,
}

impl Workspace {
    /// Sets the reason for `skipped`.
    #[inline(always)]
    pub const fn set_skip(&mut self, skip: Skip) {
        self.skip = (skip.counter as u32, skip.family as u32);
    }

    /// Goes to the start of the packet that `arrival` describes.
    #[inline(always)]
    pub const fn begin(&mut self) {
        self.start = Start { offset: 0, link: self.arrival.link, moved_tag: self.arrival.moved_tag };
        (self.tunnel, self.tunnel_id, self.depth) = (TunnelKind::None, 0, 0);
    }

    /// Those that `step::read` has read.
    #[inline(always)]
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Room for packets that arrive like this.
    #[must_use]
    pub const fn new(arrival: Arrival) -> Self {
        Self {
            arrival,
            start: Start { offset: 0, link: arrival.link, moved_tag: NO_TAG },
            skip: (0, 0),
            headers: Headers::NONE,
            inside: Headers::NONE,
            key: FlowKey::EMPTY,
            datagram: Datagram {
                source: [0; 2],
                destination: [0; 2],
                identification: 0,
                interface: 0,
                protocol: 0,
                depth: 0,
            },
            volume: Volume { packets: 0, skb_packets: 0, ip_bytes: 0, frame_bytes: 0, payload_bytes: 0 },
            tally: Tally { packets: 0, bytes: 0, skb_packets: 0, skb_bytes: 0 },
            pace: Pace::NEW,
            own_last: 0,
            repeated: (0, 0),
            tunnel_id: 0,
            depth: 0,
            tunnel: TunnelKind::None,
            sender: 0,
            verdict: 0,
            last_talker: 0,
            copied: 0,
            what: 0,
            copies: 0,
            waiting: 0,
            slot: 0,
            deafness: 0,
            client: 0,
        }
    }
}
