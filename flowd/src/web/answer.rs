//! Answers: small ones whole, large ones as [`Parcel`]s that are made within the [`Budget`], compressed as they grow.

use std::{
    fmt,
    io::{self, Write as _},
    sync::Arc,
};

use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use warp::{
    Reply,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY},
    },
    reply::Response,
};

use super::{
    budget::{Budget, Share},
    parcel::{Packer, Parcel},
};

/// Below this a body fits into one packet anyway, and is not compressed.
const SMALL: usize = 1_024;

/// Bytes of an answer in JSON, before compression: so much work a request can make.
const LARGEST: usize = 16 << 20;

/// Seconds after which a client may ask again.
const AGAIN: &str = "1";

/// Why a request gets no answer, as JSON.
#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
}

/// A body that is being written, in the encoding that the client takes.
pub(super) struct Body {
    written: usize,
    largest: usize,
    /// While it is small.
    start: Vec<u8>,
    gzip: bool,
    rest: Option<Rest>,
    packer: Option<Packer>,
}

enum Rest {
    Plain(Packer),
    // The fastest level: text of metrics shrinks tenfold with it, and a scrape comes every few seconds.
    Gzip(GzEncoder<Packer>),
}

/// A body that is ready, and how it is encoded.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub parcel: Arc<Parcel>,
    gzip: bool,
}

/// Why a body was not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// It would be above [`LARGEST`].
    TooLarge,
    /// The budget of answers is used up.
    Busy,
    /// What it is made of cannot be written.
    Failed,
}

impl Body {
    /// For a client that takes gzip, or not.
    pub(super) fn new(budget: &Arc<Budget>, share: Share, gzip: bool) -> Self {
        let largest = if share == Share::Api { LARGEST } else { usize::MAX };
        let packer = Some(Packer::new(budget, share));
        Self { written: 0, largest, start: Vec::new(), gzip, rest: None, packer }
    }

    /// What was written, all of it.
    pub(super) fn finish(mut self) -> Result<Packed, Unfinished> {
        let packed = |parcel, gzip| Packed { parcel, gzip };
        match (self.rest, self.packer.take()) {
            (Some(Rest::Plain(packer)), _) => Ok(packed(packer.finish(), false)),
            (Some(Rest::Gzip(encoder)), _) => {
                let packer = encoder.finish().map_err(|error| Unfinished::from(&error))?;
                Ok(packed(packer.finish(), true))
            }
            (None, Some(mut packer)) => {
                packer.write_all(&self.start).map_err(|error| Unfinished::from(&error))?;
                Ok(packed(packer.finish(), false))
            }
            (None, None) => Err(Unfinished::Failed),
        }
    }
}

impl io::Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written + bytes.len() > self.largest {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.written += bytes.len();
        if self.rest.is_none() {
            if self.start.len() + bytes.len() < SMALL {
                self.start.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            let packer = self.packer.take().ok_or(io::ErrorKind::Other)?;
            let rest = match self.gzip {
                true => Rest::Gzip(GzEncoder::new(packer, Compression::fast())),
                false => Rest::Plain(packer),
            };
            self.rest.insert(rest).write_all(&self.start)?;
        }
        let Some(rest) = &mut self.rest else { return Err(io::ErrorKind::Other.into()) };
        rest.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Rest {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(packer) => packer.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
        }
    }
}

/// Text into a [`Body`]; keeps why that failed.
pub(super) struct Text<'a> {
    pub body: &'a mut Body,
    pub failed: Option<Unfinished>,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.body.write_all(text.as_bytes()).map_err(|error| {
            self.failed = Some(Unfinished::from(&error));
            fmt::Error
        })
    }
}

impl From<&io::Error> for Unfinished {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLarge,
            io::ErrorKind::QuotaExceeded => Self::Busy,
            _ => Self::Failed,
        }
    }
}

impl Unfinished {
    /// What the client is told.
    pub(super) fn answer(self) -> Response {
        match self {
            Self::TooLarge => {
                let error =
                    format!("the answer is above {} MiB: ask for fewer with limit or top", LARGEST >> 20);
                failure(StatusCode::BAD_REQUEST, &error)
            }
            Self::Busy => {
                busy("answers to other clients take all the memory that there is for them: ask again")
            }
            Self::Failed => failure(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written"),
        }
    }
}

impl Packed {
    /// Sends it to one client.
    pub(super) fn answer(self, kind: &'static str) -> Response {
        let size = self.parcel.size();
        let mut response = warp::reply::stream(self.parcel.deliver()).into_response();
        header(&mut response, CONTENT_TYPE, kind);
        response.headers_mut().insert(CONTENT_LENGTH, size.into());
        if self.gzip {
            header(&mut response, CONTENT_ENCODING, "gzip");
        }
        // Caches must keep the forms apart; /metrics has two types beside.
        header(&mut response, VARY, "Accept, Accept-Encoding");
        response
    }
}

pub(super) fn text(status: StatusCode, body: &str) -> Response {
    small(status, "text/plain; charset=utf-8", body.into())
}

pub(super) fn failure(status: StatusCode, error: &str) -> Response {
    small(status, "application/json", serde_json::to_vec(&Failure { error }).unwrap_or_default())
}

/// Not now.
pub(super) fn busy(error: &str) -> Response {
    let mut response = failure(StatusCode::SERVICE_UNAVAILABLE, error);
    header(&mut response, RETRY_AFTER, AGAIN);
    response
}

/// `body` as JSON, compressed where the client takes gzip.
pub(super) fn json(budget: &Arc<Budget>, gzip: bool, body: &impl Serialize) -> Response {
    let mut written = Body::new(budget, Share::Api, gzip);
    let done = serde_json::to_writer(&mut written, body);
    let done = done.map_err(|error| Unfinished::from(&io::Error::from(error)));
    match done.and_then(|()| written.finish()) {
        Ok(packed) => packed.answer("application/json"),
        Err(unfinished) => unfinished.answer(),
    }
}

fn small(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = warp::http::Response::new(body).into_response();
    *response.status_mut() = status;
    header(&mut response, CONTENT_TYPE, kind);
    response
}

pub(super) fn header(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use warp::Filter as _;

    use super::*;

    #[tokio::test]
    async fn answers_are_bounded() {
        let budget = Arc::default();
        let line = "x".repeat(1 << 20);
        for gzip in [true, false] {
            assert_eq!(json(&budget, gzip, &vec![&line; 15]).status(), StatusCode::OK);
            assert_eq!(json(&budget, gzip, &vec![&line; 16]).status(), StatusCode::BAD_REQUEST);
        }
        assert_eq!(budget.used(), 0);
        let refused = warp::any().map(|| Unfinished::TooLarge.answer());
        let said = warp::test::request().reply(&refused).await;
        let said = String::from_utf8(said.body().to_vec()).unwrap();
        assert!(said.contains("16 MiB") && said.contains("limit"), "{said}");
    }

    #[test]
    fn without_room_the_client_is_asked_to_come_again() {
        let budget = Arc::new(Budget::small(1 << 20, 1 << 19, std::time::Duration::from_secs(60)));
        let list = "x".repeat(400 << 10);
        let (first, second) = (json(&budget, false, &list), json(&budget, false, &list));
        assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(second.headers()[RETRY_AFTER], AGAIN);
        assert_eq!(json(&budget, true, &list).status(), StatusCode::OK, "much smaller");
        drop(first);
        assert_eq!(json(&budget, false, &list).status(), StatusCode::OK);
    }
}
