//! One request of a connection: what is looked at before any route, and what every answer bears.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{
    Request,
    body::{Body, Frame, Incoming, SizeHint},
    service::{Service, service_fn},
};
use hyper_util::service::TowerToHyperService;
use warp::{filters::BoxedFilter, reply::Response};

use super::super::{answer::busy, places::Seat};

/// What is answered in the places of the reserve.
const ALWAYS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// An answer on its way: tells the connection's seat when it has gone.
pub(super) struct Leaving {
    body: Whole,
    seat: Arc<Seat>,
}

/// warp's body, for which it has no name.
type Whole = <Response as Bodied>::Body;

pub(super) trait Bodied {
    type Body;
}

impl<B> Bodied for hyper::Response<B> {
    type Body = B;
}

/// Answers each request of a connection with `routes`.
pub(super) fn service(
    routes: BoxedFilter<(Response,)>,
    seat: Arc<Seat>,
) -> impl Service<
    Request<Incoming>,
    Response = hyper::Response<Leaving>,
    Error = Infallible,
    Future = impl Future<Output = Result<hyper::Response<Leaving>, Infallible>> + Send,
> {
    let routes = TowerToHyperService::new(warp::service(routes));
    service_fn(move |request: Request<Incoming>| {
        seat.begin();
        let (routes, seat) = (routes.clone(), Arc::clone(&seat));
        async move {
            let response = if seat.is_reserved() && !ALWAYS.contains(&request.uri().path()) {
                busy("other clients have all places: ask again")
            } else {
                routes.call(request).await?
            };
            Ok(response.map(|body| Leaving { body, seat }))
        }
    })
}

impl Body for Leaving {
    type Data = <Whole as Body>::Data;
    type Error = <Whole as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.seat.end();
    }
}
