//! Tunnels of which each direction may carry an id of its own: one conversation all the same.

use crate::{
    env::{Datagram, Env, FirstFragment},
    key::TunnelKind,
    workspace::Workspace,
};

/// Marks, in [`Datagram::depth`], what is kept here in the memory for first fragments: it is small, bounded, may
/// forget, and is asked by addresses.
const IDS: u8 = 0x80;

/// Whether the packet at hand is inside a tunnel whose receivers choose the ids: the key of GRE, which either end
/// configures for what it takes in (RFC 2890 section 2.1). The keys of most tunnels are the same both ways, and tell
/// nets with the same addresses apart.
#[inline(always)]
pub(crate) const fn may_differ(work: &Workspace) -> bool {
    matches!(work.tunnel, TunnelKind::Gre) && work.tunnel_id != 0
}

/// Gives the packet at hand the id under which its conversation began, which may be that of the other direction.
///
/// A direction's first id joins the other direction's, as long as that has had one alone. Once a direction has shown
/// two, each is a tunnel of its own.
#[inline(always)]
pub fn unite<E: Env>(env: &mut E, work: &mut Workspace) {
    let (headers, own) = (&work.headers, work.tunnel_id);
    let (from, to) = (headers.source, headers.destination);
    work.datagram = Datagram {
        source: to.address,
        destination: from.address,
        identification: both(to.port, from.port),
        interface: work.arrival.interface,
        protocol: headers.protocol,
        depth: work.depth | IDS,
    };
    let peer = env.recall(&work.datagram).map_or(own, |peer| peer.protocol);
    let common = if peer == SEVERAL { own } else { peer };
    (work.datagram.source, work.datagram.destination) = (from.address, to.address);
    work.datagram.identification = both(from.port, to.port);
    let entry = match env.recall(&work.datagram) {
        Some(known) if known.id() == own => {
            work.tunnel_id = known.protocol;
            return;
        }
        Some(_) => FirstFragment::ids(SEVERAL, SEVERAL),
        None => {
            work.tunnel_id = common;
            FirstFragment::ids(own, common)
        }
    };
    env.remember(&work.datagram, &entry);
}

/// In place of an id: the direction has several.
const SEVERAL: u32 = u32::MAX;

#[inline(always)]
const fn both(high: u16, low: u16) -> u32 {
    (high as u32) << 16 | low as u32
}

impl FirstFragment {
    /// A direction's own id, and the one under which the conversation began.
    #[inline(always)]
    const fn ids(own: u32, common: u32) -> Self {
        Self { source_port: (own >> 16) as u16, destination_port: own as u16, protocol: common }
    }

    /// A direction's own id.
    #[inline(always)]
    const fn id(&self) -> u32 {
        both(self.source_port, self.destination_port)
    }
}
