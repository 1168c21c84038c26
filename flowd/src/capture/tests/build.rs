//! Builders of capture files.

pub(super) use super::super::fields::Order;

/// Bytes in one byte order.
#[derive(Clone)]
pub(super) struct Bytes {
    pub(super) order: Order,
    pub(super) bytes: Vec<u8>,
}

impl Bytes {
    pub(super) fn new(order: Order) -> Self {
        Self { order, bytes: Vec::new() }
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn i64(mut self, value: i64) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    /// Zeros up to a multiple of four.
    pub(super) fn pad(mut self) -> Self {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// A file header of classic pcap, version 2.4.
    pub(super) fn pcap(order: Order, magic: u32, link: u32) -> Self {
        Self::new(order).u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(link)
    }

    /// A record of classic pcap.
    pub(super) fn record(self, seconds: u32, fraction: u32, original: u32, data: &[u8]) -> Self {
        let captured = u32::try_from(data.len()).unwrap();
        self.u32(seconds).u32(fraction).u32(captured).u32(original).raw(data)
    }

    /// A pcapng block.
    pub(super) fn block(self, kind: u32, body: &Self) -> Self {
        let body = body.clone().pad().bytes;
        let total = u32::try_from(body.len() + 12).unwrap();
        self.u32(kind).u32(total).raw(&body).u32(total)
    }

    /// A Section Header Block of unknown section length with a comment; from here on the order is `order`.
    pub(super) fn section(mut self, order: Order) -> Self {
        self.order = order;
        let body = Self::new(order).u32(0x1A2B_3C4D).u16(1).u16(0).i64(-1);
        self.block(0x0A0D_0D0A, &body.option(1, b"a comment").u32(0))
    }

    /// An option; the block's body must be a multiple of four bytes long so far.
    pub(super) fn option(self, code: u16, value: &[u8]) -> Self {
        self.u16(code).u16(u16::try_from(value.len()).unwrap()).raw(value).pad()
    }

    /// An Interface Description Block with ready-made options.
    pub(super) fn interface(self, link: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Self {
        let body = Self::new(self.order).u16(link).u16(0).u32(snap_len);
        let body = options.iter().fold(body, |body, (code, value)| body.option(*code, value));
        self.block(1, &if options.is_empty() { body } else { body.u32(0) })
    }

    /// An Enhanced Packet Block with two options.
    pub(super) fn enhanced(self, interface: u32, ticks: u64, original: u32, data: &[u8]) -> Self {
        let body = Self::new(self.order).u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
        let body = body.u32(u32::try_from(data.len()).unwrap()).u32(original).raw(data).pad();
        self.block(6, &body.option(1, b"note").option(2, &[1, 0, 0, 0]).u32(0))
    }

    /// A Simple Packet Block.
    pub(super) fn simple(self, original: u32, data: &[u8]) -> Self {
        let body = Self::new(self.order).u32(original).raw(data);
        self.block(3, &body)
    }

    /// An obsolete Packet Block.
    pub(super) fn obsolete(self, interface: u16, ticks: u64, original: u32, data: &[u8]) -> Self {
        let body = Self::new(self.order).u16(interface).u16(7).u32((ticks >> 32) as u32).u32(ticks as u32);
        let body = body.u32(u32::try_from(data.len()).unwrap()).u32(original).raw(data);
        self.block(2, &body)
    }
}

/// A pcapng file with one Ethernet interface in microseconds.
pub(super) fn ethernet(order: Order) -> Bytes {
    Bytes::new(order).section(order).interface(1, 0, &[])
}
