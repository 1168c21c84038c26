//! The time of a packet. A busy CPU does not read the clock for each one: the exact clock costs a quarter of all that
//! flowd does to a packet.
//!
//! A CPU that handles 64 packets within a millisecond reads the clock for one packet of eight, and as soon as the kernel's
//! tick has moved on. The packets between take the last reading, which is too early by less than a tick. Whatever
//! measures a span reads the clock in any case ([`Time::exact`]): the first packet of a flow, SYN, FIN and RST, holes and
//! what fills them, copied payload, and the acknowledgement that ends a round trip. A round trip begins only with a
//! packet whose turn it is to read, so that readings on demand do not lead to more of them.

/// Where the time comes from, for the packet at hand.
pub trait Clock: Copy {
    /// Nanoseconds; any origin, never backwards, never 0, which means "never" in records.
    fn read(self) -> u64;
    /// A number that changes at least every 10 ms (the kernel's tick with HZ=100), and costs nothing to read.
    fn tick(self) -> u64;
}

/// Packets on one CPU that tell how busy it is.
const WINDOW: u32 = 64;
/// The CPU is busy where they come within this time, ns.
const BUSY: u64 = 1_000_000;
/// Packets that take the last reading, before the clock is read again.
const REUSED: u32 = 7;
/// At this pace the clock is read at least every so many ns; a longer gap ends the reuse.
const GAP: u64 = BUSY / WINDOW as u64 * (REUSED + 1) as u64;

/// The reading is another packet's.
const OTHERS: u32 = 0;
/// What measures has read the clock for this packet.
const READ: u32 = 1;
/// It was this packet's turn to read.
const DUE: u32 = 2;

/// The tick of a clock that is read in nanoseconds, where the kernel's own is not at hand: 4.2 ms.
#[inline(always)]
#[must_use]
pub const fn tick_of(ns: u64) -> u64 {
    ns >> 22
}

/// What one CPU knows of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Pace {
    /// Time of the packet at hand, ns, never 0.
    now: u64,
    /// The tick of the last reading.
    tick: u64,
    /// When the present window began, ns.
    window: u64,
    /// Packets of this window.
    packets: u32,
    /// Packets that may take a reading before the next one: 0 on a CPU that is not busy.
    granted: u32,
    /// How many of them are to come.
    left: u32,
    /// How the packet at hand has its time: [`OTHERS`], [`READ`] or [`DUE`].
    reading: u32,
    /// Since the programs were loaded.
    pub reuse: Reuse,
}

/// How often readings were reused, and what that cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Reuse {
    /// Packets that took the reading of another packet.
    pub packets: u64,
    /// The longest time from a reading that was reused to the next one in the same tick, ns.
    pub error: u64,
    /// The same to one in a later tick. The packets were all in the earlier one.
    pub to_next_tick: u64,
}

impl Reuse {
    /// Adds up two CPUs: the packets of both, and the greater error.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            error: self.error.max(other.error),
            to_next_tick: self.to_next_tick.max(other.to_next_tick),
        }
    }

    /// The same with what is known of a kernel that ticks every `tick` ns: no packet's time was further from the truth than
    /// `error`.
    #[must_use]
    pub fn with_tick(self, tick: u64) -> Self {
        let to_next_tick = self.to_next_tick.min(tick);
        Self { error: self.error.max(to_next_tick), to_next_tick, ..self }
    }
}

impl Pace {
    /// A CPU that has seen no packet.
    pub const NEW: Self = Self {
        now: 0,
        tick: 0,
        window: 0,
        packets: 0,
        granted: 0,
        left: 0,
        reading: OTHERS,
        reuse: Reuse { packets: 0, error: 0, to_next_tick: 0 },
    };

    /// Sets the time of the next packet; without `reuse` each has a reading of its own.
    #[inline(always)]
    pub fn next<C: Clock>(&mut self, clock: C, reuse: bool) {
        let tick = if reuse { clock.tick() } else { 0 };
        if reuse && self.left != 0 && tick == self.tick {
            self.left -= 1;
            self.reading = OTHERS;
            return;
        }
        let now = clock.read();
        if reuse {
            self.judge(now, tick);
        }
        (self.now, self.reading) = (now, DUE);
    }

    /// Says at a reading how many packets may reuse it.
    #[inline(always)]
    fn judge(&mut self, now: u64, tick: u64) {
        if self.granted == 0 {
            self.packets += 1;
            if self.packets >= WINDOW {
                let busy = now.wrapping_sub(self.window) <= BUSY;
                (self.granted, self.packets, self.window) = (u32::from(busy) * REUSED, 0, now);
            }
        } else {
            let gap = now.wrapping_sub(self.now);
            self.reuse.packets += u64::from(self.granted - self.left);
            if self.granted != self.left {
                let same = tick == self.tick;
                let longest = if same { &mut self.reuse.error } else { &mut self.reuse.to_next_tick };
                *longest = gap.max(*longest);
            }
            if gap > GAP {
                (self.granted, self.packets, self.window) = (0, 0, now);
            }
        }
        (self.left, self.tick) = (self.granted, tick);
    }

    /// Time of the packet at hand, ns.
    #[inline(always)]
    #[must_use]
    pub const fn now(&self) -> u64 {
        self.now
    }
}

/// The time of the packet at hand.
pub struct Time<'a, C> {
    pub pace: &'a mut Pace,
    pub clock: C,
}

impl<C: Clock> Time<'_, C> {
    /// Nanoseconds; too early by less than a tick where the reading is another packet's.
    #[inline(always)]
    #[must_use]
    pub const fn now(&self) -> u64 {
        self.pace.now
    }

    /// Nanoseconds, read for this packet.
    #[inline(always)]
    pub fn exact(&mut self) -> u64 {
        if self.pace.reading == OTHERS {
            (self.pace.now, self.pace.reading) = (self.clock.read(), READ);
        }
        self.pace.now
    }

    /// Whether a round trip may begin with this packet.
    #[inline(always)]
    #[must_use]
    pub const fn is_due(&self) -> bool {
        self.pace.reading == DUE
    }
}

#[cfg(test)]
mod tests;
