//! The round trip to a server at the moment of an exchange.
//!
//! A server's acknowledgement of a request is a poor measure: it waits for the response to carry it, or for a
//! timer, so the mean over a connection holds a part of the server's own time. Three better ones, of which
//! the newest that can be trusted counts:
//!
//! 1. The acknowledgement of this very request, where it came alone and not by the timer. A kernel whose
//!    program is slow to answer sends it at once; one that delays it does so for 40 ms or more (Linux's
//!    `TCP_DELACK_MIN`), which shows against the next two.
//! 2. The newest handshake with that server, on whatever connection, or the smallest of those that came with
//!    it: the answer to a SYN waits for no program.
//! 3. The smallest sample of the connection itself, where no connection is newer.

use std::{collections::HashMap, net::IpAddr};

use flowd_protocols::{AppRecord, record::Timing, time::micros};

use crate::flow::Snapshot;

/// Handshakes of so long a time count as one, nanoseconds: short, as the smallest of a long time would be that of
/// a path that is no more.
const TOGETHER: u64 = 1_000_000_000;
/// A server without handshakes for so long may be forgotten, nanoseconds.
const KEPT: u64 = 60_000_000_000;
/// An acknowledgement later than the round trip by this much may have waited for a timer, nanoseconds: 40 ms less
/// the kernel's coarsest clock step and some.
const DELAYED: u64 = 35_000_000;
/// Servers that are remembered.
const SERVERS: usize = 4_096;
/// A response that seems to come before its request had arrived is within the noise of the round trip by this
/// share of it, or this much, nanoseconds: then the server took no time.
const NOISE_SHARE: u64 = 10;
const NOISE: u64 = 500_000;

/// The newest handshakes with a server.
#[derive(Clone, Copy, Debug)]
struct Newest {
    since: u64,
    /// Nanoseconds.
    least: u64,
}

impl Newest {
    fn add(&mut self, at: u64, value: u64) {
        if at.saturating_sub(self.since) > TOGETHER {
            *self = Self { since: at, least: value };
        } else if self.since.saturating_sub(at) <= TOGETHER {
            self.least = self.least.min(value);
        }
    }
}

/// Recent handshakes by watched interface and server.
#[derive(Debug, Default)]
pub(super) struct RoundTrips {
    servers: HashMap<(u16, IpAddr), Newest>,
}

impl RoundTrips {
    /// Fills in the round trip to the server and what is left of the response time without it, where the record is of
    /// a request with its response.
    pub(super) fn judge(&mut self, record: &mut dyn AppRecord, flow: &Snapshot) {
        let Some(timing) = record.timing() else { return };
        let head = record.head_mut();
        let server = head.client_end.other();
        let own = flow.handshake_server_rtt.filter(|_| flow.client == head.client_end);
        let place = (head.key.interface(), head.server.endpoint.address);
        if let Some(own) = own {
            self.learn(place, flow.start, own);
        }
        let rtt = &flow.side(server).rtt;
        let least = (rtt.count > 0).then_some(rtt.min).into_iter().chain(own).min();
        let known = match self.servers.get(&place) {
            Some(newest) if newest.since > flow.start => Some(newest.least),
            newest => newest.map(|newest| newest.least).into_iter().chain(least).min(),
        };
        let Timing { asked, acknowledged, answered, retransmits } = timing;
        let heard = asked.zip(acknowledged).and_then(|(asked, heard)| heard.checked_sub(asked));
        let round_trip = match (known, heard) {
            (Some(known), Some(heard)) if heard < known.saturating_add(DELAYED) => Some(heard),
            (known, _) => known,
        };
        // The mean over the connection, which was there before, holds a part of the server's own time.
        head.server_rtt_us = round_trip.map(micros);
        let Some(round_trip) = round_trip else { return };
        let wait = asked.zip(answered).and_then(|(asked, time)| time.checked_sub(asked));
        // A loss behind this point is repaired after a round trip at the earliest, and that time would look like
        // the server's.
        let sure = |took: &u64| retransmits == 0 || *took < round_trip;
        if let Some(took) = wait.and_then(|wait| think(wait, round_trip)).filter(sure) {
            record.set_think_time(took);
        }
    }

    fn learn(&mut self, place: (u16, IpAddr), at: u64, value: u64) {
        if self.servers.len() >= SERVERS && !self.servers.contains_key(&place) {
            self.servers.retain(|_, newest| at.saturating_sub(newest.since) <= KEPT);
            if self.servers.len() >= SERVERS {
                // Connections are judged by themselves then.
                return;
            }
        }
        self.servers.entry(place).or_insert(Newest { since: at, least: value }).add(at, value);
    }
}

/// What of a wait the server took, nanoseconds.
fn think(wait: u64, round_trip: u64) -> Option<u64> {
    let noise = (round_trip / NOISE_SHARE).max(NOISE);
    (wait.saturating_add(noise) >= round_trip).then(|| wait.saturating_sub(round_trip))
}

#[cfg(test)]
mod tests;
