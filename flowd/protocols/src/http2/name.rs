//! The header fields that are looked at. No value of any other is ever kept.

use crate::http;

/// A field by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// `:method` (RFC 9113 section 8.3.1).
    Method,
    /// `:path`.
    Path,
    /// `:authority`.
    Authority,
    /// `:scheme`.
    Scheme,
    /// `:status` (RFC 9113 section 8.3.2).
    Status,
    GrpcStatus,
    /// As in HTTP/1.
    Common(http::Name),
    /// Any other.
    Other,
    /// One that was told where nobody saw it.
    Unknown,
}

impl Name {
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b":method" => Self::Method,
            b":path" => Self::Path,
            b":authority" => Self::Authority,
            b":scheme" => Self::Scheme,
            b":status" => Self::Status,
            b"grpc-status" => Self::GrpcStatus,
            _ => http::Name::of(name).map_or(Self::Other, Self::Common),
        }
    }

    /// Whether its value is looked at.
    pub(super) const fn is_wanted(self) -> bool {
        !matches!(self, Self::Scheme | Self::Other | Self::Unknown)
    }
}
