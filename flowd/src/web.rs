//! /metrics, /healthz, /readyz and the API. warp's and hyper's only home.

mod access;
mod answer;
mod browser;
mod budget;
mod certificate;
mod checks;
mod guard;
mod identity;
mod lines;
mod logins;
mod pace;
mod parcel;
mod patient;
mod places;
mod query;
mod scrape;
mod serve;
mod tls;

use std::{collections::HashMap, net::Ipv4Addr, sync::Arc, time::Duration};

use answer::{busy, failure, header, json, text};
use budget::Budget;
pub use budget::TOTAL as ANSWERS;
use guard::Stopped;
pub use guard::{Guard, GuardError, Secrets};
pub(crate) use lines::ALIVE;
use logins::Logins;
pub use places::{FewFiles, Limits};
use places::{Places, Seat};
use scrape::{Form, Scrapes};
use serde::Serialize;
use serve::Gate;
pub use serve::{WebError, bind};
pub use tls::certificate_remark;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Mutex,
    time::timeout,
};
use warp::{
    Filter, Rejection,
    filters::BoxedFilter,
    http::{
        StatusCode,
        header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    reply::Response,
};

use crate::{
    aggregate::LiveFlows,
    export::{feed::Feed, interfaces},
    flow::Flow,
    kernel::heap,
    numbers::Board,
    pipeline::Record,
    telemetry::{Part, Readiness, Refusal, Telemetry},
};

/// What requests are answered from.
#[derive(Clone, Debug)]
pub struct State {
    pub board: Arc<Board>,
    pub live: Arc<LiveFlows>,
    pub telemetry: Arc<Telemetry>,
    /// Lines for the API.
    pub lines: Arc<Feed<Record>>,
}

type Parameters = HashMap<String, String>;

#[derive(Serialize)]
struct Flows {
    flows: Vec<Flow>,
}

/// How long a request for a list waits for those before it.
const TURN: Duration = Duration::from_secs(5);

/// Where answers are made.
struct Desk {
    state: State,
    budget: Arc<Budget>,
    scrapes: Scrapes,
    logins: Logins,
    /// One list at a time is made, so that other requests find a thread whoever asks for lists.
    turn: Mutex<()>,
}

impl Desk {
    fn new(state: State) -> Arc<Self> {
        let budget = Arc::new(Budget::counted(Arc::clone(&state.telemetry.refusals)));
        let scrapes = Scrapes::new(Arc::clone(&state.board), Arc::clone(&budget));
        let logins = Logins::new(Arc::clone(&state.telemetry.refusals));
        Arc::new(Self { state, budget, scrapes, logins, turn: Mutex::default() })
    }

    /// An answer that takes a while to make, or why the request cannot have one.
    async fn list<'a>(&'a self, make: impl FnOnce(&'a Self) -> Result<Response, String>) -> Response {
        let Ok(_turn) = timeout(TURN, self.turn.lock()).await else {
            self.state.telemetry.refusals.count(Refusal::Turn);
            return busy("other requests for lists come first: ask again");
        };
        make(self).unwrap_or_else(|error| failure(StatusCode::BAD_REQUEST, &error))
    }

    fn json(&self, gzip: bool, body: &impl Serialize) -> Response {
        json(&self.budget, gzip, body)
    }
}

/// Answers requests until `stop` is done, then finishes those under way.
pub async fn serve(
    listener: TcpListener,
    state: State,
    guard: Guard,
    limits: Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let desk = Desk::new(state);
    let routes = routes(&desk, guard.clone());
    let refusals = Arc::clone(&desk.state.telemetry.refusals);
    let places = Places::new(limits, Arc::clone(&refusals));
    let beat = move || {
        desk.state.telemetry.beat(Part::Web);
        desk.scrapes.forget();
        if desk.budget.has_freed_much() {
            heap::give_back();
        }
    };
    serve::accept(listener, routes, Gate { guard, refusals }, places, beat, stop).await;
}

/// Answers the requests of one stream, whatever it is, until it ends.
pub async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send, state: State, guard: Guard) {
    let desk = Desk::new(state);
    let gate = Gate { guard: guard.clone(), refusals: Arc::clone(&desk.state.telemetry.refusals) };
    serve::converse(stream, routes(&desk, guard), gate).await;
}

/// Lets those pass who may ask, and notes at their connection who they are.
fn guarded(desk: &Arc<Desk>, guard: Guard) -> impl Filter<Extract = (), Error = Rejection> + Clone + use<> {
    let field = warp::header::optional::<String>("authorization");
    let at = Arc::clone(desk);
    let allowed =
        field.and(warp::ext::optional()).and_then(move |field: Option<String>, seat: Option<Arc<Seat>>| {
            let (at, guard) = (Arc::clone(&at), guard.clone());
            async move {
                let address = seat.as_ref().map_or(Ipv4Addr::UNSPECIFIED.into(), |seat| seat.address());
                let judged = guard.judge(field.as_deref().unwrap_or_default(), address, &at.logins).await;
                let identity = judged.map_err(warp::reject::custom)?;
                if let Some(seat) = seat {
                    seat.let_in(identity);
                }
                Ok::<_, Rejection>(())
            }
        });
    allowed.untuple_one()
}

fn routes(desk: &Arc<Desk>, guard: Guard) -> BoxedFilter<(Response,)> {
    let at = Arc::clone(desk);
    let metrics = warp::path!("metrics").and(warp::header::optional::<String>("accept")).and(gzip()).then(
        move |accept: Option<String>, gzip| {
            let (at, open_metrics) =
                (Arc::clone(&at), query::wants_open_metrics(accept.as_deref().unwrap_or_default()));
            async move { at.scrapes.answer(Form { open_metrics, gzip }).await }
        },
    );
    let health = warp::path!("healthz").map(|| text(StatusCode::OK, "ok\n"));
    let telemetry = Arc::clone(&desk.state.telemetry);
    let ready = warp::path!("readyz").map(move || readiness(&telemetry));
    let at = Arc::clone(desk);
    let interfaces =
        warp::path!("api" / "v1" / "interfaces").and(gzip()).then(move |gzip| {
            let at = Arc::clone(&at);
            async move {
                at.list(|desk| Ok(desk.json(gzip, &interfaces::list(&desk.state.board.numbers())))).await
            }
        });
    let at = Arc::clone(desk);
    let flows = warp::path!("api" / "v1" / "flows").and(warp::query()).and(gzip()).then(
        move |parameters: Parameters, gzip| {
            let at = Arc::clone(&at);
            async move { at.list(|desk| Ok(desk.json(gzip, &flows(&desk.state.live, &parameters)?))).await }
        },
    );
    // Whoever watches over the daemon needs no password.
    let open = health.or(ready).unify();
    let kept = metrics
        .or(flows)
        .unify()
        .or(interfaces)
        .unify()
        .or(of_kind::<lines::Http>("http", desk))
        .unify()
        .or(of_kind::<lines::Requests>("requests", desk))
        .unify();
    let get = warp::get().or(warp::head()).unify();
    get.and(open.or(guarded(desk, guard).and(kept)).unify()).recover(refuse).unify().boxed()
}

/// `/api/v1/NAME` and `/api/v1/NAME/stream`: the latest lines of a kind, and new ones.
fn of_kind<T: lines::Kind>(name: &'static str, desk: &Arc<Desk>) -> BoxedFilter<(Response,)> {
    let kind = warp::path!("api" / "v1" / ..).and(warp::path(name));
    let at = Arc::clone(desk);
    let stream = kind.and(warp::path!("stream")).and(warp::query()).map(move |parameters: Parameters| {
        lines::stream::<T>(&at.state.lines, parameters, &at.state.telemetry.refusals)
    });
    let at = Arc::clone(desk);
    let latest = kind.and(warp::path::end()).and(warp::query()).and(gzip()).then(
        move |parameters: Parameters, gzip| {
            let at = Arc::clone(&at);
            async move {
                at.list(|desk| Ok(desk.json(gzip, &lines::latest::<T>(&desk.state.lines, parameters)?))).await
            }
        },
    );
    stream.or(latest).unify().boxed()
}

/// Whether the client takes gzip.
fn gzip() -> impl Filter<Extract = (bool,), Error = Rejection> + Copy {
    let accepted = warp::header::optional::<String>("accept-encoding");
    accepted.map(|accepted: Option<String>| query::takes_gzip(accepted.as_deref().unwrap_or_default()))
}

fn readiness(telemetry: &Telemetry) -> Response {
    match telemetry.readiness() {
        Readiness::Ready => text(StatusCode::OK, "ready\n"),
        // Whoever restarts what is not ready would stop the other interfaces' counting.
        Readiness::Degraded(names) => text(StatusCode::OK, &format!("degraded: lost {}\n", names.join(", "))),
        Readiness::Lost(names) => {
            text(StatusCode::SERVICE_UNAVAILABLE, &format!("lost {}\n", names.join(", ")))
        }
        Readiness::NotAttached => text(StatusCode::SERVICE_UNAVAILABLE, "not attached\n"),
    }
}

fn flows(live: &LiveFlows, parameters: &Parameters) -> Result<Flows, String> {
    let (top, filter) = query::parse(parameters)?;
    Ok(Flows { flows: live.top(top, &filter) })
}

async fn refuse(rejection: Rejection) -> Result<Response, std::convert::Infallible> {
    match rejection.find() {
        Some(Stopped::Unknown(challenge)) => {
            let error = "this flowd asks for a password or a token of its web.users or web.tokens";
            let mut refusal = failure(StatusCode::UNAUTHORIZED, error);
            header(&mut refusal, WWW_AUTHENTICATE, challenge);
            return Ok(refusal);
        }
        Some(Stopped::Later(wait)) => {
            let error =
                "too many wrong passwords came, so that this one was not looked at: wait, and try again";
            let mut refusal = failure(StatusCode::TOO_MANY_REQUESTS, error);
            refusal.headers_mut().insert(RETRY_AFTER, (wait.as_secs() + 1).into());
            return Ok(refusal);
        }
        None => {}
    }
    Ok(if rejection.is_not_found() {
        const PATHS: &str = "there are /metrics, /healthz, /readyz, /api/v1/flows, /api/v1/interfaces, /api/v1/http, /api/v1/http/stream, /api/v1/requests and /api/v1/requests/stream";
        failure(StatusCode::NOT_FOUND, PATHS)
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        let mut refusal = failure(StatusCode::METHOD_NOT_ALLOWED, "use GET");
        header(&mut refusal, ALLOW, "GET, HEAD");
        refusal
    } else if rejection.find::<warp::reject::InvalidQuery>().is_some() {
        failure(
            StatusCode::BAD_REQUEST,
            "the part behind the question mark cannot be read: write name=value&name=value",
        )
    } else {
        failure(StatusCode::BAD_REQUEST, "a header field of the request cannot be read")
    })
}

#[cfg(test)]
mod tests;
