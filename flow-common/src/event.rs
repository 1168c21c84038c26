//! A copy of payload on its way to the daemon.

use crate::{
    app::App,
    key::{FlowKey, Sender},
};

/// Most bytes of a head or a hello that are copied.
pub const MAX_PAYLOAD: usize = 4096;

/// Most payload bytes that one event of the kernel carries, a power of two: super-packets are no longer, unless a device
/// has BIG TCP (gso_max_size above 65,536), and helpers reach no byte behind the first 64 KiB of a packet.
pub const MAX_COPY: usize = 64 << 10;

/// Those that go by way of memory of their CPU, a power of two: an element of such memory may have 32 KiB at most
/// (PCPU_MIN_UNIT_SIZE).
pub const MAX_STAGED: usize = 16 << 10;

/// What a payload copy is of its protocol's conversation, whichever protocol that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PayloadKind {
    /// The first bytes of a request, or a prefix of what may become one.
    Request = 0,
    /// The first bytes of a response, or a prefix of what may become one.
    Response = 1,
    /// The next bytes of a message that began in an earlier segment.
    Continuation = 2,
    /// The connection ended (FIN or RST); no payload. All who follow something on it are meant.
    End = 3,
    /// The first bytes of a message whose protocol says elsewhere whether it asks or answers.
    Message = 4,
}

/// The fixed part of an event; `copied` payload bytes follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct PayloadEvent {
    pub key: FlowKey,
    /// Nanoseconds of the packet's clock.
    pub time: u64,
    /// Slot of the flow's record.
    pub slot: u32,
    /// TCP sequence number of the first copied byte.
    pub seq: u32,
    /// Payload bytes of the segment behind the first copied byte, that byte included.
    pub payload_len: u32,
    /// Payload bytes that follow this header.
    pub copied: u16,
    /// A [`PayloadKind`].
    pub kind: u8,
    /// A [`Sender`] in bit 0, and above it which of its sender's copies this is: [`PayloadEvent::number`].
    pub sender: u8,
    /// TCP acknowledgement number of the segment; of an end one past the last byte of the other side that passed, as a
    /// reset need not acknowledge (RFC 9293 section 3.10.7.1).
    pub ack: u32,
    /// TCP flags of the segment, without NS.
    pub tcp_flags: u8,
    /// The [`App`] of the payload; of an end what its sender spoke last, 0 where that was nothing.
    pub app: u8,
    /// Retransmits of both sides so far, modulo 65,536.
    pub retransmits: u16,
    /// When the sender's segment before this one passed, ns; 0: there was none.
    pub own_last: u64,
    /// When the other side's last new byte passed, ns; 0: there was none.
    pub peer_last: u64,
}

const _: () = assert!(size_of::<PayloadEvent>() == 96);

impl PayloadEvent {
    /// Copies of one side are numbered from 1 to this, and then from 1 again.
    pub const NUMBERS: u8 = 127;

    /// Whether it is payload of `app`.
    #[must_use]
    pub const fn is_of(&self, app: App) -> bool {
        self.app == app as u8 && self.kind != PayloadKind::End as u8
    }

    /// Which endpoint of the key sent it.
    #[must_use]
    pub const fn from(&self) -> Sender {
        if self.sender & 1 == Sender::A as u8 { Sender::A } else { Sender::B }
    }

    /// Which of its sender's copies this is, so that the reader sees that one was lost; 0: not numbered.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.sender >> 1
    }

    /// The field [`PayloadEvent::sender`].
    #[inline(always)]
    #[must_use]
    pub const fn numbered(sender: Sender, number: u8) -> u8 {
        sender as u8 | number << 1
    }

    /// The number behind `number`.
    #[inline(always)]
    #[must_use]
    pub const fn number_after(number: u8) -> u8 {
        // Without a branch, which the verifier would walk twice.
        let next = number + 1;
        next & Self::NUMBERS | next >> 7
    }
}
