//! What TCP tracking keeps of the segments that one endpoint sent.

use crate::shared::{packed, share};

/// One side of a TCP connection as Zeek names its states; the order is of no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TcpEnd {
    Inactive = 0,
    SynSent = 1,
    SynAckSent = 2,
    Partial = 3,
    Established = 4,
    Closed = 5,
    Reset = 6,
}

/// A stretch of sequence space not yet seen: `start == end` where unused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Hole {
    pub start: u32,
    pub end: u32,
}

packed! { Hole }

/// Stretches remembered per direction; more losses than these at once are told apart less well.
pub const HOLES: usize = 4;

share! {
    /// What TCP tracking keeps of the segments that one endpoint sent, as far as every segment needs it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TcpHalf, shared SharedTcpHalf {
        /// When `next_seq` last moved, ns.
        pub next_seq_time: u64,
        /// One past the highest sequence number sent.
        pub next_seq: u32,
        /// Last acknowledgement number sent.
        pub last_ack: u32,
        /// Window field of the last segment, not scaled.
        pub window: u16,
        /// A [`TcpEnd`].
        pub state: u8,
        /// Bits of [`seen`].
        pub seen: u8,
        /// Duplicate acknowledgements in a row, saturating.
        pub duplicates_in_row: u8,
        /// The [`crate::app::App`] that this side spoke last; 0: none that is looked for.
        pub app: u8,
        /// Bits of [`sniffing`].
        pub sniffing: u8,
        /// Peeks at this side's payload that found nothing known, saturating, or one of [`looks`]. Of UDP, what looking for
        /// QUIC has used up of its patience.
        pub misses: u8,
        /// Sequence number of the first byte of the message whose head is being copied.
        pub head_seq: u32,
        /// Bytes from `head_seq` on that are wanted; 0: none.
        pub head_window: u16,
        /// 1: the last segment was a keep-alive.
        pub kept_alive: u8,
        /// Number of the last copy of payload, [`crate::event::PayloadEvent::number`].
        pub copies: u8,
        /// One past the last byte of the latest segment.
        pub latest_seq: u32,
        /// Its timestamp value.
        pub latest_tsval: u32,
        /// Probe for the round trip to the peer: one past the last byte of the timed segment.
        pub probe_seq: u32,
        /// Timestamp value of the timed segment.
        pub probe_tsval: u32,
        /// When the timed segment passed, ns; 0: no probe under way.
        pub probe_time: u64,
        /// When the segment that ends at `latest_seq`, the latest sent, passed, ns; 0: answered or ambiguous.
        pub latest_time: u64,
    }
}

share! {
    /// What TCP said of the path that one endpoint's segments took: nothing on most of them.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TcpQuality, shared SharedTcpQuality {
        pub holes: [Hole; HOLES],
        /// Sequence space that covers what was already sent.
        pub retransmitted_bytes: u64,
        pub retransmits: u32,
        pub out_of_order: u32,
        pub duplicate_acks: u32,
        pub zero_windows: u32,
        pub syn_retransmits: u32,
        pub resets: u32,
    }
}

/// Bits of [`TcpHalf::seen`].
pub mod seen {
    /// `next_seq` holds.
    pub const SEQ: u8 = 1;
    /// `last_ack` and `window` hold.
    pub const ACK: u8 = 2;
    /// Payload was sent.
    pub const DATA: u8 = 4;
    /// TCP timestamps are in use.
    pub const TIMESTAMPS: u8 = 8;
}

/// What the reader of copies decided of a side, in [`TcpHalf::misses`]. Smaller numbers are peeks.
pub mod looks {
    /// Nobody recognised the conversation: from so many peeks on, what is unknown is not copied any more, but what is known
    /// is looked for a while, as behind STARTTLS.
    pub const UNKNOWN: u8 = 200;
    /// Nothing known will come: nobody looks.
    pub const LEFT_ALONE: u8 = 254;
    /// All that is new is copied, whatever it is.
    pub const FOLLOWED: u8 = 255;
}

/// Bits of [`TcpHalf::sniffing`].
pub mod sniffing {
    /// The last segment with payload ended a write, as PSH or its size says: the next one may begin a message.
    pub const PUSHED: u8 = 1;
    /// A FIN or RST of this side was reported.
    pub const END_TOLD: u8 = 2;
    /// A RST of this side was reported: it may follow a FIN, and cuts what the other side is still sending.
    pub const RESET_TOLD: u8 = 32;
    /// This side has spoken what comes in messages: one may begin wherever a write ended.
    pub const MESSAGES: u8 = 4;
    /// This side has spoken what needs to know of the connection's end.
    pub const NEEDS_END: u8 = 8;
    /// This side has said its hello: what it says next is nobody's business. Who follows it needs to know of the end
    /// until the other side has answered.
    pub const HELLO: u8 = 16;
}
