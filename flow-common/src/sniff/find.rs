//! What a look at payload is for, and what it finds.

use crate::{
    app::{App, Apps},
    event::PayloadKind,
    record::SharedRecord,
};

/// What the settings ask for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub apps: Apps,
    /// Whether the reader of copies recognises conversations by what both sides begin with.
    pub conversations: bool,
    /// Bytes of an HTTP head.
    pub head_bytes: u32,
}

/// Payload that deserves a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Find {
    /// An [`App`]; 0 only at the end of a connection whose side spoke nothing known.
    pub app: u8,
    pub kind: PayloadKind,
    /// Bytes to copy from the start of the payload.
    pub len: u32,
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
    /// One of TLS in the shape of SSL 2.0, all of it.
    OldHello,
    /// One of a protocol whose messages look like those of HTTP, or hold some.
    Foreign,
}

impl Begun {
    #[inline(always)]
    pub(super) const fn app(self) -> App {
        match self {
            Self::Request | Self::Response | Self::Foreign => App::Http,
            Self::Dns => App::Dns,
            Self::Hello | Self::OldHello => App::Tls,
        }
    }

    #[inline(always)]
    pub(super) const fn kind(self) -> PayloadKind {
        match self {
            Self::Request => PayloadKind::Request,
            Self::Response => PayloadKind::Response,
            Self::Dns | Self::Hello | Self::OldHello | Self::Foreign => PayloadKind::Message,
        }
    }
}

/// Notes what payload showed its flow to be, the first time.
#[inline(always)]
pub(super) fn show(record: &SharedRecord, app: u8) {
    if record.app.get() == 0 {
        record.app.set(app);
    }
}
