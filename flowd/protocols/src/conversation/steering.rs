//! What the packet path is told about the payload of a flow.

use flow_common::{app::App, key::FlowKey, record::looks};

/// What the packet path is to do with the payload of a flow from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// Nothing more of it, unless something known begins.
    None,
    /// All that is new.
    All,
    /// What it would copy of a new flow.
    Opening,
}

impl Copies {
    /// The same as a record says it ([`looks`]).
    #[must_use]
    pub const fn looks(self) -> u8 {
        match self {
            Self::None => looks::UNKNOWN,
            Self::All => looks::FOLLOWED,
            Self::Opening => 0,
        }
    }
}

/// A decision on the flow of `key`, whose record is in `slot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub key: FlowKey,
    pub slot: u32,
    pub copies: Copies,
    /// The protocol that was recognised.
    pub app: Option<App>,
}
