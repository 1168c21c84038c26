//! What the web server refused or cut off, counted by reason.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a request got no answer, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Answers to others held all the memory that there is for answers.
    Memory,
    /// The answer was cut off, as others needed the memory that it held for long.
    Slow,
    /// Other requests for lists came first, for too long.
    Turn,
    /// As many clients follow a stream as may.
    Streams,
    /// There was no place for the connection, or another needed it while the client took nothing of its answer.
    Places,
    /// Without authentication: a Host that is none of ours; else none or two of them.
    Host,
    /// A page of another site asked.
    CrossSite,
    /// A wrong password or token.
    Login,
    /// A password that was not looked at: too many wrong ones came from that address, or too many wait.
    LoginRate,
}

impl Refusal {
    const ALL: [Self; 9] = [
        Self::Memory,
        Self::Slow,
        Self::Turn,
        Self::Streams,
        Self::Places,
        Self::Host,
        Self::CrossSite,
        Self::Login,
        Self::LoginRate,
    ];

    /// The label value.
    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Slow => "slow",
            Self::Turn => "turn",
            Self::Streams => "streams",
            Self::Places => "places",
            Self::Host => "host",
            Self::CrossSite => "cross_site",
            Self::Login => "login",
            Self::LoginRate => "login_rate",
        }
    }
}

/// How often each [`Refusal`] happened.
#[derive(Debug, Default)]
pub struct Refusals([AtomicU64; Refusal::ALL.len()]);

impl Refusals {
    /// Counts one.
    pub fn count(&self, refusal: Refusal) {
        if let Some(count) = self.0.get(refusal as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// So far, of one kind.
    #[must_use]
    pub fn of(&self, refusal: Refusal) -> u64 {
        self.0.get(refusal as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// So far, by label value.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Refusal::ALL.into_iter().map(|refusal| (refusal.name(), self.of(refusal)))
    }
}
