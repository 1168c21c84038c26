//! Handshakes of every flow.

use flow_common::{app::App, event::PayloadEvent, key::FlowKey};

mod handshake;

use handshake::Handshake;

use super::{
    QuicOptions,
    parse::{Initial, initials},
};
use crate::{protocol::Look, tls::TlsHandshake, waiting::Waiting};

/// Timeouts that a ClientHello waits for its answer while its flow lives: clients give up earlier.
const PATIENCE: u64 = 3;

type Emit<'a> = &'a mut dyn FnMut(TlsHandshake);

/// What was not followed to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuicLosses {
    /// Initial packets that no known key opens, as their handshake began before flowd or they are damaged, and handshakes
    /// of which neither hello could be read.
    pub malformed: u64,
    /// Handshakes given up before their time, as the table was full.
    pub evicted: u64,
}

/// Follows handshakes over all flows.
#[derive(Debug)]
pub struct QuicTracker {
    options: QuicOptions,
    /// Those under way since their first packet, those that have their line since their last.
    handshakes: Waiting<FlowKey, Handshake>,
    losses: QuicLosses,
}

impl QuicTracker {
    #[must_use]
    pub fn new(options: QuicOptions) -> Self {
        let handshakes = Waiting::new(options.max_handshakes).within(options.max_bytes, Handshake::weight);
        Self { options, handshakes, losses: QuicLosses::default() }
    }

    /// Takes one event; `payload` is its copied bytes. Those of other protocols mean nothing to it.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], emit: &mut dyn FnMut(TlsHandshake)) {
        if !event.is_of(App::Quic) {
            return;
        }
        // The same addresses and ports, but another flow.
        while let Some(old) = self.handshakes.take(&event.key, |handshake| handshake.slot != event.slot) {
            self.report(&old.value, emit);
        }
        for packet in initials(payload) {
            self.initial(event, &packet, emit);
        }
    }

    fn initial(&mut self, event: &PayloadEvent, packet: &Initial<'_>, emit: Emit<'_>) {
        let from = event.from();
        let known = self.handshakes.take(&event.key, |handshake| handshake.is_meant_by(from, packet));
        let mut known = known.map(|known| known.value);
        if let Some(mut handshake) = known.take_if(|handshake| handshake.take(event, packet)) {
            self.settle(&mut handshake, emit);
            return self.wait(event, handshake, emit);
        }
        // A client that was told to go on with other keys, or one that begins.
        match Handshake::begin(event, packet) {
            None => {
                self.losses.malformed += 1;
                if let Some(handshake) = known {
                    self.wait(event, handshake, emit);
                }
            }
            Some(begun) => {
                let repeated = |handshake: &Handshake| handshake.is_repeated_by(&begun);
                let first = known
                    .take_if(|known| repeated(known))
                    .or_else(|| Some(self.handshakes.take(&event.key, repeated)?.value));
                if let Some(over) = known {
                    self.report(&over, emit);
                }
                let mut handshake = match first {
                    Some(first) => first.repeat(begun),
                    None => begun,
                };
                self.settle(&mut handshake, emit);
                self.wait(event, handshake, emit);
            }
        }
    }

    /// Reports a handshake of which nothing more is to be expected.
    fn settle(&mut self, handshake: &mut Handshake, emit: Emit<'_>) {
        if handshake.is_settled() {
            self.report(handshake, emit);
            handshake.forget();
        }
    }

    fn wait(&mut self, event: &PayloadEvent, handshake: Handshake, emit: Emit<'_>) {
        while self.handshakes.is_full()
            && let Some((_, evicted)) = self.handshakes.pop(u64::MAX)
        {
            self.losses.evicted += u64::from(!evicted.value.is_reported());
            self.report(&evicted.value, emit);
        }
        let since = if handshake.is_reported() { event.time } else { handshake.begin };
        // There is room.
        let _ = self.handshakes.push(event.key, since, handshake);
    }

    /// Reports hellos that have waited too long. While its flow lives, one without an answer waits longer: it may be slow.
    /// `now`: nanoseconds of the packet clock; `look` gives what the record in a slot says, if it can be had.
    pub fn expire(&mut self, now: u64, look: Look<'_>, emit: &mut dyn FnMut(TlsHandshake)) {
        let timeout = self.options.timeout;
        let Some(until) = now.checked_sub(timeout) else { return };
        while let Some((key, handshake)) = self.handshakes.pop(until) {
            let mut handshake = handshake.value;
            if handshake.is_reported() {
                continue;
            }
            let progress = look(handshake.slot).filter(|progress| progress.key == key);
            let lives = progress.is_some_and(|progress| progress.lives);
            let age = now.saturating_sub(handshake.begin);
            if !(lives && handshake.is_unanswered() && age < timeout.saturating_mul(PATIENCE)) {
                self.report(&handshake, emit);
                handshake.forget();
            }
            if lives {
                // There is room, as one was just taken out.
                let _ = self.handshakes.push(key, now, handshake);
            }
        }
    }

    /// When the oldest handshake under way began, nanoseconds of the packet clock.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        let open = self.handshakes.values().filter(|handshake| !handshake.is_reported());
        open.map(|handshake| handshake.begin).min()
    }

    /// Reports everything under way and forgets it: the end of a capture or of the daemon.
    pub fn finish(&mut self, emit: &mut dyn FnMut(TlsHandshake)) {
        while let Some((_, handshake)) = self.handshakes.pop(u64::MAX) {
            self.report(&handshake.value, emit);
        }
    }

    /// What was not followed to its end so far.
    #[must_use]
    pub const fn losses(&self) -> QuicLosses {
        self.losses
    }

    /// Bytes that all handshakes hold.
    #[cfg(test)]
    pub(super) const fn held_bytes(&self) -> usize {
        self.handshakes.held()
    }

    /// Handshakes that are known.
    #[must_use]
    pub fn held(&self) -> usize {
        self.handshakes.len()
    }

    /// Hands out the line of a handshake that has none yet.
    fn report(&mut self, handshake: &Handshake, emit: Emit<'_>) {
        if handshake.is_reported() {
            return;
        }
        match handshake.line() {
            Some(line) => emit(line),
            None => self.losses.malformed += 1,
        }
    }
}
