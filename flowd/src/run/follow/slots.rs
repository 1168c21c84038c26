//! Slots of interfaces, counted from 1: whose each is, and when another may have it.

use std::sync::Arc;

use crate::aggregate::Watched;

/// After so long without its interface a name leaves the metrics, as an idle series does, ns.
const IDLE: u64 = 600_000_000_000;
/// After so long its counters are forgotten, ns.
const KEEP: u64 = 3_600_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Watched,
    Gone {
        /// Nanoseconds of the packets' clock.
        since: u64,
        /// It should be there.
        lost: bool,
    },
    /// Gone, and shown no more.
    Hidden {
        since: u64,
    },
}

/// Name and index.
pub(super) type Device = (Arc<str>, u32);

/// By slot less one.
pub(super) struct Slots(Vec<Option<(Watched, State)>>);

impl Slots {
    pub(super) fn new(watched: &[Watched], capacity: u16) -> Self {
        let mut slots = Self(vec![None; usize::from(capacity)]);
        watched.iter().for_each(|watched| slots.put(watched.clone()));
        slots
    }

    pub(super) const fn capacity(&self) -> usize {
        self.0.len()
    }

    fn place(&mut self, slot: u16) -> Option<&mut Option<(Watched, State)>> {
        self.0.get_mut(usize::from(slot).checked_sub(1)?)
    }

    fn used(&self) -> impl Iterator<Item = &(Watched, State)> {
        self.0.iter().flatten()
    }

    /// Gives its slot to an interface that is watched.
    pub(super) fn put(&mut self, watched: Watched) {
        if let Some(place) = self.place(watched.slot) {
            *place = Some((watched, State::Watched));
        }
    }

    pub(super) fn set(&mut self, slot: u16, state: State) {
        if let Some(Some((_, old))) = self.place(slot) {
            *old = state;
        }
    }

    pub(super) fn hide(&mut self, slot: u16) {
        if let Some(Some((_, state))) = self.place(slot)
            && let State::Gone { since, .. } = *state
        {
            *state = State::Hidden { since };
        }
    }

    pub(super) fn free(&mut self, slot: u16) {
        if let Some(place) = self.place(slot) {
            *place = None;
        }
    }

    pub(super) fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.used().filter(|(_, state)| *state == State::Watched).map(|(watched, _)| watched)
    }

    /// Names of those that should be there.
    pub(super) fn lost(&self) -> impl Iterator<Item = Arc<str>> {
        let lost = self.used().filter(|(_, state)| matches!(state, State::Gone { lost: true, .. }));
        lost.map(|(watched, _)| Arc::clone(&watched.name))
    }

    /// Every slot in use, with the name and index of its device where that is watched.
    pub(super) fn all(&self) -> Vec<(u16, Option<Device>)> {
        let device = |watched: &Watched| (Arc::clone(&watched.name), watched.ifindex);
        let slots = self.used();
        slots
            .map(|(watched, state)| (watched.slot, (*state == State::Watched).then(|| device(watched))))
            .collect()
    }

    /// The slot of a name: the one that it had, a free one, or that of the name which has been hidden for longest;
    /// the latter a second time, as it is to be forgotten first.
    pub(super) fn find(&self, name: &str) -> Option<(u16, Option<u16>)> {
        if let Some((watched, _)) = self.used().find(|(watched, _)| *watched.name == *name) {
            return Some((watched.slot, None));
        }
        if let Some(free) = self.0.iter().position(Option::is_none) {
            return Some((u16::try_from(free + 1).ok()?, None));
        }
        let hidden = self.used().filter_map(|(watched, state)| match state {
            State::Hidden { since } => Some((*since, watched.slot)),
            _ => None,
        });
        hidden.min().map(|(_, slot)| (slot, Some(slot)))
    }

    /// Slots of names that are to be shown no more.
    pub(super) fn idle(&self, now: u64) -> Vec<u16> {
        let idle =
            |state: &State| matches!(state, State::Gone { since, .. } if now.saturating_sub(*since) >= IDLE);
        self.used().filter(|(_, state)| idle(state)).map(|(watched, _)| watched.slot).collect()
    }

    /// Slots of names that are to be forgotten.
    pub(super) fn over(&self, now: u64) -> Vec<u16> {
        let over =
            |state: &State| matches!(state, State::Hidden { since } if now.saturating_sub(*since) >= KEEP);
        self.used().filter(|(_, state)| over(state)).map(|(watched, _)| watched.slot).collect()
    }
}
