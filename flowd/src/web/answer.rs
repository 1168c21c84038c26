//! A whole answer: status, type, body, and its encoding.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use warp::http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, VARY},
};

use super::query;

/// Below this a body fits into one packet anyway.
const SMALL: usize = 1_024;

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

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(body) => answer(status, "application/json", body),
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
