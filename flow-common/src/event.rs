//! A copy of payload on its way to the daemon.

use crate::key::{FlowKey, Sender};

/// Most payload bytes that one event carries.
pub const MAX_PAYLOAD: usize = 4096;

/// What a payload copy begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PayloadKind {
    /// The first bytes of an HTTP request, or a prefix of what may become one.
    HttpRequest = 0,
    /// The first bytes of an HTTP response, or a prefix of what may become one.
    HttpResponse = 1,
    /// The next bytes of a message whose head began in an earlier segment.
    Continuation = 2,
    /// The connection ended (FIN or RST); no payload.
    End = 3,
    /// A DNS message over UDP; over TCP, bytes of the stream.
    Dns = 4,
    /// The first bytes of a side that speaks TLS, or the next of the same hello.
    TlsHello = 5,
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
    /// A [`Sender`].
    pub sender: u8,
    /// TCP acknowledgement number of the segment.
    pub ack: u32,
    /// TCP flags of the segment.
    pub tcp_flags: u16,
    pub reserved: u16,
}

const _: () = assert!(size_of::<PayloadEvent>() == 80);

impl PayloadEvent {
    /// Which endpoint of the key sent it.
    #[must_use]
    pub const fn from(&self) -> Sender {
        if self.sender == Sender::A as u8 { Sender::A } else { Sender::B }
    }
}
