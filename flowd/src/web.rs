//! /metrics, /healthz, /readyz and the API. warp's only home.

mod query;

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use serde::Serialize;
use tokio::net::TcpListener;
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::{Response, StatusCode, header::CONTENT_TYPE},
    reply,
};

use crate::{
    aggregate::LiveFlows,
    export::{classic::classic, interfaces, prometheus::Board},
    flow::Flow,
    telemetry::Telemetry,
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What requests are answered from.
#[derive(Clone, Debug)]
pub struct State {
    pub board: Arc<Board>,
    pub live: Arc<LiveFlows>,
    pub telemetry: Arc<Telemetry>,
}

/// The address cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; {}", remedy(source))]
pub struct WebError {
    pub address: SocketAddr,
    pub source: std::io::Error,
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program, or another flowd, has this port: stop it or choose another with --listen"
        }
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE: choose one above"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "this host does not have the address: choose another with --listen"
        }
        _ => "choose another address with --listen",
    }
}

#[derive(Serialize)]
struct Flows {
    flows: Vec<Flow>,
}

#[derive(Serialize)]
struct Failure {
    error: String,
}

/// Takes the address, so that a busy port is known before anything is attached.
///
/// # Errors
/// Names the address and the remedy.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, WebError> {
    TcpListener::bind(address).await.map_err(|source| WebError { address, source })
}

/// Answers requests until `stop` is done, then finishes those under way.
pub async fn serve(listener: TcpListener, state: State, stop: impl Future<Output = ()> + Send + 'static) {
    warp::serve(routes(state)).incoming(listener).graceful(stop).run().await;
}

fn routes(state: State) -> BoxedFilter<(impl Reply,)> {
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
        if telemetry.is_ready() {
            text(StatusCode::OK, "ready\n")
        } else {
            text(StatusCode::SERVICE_UNAVAILABLE, "not attached\n")
        }
    });
    let live = state.live;
    let flows = warp::path!("api" / "v1" / "flows")
        .and(warp::query::<HashMap<String, String>>())
        .map(move |parameters: HashMap<String, String>| flows(&live, &parameters));
    let get = warp::get().or(warp::head()).unify();
    let api = flows.or(interfaces).unify();
    get.and(metrics.or(health).unify().or(ready).unify().or(api).unify()).recover(refuse).boxed()
}

type Answer = Response<String>;

fn answer(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, warp::http::HeaderValue::from_static(kind));
    response
}

fn text(status: StatusCode, body: &str) -> Answer {
    answer(status, "text/plain; charset=utf-8", body.to_owned())
}

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_string(body) {
        Ok(body) => answer(status, "application/json", body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

fn metrics(board: &Board, accept: &str) -> Answer {
    match board.open_metrics() {
        Ok(body) if query::wants_open_metrics(accept) => answer(StatusCode::OK, OPEN_METRICS, body),
        Ok(body) => answer(StatusCode::OK, CLASSIC, classic(&body)),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

fn flows(live: &LiveFlows, parameters: &HashMap<String, String>) -> Answer {
    match query::parse(parameters) {
        Ok((top, filter)) => json(StatusCode::OK, &Flows { flows: live.top(top, &filter) }),
        Err(error) => json(StatusCode::BAD_REQUEST, &Failure { error }),
    }
}

async fn refuse(rejection: Rejection) -> Result<impl Reply, std::convert::Infallible> {
    let (status, error) = if rejection.is_not_found() {
        const PATHS: &str = "there are /metrics, /healthz, /readyz, /api/v1/flows and /api/v1/interfaces";
        (StatusCode::NOT_FOUND, PATHS.to_owned())
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        (StatusCode::METHOD_NOT_ALLOWED, "use GET".to_owned())
    } else {
        (StatusCode::BAD_REQUEST, format!("{rejection:?}"))
    };
    Ok(reply::with_status(reply::json(&Failure { error }), status))
}

#[cfg(test)]
mod tests;
