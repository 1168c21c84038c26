//! Whose payload is copied when the reader falls behind, so that a flood under false addresses takes no room from others.
//!
//! While less than half of the ring waits for the reader, all copies are made and nobody is counted. Then, in this
//! order:
//!
//! 1. From six eighths on, a sender that is not known to hear its peer is left out. Nobody who sends under false addresses
//!    sees what is answered, so that it cannot acknowledge it (RFC 5961 section 1).
//! 2. From seven eighths on, a client that has had its share of copies has half as many connections followed as before: one
//!    of N, the same in both directions and from packet to packet. N falls by half every half second once the ring is
//!    emptier.
//!
//! Clients are counted in a table by a hash of their address. Several may share a place: they share its count then.

use crate::{
    key::FlowKey,
    record::{SharedHalf, seen},
    shared::Relaxed,
};

/// Places of the table. A power of two.
pub const SOURCES: u32 = 16_384;

/// Eighths of the ring that wait, from which on clients are counted.
pub const COUNTED: u32 = 4;
/// From which on those that hear nothing are left out.
const HEARD: u32 = 6;
/// From which on those that had their share are thinned.
const THINNED: u32 = 7;
/// Nanoseconds of a count, as a power of two: 134 ms, about what lies between two looks of the reader.
const PERIOD: u32 = 27;
/// Periods after which one of N becomes one of N / 2, as a power of two.
const RELAXED: u32 = 2;
/// A client may have one copy in a period for so many bytes of an eighth of the ring, as a power of two: 512 copies of a
/// ring of 8 MiB. A longer copy counts once more for each so many bytes of its own.
const PER_COPY: u32 = 11;
/// No share is smaller, as a power of two.
const LEAST: u32 = 5;
/// Bits of a count; above them the level: one connection of 2^level is followed.
const COUNT_BITS: u32 = 24;
const MOST: u32 = 15;
/// Periods in which a client is remembered to have heard what it was answered, as a power of two: 17 s.
const REMEMBERED: u32 = 7;
/// How far an acknowledgement may lie behind what the other side sent. More than this is in flight on no path; a number that
/// was guessed comes so close once in 256 times. As a power of two.
const IN_FLIGHT: u32 = 24;

/// The clients of one place.
#[repr(C, align(16))]
pub struct Source {
    /// Upper half: a period; lower half: the level, and copies in that period as [`PER_COPY`] counts them.
    count: Relaxed<u64>,
    /// Upper half: who was the last to show that it hears; lower half: the period of that.
    heard: Relaxed<u64>,
}

/// A conversation that asks for a copy.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// [`client`] of its client's address.
    pub client: u32,
    /// Slot of its record, the same for both directions.
    pub connection: u32,
    /// [`deafness`] of the sender.
    pub deafness: u32,
    /// Eighths of the ring that wait for the reader.
    pub waiting: u32,
    /// An eighth of the ring, in bytes, as a power of two.
    pub ring_eighth: u32,
    /// Time of the packet, ns.
    pub now: u64,
    /// Bytes that the copy would have.
    pub copied: u16,
}

/// A number for the address of one endpoint, a [`crate::key::Sender`].
#[inline(always)]
#[must_use]
pub const fn client(key: &FlowKey, endpoint: u8) -> u32 {
    // A mask in place of a choice, which the verifier would walk twice.
    let mask = (endpoint as u64 & 1).wrapping_neg();
    let ([low, high], [b_low, b_high]) = (key.a_address, key.b_address);
    let (low, high) = (low ^ (low ^ b_low) & mask, high ^ (high ^ b_high) & mask);
    ((low ^ high.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// 0 where the sender of a packet is known to have seen what its peer sent: it acknowledges it. Of protocols without
/// acknowledgements it is enough that the peer has sent something. A number and not a truth, as each comparison doubles
/// the ways that the verifier walks.
#[inline(always)]
#[must_use]
pub fn deafness(acknowledgement: u32, peer: &SharedHalf) -> u32 {
    let behind = peer.tcp.next_seq.get().wrapping_sub(acknowledgement);
    let numbered = u32::from(peer.tcp.seen.get() & seen::SEQ);
    let silent = peer.last.get().wrapping_sub(1) >> 63;
    ((behind >> IN_FLIGHT) * numbered) | silent as u32
}

impl Source {
    /// A place of nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self { count: Relaxed::new(0), heard: Relaxed::new(0) }
    }

    /// Whether the copy is to be made; counts it then.
    #[inline(always)]
    pub fn admits(&self, request: &Request) -> bool {
        let Request { client, connection, deafness, waiting, ring_eighth, now, copied } = *request;
        let period = (now >> PERIOD) as u32;
        let (count, heard) = (self.count.get(), self.heard.get());
        let forgotten = (heard >> 32) as u32 ^ client | period.wrapping_sub(heard as u32) >> REMEMBERED;
        if waiting >= HEARD && deafness != 0 && forgotten != 0 {
            return false;
        }
        let (mut level, mut had) = (count as u32 >> COUNT_BITS, count as u32 & ((1 << COUNT_BITS) - 1));
        if (count >> 32) as u32 != period {
            had = 0;
            let relaxes = (period >> RELAXED).wrapping_sub((count >> 32) as u32 >> RELAXED);
            level = level.saturating_sub(relaxes);
        }
        let share = ring_eighth.saturating_sub(PER_COPY).clamp(LEAST, COUNT_BITS - 1);
        if waiting >= THINNED && had >> share != 0 {
            had = 0;
            level += u32::from(level < MOST);
        }
        // The upper bits of the product know all of the number's bits.
        let followed = (connection.wrapping_mul(0x9e37_79b1) >> 16 & ((1 << (level & MOST)) - 1)) == 0;
        had += u32::from(followed) * (1 + (u32::from(copied) >> PER_COPY));
        if deafness == 0 {
            self.heard.set(u64::from(client) << 32 | u64::from(period));
        }
        self.count.set(u64::from(period) << 32 | u64::from(level << COUNT_BITS | had));
        followed
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000_000;
    const SHARE: u32 = 512;
    const HONEST: Request = Request {
        client: 7,
        connection: 0x1234_5678,
        deafness: 0,
        waiting: 0,
        ring_eighth: 20,
        now: NOW,
        copied: 200,
    };

    /// Copies that `connections` of one client get, one each.
    fn admitted(source: &Source, request: Request, connections: u32) -> u32 {
        (0..connections).map(|n| u32::from(source.admits(&Request { connection: n, ..request }))).sum()
    }

    #[test]
    fn all_is_copied_while_the_reader_keeps_up() {
        let source = Source::new();
        let silent = Request { deafness: 1, waiting: HEARD - 1, ..HONEST };
        assert_eq!(admitted(&source, silent, 100_000), 100_000);
    }

    #[test]
    fn who_has_heard_nothing_waits() {
        let source = Source::new();
        let silent = Request { deafness: 1, waiting: HEARD, ..HONEST };
        assert!(!source.admits(&silent));
        assert!(source.admits(&Request { waiting: 7, ..HONEST }));
        assert!(source.admits(&silent), "it heard an answer a moment ago");
        assert!(!source.admits(&Request { client: 1, ..silent }), "another one did");
        assert!(!source.admits(&Request { now: NOW + (1 << (REMEMBERED + PERIOD)), ..silent }));
    }

    #[test]
    fn those_that_hear_are_not_thinned_for_those_that_do_not() {
        let source = Source::new();
        assert_eq!(admitted(&source, Request { waiting: THINNED - 1, ..HONEST }, 100_000), 100_000);
    }

    #[test]
    fn a_client_beyond_its_share_has_one_connection_of_many() {
        let source = Source::new();
        let pressed = Request { waiting: THINNED, ..HONEST };
        let few = admitted(&source, pressed, 100_000);
        // Each share halves what is followed of the rest.
        assert!((5 * SHARE..9 * SHARE).contains(&few), "{few}");
        // The same ones each time, and others too few to fill the next share.
        let before: Vec<u32> = (0..10_000)
            .filter(|n| source.admits(&Request { connection: *n, now: NOW + (1 << PERIOD), ..pressed }))
            .collect();
        let again = before.iter().filter(|n| source.admits(&Request { connection: **n, ..pressed }));
        assert_eq!(again.count(), before.len());
    }

    #[test]
    fn a_single_connection_does_not_escape() {
        for connection in 1..100 {
            let source = Source::new();
            let pressed = Request { waiting: THINNED, connection, ..HONEST };
            let copies: u32 = (0..100_000).map(|_| u32::from(source.admits(&pressed))).sum();
            assert!(copies <= 10 * SHARE, "{copies} of connection {connection}");
        }
    }

    #[test]
    fn a_long_copy_counts_as_what_it_takes_of_the_ring() {
        let admitted = |copied| {
            let source = Source::new();
            let request = Request { waiting: THINNED, connection: 0, copied, ..HONEST };
            let copies = (0..100_000).map_while(|_| {
                source.admits(&request);
                (source.count.get() as u32 >> COUNT_BITS == 0).then_some(())
            });
            copies.count() as u32
        };
        assert_eq!(admitted(200), SHARE);
        assert_eq!(admitted(64_000), SHARE.div_ceil(1 + (64_000 >> PER_COPY)));
    }

    #[test]
    fn what_was_thinned_comes_back() {
        let source = Source::new();
        admitted(&source, Request { waiting: THINNED, ..HONEST }, 100_000);
        let relaxed = |n: u64| Request { waiting: 0, now: NOW + (n << PERIOD), ..HONEST };
        (1..200).for_each(|period| _ = source.admits(&relaxed(period)));
        assert_eq!(admitted(&source, relaxed(200), 1_000), 1_000);
    }

    #[test]
    fn an_acknowledgement_shows_that_its_sender_hears() {
        use crate::{record::Half, shared::Share as _};
        let mut half = Half::default();
        let deaf = |half: &mut Half, number| deafness(number, Half::shared(half)) != 0;
        assert!(deaf(&mut half, 0), "nothing was sent");
        half.last = 1;
        assert!(!deaf(&mut half, 0xdead_beef), "a datagram was");
        (half.tcp.next_seq, half.tcp.seen) = (1_000, seen::SEQ | seen::ACK);
        assert!(!deaf(&mut half, 1_000) && !deaf(&mut half, 500));
        assert!(deaf(&mut half, 1_001) && deaf(&mut half, 0x8000_0000));
    }
}
