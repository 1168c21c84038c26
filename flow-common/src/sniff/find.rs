//! What a look at payload finds.

use crate::{app::App, event::PayloadKind};

/// Payload that deserves a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Find {
    /// An [`App`]; 0 only at the end of a connection whose side spoke nothing known.
    pub app: u8,
    pub kind: PayloadKind,
    /// Bytes to copy from the start of the payload.
    pub len: u32,
    /// The payload is that of [`Find::app`]; without it, it may be, or goes on with what was.
    pub shown: bool,
}

/// What is looked for, as it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// One of HTTP.
    Request,
    /// One of HTTP.
    Response,
    Dns,
    /// One of TLS.
    Hello,
}

impl Begun {
    #[inline(always)]
    pub(super) const fn app(self) -> App {
        match self {
            Self::Request | Self::Response => App::Http,
            Self::Dns => App::Dns,
            Self::Hello => App::Tls,
        }
    }

    #[inline(always)]
    pub(super) const fn kind(self) -> PayloadKind {
        match self {
            Self::Request => PayloadKind::Request,
            Self::Response => PayloadKind::Response,
            Self::Dns | Self::Hello => PayloadKind::Message,
        }
    }
}
