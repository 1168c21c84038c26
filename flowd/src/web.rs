//! /metrics, /healthz, /readyz and the API. warp's and hyper's only home.

mod access;
mod answer;
mod guard;
mod lines;
mod patient;
mod query;
mod serve;
mod tls;

use std::{collections::HashMap, sync::Arc};

use answer::{Answer, answer, encoded, failure, json, text};
pub use guard::{Guard, GuardError, Secrets};
pub(crate) use lines::ALIVE;
use serde::Serialize;
pub use serve::{WebError, bind};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE},
    reply::Response,
};

use crate::{
    aggregate::LiveFlows,
    export::{classic::classic, feed::Feed, interfaces, prometheus},
    flow::Flow,
    numbers::Board,
    pipeline::Record,
    telemetry::{Part, Readiness, Telemetry},
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What requests are answered from.
#[derive(Clone, Debug)]
pub struct State {
    pub board: Arc<Board>,
    pub live: Arc<LiveFlows>,
    pub telemetry: Arc<Telemetry>,
    pub http: Arc<Feed<Record>>,
}

type Parameters = HashMap<String, String>;

#[derive(Serialize)]
struct Flows {
    flows: Vec<Flow>,
}

/// Answers requests until `stop` is done, then finishes those under way.
pub async fn serve(
    listener: TcpListener,
    state: State,
    guard: Guard,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let telemetry = Arc::clone(&state.telemetry);
    let beat = move || telemetry.beat(Part::Web);
    serve::accept(listener, routes(state, guard.clone()), guard, beat, stop).await;
}

/// Answers the requests of one stream, whatever it is, until it ends.
pub async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send, state: State, guard: Guard) {
    serve::converse(stream, routes(state, guard)).await;
}

/// The request says nothing, or nothing right, about who asks.
#[derive(Debug)]
struct Unknown(&'static str);

impl warp::reject::Reject for Unknown {}

/// Lets those pass who may ask.
fn guarded(guard: Guard) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    let field = warp::header::optional::<String>("authorization");
    let allowed = field.and_then(move |field: Option<String>| {
        let access = guard.access();
        async move {
            match access {
                Some(access) if !access.allows(field.as_deref().unwrap_or_default()).await => {
                    Err(warp::reject::custom(Unknown(access.challenge())))
                }
                _ => Ok(()),
            }
        }
    });
    allowed.untuple_one()
}

fn routes(state: State, guard: Guard) -> BoxedFilter<(Response,)> {
    let board = Arc::clone(&state.board);
    let metrics = warp::path!("metrics")
        .and(warp::header::optional::<String>("accept"))
        .map(move |accept: Option<String>| metrics(&board, accept.as_deref().unwrap_or_default()));
    let health = warp::path!("healthz").map(|| text(StatusCode::OK, "ok\n"));
    let board = state.board;
    let interfaces = warp::path!("api" / "v1" / "interfaces")
        .map(move || json(StatusCode::OK, &interfaces::list(&board.numbers())));
    let telemetry = state.telemetry;
    let ready = warp::path!("readyz").map(move || {
        match telemetry.readiness() {
            Readiness::Ready => text(StatusCode::OK, "ready\n"),
            // Whoever restarts what is not ready would stop the other interfaces' counting.
            Readiness::Degraded(names) => {
                text(StatusCode::OK, &format!("degraded: lost {}\n", names.join(", ")))
            }
            Readiness::Lost(names) => {
                text(StatusCode::SERVICE_UNAVAILABLE, &format!("lost {}\n", names.join(", ")))
            }
            Readiness::NotAttached => text(StatusCode::SERVICE_UNAVAILABLE, "not attached\n"),
        }
    });
    let live = state.live;
    let flows = warp::path!("api" / "v1" / "flows")
        .and(warp::query())
        .map(move |parameters: Parameters| flows(&live, &parameters));
    // Whoever watches over the daemon needs no password.
    let open = packed(health.or(ready).unify());
    let whole = metrics.or(flows).unify().or(interfaces).unify();
    let kept = guarded(guard).and(of_kind("http", state.http).or(packed(whole)).unify());
    let get = warp::get().or(warp::head()).unify();
    get.and(open.or(kept).unify()).recover(refuse).unify().boxed()
}

/// `/api/v1/NAME` and `/api/v1/NAME/stream`: the latest lines of a kind, and new ones.
fn of_kind<T: lines::Kind>(name: &'static str, feed: Arc<Feed<T>>) -> BoxedFilter<(Response,)> {
    let kind = warp::path!("api" / "v1" / ..).and(warp::path(name));
    let follow = Arc::clone(&feed);
    let stream = kind
        .and(warp::path!("stream"))
        .and(warp::query())
        .map(move |parameters: Parameters| lines::stream(&follow, parameters));
    let latest = kind
        .and(warp::path::end())
        .and(warp::query())
        .map(move |parameters: Parameters| lines::latest(&feed, parameters));
    stream.or(packed(latest)).unify().boxed()
}

/// Answers of `routes`, compressed for clients that take it.
fn packed<R>(routes: R) -> BoxedFilter<(Response,)>
where
    R: Filter<Extract = (Answer,), Error = Rejection> + Clone + Send + Sync + 'static,
{
    let accepted = warp::header::optional::<String>("accept-encoding");
    accepted
        .and(routes)
        .map(|accepted: Option<String>, answer| {
            encoded(accepted.as_deref().unwrap_or_default(), answer).into_response()
        })
        .boxed()
}

fn metrics(board: &Board, accept: &str) -> Answer {
    match prometheus::open_metrics(board) {
        Ok(body) if query::wants_open_metrics(accept) => answer(StatusCode::OK, OPEN_METRICS, body),
        Ok(body) => answer(StatusCode::OK, CLASSIC, classic(&body)),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

fn flows(live: &LiveFlows, parameters: &Parameters) -> Answer {
    match query::parse(parameters) {
        Ok((top, filter)) => json(StatusCode::OK, &Flows { flows: live.top(top, &filter) }),
        Err(error) => failure(StatusCode::BAD_REQUEST, error),
    }
}

async fn refuse(rejection: Rejection) -> Result<Response, std::convert::Infallible> {
    if let Some(Unknown(challenge)) = rejection.find() {
        let error = "this flowd asks for a password or a token of its web.users or web.tokens".to_owned();
        let mut refusal = failure(StatusCode::UNAUTHORIZED, error).into_response();
        refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        return Ok(refusal);
    }
    let (status, error) = if rejection.is_not_found() {
        const PATHS: &str = "there are /metrics, /healthz, /readyz, /api/v1/flows, /api/v1/interfaces, /api/v1/http and /api/v1/http/stream";
        (StatusCode::NOT_FOUND, PATHS.to_owned())
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        (StatusCode::METHOD_NOT_ALLOWED, "use GET".to_owned())
    } else {
        (StatusCode::BAD_REQUEST, format!("{rejection:?}"))
    };
    Ok(failure(status, error).into_response())
}

#[cfg(test)]
mod tests;
