//! Accepts connections and bounds what a client can take: connections, size and time of a request's head.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
    time::MissedTickBehavior,
};
use tracing::{debug, warn};
use warp::{Filter, Reply, filters::BoxedFilter};

use super::{guard::Guard, patient::Patient};
use crate::telemetry::Part;

/// Connections at once; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 256;
/// Bytes of a request's head.
const HEAD: usize = 16 * 1024;
/// Header fields of a request.
const FIELDS: usize = 64;
/// How long a head may take, and a connection stay open without a request. Above the usual scrape interval.
const PATIENCE: Duration = Duration::from_secs(75);
/// How long a client may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(30);
/// After a failed accept, as without free descriptors: until some are free again.
const PAUSE: Duration = Duration::from_millis(100);

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

/// Takes the address, so that a busy port is known before anything is attached.
///
/// # Errors
/// Names the address and the remedy.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, WebError> {
    TcpListener::bind(address).await.map_err(|source| WebError { address, source })
}

/// Answers with `routes` until `stop` is done, then finishes what is under way. Calls `beat` while it goes on.
pub(super) async fn accept<R: Reply + 'static>(
    listener: TcpListener,
    routes: BoxedFilter<(R,)>,
    guard: Guard,
    beat: impl Fn() + Send,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let protocol = protocol();
    let service = TowerToHyperService::new(warp::service(routes.map(Reply::into_response)));
    let (open, shutdown) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    let mut beats = tokio::time::interval(Part::BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = async {
            let permit = Arc::clone(&open).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut stop => break,
            _ = beats.tick() => {
                beat();
                continue;
            }
            next = next => next,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (tls, protocol, service, watcher) =
            (guard.tls(), protocol.clone(), service.clone(), shutdown.watcher());
        tokio::spawn(async move {
            let done = match tls {
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => watcher.watch(protocol.serve_connection(patient(stream), service)).await,
                    Err(error) => {
                        debug!("TLS: {error}");
                        return;
                    }
                },
                None => watcher.watch(protocol.serve_connection(patient(stream), service)).await,
            };
            if let Err(error) = done {
                // The client's doing: gone, too slow, or no HTTP.
                debug!("connection: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    shutdown.shutdown().await;
}

fn patient<S>(stream: S) -> TokioIo<Patient<S>> {
    TokioIo::new(Patient::new(stream, STALLED))
}

fn protocol() -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    protocol.max_buf_size(HEAD).max_headers(FIELDS);
    protocol
}

/// Answers the requests of one stream, as [`accept`] does those of each connection.
pub(super) async fn converse<R: Reply + 'static>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    routes: BoxedFilter<(R,)>,
) {
    let service = TowerToHyperService::new(warp::service(routes.map(Reply::into_response)));
    // Such a stream says all at once, and ends with that.
    let connection = protocol().half_close(true).serve_connection(patient(stream), service);
    if let Err(error) = connection.await {
        debug!("connection: {error}");
    }
}
