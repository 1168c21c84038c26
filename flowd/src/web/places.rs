//! Who is connected, and who leaves where more want to come than there are places.
//!
//! A connection that waits without a request makes room for a new one, then one whose client takes nothing of its
//! answer: of the address that has most of them, the one that has waited longest. So neither silent clients nor those
//! that do not read shut the port. Where nobody can leave, some places are kept for health and scrapes.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::identity::Identity;
use crate::{
    kernel::descriptors,
    telemetry::{Refusal, Refusals},
};

/// Connections at once.
const ALL: usize = 256;
/// Of these, connections of one address.
const EACH: usize = 64;
/// Further ones, which only ask for health and metrics.
const RESERVE: usize = 16;
/// Descriptors that are left for logs, interfaces, what reads /proc, and clients that are refused.
const OTHERS: usize = 24;
/// Connections that a web server is of use with.
const LEAST: usize = 8;

/// How long a client may take nothing of its answer where others want its place.
const STALLED: Duration = Duration::from_secs(5);
/// How long a connection keeps a place of the reserve where others want it, and a usual one without a request against
/// those who have as many.
const SHORT: Duration = Duration::from_secs(1);
/// How long a connection may be without its first request.
const FIRST: Duration = Duration::from_secs(10);

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    all: usize,
    each: usize,
    reserve: usize,
}

/// The limit of open files leaves too few of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{limit} files may be open and {open} are: too few for a web server; raise the limit (`ulimit -n`, LimitNOFILE= of the unit) to {needed} or more"
)]
pub struct FewFiles {
    limit: usize,
    open: usize,
    needed: usize,
}

/// Every connection.
#[derive(Debug)]
pub(super) struct Places {
    limits: Limits,
    seats: Mutex<Vec<Arc<Seat>>>,
    refusals: Arc<Refusals>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Seat {
    address: IpAddr,
    peer: IpAddr,
    reserved: bool,
    began: Instant,
    /// A request came at some time.
    asked: AtomicBool,
    state: Mutex<State>,
    /// Who is being answered, where that takes a right to ask.
    identity: Mutex<Option<Identity>>,
    leave: Notify,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Waits for a request.
    Idle(Instant),
    /// Is being answered.
    Busy,
    /// The same, but the client takes nothing of the answer.
    Blocked(Instant),
}

/// The request of a new connection may be on its way: only who has so many fewer connections takes its place.
#[derive(Clone, Copy, Debug)]
enum Margin {
    /// Any, where the reserve is full too.
    One = 0,
    /// Enough that a connection which stands alone keeps its place.
    Crowd = 1,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    seat: Arc<Seat>,
    places: Arc<Places>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { all: ALL, each: EACH, reserve: RESERVE }
    }
}

impl Limits {
    /// Those of this process as it is now, which may have `limit` files open.
    ///
    /// # Errors
    /// Names the limit of open files and how many it would take.
    pub fn of_process(limit: usize) -> Result<Self, FewFiles> {
        // Without /proc the limit itself says enough.
        Self::within(limit, descriptors::open().unwrap_or_default())
    }

    /// Those of a process that may have so many files open, and has.
    fn within(limit: usize, open: usize) -> Result<Self, FewFiles> {
        let free = limit.saturating_sub(open).saturating_sub(OTHERS);
        if free < LEAST {
            return Err(FewFiles { limit, open, needed: open + OTHERS + LEAST });
        }
        let reserve = RESERVE.min(free / 4);
        let all = ALL.min(free - reserve);
        Ok(Self { all, each: EACH.min(all.div_ceil(2)), reserve })
    }
}

impl Places {
    pub(super) fn new(limits: Limits, refusals: Arc<Refusals>) -> Arc<Self> {
        Arc::new(Self { limits, seats: Mutex::default(), refusals })
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `address`; another may have to leave for it. None where nobody can.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let peer = peer(address);
        let mut seats = self.seats();
        let usual = seats.iter().filter(|seat| !seat.reserved);
        let (all, own) =
            usual.fold((0, 0), |(all, own), seat| (all + 1, own + usize::from(seat.peer == peer)));
        let crowded = own >= self.limits.each;
        let may = |seat: &Seat| !crowded || seat.peer == peer;
        let found = !crowded && all < self.limits.all || self.make_room(&mut seats, peer, Margin::Crowd, may);
        let reserved = !found && self.has_reserve(&mut seats, peer);
        if !found && !reserved && !self.make_room(&mut seats, peer, Margin::One, may) {
            self.refusals.count(Refusal::Places);
            return None;
        }
        let seat = Arc::new(Seat::new(address, reserved));
        seats.push(Arc::clone(&seat));
        drop(seats);
        Some(Place { seat, places: Arc::clone(self) })
    }

    /// Has one of those connections leave that may, for one of `peer`.
    fn make_room(
        &self,
        seats: &mut Vec<Arc<Seat>>,
        peer: IpAddr,
        margin: Margin,
        may: impl Fn(&Seat) -> bool,
    ) -> bool {
        let of_peer = by_peer(seats);
        let count = |peer| of_peer.get(&peer).copied().unwrap_or_default();
        let stays = |seat: &Seat, waits| {
            let fresh = waits < SHORT && !seat.asked.load(Ordering::Relaxed);
            fresh && seat.peer != peer && count(seat.peer) <= count(peer) + margin as usize
        };
        let free = seats.iter().enumerate().filter(|(_, seat)| !seat.reserved && may(seat));
        let free = free.filter_map(|(at, seat)| {
            let (idle, waits) = match seat.state() {
                State::Idle(since) if !stays(seat, since.elapsed()) => (true, since.elapsed()),
                State::Blocked(since) if since.elapsed() >= STALLED => (false, since.elapsed()),
                State::Idle(_) | State::Busy | State::Blocked(_) => return None,
            };
            // The idle before the blocked, then the address with most, then the longest.
            Some(((idle, count(seat.peer), waits), at))
        });
        let Some((_, at)) = free.max() else { return false };
        self.send_away(seats, at);
        true
    }

    /// Whether the reserve has a place for a client of this address, once another has left.
    fn has_reserve(&self, seats: &mut Vec<Arc<Seat>>, peer: IpAddr) -> bool {
        if seats.iter().filter(|seat| seat.reserved).count() < self.limits.reserve {
            return true;
        }
        let of_peer = by_peer(seats);
        let count = |peer| of_peer.get(&peer).copied().unwrap_or_default();
        let reserved = seats.iter().enumerate().filter(|(_, seat)| seat.reserved);
        let leaves = reserved.filter(|(_, seat)| {
            // Those of a crowd at once, for one that stands alone.
            seat.began.elapsed() >= SHORT || count(seat.peer) > 2 * count(peer) + 1
        });
        let first = leaves.max_by_key(|(_, seat)| (count(seat.peer), seat.began.elapsed()));
        let Some((at, _)) = first else { return false };
        self.send_away(seats, at);
        true
    }

    fn send_away(&self, seats: &mut Vec<Arc<Seat>>, at: usize) {
        // One that has only kept its connection open comes again when it has a request.
        let seat = seats.swap_remove(at);
        if !matches!(seat.state(), State::Idle(_)) {
            self.refusals.count(Refusal::Places);
        }
        seat.leave.notify_one();
    }

    /// Has those leave who are being answered, and may no longer ask.
    pub(super) fn revoke(&self, knows: impl Fn(&Identity) -> bool) {
        let mut seats = self.seats();
        let stranger = |seat: &Seat| {
            let identity = seat.identity.lock().unwrap_or_else(PoisonError::into_inner);
            identity.as_ref().is_some_and(|identity| !knows(identity))
        };
        while let Some(at) = seats.iter().position(|seat| stranger(seat)) {
            seats.swap_remove(at).leave.notify_one();
        }
    }

    /// Has those leave that never ask. To be called now and then.
    pub(super) fn sweep(&self) {
        let mut seats = self.seats();
        let silent = |seat: &Seat| !seat.asked.load(Ordering::Relaxed) && seat.began.elapsed() >= FIRST;
        while let Some(at) = seats.iter().position(|seat| silent(seat)) {
            self.send_away(&mut seats, at);
        }
    }
}

impl Place {
    pub(super) const fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.seats().retain(|seat| !Arc::ptr_eq(seat, &self.seat));
    }
}

impl Seat {
    fn new(address: IpAddr, reserved: bool) -> Self {
        let began = Instant::now();
        let state = Mutex::new(State::Idle(began));
        let (asked, identity) = (AtomicBool::new(false), Mutex::default());
        let peer = peer(address);
        Self { address, peer, reserved, began, asked, state, identity, leave: Notify::new() }
    }

    /// Of a stream that is no connection.
    pub(super) fn alone() -> Self {
        Self::new(Ipv6Addr::UNSPECIFIED.into(), false)
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(State) -> State) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = change(*state);
    }

    /// Only health and metrics are answered here.
    pub(super) const fn is_reserved(&self) -> bool {
        self.reserved
    }

    /// The client's address.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }

    /// Who asks may.
    pub(super) fn let_in(&self, identity: Identity) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity);
    }

    /// A request has come.
    pub(super) fn begin(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.set(|_| State::Busy);
    }

    /// The client takes nothing of its answer for now.
    pub(super) fn blocks(&self) {
        self.set(|state| if matches!(state, State::Busy) { State::Blocked(Instant::now()) } else { state });
    }

    /// The client has taken some of its answer.
    pub(super) fn goes_on(&self) {
        self.set(|state| if matches!(state, State::Blocked(_)) { State::Busy } else { state });
    }

    /// The answer is on its way to the last byte.
    pub(super) fn end(&self) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.set(|_| State::Idle(Instant::now()));
    }

    /// Waits until the place is needed for another.
    pub(super) async fn leaves(&self) {
        self.leave.notified().await;
    }
}

fn by_peer(seats: &[Arc<Seat>]) -> HashMap<IpAddr, usize> {
    let mut counts = HashMap::new();
    for seat in seats {
        *counts.entry(seat.peer).or_default() += 1;
    }
    counts
}

/// Who counts as one: an IPv4 address, or the /64 of an IPv6 address, of which a host has all addresses.
pub(super) fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests;
