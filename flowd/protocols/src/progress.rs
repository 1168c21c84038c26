//! How far a connection has come by its flow's record: what no copy tells.

use flow_common::{
    key::{FlowKey, Sender},
    record::{FlowRecord, life},
};

const FIN: u16 = 0x01;

/// Gives how far the flow in a slot has come, where its record can be had.
pub type Look<'a> = &'a mut dyn FnMut(u32) -> Option<Progress>;

/// A look at a flow's record.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub key: FlowKey,
    /// Packets of the flow still come to this record: it has neither ended nor been idle for too long.
    pub lives: bool,
    /// By A and by B: sequence number behind the last byte, and when that passed, nanoseconds of the packet
    /// clock.
    pub sides: [(u32, u64); 2],
    /// Of both sides, modulo 65,536.
    pub retransmits: u16,
}

impl Progress {
    #[must_use]
    pub fn of(record: &FlowRecord) -> Self {
        let side = |sender| {
            let half = record.half(sender);
            // A FIN takes a number as well (RFC 9293 section 3.4).
            let fin = u32::from(half.tcp_flags & FIN != 0);
            (half.tcp.next_seq.wrapping_sub(fin), half.tcp.next_seq_time)
        };
        let [a, b] = [Sender::A, Sender::B].map(|sender| record.half(sender).quality.retransmits);
        let retransmits = u16::try_from(a.wrapping_add(b) & 0xffff).unwrap_or_default();
        let lives = record.life == life::LIVE;
        Self { key: record.key, lives, sides: [Sender::A, Sender::B].map(side), retransmits }
    }

    pub(crate) const fn sent(&self, sender: Sender) -> (u32, u64) {
        match sender {
            Sender::A => self.sides[0],
            Sender::B => self.sides[1],
        }
    }
}
