//! What following HTTP had to give up.

use std::ops::AddAssign;

/// Messages that are in no line, or in one that they do not complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpLosses {
    /// Open on connections that made room for others.
    pub evicted: u64,
    /// Requests that made room for later ones of their connection.
    pub pipeline_full: u64,
    /// Not recognised, as copies before them on their connection were lost.
    pub lost_copy: u64,
}

impl AddAssign for HttpLosses {
    fn add_assign(&mut self, other: Self) {
        let Self { evicted, pipeline_full, lost_copy } = other;
        self.evicted += evicted;
        self.pipeline_full += pipeline_full;
        self.lost_copy += lost_copy;
    }
}
