//! What a page of another site cannot make a browser do: read the API by a name that it has pointed at this machine
//! (DNS rebinding), or have it asked with the credentials of whoever looks at the page.

use std::net::{Ipv4Addr, Ipv6Addr};

use warp::http::{
    HeaderMap, Method, StatusCode, Uri, Version,
    header::{HOST, ORIGIN},
    uri::Authority,
};

use crate::telemetry::Refusal;

/// Answered whatever the request's Host says: those who ask know no names, and nothing secret is in it.
pub(super) const ANYWHERE: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// What is looked at of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub version: Version,
    pub fields: &'a HeaderMap,
}

/// Why a request gets no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub status: StatusCode,
    pub error: String,
    pub reason: Refusal,
}

impl Refused {
    const fn new(status: StatusCode, error: String, reason: Refusal) -> Self {
        Self { status, error, reason }
    }
}

/// Looks at the Host of a request, and at what a browser says of the page that makes it. `hosts` are names that are
/// ours; none is asked for where `authenticated`, as a page cannot know the secret of another name.
pub(super) fn look(head: &Head<'_>, authenticated: bool, hosts: &[String]) -> Result<(), Refused> {
    let host = host(head)?;
    if ANYWHERE.contains(&head.uri.path()) {
        return Ok(());
    }
    if is_cross_site(head, host.as_ref()) {
        let error = "a page of another site asks: open this address by itself".to_owned();
        return Err(Refused::new(StatusCode::FORBIDDEN, error, Refusal::CrossSite));
    }
    match host {
        Some(host) if !authenticated && !is_ours(host.host(), hosts) => {
            let name = host.host();
            let error = format!(
                "this flowd does not answer for {name:?}: add that name to web.hosts, or ask by address"
            );
            Err(Refused::new(StatusCode::FORBIDDEN, error, Refusal::Host))
        }
        _ => Ok(()),
    }
}

/// The host that is asked for: of the target where it names one (RFC 9112 section 3.2.2), else of the field. None where
/// HTTP/1.0 names none.
fn host(head: &Head<'_>) -> Result<Option<Authority>, Refused> {
    let wrong = |error: &str| Refused::new(StatusCode::BAD_REQUEST, error.to_owned(), Refusal::Host);
    let mut fields = head.fields.get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(wrong("the request has more than one Host field"));
    }
    if field.is_none() && head.version >= Version::HTTP_11 {
        return Err(wrong("the request has no Host field, which HTTP/1.1 asks for"));
    }
    if let Some(authority) = head.uri.authority() {
        return Ok(Some(authority.clone()));
    }
    let named = field.map(|field| Authority::try_from(field.as_bytes()));
    named.transpose().map_err(|_| wrong("the Host field of the request names no host"))
}

/// True where a browser says that a page of another origin asks, and not whoever sits before it.
fn is_cross_site(head: &Head<'_>, host: Option<&Authority>) -> bool {
    let field = |name: &str| head.fields.get(name).map(|value| value.to_str().unwrap_or("?"));
    let foreign_origin = field(ORIGIN.as_str()).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        !host.is_some_and(|host| authority.is_some_and(|origin| origin.eq_ignore_ascii_case(host.as_str())))
    });
    let foreign_page = field("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    // A link that somebody follows: the page that it stands on reads nothing of the answer.
    let follows_link = head.method == Method::GET
        && field("sec-fetch-mode") == Some("navigate")
        && field("sec-fetch-dest") == Some("document");
    foreign_origin || (foreign_page && !follows_link)
}

/// Names that nobody else can point here: addresses, what RFC 6761 section 6.3 keeps for this machine, and those that
/// the configuration knows.
fn is_ours(host: &str, hosts: &[String]) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<Ipv4Addr>().is_ok()
        || literal.is_some_and(|literal| literal.parse::<Ipv6Addr>().is_ok())
        || hosts.iter().any(|known| known.eq_ignore_ascii_case(&name))
}

#[cfg(test)]
mod tests {
    use warp::http::Request;

    use super::*;

    fn looked(request: warp::http::request::Builder, authenticated: bool) -> Result<(), u16> {
        let request = request.body(()).unwrap();
        let head = Head {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            fields: request.headers(),
        };
        look(&head, authenticated, &["flow.example.org".to_owned()])
            .map_err(|refused| refused.status.as_u16())
    }

    fn get(path: &str) -> warp::http::request::Builder {
        Request::builder().uri(path)
    }

    #[test]
    fn the_api_answers_to_addresses_and_known_names_alone() {
        for (host, answered) in [
            ("localhost:9435", true),
            ("127.0.0.1:9435", true),
            ("[::1]:9435", true),
            ("[2001:db8::1]", true),
            ("Flow.Example.org.", true),
            ("a.localhost", true),
            ("rebound.example.net:9435", false),
            ("flow.example.org.example.net", false),
            ("localhost.example.net", false),
            ("127.0.0.1.example.net", false),
            ("1.2.3", false),
        ] {
            for path in ["/", "/api/v1/flows", "/api/v1/http/stream", "/nothing", "/metrics/"] {
                let request = || get(path).header("host", host);
                assert_eq!(looked(request(), false).is_ok(), answered, "{host} {path}");
                assert!(looked(request(), true).is_ok(), "who has the secret may use any name");
            }
            for path in ANYWHERE {
                assert!(looked(get(path).header("host", host), false).is_ok(), "{host} {path}");
            }
        }
        // In absolute form the target's own host counts (RFC 9112 section 3.2.2).
        let absolute = |host| get("http://evil.example/api/v1/flows").header("host", host);
        assert_eq!(looked(absolute("localhost"), false), Err(403));
    }

    #[test]
    fn http_1_1_has_one_host() {
        for path in ["/api/v1/flows", "/healthz"] {
            assert_eq!(looked(get(path), false), Err(400));
            assert_eq!(
                looked(get(path).header("host", "localhost").header("host", "localhost"), true),
                Err(400)
            );
            assert_eq!(looked(get(path).header("host", "a b"), true), Err(400));
            assert_eq!(looked(get(path).version(Version::HTTP_10), false), Ok(()));
        }
    }

    #[test]
    fn pages_of_other_sites_make_no_requests() {
        let local = || get("/api/v1/flows").header("host", "localhost:9435");
        let fetch = |site: &str, mode: &str, dest: &str| {
            local()
                .header("sec-fetch-site", site)
                .header("sec-fetch-mode", mode)
                .header("sec-fetch-dest", dest)
        };
        for authenticated in [false, true] {
            for (request, answered) in [
                (fetch("same-origin", "cors", "empty"), true),
                (fetch("none", "navigate", "document"), true),
                (fetch("cross-site", "navigate", "document"), true),
                (fetch("cross-site", "navigate", "iframe"), false),
                (fetch("cross-site", "no-cors", "script"), false),
                (fetch("same-site", "cors", "empty"), false),
                (local().header("origin", "http://localhost:9435"), true),
                (local().header("origin", "http://localhost:3000"), false),
                (local().header("origin", "https://evil.example"), false),
                (local().header("origin", "null"), false),
            ] {
                let shown = format!("{request:?}");
                assert_eq!(looked(request, authenticated).is_ok(), answered, "{shown}");
            }
        }
        assert!(
            looked(get("/metrics").header("host", "x").header("sec-fetch-site", "cross-site"), false).is_ok()
        );
    }
}
