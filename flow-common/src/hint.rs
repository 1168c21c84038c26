//! Where flows were found last: a short way to a record that spares the index.
//!
//! The index hashes its key by bytes, follows a chain and compares, on three cache lines that nobody else needs.
//! Here one line names at most two slots, and the record itself, which is needed anyway, says whether it is the
//! right one. What is not found here is asked of the index, so that a hint may be lost, or wrong, at any time.

use crate::{
    key::FlowKey,
    record::{SharedRecord, life},
    shared::Relaxed,
};

/// Bits of a way that hold the slot; above it those of the hash.
const SLOT_BITS: u32 = 32;

/// The hints of all keys whose hashes share their low bits.
#[repr(C, align(16))]
pub struct Hints {
    /// The younger one first; upper half: that of the hash, lower half: the slot.
    ways: [Relaxed<u64>; 2],
}

/// Buckets for a table of so many flows. Where it is full, the buckets are too small for one flow in ten; half
/// full, for one in sixty.
#[must_use]
pub const fn buckets(flows: u32) -> u32 {
    flows.next_power_of_two()
}

impl Hints {
    /// The slot that a flow of this hash may be in.
    #[inline(always)]
    #[must_use]
    pub fn slot(&self, hash: u64) -> Option<u32> {
        let [younger, older] = self.ways.each_ref().map(Relaxed::get);
        if (younger ^ hash) >> SLOT_BITS == 0 {
            Some(younger as u32)
        } else if (older ^ hash) >> SLOT_BITS == 0 {
            Some(older as u32)
        } else {
            None
        }
    }

    /// Notes that a flow of this hash is in `slot`.
    #[inline(always)]
    pub fn note(&self, hash: u64, slot: u32) {
        let [younger, older] = &self.ways;
        let (hint, before) = (hash >> SLOT_BITS << SLOT_BITS | u64::from(slot), younger.get());
        younger.set(hint);
        older.set(if (before ^ hash) >> SLOT_BITS == 0 { 0 } else { before });
    }
}

/// Whether the record is that of `key` and takes packets.
///
/// The reader of the table says that a record takes none before it waits for the programs under way. So
/// who sees it live here is waited for, as is who found it in the index.
#[inline(always)]
#[must_use]
pub fn leads(record: &SharedRecord, key: &FlowKey) -> bool {
    record.life.get() == life::LIVE && record.key.is(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::{Direction, Endpoint, Scope, TunnelKind},
        record::FlowRecord,
        shared::Share as _,
    };

    fn scope(interface: u16) -> Scope {
        Scope { interface, vlans: 0, protocol: 6, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 }
    }

    fn key(client: u32, port: u16, server: u32, interface: u16) -> FlowKey {
        let (client, server) = (Endpoint::v4(client.to_be(), port), Endpoint::v4(server.to_be(), 443));
        FlowKey::new(client, server, &scope(interface), Some(Direction::Ingress)).0
    }

    /// Keys that share their bucket with two others or more, of a thousand.
    fn crowded(keys: impl Iterator<Item = FlowKey>) -> usize {
        let keys: Vec<u64> = keys.map(|key| key.hash()).collect();
        let mask = buckets(u32::try_from(keys.len()).unwrap()) - 1;
        let mut sizes = vec![0_usize; mask as usize + 1];
        for hash in &keys {
            sizes[(*hash as u32 & mask) as usize] += 1;
        }
        let over: usize = sizes.iter().map(|size| size.saturating_sub(2)).sum();
        over * 1000 / keys.len()
    }

    #[test]
    fn the_two_latest_of_a_bucket_are_found() {
        let hints = Hints { ways: [const { Relaxed::new(0) }; 2] };
        let [a, b, c] = [1_u64, 2, 3].map(|number| number << 40 | 5);
        hints.note(a, 10);
        hints.note(b, 20);
        assert_eq!([a, b, c].map(|hash| hints.slot(hash)), [Some(10), Some(20), None]);
        hints.note(c, 30);
        assert_eq!([a, b, c].map(|hash| hints.slot(hash)), [None, Some(20), Some(30)]);
        // A flow's next record.
        hints.note(c, 31);
        assert_eq!(hints.slot(c), Some(31));
    }

    #[test]
    fn a_record_leads_to_its_key_while_it_is_live() {
        let (right, wrong) = (key(1, 2, 3, 4), key(1, 2, 3, 5));
        let mut record = FlowRecord::new(&right, 1);
        let record = FlowRecord::shared(&mut record);
        assert!(!leads(record, &right));
        record.life.set(life::LIVE);
        assert!(leads(record, &right) && !leads(record, &wrong));
        record.life.set(life::DETACHED);
        assert!(!leads(record, &right));
    }

    /// Random hashes into as many buckets leave about 1 in 10 keys over: e^-1 (1/3! + 2/4! + ...) = 0.103.
    #[test]
    fn keys_as_networks_have_them_spread_like_random_ones() {
        const NET: u32 = 0x0a00_0000;
        const SERVER: u32 = 0xc0a8_0001;
        let ports = (0..16_384).map(|port| key(NET | 7, 32_768 + port, SERVER, 1));
        let hosts = (0..16_384).map(|host| key(NET | host, 40_000, SERVER, 1));
        let both = (0..16_384_u32).map(|n| key(NET | n >> 7, 40_000 + (n & 127) as u16, SERVER, 1));
        let gateway = (0..16_384_u32).map(|n| key(NET | n >> 1, 40_000, SERVER, 1 + (n & 1) as u16));
        let scan = (0..16_384_u32).map(|n| key(SERVER, 40_000, NET | n << 8, 1));
        for (name, crowded) in [
            ("ports", crowded(ports)),
            ("hosts", crowded(hosts)),
            ("both", crowded(both)),
            ("gateway", crowded(gateway)),
            ("scan", crowded(scan)),
        ] {
            assert!(crowded <= 130, "{name}: {crowded}");
        }
    }
}
