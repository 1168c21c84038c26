//! What the log needs of a header block.

use super::{hpack::Decoder, name::Name};
use crate::http::{self, Fields, Privacy, method_of};

/// Bytes of one field that are read.
pub(super) const MOST_FIELD: usize = 16 << 10;

/// A request's head, a response's, or trailers.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) method: Option<String>,
    /// As the options of privacy let it be.
    pub(super) target: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) grpc_status: Option<u32>,
    /// Of a request, and what a response has beside its status.
    pub(super) fields: Fields,
    /// Some of its fields are unknown.
    pub(super) is_partial: bool,
}

/// A header block under way.
#[derive(Debug, Default)]
pub(super) struct Reading {
    head: Head,
    path: Option<Vec<u8>>,
    /// The beginning of a field.
    rest: Vec<u8>,
    /// Bytes of it are missing, so that nobody knows where the next field begins.
    is_cut: bool,
}

impl Reading {
    /// Takes what follows; `whole`: all of it.
    pub(super) fn push(&mut self, fragment: &[u8], whole: bool, decoder: &mut Decoder, privacy: &Privacy) {
        let Self { head, path, rest, is_cut } = self;
        if *is_cut {
            return;
        }
        let each = &mut |name, value: &[u8]| head.take(name, value, path, privacy);
        if rest.is_empty() {
            let read = decoder.read(fragment, each);
            rest.extend_from_slice(fragment.get(read..).unwrap_or_default());
        } else {
            rest.extend_from_slice(fragment);
            let read = decoder.read(rest, each);
            rest.drain(..read);
        }
        if !whole || rest.len() > MOST_FIELD {
            *is_cut = true;
            *rest = Vec::new();
        }
    }

    /// The head; `whole`: nothing follows.
    pub(super) fn end(self, whole: bool, decoder: &mut Decoder, privacy: &Privacy) -> Head {
        let Self { mut head, path, rest, is_cut } = self;
        if !whole || is_cut || !rest.is_empty() {
            decoder.lose();
            head.is_partial = true;
        }
        let connect = head.method.as_deref() == Some("CONNECT");
        head.target = path.map(|path| http::target(&path, connect, false, privacy));
        head
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let path = self.path.as_ref().map_or(0, Vec::capacity);
        self.rest.capacity() + path + self.head.fields.weight()
    }
}

impl Head {
    /// Takes a field; of repeated ones the first counts.
    fn take(&mut self, name: Name, value: &[u8], path: &mut Option<Vec<u8>>, privacy: &Privacy) {
        match name {
            Name::Method if self.method.is_none() => self.method = method_of(value).map(str::to_owned),
            Name::Path if path.is_none() => *path = Some(value.to_vec()),
            Name::Authority => self.fields.take(http::Name::Host, value, privacy),
            Name::Status if self.status.is_none() => self.status = status(value),
            Name::GrpcStatus if self.grpc_status.is_none() => self.grpc_status = number(value),
            Name::Common(name) => self.fields.take(name, value, privacy),
            Name::Unknown => self.is_partial = true,
            Name::Method | Name::Path | Name::Status | Name::GrpcStatus | Name::Scheme | Name::Other => {}
        }
    }
}

/// Three digits (RFC 9110 section 15).
fn status(value: &[u8]) -> Option<u16> {
    let status = u16::try_from(number(value)?).ok()?;
    (100..=999).contains(&status).then_some(status)
}

fn number(value: &[u8]) -> Option<u32> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}
