//! What a segment is, in the order of its sender's sequence space.

/// Serial number arithmetic (RFC 1982, RFC 9293 section 3.4): whether `a` comes before `b`.
#[inline(always)]
#[must_use]
pub const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// What a segment is in the order of its sender's sequence space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SegmentKind {
    /// Carries nothing that takes sequence space, or repeats the byte before it to stay alive.
    Empty,
    /// Begins where the last one ended, or behind a gap.
    New,
    /// Fills a gap that later segments left, soon enough not to be a repair.
    Late,
    /// Covers sequence space that was sent before.
    Repeat,
    /// The same, but this observation point had not seen those bytes: they were lost on the way here.
    Repair,
    /// As new, but its acknowledgement was seen before it.
    Answered,
}

/// What was found of a segment, in one byte that goes through memory of this CPU alone: another may have a segment of
/// the same side at the same time.
///
/// To the verifier all ways meet where it is read again; kept in registers, the ways through the parts of
/// [`super::track`] would multiply.
#[derive(Clone, Copy)]
pub(super) struct Verdict(pub(super) u8);

impl Verdict {
    #[inline(always)]
    pub(super) const fn new(kind: SegmentKind, probes: bool, carries: bool) -> Self {
        Self(kind as u8 | (probes as u8) << 4 | (carries as u8) << 5)
    }

    #[inline(always)]
    pub(super) const fn kind(self) -> SegmentKind {
        match self.0 & 0xf {
            0 => SegmentKind::Empty,
            1 => SegmentKind::New,
            2 => SegmentKind::Late,
            3 => SegmentKind::Repeat,
            4 => SegmentKind::Repair,
            _ => SegmentKind::Answered,
        }
    }

    /// Whether the segment asks for a window.
    #[inline(always)]
    pub(super) const fn probes(self) -> bool {
        self.0 >> 4 & 1 != 0
    }

    /// Whether the segment has payload.
    #[inline(always)]
    pub(super) const fn carries(self) -> bool {
        self.0 >> 5 & 1 != 0
    }
}
