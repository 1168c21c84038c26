//! A handshake as far as it is in clear text, and its JSON line.

use flow_common::app::App;
use serde::{Serialize, Serializer};

use super::iana;
use crate::{
    party::Party,
    record::{AppRecord, ERROR, Head, OK, Path, Request},
    time::{micros, rfc3339},
};

/// How far a handshake came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsOutcome {
    /// ClientHello and ServerHello were seen. What follows may still fail: it is encrypted.
    Complete,
    /// The server refused by an alert in clear text.
    Alert,
    /// The connection was reset before the server answered.
    Reset,
    /// No answer until the connection ended or the timeout passed.
    NoServerHello,
    /// A ServerHello whose ClientHello was not seen.
    NoClientHello,
}

impl TlsOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Complete, Self::Alert, Self::Reset, Self::NoServerHello, Self::NoClientHello];

    /// The word in log lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Alert => "alert",
            Self::Reset => "reset",
            Self::NoServerHello => "no_server_hello",
            Self::NoClientHello => "no_client_hello",
        }
    }
}

/// One handshake. Its JSON form is the `tls` line.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsHandshake {
    /// The client is who sent the ClientHello; the time is that of the ClientHello, or of the ServerHello where there is
    /// none.
    pub head: Head,
    /// Server name asked for, in printable ASCII: other bytes are escaped as `\DDD`.
    pub sni: Option<String>,
    /// Protocols that the client offered, in its order; `None` without a ClientHello.
    pub alpn: Option<Vec<String>>,
    /// The protocol that the server chose, where that is not encrypted.
    pub alpn_chosen: Option<String>,
    /// Chosen by the server, else the highest that the client offered.
    pub version: Option<u16>,
    /// Chosen by the server.
    pub cipher: Option<u16>,
    /// Of a ClientHello that was copied to its end.
    pub ja4: Option<String>,
    /// The description of the server's alert (IANA "TLS Alerts"), which QUIC has in its CONNECTION_CLOSE.
    pub alert: Option<u8>,
    /// From the first byte of the ClientHello to the first byte of the answer, nanoseconds. Over QUIC from the client's
    /// first Initial packet to the server's first that says something.
    pub handshake_time: Option<u64>,
    /// The ClientHello was not copied to its end.
    pub partial: bool,
    pub outcome: TlsOutcome,
    /// Of a handshake over QUIC: its version, the one that the server took if it answered. `None`: over TCP.
    pub quic_version: Option<u32>,
}

/// The line's fields in their order.
#[derive(Serialize)]
#[serde(tag = "type", rename = "tls")]
struct Line<'a> {
    #[serde(serialize_with = "rfc3339")]
    time: u64,
    client: &'a Party,
    server: &'a Party,
    sni: Option<&'a str>,
    alpn: Option<&'a [String]>,
    alpn_chosen: Option<&'a str>,
    version: Option<String>,
    cipher: Option<String>,
    ja4: Option<&'a str>,
    alert: Option<u8>,
    handshake_time_us: Option<f64>,
    partial: bool,
    outcome: TlsOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quic_version: Option<String>,
    #[serde(flatten)]
    path: Path<'a>,
}

impl Serialize for TlsHandshake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let version = |number| iana::version(number).map_or_else(|| format!("0x{number:04x}"), str::to_owned);
        Line {
            time: self.head.time,
            client: &self.head.client,
            server: &self.head.server,
            sni: self.sni.as_deref(),
            alpn: self.alpn.as_deref(),
            alpn_chosen: self.alpn_chosen.as_deref(),
            version: self.version.map(version),
            cipher: self.cipher.map(iana::cipher),
            ja4: self.ja4.as_deref(),
            alert: self.alert,
            handshake_time_us: self.handshake_time.map(micros),
            partial: self.partial,
            outcome: self.outcome,
            transport: self.quic_version.map(|_| "quic"),
            quic_version: self.quic_version.map(iana::quic_version),
            path: self.head.path(),
        }
        .serialize(serializer)
    }
}

impl AppRecord for TlsHandshake {
    fn app(&self) -> App {
        App::Tls
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn request(&self) -> Option<Request<'_>> {
        let status = match self.outcome {
            TlsOutcome::Complete => Some(OK),
            TlsOutcome::Alert => Some(ERROR),
            TlsOutcome::Reset | TlsOutcome::NoServerHello => None,
            TlsOutcome::NoClientHello => return None,
        };
        Some(Request { operation: "handshake", status, duration: self.handshake_time })
    }
}
