//! Who was let in.

/// Whoever was let in, so that it can be known later whether that still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// While nobody has to say who it is.
    Anyone,
    /// By its keyed hash.
    Token(Vec<u8>),
    User {
        name: String,
        hash: String,
    },
}
