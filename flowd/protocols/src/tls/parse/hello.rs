//! ClientHello and ServerHello (RFC 8446 sections 4.1.2 and 4.1.3, RFC 5246 section 7.4.1).
//!
//! Both may be cut: what can be read before the cut is kept.

use super::bytes::{Bytes, is_grease};
use crate::escape::escape;

pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const SERVER_HELLO: u8 = 2;

/// Extension numbers (IANA "TLS ExtensionType Values").
pub(crate) mod extension {
    pub(crate) const SERVER_NAME: u16 = 0;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(crate) const ALPN: u16 = 16;
    pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
}

/// Protocols offered that are kept.
const MAX_PROTOCOLS: usize = 64;
/// Bytes of a server name that are kept: a domain name has no more (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 255;

/// What a client offers. Numbers are in the client's order and without GREASE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHello {
    /// The version field, which stays at 1.2 in later versions.
    pub(crate) legacy_version: u16,
    /// Of the extension that replaced it.
    pub(crate) versions: Vec<u16>,
    pub(crate) ciphers: Vec<u16>,
    pub(crate) extensions: Vec<u16>,
    pub(crate) signatures: Vec<u16>,
    /// Printable ASCII, other bytes escaped.
    pub(crate) server_name: Option<String>,
    /// The first protocol as it was sent.
    pub(crate) first_protocol: Vec<u8>,
    /// Printable ASCII, other bytes escaped.
    pub(crate) protocols: Vec<String>,
}

impl ClientHello {
    /// Reads as much as there is, and says whether that was all.
    pub(crate) fn read(body: &[u8]) -> (Self, bool) {
        let mut hello = Self::default();
        let complete = hello.fill(Bytes(body)).is_some();
        (hello, complete)
    }

    /// The highest version offered.
    pub(crate) fn version(&self) -> u16 {
        self.versions.iter().copied().max().unwrap_or(self.legacy_version)
    }

    fn fill(&mut self, mut body: Bytes<'_>) -> Option<()> {
        self.legacy_version = body.u16()?;
        body.take(32)?;
        body.vector8()?;
        self.ciphers = body.vector16()?.numbers().collect();
        body.vector8()?;
        if body.0.is_empty() {
            // Extensions came with TLS 1.2.
            return Some(());
        }
        each_extension(body, |number, data| {
            if is_grease(number) {
                return;
            }
            self.extensions.push(number);
            // An extension that contradicts itself says nothing.
            let _ = self.extension(number, data);
        })
    }

    fn extension(&mut self, number: u16, mut data: Bytes<'_>) -> Option<()> {
        match number {
            extension::SERVER_NAME => {
                let mut list = data.vector16()?;
                // Names of hosts have kind 0, and there is no other kind (RFC 6066 section 3).
                if list.u8()? == 0 {
                    self.server_name = Some(text(list.vector16()?.0, MAX_NAME));
                }
            }
            extension::ALPN => {
                let mut list = data.vector16()?;
                while let Some(protocol) = list.vector8() {
                    if self.protocols.is_empty() {
                        self.first_protocol = protocol.0.to_vec();
                    }
                    if self.protocols.len() < MAX_PROTOCOLS {
                        self.protocols.push(text(protocol.0, MAX_NAME));
                    }
                }
            }
            extension::SUPPORTED_VERSIONS => self.versions = data.vector8()?.numbers().collect(),
            extension::SIGNATURE_ALGORITHMS => self.signatures = data.vector16()?.numbers().collect(),
            _ => {}
        }
        Some(())
    }
}

/// What the server chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHello {
    pub(crate) version: u16,
    pub(crate) cipher: u16,
    /// Plain up to TLS 1.2; later ones encrypt it.
    pub(crate) protocol: Option<String>,
}

impl ServerHello {
    /// `None` where it is cut before the cipher.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut body = Bytes(body);
        let mut hello = Self { version: body.u16()?, ..Self::default() };
        body.take(32)?;
        body.vector8()?;
        hello.cipher = body.u16()?;
        // A cut after the cipher costs what stood behind it; the compression method is nobody's choice.
        if body.u8().is_some() && !body.0.is_empty() {
            let _ = each_extension(body, |number, mut data| match number {
                extension::SUPPORTED_VERSIONS => hello.version = data.u16().unwrap_or(hello.version),
                extension::ALPN => {
                    let chosen = data.vector16().and_then(|mut list| list.vector8());
                    hello.protocol = chosen.map(|protocol| text(protocol.0, MAX_NAME));
                }
                _ => {}
            });
        }
        Some(hello)
    }
}

/// Shows every extension that is there as a whole, and of a cut one what is there; `None` where they were cut.
fn each_extension(mut body: Bytes<'_>, mut visit: impl FnMut(u16, Bytes<'_>)) -> Option<()> {
    let len = usize::from(body.u16()?);
    let cut = body.0.len() < len;
    let mut list = Bytes(body.0.get(..len).unwrap_or(body.0));
    while !list.0.is_empty() {
        let (number, len) = (list.u16()?, list.u16()?);
        visit(number, Bytes(list.take(usize::from(len))?));
    }
    (!cut).then_some(())
}

fn text(bytes: &[u8], most: usize) -> String {
    let mut text = String::new();
    escape(&mut text, bytes.get(..most).unwrap_or(bytes), b"");
    text
}
