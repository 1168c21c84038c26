//! A whole answer: status, type, body, and its encoding.

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use warp::http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, VARY},
};

use super::query;

/// Below this a body fits into one packet anyway.
const SMALL: usize = 1_024;

/// Bytes of an answer in JSON, before compression: so much memory a request can take.
const LARGEST: usize = 16 << 20;

pub(super) type Answer = Response<Vec<u8>>;

/// Why a request gets no answer, as JSON.
#[derive(Serialize)]
pub(super) struct Failure {
    pub error: String,
}

pub(super) fn answer(status: StatusCode, kind: &'static str, body: impl Into<Vec<u8>>) -> Answer {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    header(&mut response, CONTENT_TYPE, kind);
    response
}

pub(super) fn text(status: StatusCode, body: &str) -> Answer {
    answer(status, "text/plain; charset=utf-8", body)
}

/// A buffer that takes so many bytes and no more.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let mut bounded = Bounded(Vec::new());
    match serde_json::to_writer(&mut bounded, body) {
        Ok(()) => answer(status, "application/json", bounded.0),
        Err(error) if error.io_error_kind() == Some(io::ErrorKind::FileTooLarge) => {
            let error = format!("the answer is above {} MiB: ask for fewer with limit or top", LARGEST >> 20);
            failure(StatusCode::BAD_REQUEST, error)
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

pub(super) fn failure(status: StatusCode, error: String) -> Answer {
    json(status, &Failure { error })
}

/// The same body, compressed where the request's Accept-Encoding takes gzip (RFC 9110 section 12.5.3).
pub(super) fn encoded(accepted: &str, mut answer: Answer) -> Answer {
    // Caches must keep the forms apart; /metrics has two types beside.
    header(&mut answer, VARY, "Accept, Accept-Encoding");
    if answer.body().len() < SMALL || !query::takes_gzip(accepted) {
        return answer;
    }
    // The fastest level: text of metrics shrinks tenfold with it, and a scrape comes every few seconds.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    if let Ok(body) = encoder.write_all(answer.body()).and_then(|()| encoder.finish()) {
        *answer.body_mut() = body;
        header(&mut answer, CONTENT_ENCODING, "gzip");
    }
    answer
}

fn header(answer: &mut Answer, name: HeaderName, value: &'static str) {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_bounded() {
        let line = "x".repeat(1 << 20);
        assert_eq!(json(StatusCode::OK, &vec![&line; 15]).status(), StatusCode::OK);
        let refused = json(StatusCode::OK, &vec![&line; 16]);
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        let said = String::from_utf8(refused.into_body()).unwrap();
        assert!(said.contains("16 MiB") && said.contains("limit"), "{said}");
    }
}
