//! What the log needs of a message's head.

mod line;
mod privacy;
mod redact;

use line::First;
pub(crate) use line::method_of;
pub(super) use line::{Scanner, Verdict};
pub use privacy::Privacy;
pub(crate) use redact::target;

use super::trace::TraceContext;

/// How far the body goes, as the head alone tells (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Neither `Content-Length` nor `Transfer-Encoding`.
    #[default]
    Absent,
    /// Bytes.
    Length(u64),
    /// Chunked, contradictory, or behind the end of the copy.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) version: Option<&'static str>,
    pub(super) fields: Fields,
    pub(super) partial: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) version: Option<&'static str>,
    pub(super) status: Option<u16>,
    pub(super) fields: Fields,
    pub(super) partial: bool,
}

/// The few header fields that are looked at; no other value is ever kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) host: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) referrer_host: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) content_length: Option<u64>,
    /// Of the first `traceparent`; within it none where its value is none, or where there is another one.
    traceparent: Option<Option<TraceContext>>,
    pub(super) framing: Framing,
    /// `Expect` is there: the client may end up not sending the body (RFC 9110 section 10.1.1).
    pub(super) expect: bool,
}

/// What the allocator adds to a block, and rounds up, bytes.
const BLOCK: usize = 16;

impl Request {
    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.method.capacity() + self.target.capacity() + 2 * BLOCK + self.fields.weight()
    }
}

impl Fields {
    /// The trace that the message belongs to.
    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.traceparent.flatten()
    }

    /// Bytes beside its own place.
    pub(crate) fn weight(&self) -> usize {
        let Self { host, user_agent, referrer_host, content_type, .. } = self;
        let kept = [host, user_agent, referrer_host, content_type].into_iter().flatten();
        kept.map(|value| value.capacity() + BLOCK).sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Request(Request),
    Response(Response),
}

/// Reads a head. `whole`: it ends with its empty line; otherwise the copy stops somewhere within.
pub(super) fn read(head: &[u8], whole: bool, privacy: &Privacy) -> Option<Head> {
    let end = head.iter().position(|&b| b == b'\n').map_or(head.len(), |at| at + 1);
    let (first_line, rest) = head.split_at_checked(end)?;
    let partial = !first_line.ends_with(b"\n");
    let first = if partial { line::cut(first_line) } else { line::first(line::without_end(first_line)) }?;
    // A line without a version needs a whole head behind it. On its own it may be HTTP/0.9, which RFC 9112 has
    // dropped, or any line of another protocol; its answer could not be recognised either.
    if !whole && !partial && matches!(first, First::Request { version: Some(line::SIMPLE), .. }) {
        return None;
    }
    let mut fields = fields(rest, privacy);
    if !whole {
        fields.framing = Framing::Unknown;
    }
    Some(match first {
        First::Response { version, status } => Head::Response(Response { version, status, fields, partial }),
        First::Request { method, target, version } => {
            if fields.host.is_none() && !partial {
                fields.host = redact::host_of(target, privacy.query);
            }
            // The target itself is whole where something stands behind it.
            let cut = partial && first_line.ends_with(target);
            let target = redact::target(target, method == "CONNECT", cut, privacy);
            Head::Request(Request { method: method.to_owned(), target, version, fields, partial })
        }
    })
}

/// A value under way: which field, and the value as far as it was unfolded.
type Open = Option<(Name, Vec<u8>)>;

/// The header fields that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Host,
    UserAgent,
    Referrer,
    ContentType,
    ContentLength,
    TransferEncoding,
    Expect,
    /// W3C Trace Context section 3.2.
    Traceparent,
}

impl Name {
    /// The field of this name, in whatever case.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        const NAMES: [(&[u8], Name); 8] = [
            (b"host", Name::Host),
            (b"user-agent", Name::UserAgent),
            (b"referer", Name::Referrer),
            (b"content-type", Name::ContentType),
            (b"content-length", Name::ContentLength),
            (b"transfer-encoding", Name::TransferEncoding),
            (b"expect", Name::Expect),
            (b"traceparent", Name::Traceparent),
        ];
        NAMES.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, name)| name)
    }
}

/// Reads the lines that are there to their end; a cut value would be a wrong value.
fn fields(lines: &[u8], privacy: &Privacy) -> Fields {
    let mut fields = Fields::default();
    let mut open: Open = None;
    for line in lines.split_inclusive(|&b| b == b'\n') {
        if !line.ends_with(b"\n") {
            break;
        }
        let line = line::without_end(line);
        // obs-fold (RFC 9112 section 5.2): the line goes on with the value above it.
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some((_, value)) = &mut open {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        fields.close(open.take(), privacy);
        let mut parts = line.splitn(2, |&b| b == b':');
        if let (Some(name), Some(value)) = (parts.next(), parts.next())
            && let Some(name) = Name::of(name.trim_ascii_end())
        {
            open = Some((name, value.trim_ascii().to_vec()));
        }
    }
    fields.close(open, privacy);
    fields
}

impl Fields {
    fn close(&mut self, open: Open, privacy: &Privacy) {
        if let Some((name, value)) = open {
            self.take(name, &value, privacy);
        }
    }

    /// Takes a value; of repeated fields the first counts.
    pub(crate) fn take(&mut self, name: Name, value: &[u8], privacy: &Privacy) {
        let query = privacy.query;
        let value = value.trim_ascii();
        match name {
            Name::Host if self.host.is_none() => self.host = redact::host(value, query),
            Name::UserAgent if self.user_agent.is_none() => self.user_agent = redact::text(value),
            Name::Referrer if self.referrer_host.is_none() => {
                self.referrer_host = redact::host_of(value, query);
            }
            Name::ContentType if self.content_type.is_none() => self.content_type = redact::text(value),
            Name::ContentLength => self.length(value),
            // Transfer-Encoding overrides Content-Length (RFC 9112 section 6.3).
            Name::TransferEncoding => self.framing = Framing::Unknown,
            Name::Expect => self.expect = true,
            Name::Traceparent if privacy.trace_context => {
                // Of two nobody knows which is meant: as if there were none (section 4.3).
                let first = self.traceparent.is_none();
                self.traceparent = Some(TraceContext::parse(value).filter(|_| first));
            }
            Name::Host | Name::UserAgent | Name::Referrer | Name::ContentType | Name::Traceparent => {}
        }
    }

    /// Repeated equal lengths, in one field or several, count as one (RFC 9112 section 6.3); others as a
    /// body of unknown length.
    fn length(&mut self, value: &[u8]) {
        for part in value.split(|&b| b == b',') {
            let part = part.trim_ascii();
            let digits = part.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(part).ok().filter(|_| digits).and_then(|n| n.parse().ok());
            self.framing = match (self.framing, length) {
                (Framing::Absent, Some(length)) => Framing::Length(length),
                (Framing::Length(known), Some(length)) if known == length => self.framing,
                _ => Framing::Unknown,
            };
            self.content_length = self.content_length.or(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &[u8], whole: bool) -> Request {
        match read(text, whole, &Privacy::default()) {
            Some(Head::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn header_fields() {
        let head = request(
            b"GET /x?y HTTP/1.1\r\nHOST:  example.org \r\nUser-Agent: a\r\n  b\r\nReferer: http://u:p@ref:8/z?k\r\n\
              Cookie: secret\r\nno colon\r\nHost: second\r\nContent-Length : 5\r\nContent-Length: 5,5\r\n\r\n",
            true,
        );
        assert_eq!(head.target, "/x");
        assert_eq!(head.fields.host.as_deref(), Some("example.org"));
        assert_eq!(head.fields.user_agent.as_deref(), Some("a b"));
        assert_eq!(head.fields.referrer_host.as_deref(), Some("ref:8"));
        assert_eq!(head.fields.framing, Framing::Length(5));
        assert!(!head.partial);
    }

    #[test]
    fn framing() {
        let framing =
            |lines: &str| request(format!("POST / HTTP/1.1\n{lines}\n").as_bytes(), true).fields.framing;
        assert_eq!(framing(""), Framing::Absent);
        assert_eq!(framing("content-length: 0\n"), Framing::Length(0));
        assert_eq!(framing("content-length: 1\ncontent-length: 2\n"), Framing::Unknown);
        assert_eq!(framing("content-length: +1\n"), Framing::Unknown);
        assert_eq!(framing("content-length:\n"), Framing::Unknown);
        assert_eq!(framing("content-length: 99999999999999999999\n"), Framing::Unknown);
        assert_eq!(framing("content-length: 1\ntransfer-encoding: chunked\n"), Framing::Unknown);
        assert_eq!(framing("transfer-encoding: chunked\ncontent-length: 1\n"), Framing::Unknown);
    }

    #[test]
    fn a_cut_header_line_is_not_believed() {
        let head = request(b"GET / HTTP/1.1\r\nUser-Agent: x\r\nHost: exam", false);
        assert_eq!(head.fields.host, None);
        assert_eq!(head.fields.user_agent.as_deref(), Some("x"));
        assert_eq!(head.fields.framing, Framing::Unknown);
        assert!(!head.partial);
    }

    #[test]
    fn the_trace_is_read_on_demand() {
        let trace = "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01\r\n";
        let read = |fields: &str, trace_context| {
            let privacy = Privacy { trace_context, ..Privacy::default() };
            match read(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes(), true, &privacy) {
                Some(Head::Request(request)) => request.fields.trace().map(|trace| trace.span_id()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read(trace, true).as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!(read(trace, false), None);
        assert_eq!(read(&trace.repeat(2), true), None, "nobody knows which is meant");
        assert_eq!(read(&trace.repeat(3), true), None);
        assert_eq!(read("traceparent: 00-0-0-0\r\n", true), None);
    }

    #[test]
    fn absolute_form_names_the_host() {
        let head = request(b"GET http://user:pass@host/x HTTP/1.1\r\n\r\n", true);
        assert_eq!((head.target.as_str(), head.fields.host.as_deref()), ("http://host/x", Some("host")));
        let head = request(b"GET http://a/x HTTP/1.1\r\nHost: b\r\n\r\n", true);
        assert_eq!(head.fields.host.as_deref(), Some("b"));
        let head = request(b"CONNECT h:443 HTTP/1.1\r\n\r\n", true);
        assert_eq!((head.target.as_str(), head.fields.host), ("h:443", None));
    }

    #[test]
    fn a_cut_first_line_is_partial() {
        let head = request(b"GET http://user:sec", false);
        assert_eq!((head.target.as_str(), head.partial, head.version), ("http://", true, None));
        let head = request(b"GET /a?b HTTP/1", false);
        assert_eq!((head.target.as_str(), head.partial), ("/a", true));
    }
}
