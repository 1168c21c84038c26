//! What records may show of what people asked for; each protocol applies it to its own words.

/// What of a target's query string is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Query {
    /// Nothing from the `?` on, no fragment, no user info.
    #[default]
    Drop,
    /// The names without their values (`?a&b`), no fragment, no user info.
    Keys,
    /// The target as it is, user info included, but for what the protocol itself leaves out.
    Keep,
}

/// What of statements is logged, and of operations that are in no protocol's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statements {
    /// Nothing: an operation that is in no list is `_OTHER`.
    #[default]
    Drop,
    /// Statements with `?` in place of each literal. An operation that is in no list is `_OTHER`.
    Normalized,
    /// Statements as they are, and each operation's own word.
    Keep,
}
