//! One request of a connection: what is checked before any route, and the headers that every answer has.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{
    Request,
    body::{Body, Frame, Incoming, SizeHint},
    header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
    service::{Service, service_fn},
};
use hyper_util::service::TowerToHyperService;
use warp::{filters::BoxedFilter, reply::Response};

use super::super::{
    answer::{busy, failure, header},
    browser::{self, ANYWHERE, Head},
    guard::Guard,
    places::Seat,
};
use crate::telemetry::{Refusal, Refusals};

/// What stands before the routes of every connection.
#[derive(Clone, Debug)]
pub(in super::super) struct Gate {
    pub guard: Guard,
    pub refusals: Arc<Refusals>,
}

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
    gate: Gate,
    seat: Arc<Seat>,
) -> impl Service<
    Request<Incoming>,
    Response = hyper::Response<Leaving>,
    Error = Infallible,
    Future = impl Future<Output = Result<hyper::Response<Leaving>, Infallible>> + Send,
> {
    let routes = TowerToHyperService::new(warp::service(routes));
    service_fn(move |mut request: Request<Incoming>| {
        seat.begin();
        request.extensions_mut().insert(Arc::clone(&seat));
        let (routes, seat) = (routes.clone(), Arc::clone(&seat));
        let refused = gate.refusal(&request, &seat);
        async move {
            let mut response = match refused {
                Some(refused) => refused,
                None => routes.call(request).await?,
            };
            // Nothing here is a script, and everything is of this moment and for this client.
            header(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
            header(&mut response, CACHE_CONTROL, "no-store");
            Ok(response.map(|body| Leaving { body, seat }))
        }
    })
}

impl Gate {
    /// Why the request is not even looked at by the routes.
    fn refusal(&self, request: &Request<Incoming>, seat: &Seat) -> Option<Response> {
        let head = Head {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            fields: request.headers(),
        };
        let authenticated = self.guard.access().is_some();
        if let Err(refused) = browser::look(&head, authenticated, &self.guard.hosts()) {
            self.refusals.count(refused.reason);
            return Some(failure(refused.status, &refused.error));
        }
        (seat.is_reserved() && !ANYWHERE.contains(&request.uri().path())).then(|| {
            self.refusals.count(Refusal::Places);
            busy("other clients have all places: ask again")
        })
    }
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
