//! Reads a stream of server-sent events, and no more of HTTP than that takes. The request is one of HTTP/1.0,
//! so that the answer comes without chunks and ends with the connection.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    path::Path,
    time::Duration,
};

use super::{error::TailError, tls, url::Url};
use crate::web::ALIVE;

/// Time to connect to one address.
const CONNECT: Duration = Duration::from_secs(5);
/// A line longer than this comes from no flowd.
const LONGEST: u64 = 1 << 20;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A JSON object.
    Line(String),
    /// So many lines that this client did not take in time.
    Dropped(u64),
}

pub(super) struct Stream {
    url: String,
    reader: BufReader<Box<dyn Connection>>,
}

/// In clear text or by TLS.
trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

impl Stream {
    /// Follows the stream that `target`, a path with its query, names there.
    pub(super) fn open(
        url: &Url,
        ca: Option<&Path>,
        token: Option<&str>,
        target: &str,
    ) -> Result<Self, TailError> {
        let name = url.to_string();
        let connect = |source| TailError::Connect { url: name.clone(), source };
        let socket = dial(&url.address).map_err(connect)?;
        let mut socket: Box<dyn Connection> =
            if url.tls { Box::new(tls::shake(socket, url, ca)?) } else { Box::new(socket) };
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {}{target} HTTP/1.0\r\nHost: {}\r\nAccept: text/event-stream\r\n{bearer}\r\n",
            url.prefix, url.authority
        );
        socket.write_all(request.as_bytes()).and_then(|()| socket.flush()).map_err(connect)?;
        let mut stream = Self { url: name.clone(), reader: BufReader::new(socket) };
        // What speaks TLS only takes this for none, and ends it.
        let status = stream.line().map_err(|error| match error {
            TailError::Lost { source, .. } => connect(source),
            error => error,
        })?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0_u16);
        while !stream.line()?.is_empty() {}
        if status == 200 { Ok(stream) } else { Err(stream.refusal(status)) }
    }

    /// Waits for the next event.
    pub(super) fn next(&mut self) -> Result<Event, TailError> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let line = self.line()?;
            match line.split_once(':') {
                // An empty line sends off what was gathered.
                None if line.is_empty() && !data.is_empty() => break,
                Some(("event", value)) => name = value.trim().to_owned(),
                Some(("data", value)) => data.push_str(value.strip_prefix(' ').unwrap_or(value)),
                // Comments that keep the connection alive, and fields that are not for us.
                _ => {}
            }
        }
        if name == "dropped" {
            let count = serde_json::from_str::<serde_json::Value>(&data).ok();
            return Ok(Event::Dropped(count.and_then(|value| value.get("dropped")?.as_u64()).unwrap_or(1)));
        }
        Ok(Event::Line(data))
    }

    /// One line without its end.
    fn line(&mut self) -> Result<String, TailError> {
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        let lost = |source| TailError::Lost { url: self.url.clone(), source };
        read.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                lost(io::Error::new(io::ErrorKind::TimedOut, "nothing came for long"))
            }
            _ => lost(error),
        })?;
        if line.pop() != Some(b'\n') {
            return Err(lost(io::ErrorKind::UnexpectedEof.into()));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// The daemon's reason, or what else came.
    fn refusal(&mut self, status: u16) -> TailError {
        let mut body = Vec::new();
        // A body cut short still says more than none.
        let _ = self.reader.by_ref().take(LONGEST).read_to_end(&mut body);
        let told = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let told = told.and_then(|value| Some(value.get("error")?.as_str()?.to_owned()));
        let reason = told.unwrap_or_else(|| format!("status {status}, which is no answer of flowd's"));
        TailError::Refused { url: self.url.clone(), status, reason }
    }
}

fn dial(address: &str) -> io::Result<TcpStream> {
    let mut problem = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(socket) => {
                // The daemon speaks every so often; with some slack, it is gone when it does not.
                socket.set_read_timeout(Some(ALIVE * 3))?;
                return Ok(socket);
            }
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// What a client makes of `answer`.
    fn read(answer: &'static str) -> (Vec<Event>, TailError, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/x", listener.local_addr().unwrap())).unwrap();
        let server = thread::spawn(move || {
            let mut socket = listener.accept().unwrap().0;
            let mut request = String::new();
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            while !request.ends_with("\r\n\r\n") {
                reader.read_line(&mut request).unwrap();
            }
            socket.write_all(answer.as_bytes()).unwrap();
            request
        });
        let mut events = Vec::new();
        let error = match Stream::open(&url, None, Some("t0ken"), "/api/v1/http/stream?limit=7") {
            Ok(mut stream) => loop {
                match stream.next() {
                    Ok(event) => events.push(event),
                    Err(error) => break error,
                }
            },
            Err(error) => error,
        };
        (events, error, server.join().unwrap())
    }

    #[test]
    fn events_comments_and_the_end() {
        let (events, error, request) = read(
            "HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n:\n\ndata:{\"a\":1}\n\n\
             event:dropped\ndata:{\"dropped\":3}\n\nid: 4\r\ndata: x\r\n\r\ndata:cut",
        );
        let line = |text: &str| Event::Line(text.to_owned());
        assert_eq!(events, [line("{\"a\":1}"), Event::Dropped(3), line("x")]);
        assert!(matches!(error, TailError::Lost { .. }) && error.may_pass());
        assert!(request.starts_with("GET /x/api/v1/http/stream?limit=7 HTTP/1.0\r\n"), "{request}");
        assert!(request.contains("\r\nAuthorization: Bearer t0ken\r\n"), "{request}");
    }

    #[test]
    fn a_refusal_has_its_reason() {
        let (_, error, _) = read("HTTP/1.0 400 Bad Request\r\n\r\n{\"error\":\"status=x: use 5xx\"}");
        assert!(error.is_usage() && !error.may_pass());
        assert!(error.to_string().ends_with("refuses: status=x: use 5xx"), "{error}");
        let (_, error, _) = read("HTTP/1.0 503 No\r\n\r\n{\"error\":\"16 clients\"}");
        assert!(!error.is_usage() && error.may_pass());
        let (_, error, _) = read("SSH-2.0-OpenSSH\r\n\r\n");
        assert!(error.to_string().contains("no answer of flowd's"), "{error}");
    }
}
