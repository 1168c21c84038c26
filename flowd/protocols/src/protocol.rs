//! What the pipeline asks of a protocol.

use std::sync::Arc;

use flow_common::{app::App, event::PayloadEvent};
use flowd_numbers::{Exposition, LabelPolicy, Meta, Overflow};

use crate::{conversation::Candidate, record::AppRecord, section::Schema};
pub(crate) use crate::{options::Options, progress::Look, record::Found};

/// One protocol: pairs requests with responses over all connections. Everything that it keeps is bounded.
pub trait Protocol: Send {
    /// Takes one event; `payload` is its copied bytes. Events of other protocols mean nothing to it.
    fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found);

    /// Gives up what has waited too long at `now`, nanoseconds of the packet clock.
    fn expire(&mut self, now: u64, look: Look<'_>, found: &mut Found);

    /// Reports everything under way and forgets it: the end of a capture or of the daemon.
    fn finish(&mut self, found: &mut Found);

    /// When the oldest of what is under way began, nanoseconds of the packet clock; `None` where nothing waits for
    /// longer than a few seconds.
    fn oldest(&self) -> Option<u64> {
        None
    }

    /// Takes other options: what begins from now on goes by them. Never of more copied bytes than at the start.
    fn configure(&mut self, _options: &Options) {}

    /// What was not followed to its end so far, by reason.
    fn losses(&self) -> Vec<(&'static str, u64)>;
}

/// The numbers of a protocol with families of its own.
pub trait ProtocolNumbers: Send {
    /// Counts one record of the protocol; records of others mean nothing to it.
    fn record(&mut self, record: &dyn AppRecord);

    /// Takes what the protocol says of its losses.
    fn set_losses(&mut self, losses: &[(&'static str, u64)]);

    /// Takes over other label values and limits.
    fn reconfigure(&mut self, _policy: &Arc<dyn LabelPolicy>) {}

    /// Decides anew who has a series: `now` in nanoseconds of any clock, `seconds` since the epoch.
    fn settle(&mut self, _now: u64, _seconds: u64) {}

    /// The numbers as a scrape needs them, all of this moment.
    fn published(&self) -> Arc<dyn Shown>;
}

/// Numbers of one moment that show themselves.
pub trait Shown: Send + Sync {
    /// Every family with its rows.
    fn show(&self, to: &mut dyn Exposition);

    /// Budgets of series, and how far each is used up.
    fn overflows(&self) -> Vec<Overflow> {
        Vec::new()
    }
}

/// What switches a protocol on, and says where its records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// `enabled` and `log` in its table: off by default.
    Table,
    /// `enabled` alone, off by default: its records are those of this other protocol. They go where those go, and the
    /// keys of that protocol's table say what they show.
    Enabled(App),
    /// Keys outside of its table, from before there were tables: `head_bytes` above 0, and `http_log`.
    Http,
}

/// How a protocol is followed.
#[derive(Clone, Copy, Debug)]
pub enum Follow {
    /// The packet path knows its messages, and it has a tracker of its own.
    Tracker(fn(&Options) -> Box<dyn Protocol>),
    /// It is one of those that [`crate::conversation`] recognises.
    Dialect(Candidate),
}

/// What a protocol adds to `/metrics`.
#[derive(Clone, Copy, Debug)]
pub enum Numbers {
    /// Families of its own.
    Own { start: fn(&Arc<dyn LabelPolicy>) -> Box<dyn ProtocolNumbers>, families: fn() -> Vec<Meta> },
    /// Rows in the families that such protocols share ([`crate::numbers::FAMILIES`]), with these label values.
    Shared(Words),
}

/// Closed lists of label values; what is in neither counts as `_OTHER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub operations: &'static [&'static str],
    pub statuses: &'static [&'static str],
}

impl Numbers {
    /// Operations that are label values.
    #[must_use]
    pub const fn operations(&self) -> &'static [&'static str] {
        match self {
            Self::Own { .. } => &[],
            Self::Shared(words) => words.operations,
        }
    }
}

/// What the pipeline has to know of a protocol.
#[derive(Debug)]
pub struct Registered {
    /// Its name stands in records, labels and the configuration.
    pub app: App,
    pub switch: Switch,
    /// The keys of its table.
    pub keys: Schema,
    pub follow: Follow,
    /// Bytes that what is under way holds at most; 0 for a dialect, whose conversations are held with all others.
    pub held: usize,
    pub numbers: Numbers,
}
