//! Copies that the capture point made: a mirror of two ports delivers what passes both of them twice.

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasher as _,
};

use flow_common::{
    counter::Family,
    dissect::{Headers, Link, NO_TAG, Start, link},
    packet::{Captured, Packet as _},
    wire::ipv6,
};

/// How far a copy may be behind, ns. A sender numbers its IPv4 packets, repeats included, and no repeat is as fast: the
/// shortest retransmission timeout in use is 200 ms.
const NUMBERED: u64 = 20_000_000;
/// The same where nothing numbers them: IPv6, and IPv4 that is never fragmented and has 0 there (RFC 6864 section 4.1).
/// Then two acknowledgements in a row may be alike as well.
const UNNUMBERED: u64 = 1_000_000;
/// Packets that are remembered at most: 20 ms at 3 million a second.
const REMEMBERED: usize = 1 << 16;

/// What has passed within the last [`NUMBERED`] nanoseconds.
#[derive(Default)]
pub(super) struct Duplicates {
    /// When the first of its kind passed, by the hash of interface and bytes: of a thousand packets at a time, two
    /// different ones have the same in one of 10^13 looks.
    seen: HashMap<u64, u64, foldhash::fast::RandomState>,
    /// The same, the oldest first.
    order: VecDeque<(u64, u64)>,
    hasher: foldhash::quality::RandomState,
}

impl Duplicates {
    /// The family of a packet that is a copy of an earlier one; `None` where it is none, or no IP packet.
    pub(super) fn is_copy(
        &mut self,
        packet: &Captured<'_>,
        link: Link,
        slot: u16,
        time: u64,
    ) -> Option<Family> {
        let start = Start { offset: 0, link, moved_tag: NO_TAG };
        let found = link::find_ip(packet, &start, &mut { Headers::NONE }).ok()?;
        let (length, limit) = match found.family {
            Family::Ipv4 => {
                let number = word(packet, found.offset + 4)?;
                (u32::from(word(packet, found.offset + 2)?), if number == 0 { UNNUMBERED } else { NUMBERED })
            }
            _ => match word(packet, found.offset + 4)? {
                0 => (0, UNNUMBERED),
                length => (u32::from(length) + ipv6::HEADER_LEN, UNNUMBERED),
            },
        };
        let bytes = packet.data.get(found.offset as usize..)?;
        // Padding is the frame's. What says no length is a super-packet.
        let bytes = bytes.get(..length as usize).filter(|bytes| !bytes.is_empty()).unwrap_or(bytes);
        let hash = self.hasher.hash_one((slot, bytes));
        self.forget(time);
        if let Some(first) = self.seen.get(&hash)
            && first.abs_diff(time) <= limit
        {
            return Some(found.family);
        }
        self.seen.insert(hash, time);
        self.order.push_back((time, hash));
        None
    }

    /// Drops what is too old for a copy to come. Clocks of captures may run backwards.
    fn forget(&mut self, now: u64) {
        while let Some((time, hash)) = self.order.front().copied()
            && (now.abs_diff(time) > NUMBERED || self.order.len() >= REMEMBERED)
        {
            self.order.pop_front();
            if self.seen.get(&hash) == Some(&time) {
                self.seen.remove(&hash);
            }
        }
    }
}

fn word(packet: &Captured<'_>, offset: u32) -> Option<u16> {
    packet.read::<u16>(offset).map(u16::from_be)
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u64 = 1_000;
    const MS: u64 = 1_000_000;

    /// An IPv4 packet of 48 bytes in a frame with padding.
    fn frame(tag: bool, number: u16, ttl: u8, pad: u8) -> Vec<u8> {
        let mut frame = vec![2; 12];
        if tag {
            frame.extend([0x81, 0, 0, 7]);
        }
        frame.extend([8, 0, 0x45, 0, 0, 48]);
        frame.extend(number.to_be_bytes());
        frame.extend([0, 0, ttl, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        frame.extend([5; 28]);
        frame.extend([pad; 6]);
        frame
    }

    /// An IPv6 packet without payload.
    fn frame6() -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 59, 64]);
        frame.extend([7; 40]);
        frame
    }

    /// Which of these packets (frame, slot, time) are copies.
    fn copies(packets: &[(Vec<u8>, u16, u64)]) -> Vec<bool> {
        let mut duplicates = Duplicates::default();
        let copy = |(data, slot, time): &(Vec<u8>, u16, u64)| {
            let packet = Captured { data, original_len: data.len() as u32 };
            duplicates.is_copy(&packet, Link::Ethernet, *slot, *time).is_some()
        };
        packets.iter().map(copy).collect()
    }

    #[test]
    fn the_same_bytes_below_the_link_header_soon_after() {
        let same =
            |time, again: Vec<u8>| copies(&[(frame(false, 9, 64, 0), 1, MS), (again, 1, MS + time)])[1];
        assert!(same(3 * US, frame(false, 9, 64, 0)));
        assert!(same(15 * MS, frame(false, 9, 64, 0)));
        assert!(same(0, frame(true, 9, 64, 1)), "another tag and another padding");
        assert!(!same(3 * US, frame(false, 10, 64, 0)), "sent again");
        assert!(!same(3 * US, frame(false, 9, 63, 0)), "routed");
        assert!(!same(200 * MS, frame(false, 9, 64, 0)), "far later");
    }

    #[test]
    fn what_nothing_numbers_must_come_at_once() {
        for packet in [frame(false, 0, 64, 0), frame6()] {
            let packets = [0, 3 * US, 2 * MS, 2 * MS + 900 * US].map(|time| (packet.clone(), 1, time));
            assert_eq!(copies(&packets), [false, true, false, true]);
        }
    }

    #[test]
    fn interfaces_are_apart_and_every_copy_is_one() {
        let packet = frame(false, 9, 64, 0);
        let packets =
            [(1, 0), (2, 1), (1, 2), (2, 3), (1, 4)].map(|(slot, time)| (packet.clone(), slot, time));
        assert_eq!(copies(&packets), [false, false, true, true, true]);
    }

    #[test]
    fn memory_is_bounded_and_clocks_may_run_backwards() {
        let mut duplicates = Duplicates::default();
        for number in 0..200_000_u32 {
            let mut data = frame(false, 9, 64, 0);
            data[30..34].copy_from_slice(&number.to_be_bytes());
            let packet = Captured { data: &data, original_len: data.len() as u32 };
            assert!(duplicates.is_copy(&packet, Link::Ethernet, 1, 5).is_none());
        }
        assert!(duplicates.seen.len() <= REMEMBERED && duplicates.order.len() <= REMEMBERED);
        let packet = frame(false, 9, 64, 0);
        assert_eq!(copies(&[(packet.clone(), 1, 9 * MS), (packet, 1, 8 * MS)]), [false, true]);
    }
}
