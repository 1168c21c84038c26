//! What pairing gives away: exchanges, and counts of what it could not follow.

use crate::http::record::HttpExchange;

/// Takes an exchange as soon as it is over.
pub(in crate::http) type Emit<'a> = &'a mut dyn FnMut(HttpExchange);

/// Messages that are in no line, or in one that they do not complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpLosses {
    /// Open on connections that made room for others: at least one for each.
    pub evicted: u64,
    /// Requests that made room for later ones of their connection.
    pub pipeline_full: u64,
    /// Not recognised, as copies before them on their connection were lost.
    pub lost_copy: u64,
}

impl std::ops::AddAssign for HttpLosses {
    fn add_assign(&mut self, other: Self) {
        let Self { evicted, pipeline_full, lost_copy } = other;
        self.evicted += evicted;
        self.pipeline_full += pipeline_full;
        self.lost_copy += lost_copy;
    }
}
