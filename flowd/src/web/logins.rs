//! Failed logins: bounded per address, counted, and told in flowd's own log without filling it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::warn;

use super::{pace::Pace, places::peer};
use crate::telemetry::{Refusal, Refusals};

/// An address may try so many wrong passwords at once, and one per [`AGAIN`] in the long run.
const ATTEMPTS: u32 = 5;
const AGAIN: Duration = Duration::from_secs(10);
/// Addresses that are remembered.
const PEERS: usize = 1_024;
/// Each address is named in the log this often at most.
const NAMED: Duration = Duration::from_secs(60);
/// Of all addresses, so many lines at once, and then one per [`LINE`].
const LINES: u32 = 10;
const LINE: Duration = Duration::from_secs(6);

#[derive(Debug)]
pub(super) struct Logins {
    refusals: Arc<Refusals>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    peers: HashMap<IpAddr, Peer>,
    lines: Pace,
}

#[derive(Debug)]
struct Peer {
    pace: Pace,
    /// Failures that the log has not told.
    untold: u64,
    named: Option<Instant>,
}

impl Logins {
    pub(super) fn new(refusals: Arc<Refusals>) -> Self {
        let inner = Inner { peers: HashMap::new(), lines: Pace::new(LINE, LINES) };
        Self { refusals, inner: Mutex::new(inner) }
    }

    /// Whether this address may try a password, or how long it has to wait until it may.
    pub(super) fn admit(&self, address: IpAddr) -> Result<(), Duration> {
        let now = Instant::now();
        let waits = self.with(address, now, |peer, _| {
            let wait = peer.pace.wait(now);
            if wait.is_zero() {
                peer.pace.spend(now);
            }
            wait
        });
        if waits.is_zero() {
            return Ok(());
        }
        self.refusals.count(Refusal::LoginRate);
        Err(waits)
    }

    /// Notes an attempt that could not be looked at, as too many others wait.
    pub(super) fn put_off(&self, address: IpAddr) {
        self.refusals.count(Refusal::LoginRate);
        self.with(address, Instant::now(), |peer, _| peer.pace.refund());
    }

    /// Notes that the password was right.
    pub(super) fn passed(&self, address: IpAddr) {
        self.with(address, Instant::now(), |peer, _| peer.pace.refund());
    }

    /// Notes a wrong password or token.
    pub(super) fn failed(&self, address: IpAddr, what: &str) {
        self.refusals.count(Refusal::Login);
        let now = Instant::now();
        let told = self.with(address, now, |peer, lines| {
            peer.untold += 1;
            let due = peer.named.is_none_or(|named| now.duration_since(named) >= NAMED);
            (due && lines.take(now)).then(|| {
                peer.named = Some(now);
                std::mem::take(&mut peer.untold)
            })
        });
        match told {
            Some(1) => warn!("web server: {what} from {address}"),
            Some(count) => warn!("web server: {what} from {address}, {count} times since it was last named"),
            None => {}
        }
    }

    fn with<T>(&self, address: IpAddr, now: Instant, change: impl FnOnce(&mut Peer, &mut Pace) -> T) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { peers, lines } = &mut *inner;
        let key = peer(address);
        if peers.len() >= PEERS && !peers.contains_key(&key) {
            make_room(peers, now);
        }
        let fresh = || Peer { pace: Pace::new(AGAIN, ATTEMPTS), untold: 0, named: None };
        change(peers.entry(key).or_insert_with(fresh), lines)
    }
}

/// Forgets those that have waited long enough, else whoever has to wait least.
fn make_room(peers: &mut HashMap<IpAddr, Peer>, now: Instant) {
    peers.retain(|_, peer| !peer.pace.is_rested(now));
    if peers.len() >= PEERS
        && let Some(least) = peers.iter().min_by_key(|(_, peer)| peer.pace.wait(now)).map(|(key, _)| *key)
    {
        peers.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_fails_waits_and_others_do_not() {
        let logins = Logins::new(Arc::default());
        let [guesser, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        for _ in 0..ATTEMPTS {
            // A right one in between takes nothing.
            assert!(logins.admit(guesser).is_ok());
            logins.passed(guesser);
            assert!(logins.admit(guesser).is_ok());
            logins.failed(guesser, "a wrong password");
        }
        assert!(logins.admit(guesser).unwrap_err() > AGAIN / 2 && logins.admit(other).is_ok());
        assert_eq!(logins.refusals.of(Refusal::Login), u64::from(ATTEMPTS));
        assert_eq!(logins.refusals.of(Refusal::LoginRate), 1);
    }

    #[test]
    fn addresses_are_remembered_within_bounds() {
        let logins = Logins::new(Arc::default());
        for number in 0..3 * PEERS as u32 {
            logins.failed(IpAddr::from(number.to_be_bytes()), "a wrong token");
        }
        assert_eq!(logins.inner.lock().unwrap().peers.len(), PEERS);
        assert_eq!(logins.refusals.of(Refusal::Login), 3 * PEERS as u64);
    }
}
