//! Frames put together from their headers, innermost first: each function wraps what it is given.

/// Addresses as they stand in the header.
pub(crate) const CLIENT: [u8; 4] = [10, 0, 0, 1];
pub(crate) const SERVER: [u8; 4] = [192, 0, 2, 7];
pub(crate) const CLIENT6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub(crate) const SERVER6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/// EtherTypes.
pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const VLAN: u16 = 0x8100;
pub(crate) const QINQ: u16 = 0x88a8;
pub(crate) const MPLS: u16 = 0x8847;
pub(crate) const PPPOE: u16 = 0x8864;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(crate) fn ethernet(ethertype: u16, inner: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], &ethertype.to_be_bytes(), inner])
}

/// A frame with the tags (EtherType of the tag, id) from the outermost.
pub(crate) fn tagged(tags: &[(u16, u16)], ethertype: u16, inner: &[u8]) -> Vec<u8> {
    let (mut ethertype, mut inner) = (ethertype, inner.to_vec());
    for (kind, id) in tags.iter().rev() {
        inner = join(&[&(0xa000 | id).to_be_bytes(), &ethertype.to_be_bytes(), &inner]);
        ethertype = *kind;
    }
    ethernet(ethertype, &inner)
}

/// A PPPoE session frame's payload (RFC 2516 section 4); `protocol` is PPP's.
pub(crate) fn pppoe(protocol: u16, inner: &[u8]) -> Vec<u8> {
    let len = (inner.len() + 2) as u16;
    join(&[&[0x11, 0, 0, 9], &len.to_be_bytes(), &protocol.to_be_bytes(), inner])
}

/// A label stack; the last label is marked as such (RFC 3032 section 2.1).
pub(crate) fn mpls(labels: &[u32], inner: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let bottom = u32::from(index + 1 == labels.len());
        frame.extend((label << 12 | bottom << 8 | 64).to_be_bytes());
    }
    frame.extend(inner);
    frame
}

/// Fills in the checksum of an IPv4 header without options.
pub(crate) fn summed(mut packet: Vec<u8>) -> Vec<u8> {
    let (words, _) = packet.as_chunks();
    let sum: u32 = words.iter().take(10).map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    if let Some(checksum) = packet.get_mut(10..12) {
        checksum.copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// A frame to and from these MAC addresses.
pub(crate) fn between(destination: [u8; 6], source: [u8; 6], ethertype: u16, inner: &[u8]) -> Vec<u8> {
    join(&[&destination, &source, &ethertype.to_be_bytes(), inner])
}

/// What of an IPv4 header the tests vary.
#[derive(Clone, Debug)]
pub(crate) struct V4 {
    pub(crate) source: [u8; 4],
    pub(crate) destination: [u8; 4],
    pub(crate) protocol: u8,
    pub(crate) tos: u8,
    pub(crate) identification: u16,
    /// In units of 8 bytes.
    pub(crate) offset: u16,
    pub(crate) more: bool,
    /// A multiple of 4 bytes, 40 at most.
    pub(crate) options: Vec<u8>,
    /// Written into the header instead of the true length.
    pub(crate) total_length: Option<u16>,
}

impl V4 {
    pub(crate) fn of(protocol: u8) -> Self {
        Self {
            source: CLIENT,
            destination: SERVER,
            protocol,
            tos: 0,
            identification: 1,
            offset: 0,
            more: false,
            options: Vec::new(),
            total_length: None,
        }
    }

    pub(crate) fn wrap(&self, inner: &[u8]) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let total = self.total_length.unwrap_or((header_len + inner.len()) as u16);
        let fragment = u16::from(self.more) << 13 | self.offset;
        join(&[
            &[0x40 | (header_len / 4) as u8, self.tos],
            &total.to_be_bytes(),
            &self.identification.to_be_bytes(),
            &fragment.to_be_bytes(),
            &[64, self.protocol, 0, 0],
            &self.source,
            &self.destination,
            &self.options,
            inner,
        ])
    }
}

/// An IPv6 packet; `extensions` are complete headers but for their first byte, which this links up.
pub(crate) fn ipv6(
    addresses: ([u8; 16], [u8; 16]),
    tos: u8,
    extensions: &[(u8, Vec<u8>)],
    protocol: u8,
    inner: &[u8],
) -> Vec<u8> {
    let mut chain = Vec::new();
    for (index, (_, header)) in extensions.iter().enumerate() {
        let next = extensions.get(index + 1).map_or(protocol, |(kind, _)| *kind);
        chain.push(next);
        chain.extend(header.get(1..).unwrap_or_default());
    }
    let first = extensions.first().map_or(protocol, |(kind, _)| *kind);
    let len = (chain.len() + inner.len()) as u16;
    join(&[
        &(6 << 28 | u32::from(tos) << 20).to_be_bytes(),
        &len.to_be_bytes(),
        &[first, 64],
        &addresses.0,
        &addresses.1,
        &chain,
        inner,
    ])
}

pub(crate) fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() + 8) as u16;
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &len.to_be_bytes(), &[0, 0], payload])
}

/// What of a TCP header the tests vary.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tcp {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: u16,
    pub(crate) window: u16,
    /// A multiple of 4 bytes, 40 at most.
    pub(crate) options: Vec<u8>,
}

impl Tcp {
    pub(crate) fn wrap(&self, payload: &[u8]) -> Vec<u8> {
        let words = (5 + self.options.len() / 4) as u16;
        join(&[
            &self.source.to_be_bytes(),
            &self.destination.to_be_bytes(),
            &self.sequence.to_be_bytes(),
            &self.acknowledgement.to_be_bytes(),
            &(words << 12 | self.flags).to_be_bytes(),
            &self.window.to_be_bytes(),
            &[0, 0, 0, 0],
            &self.options,
            payload,
        ])
    }
}

/// The timestamps option as it is laid out in practice (RFC 7323 appendix A).
pub(crate) fn timestamps(value: u32, echo: u32) -> Vec<u8> {
    join(&[&[1, 1, 8, 10], &value.to_be_bytes(), &echo.to_be_bytes()])
}

/// VXLAN around an Ethernet frame (RFC 7348 section 5).
pub(crate) fn vxlan(vni: u32, frame: &[u8]) -> Vec<u8> {
    join(&[&[8, 0, 0, 0], &(vni << 8).to_be_bytes(), frame])
}

/// Geneve with options (RFC 8926 section 3.4).
pub(crate) fn geneve(vni: u32, options: &[u8], ethertype: u16, inner: &[u8]) -> Vec<u8> {
    join(&[
        &[(options.len() / 4) as u8, 0],
        &ethertype.to_be_bytes(),
        &(vni << 8).to_be_bytes(),
        options,
        inner,
    ])
}

/// GRE with or without key (RFC 2890 section 2).
pub(crate) fn gre(key: Option<u32>, ethertype: u16, inner: &[u8]) -> Vec<u8> {
    let flags: u16 = if key.is_some() { 0x2000 } else { 0 };
    let key = key.map_or(Vec::new(), |key| key.to_be_bytes().to_vec());
    join(&[&flags.to_be_bytes(), &ethertype.to_be_bytes(), &key, inner])
}

/// GTP-U, with a PDU session container where `extended` (3GPP TS 29.281 section 5.2).
pub(crate) fn gtp(teid: u32, extended: bool, inner: &[u8]) -> Vec<u8> {
    let optional: &[u8] = if extended { &[0, 0, 0, 0x85, 1, 0x10, 9, 0] } else { &[] };
    let len = (optional.len() + inner.len()) as u16;
    let flags = if extended { 0x34 } else { 0x30 };
    join(&[&[flags, 255], &len.to_be_bytes(), &teid.to_be_bytes(), optional, inner])
}
