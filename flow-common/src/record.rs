//! One flow's record: what both endpoints sent, and what TCP said about the path between them.
//!
//! Counters only grow, so that a reader may take differences without stopping the writers. A record lives
//! in a slot of a shared array; `life` says who owns the slot.

mod half;
mod rtt;
mod tcp;

use core::mem::offset_of;

use half::CACHE_LINE;
pub use half::{Half, SharedHalf, SharedVolume, Volume};
pub use rtt::{Rtt, SharedRtt};
pub use tcp::{
    HOLES, Hole, SharedTcpHalf, SharedTcpQuality, TcpEnd, TcpHalf, TcpQuality, looks, seen, sniffing,
};

use crate::{
    key::{FlowKey, Sender},
    shared::{Share as _, share},
};

/// Slot states, in [`FlowRecord::life`].
pub mod life {
    /// Nobody's; in a run of free slots.
    pub const FREE: u32 = 0;
    /// Found through the index; programs write to it.
    pub const LIVE: u32 = 1;
    /// Its key now leads to a newer record; programs that found it earlier may still be writing.
    pub const DETACHED: u32 = 2;
}

/// Which rule named the client (DESIGN: SYN, then port rank, then first sender).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RoleBy {
    First = 0,
    Port = 1,
    Syn = 2,
}

/// Why a record ended, where the packet path ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ended {
    /// Still open, as far as packets tell.
    No = 0,
    /// Both sides sent FIN.
    Fin = 1,
    /// One side sent RST.
    Rst = 2,
    /// A packet came after the idle timeout and began a new record.
    Idle = 3,
}

share! {
    /// One flow. Lines as in [`Half`]: a packet in order needs the first one alone of those before the halves.
    #[derive(Clone, Debug)]
    pub struct FlowRecord, shared SharedRecord {
        pub key: FlowKey,
        /// One of [`life`].
        pub life: u32,
        /// An [`Ended`].
        pub ended: u8,
        /// A [`Sender`]: the client.
        pub client: u8,
        /// A [`RoleBy`].
        pub role_by: u8,
        /// A [`Sender`] plus one: who sent TCP payload last; 0: nobody.
        pub last_talker: u8,
        /// Bit 2n+s: history letter n was noted for sender s.
        pub history_seen: u32,
        /// Letters used in `history`.
        pub history_len: u8,
        /// 1: the client has not acknowledged yet what came at `opened`, and it came once.
        pub awaits_ack: u8,
        /// 1: the ports are unknown, the first fragment was not seen.
        pub fragment: u8,
        /// The first [`crate::app::App`] that payload of either side showed; 0: none.
        pub app: u8,
        /// First packet, ns of the packet's clock.
        pub start: u64,
        /// Type and code of the first ICMP message.
        pub icmp_type: u8,
        pub icmp_code: u8,
        pub reserved2: u16,
        /// While the slot is free: how many slots lie between it and the next of its run, see [`crate::free`].
        pub skip: u32,
        /// The client's last SYN before the SYN-ACK, ns; 0: not seen.
        pub syn_time: u64,
        /// What the client's next acknowledgement answers, ns; 0: not seen. The SYN-ACK or, in a simultaneous open, the
        /// SYN of the server.
        pub opened: u64,
        /// Handshake round trips, ns plus one; 0: not known.
        pub handshake_server_rtt: u64,
        pub handshake_client_rtt: u64,
        /// Zeek's history letters, in order; upper case: sent by the client.
        pub history: [u8; 16],
        /// What A and what B sent.
        pub halves: [Half; 2],
    }
}

const _: () = assert!(size_of::<FlowRecord>() == 12 * CACHE_LINE);
const _: () =
    assert!(offset_of!(FlowRecord, start) == CACHE_LINE && offset_of!(FlowRecord, halves) == 2 * CACHE_LINE);

impl FlowRecord {
    /// What `sender` sent.
    #[inline(always)]
    #[must_use]
    pub const fn half(&self, sender: Sender) -> &Half {
        match sender {
            Sender::A => &self.halves[0],
            Sender::B => &self.halves[1],
        }
    }

    /// What `sender` sent.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "a sender is 0 or 1")]
    pub const fn half_mut(&mut self, sender: Sender) -> &mut Half {
        &mut self.halves[sender as usize]
    }

    /// The client's side of the key.
    #[inline(always)]
    #[must_use]
    pub const fn client(&self) -> Sender {
        if self.client == Sender::A as u8 { Sender::A } else { Sender::B }
    }
}

impl FlowRecord {
    /// When the last packet of either side passed, ns.
    #[inline(always)]
    #[must_use]
    pub const fn last(&self) -> u64 {
        let [a, b] = &self.halves;
        let last = if a.last > b.last { a.last } else { b.last };
        // Before its first packet is stamped, a record is as old as its start.
        if last > self.start { last } else { self.start }
    }

    /// The empty record of a new flow, not yet shown to the reader.
    #[inline(always)]
    #[must_use]
    pub fn new(key: &FlowKey, now: u64) -> Self {
        Self {
            key: *key,
            life: life::FREE,
            ended: Ended::No as u8,
            client: 0,
            role_by: 0,
            last_talker: 0,
            history_seen: 0,
            history_len: 0,
            awaits_ack: 0,
            fragment: 0,
            app: 0,
            start: now,
            icmp_type: 0,
            icmp_code: 0,
            reserved2: 0,
            skip: 0,
            syn_time: 0,
            opened: 0,
            handshake_server_rtt: 0,
            handshake_client_rtt: 0,
            history: [0; 16],
            halves: [Half::default(), Half::default()],
        }
    }
}

impl SharedRecord {
    /// What `sender` sent.
    ///
    /// By its place in the array, not by a choice of two: the verifier would walk all that follows once for each.
    #[inline(always)]
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "a sender is 0 or 1")]
    pub const fn half(&self, sender: Sender) -> &SharedHalf {
        &self.halves[sender as usize]
    }

    /// Both halves: the sender's and the peer's.
    #[inline(always)]
    #[must_use]
    pub const fn pair(&self, sender: Sender) -> (&SharedHalf, &SharedHalf) {
        (self.half(sender), self.half(sender.other()))
    }

    /// When the last packet of either side passed, ns.
    #[inline(always)]
    #[must_use]
    pub fn last(&self) -> u64 {
        let [a, b] = &self.halves;
        // Before its first packet is stamped, a record is as old as its start.
        a.last.get().max(b.last.get()).max(self.start.get())
    }

    /// Makes this [`FlowRecord::new`]. The caller has taken the slot, to which no key leads yet: who still finds it by
    /// an old hint looks at its life and its key, and no further.
    #[inline(always)]
    pub fn begin(&self, key: &FlowKey, now: u64) {
        // Its life says FREE, and stays so.
        self.key.set(key);
        self.ended.set(Ended::No as u8);
        self.client.set(0);
        self.role_by.set(0);
        self.last_talker.set(0);
        self.history_seen.set(0);
        self.history_len.set(0);
        self.awaits_ack.set(0);
        self.fragment.set(0);
        self.app.set(0);
        self.start.set(now);
        self.icmp_type.set(0);
        self.icmp_code.set(0);
        self.skip.set(0);
        self.syn_time.set(0);
        self.opened.set(0);
        self.handshake_server_rtt.set(0);
        self.handshake_client_rtt.set(0);
        // SAFETY: nobody but the caller looks at this part.
        unsafe { <[u8; 16]>::overwrite(&self.history, [0; 16]) };
        // SAFETY: the same.
        unsafe { <[Half; 2]>::overwrite(&self.halves, [Half::default(), Half::default()]) };
    }
}
