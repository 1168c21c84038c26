//! How the packets of a capture are taken.

/// What `flowd read` is asked to do with packets before they are accounted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// All interfaces are one.
    pub merge_interfaces: bool,
    /// Copies go no further.
    pub deduplicate: bool,
}
