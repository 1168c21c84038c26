//! The latest lines of one kind, and new ones as a stream of server-sent events. A new kind implements
//! [`Kind`] and is named in one line of the routes.

mod common;
mod http;
mod requests;

use std::{
    collections::HashMap,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

pub(super) use http::Http;
pub(super) use requests::Requests;

use serde::Serialize;
use warp::{Reply, Stream, http::StatusCode, reply::Response, sse};

use super::answer::{busy, failure};
use crate::{
    export::feed::{Feed, Follow, Group, News, Wanted},
    pipeline::Record,
    telemetry::{Refusal, Refusals},
};

/// Lines shown without `limit`.
const LIMIT: usize = 100;
/// Lines shown at most: as many as can be kept.
const MAX_LIMIT: usize = 65_536;
/// How often a quiet stream says that it lives.
pub(crate) const ALIVE: Duration = Duration::from_secs(15);

/// A kind of lines with an API of its own.
pub(super) trait Kind {
    /// Under which its streams count.
    const GROUP: Group;

    /// Which lines a request asks for; `limit` is taken out already.
    fn wanted(parameters: &HashMap<String, String>) -> Result<Wanted<Record>, String>;
}

#[derive(Serialize)]
pub(super) struct Lines {
    lines: Vec<Record>,
}

struct Events(Follow<Record>);

/// `limit`, or what stands for it, and the filter.
fn parse<T: Kind>(
    mut parameters: HashMap<String, String>,
    otherwise: usize,
    least: usize,
) -> Result<(usize, Wanted<Record>), String> {
    let limit = parameters.remove("limit").map_or(Ok(otherwise), |limit| {
        let number = limit.parse().ok().filter(|number| (least..=MAX_LIMIT).contains(number));
        number.ok_or_else(|| format!("limit={limit}: use a number from {least} to {MAX_LIMIT}"))
    })?;
    Ok((limit, T::wanted(&parameters)?))
}

pub(super) fn latest<T: Kind>(
    feed: &Feed<Record>,
    parameters: HashMap<String, String>,
) -> Result<Lines, String> {
    let (limit, wanted) = parse::<T>(parameters, LIMIT, 1)?;
    Ok(Lines { lines: feed.latest(limit, &*wanted) })
}

/// New lines, after `limit` of those that are kept.
pub(super) fn stream<T: Kind>(
    feed: &Feed<Record>,
    parameters: HashMap<String, String>,
    refusals: &Refusals,
) -> Response {
    let (past, wanted) = match parse::<T>(parameters, 0, 0) {
        Ok(asked) => asked,
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error),
    };
    match feed.follow(T::GROUP, past, wanted) {
        Ok(follow) => sse::reply(sse::keep_alive().interval(ALIVE).stream(Events(follow))).into_response(),
        Err(crowded) => {
            refusals.count(Refusal::Streams);
            busy(&crowded.to_string())
        }
    }
}

impl Stream for Events {
    type Item = Result<sse::Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll(context).map(|news| {
            Some(Ok(match news? {
                News::Line(line) => sse::Event::default()
                    .json_data(&line)
                    .unwrap_or_else(|error| sse::Event::default().event("error").data(error.to_string())),
                News::Lost(lost) => {
                    sse::Event::default().event("dropped").data(format!("{{\"dropped\":{lost}}}"))
                }
            }))
        })
    }
}
