//! The whole story of one packet on one screen: read its headers, count it, find its flow, follow TCP,
//! copy what deserves it.

use core::hint::cold_path;

use crate::{
    clock::Clock as _,
    counter::{Counter, Family, Tally},
    dissect::{self, NO_TAG, tunnel},
    env::Env,
    offload::{self, Frame},
    packet::Packet,
    tunnel_ids,
    workspace::Workspace,
};

/// How the steps that are taken at several places are taken: in place, or, as a BPF program does it, as functions of
/// their own, which the verifier walks once each and which share the stack.
pub trait Dispatch: Env {
    /// [`step::read`].
    #[inline(always)]
    fn read<P: Packet>(&mut self, packet: &P, work: &mut Workspace) -> bool {
        step::read(packet, work)
    }

    /// [`step::innermost`].
    #[inline(always)]
    fn innermost<P: Packet>(&mut self, packet: &P, work: &mut Workspace) {
        step::innermost(packet, work);
    }

    /// [`step::account`].
    #[inline(always)]
    fn account<P: Packet>(&mut self, packet: &P, work: &mut Workspace) -> bool {
        step::account(packet, self, work)
    }

    /// [`step::enter`].
    #[inline(always)]
    fn enter<P: Packet>(&mut self, packet: &P, work: &mut Workspace) -> bool {
        step::enter(packet, self, work)
    }

    /// [`step::unite`].
    #[inline(always)]
    fn unite(&mut self, work: &mut Workspace) {
        step::unite(self, work);
    }
}

/// Bytes of a VLAN tag.
const TAG_LEN: u32 = 4;

/// Accounts for one packet; with `TUNNELS` also for those inside it, where the settings ask for that. Without, each
/// step has one place and stands there: a call costs 10 ns, as much as a look-up.
#[inline(always)]
pub fn on_packet<const TUNNELS: bool, P: Packet, E: Dispatch>(packet: &P, env: &mut E, work: &mut Workspace) {
    work.begin();
    let read = if TUNNELS { env.read(packet, work) } else { step::read(packet, work) };
    if !read {
        cold_path();
        return skipped(packet, env, work);
    }
    work.pace.next(env.clock(), env.setting(|settings| &settings.reuse_time) != 0);
    let tag_len = if work.arrival.moved_tag == NO_TAG { 0 } else { TAG_LEN };
    measure(packet, env, work, &Frame { start: 0, len: packet.len(), tag_len });
    let counted = if TUNNELS { env.account(packet, work) } else { step::account(packet, env, work) };
    // Down here, as the verifier walks all that follows once for each way through this.
    if let Some(bins) = env.bins() {
        bins.add(work.pace.now(), work.tally.bytes);
    }
    if let Some(totals) = env.totals() {
        let [ipv4, ipv6, _] = &mut totals.seen;
        let seen = if matches!(work.headers.family, Family::Ipv6) { ipv6 } else { ipv4 };
        seen.add(&work.tally);
        if !counted && let Some(full) = totals.skipped.get_mut(Counter::TableFull as usize) {
            full.add(&work.tally);
        }
    }
    // Three tunnels deep, written out: the verifier sees no end to a loop whose state it does not know.
    if TUNNELS && inside(packet, env, work) && inside(packet, env, work) {
        inside(packet, env, work);
    }
}

/// Accounts for the packet inside the one at hand; false where there is none.
#[inline(always)]
fn inside<P: Packet, E: Dispatch>(packet: &P, env: &mut E, work: &mut Workspace) -> bool {
    if !env.enter(packet, work) || !env.read(packet, work) {
        return false;
    }
    if tunnel_ids::may_differ(work) {
        cold_path();
        env.unite(work);
    }
    let start = work.start.offset;
    let len = work.headers.end().saturating_sub(start);
    measure(packet, env, work, &Frame { start, len, tag_len: 0 });
    env.account(packet, work);
    true
}

/// Measures the packet whose headers were read.
#[inline(always)]
fn measure<P: Packet, E: Dispatch>(packet: &P, env: &mut E, work: &mut Workspace, frame: &Frame) {
    // A constant of the load: the verifier walks one way only, and leaves out the other.
    if env.setting(|settings| &settings.ignore_vlan) != 0 {
        work.headers.vlans = 0;
    }
    work.repeated = work.headers.payload();
    if work.arrival.offload.is_super() {
        cold_path();
        env.innermost(packet, work);
    }
    (work.volume, work.tally) = offload::measure(&work.headers, work.repeated, work.arrival.offload, frame);
}

/// The steps of [`on_packet`], as the default methods of [`Dispatch`] call them.
pub mod step {
    use super::{Env, Packet, Workspace, dissect, tunnel};
    use crate::verifier::launder;
    pub use crate::{account::account, tunnel_ids::unite};

    /// Reads the headers that begin at `work.start`; false, with the reason in `work`, where there are none.
    #[inline(always)]
    pub fn read<P: Packet>(packet: &P, work: &mut Workspace) -> bool {
        let read = dissect::dissect(packet, &work.start, &mut work.headers);
        if let Err(skip) = read {
            work.set_skip(skip);
        }
        read.is_ok()
    }

    /// Finds the payload of the innermost packet: what stands before it is what offload repeats.
    #[inline(always)]
    pub fn innermost<P: Packet>(packet: &P, work: &mut Workspace) {
        let Some(mut inner) = tunnel::inner(packet, &work.headers) else { return };
        // Here the kinds of tunnels meet.
        inner.start.offset = launder(&mut work.inside.ip_offset, inner.start.offset);
        if dissect::dissect(packet, &inner.start, &mut work.inside).is_ok() {
            work.repeated = work.inside.payload();
        }
    }

    /// Goes on to the packet inside this one; false where there is none, or nobody wants it.
    #[inline(always)]
    pub fn enter<P: Packet, E: Env>(packet: &P, env: &E, work: &mut Workspace) -> bool {
        let Some(inner) = tunnel::inner(packet, &work.headers) else { return false };
        work.start = inner.start;
        (work.tunnel, work.tunnel_id) = (inner.kind, inner.id & inner.kind.common_ids());
        work.depth += 1;
        env.setting(|settings| &settings.decapsulate) & inner.kind.bit() != 0
    }
}

/// Counts a packet that is in no flow, under the reason in `work.skip`.
#[inline(always)]
pub fn skipped<P: Packet, E: Env>(packet: &P, env: &mut E, work: &Workspace) {
    let tag_len = if work.arrival.moved_tag == NO_TAG { 0 } else { TAG_LEN };
    // Without headers, what the segments repeat is not known: their number is all that can be said.
    let packets = work.arrival.offload.wire_packets(packet.len());
    let tally = Tally {
        packets,
        bytes: u64::from(packet.len()) + packets * u64::from(tag_len),
        skb_packets: 1,
        skb_bytes: u64::from(packet.len()),
    };
    // Its time is of no other use, and these are few.
    let now = if env.setting(|settings| &settings.windows) == 0 { 0 } else { env.clock().read() };
    if let Some(bins) = env.bins() {
        bins.add(now, tally.bytes);
    }
    let Some(totals) = env.totals() else { return };
    if let Some(seen) = totals.seen.get_mut(work.skip.1 as usize) {
        seen.add(&tally);
    }
    if let Some(reason) = totals.skipped.get_mut(work.skip.0 as usize) {
        reason.add(&tally);
    }
}
