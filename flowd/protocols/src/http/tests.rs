//! Whole stories through the tracker.

mod bad;
mod bodies;
mod generated;
mod kit;
mod lost;
mod stories;
mod timing;

/// An exchange as the tracker reports it.
pub(super) fn answered() -> super::HttpExchange {
    let mut story = kit::Story::default();
    story.client("GET / HTTP/1.1\r\nHost: h\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    story.tracker.finish(&mut |exchange| story.out.push(exchange));
    story.out.remove(0)
}
