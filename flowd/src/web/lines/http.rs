//! Which HTTP exchanges a request asks for.

use std::collections::HashMap;

use flowd_protocols::http::HttpExchange;

use super::{Kind, common::Common};
use crate::{
    export::feed::{Group, Wanted},
    pipeline::Record,
};

/// Lines of type `http`.
pub(in crate::web) enum Http {}

#[derive(Debug, Default)]
struct Filter {
    host: Option<String>,
    status: Option<Statuses>,
    method: Option<String>,
    path: Option<String>,
    common: Common,
}

/// One status, a class as `5xx`, or `none`.
#[derive(Clone, Copy, Debug)]
enum Statuses {
    One(u16),
    Hundreds(u16),
    None,
}

impl Kind for Http {
    const GROUP: Group = Group::Http;

    fn wanted(parameters: &HashMap<String, String>) -> Result<Wanted<Record>, String> {
        let filter = Filter::parse(parameters)?;
        Ok(Box::new(move |record| record.http().is_some_and(|exchange| filter.passes(exchange))))
    }
}

impl Filter {
    fn parse(parameters: &HashMap<String, String>) -> Result<Self, String> {
        let mut filter = Self::default();
        for (name, value) in parameters {
            let wrong = |allowed: &str| format!("{name}={value}: use {allowed}");
            match name.as_str() {
                "host" => filter.host = Some(value.clone()),
                "status" => {
                    let statuses = Statuses::parse(value);
                    let allowed = "a status as 404, a class as 5xx, or none for requests without a response";
                    filter.status = Some(statuses.ok_or_else(|| wrong(allowed))?);
                }
                "method" => filter.method = Some(value.clone()),
                "path" => {
                    let path = Some(value.clone()).filter(|path| path.starts_with(['/', '*']));
                    filter.path = Some(path.ok_or_else(|| wrong("the beginning of a path, as /api/"))?);
                }
                _ if filter.common.take(name, value)? => {}
                _ => {
                    let known = "limit, host, status, method, path, client and min_ms";
                    return Err(format!("unknown parameter {name}: there are {known}"));
                }
            }
        }
        Ok(filter)
    }

    fn passes(&self, exchange: &HttpExchange) -> bool {
        let is = |wanted: &Option<String>, has: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| has.is_some_and(|has| has.eq_ignore_ascii_case(wanted)))
        };
        is(&self.host, exchange.host.as_deref().map(without_port))
            && is(&self.method, exchange.method.as_deref())
            && self.status.is_none_or(|statuses| statuses.holds(exchange.status))
            && self.path.as_deref().is_none_or(|path| {
                exchange.target.as_deref().is_some_and(|target| path_of(target).starts_with(path))
            })
            && self.common.passes(&exchange.head, exchange.duration())
    }
}

impl Statuses {
    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::None);
        }
        match text.strip_suffix("xx") {
            Some(class) => class.parse().ok().filter(|class| (1..=9).contains(class)).map(Self::Hundreds),
            None => text.parse().ok().filter(|status| (100..=999).contains(status)).map(Self::One),
        }
    }

    fn holds(self, status: Option<u16>) -> bool {
        match self {
            Self::One(wanted) => status == Some(wanted),
            Self::Hundreds(class) => status.is_some_and(|status| status / 100 == class),
            Self::None => status.is_none(),
        }
    }
}

/// `www.example.org:8080` and `[::1]:80` without their ports.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => {
            // A bare IPv6 address has colons of its own.
            if name.contains(':') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}

/// The path of a target in absolute form (RFC 9112 section 3.2.2), other targets as they are.
fn path_of(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://").filter(|(scheme, _)| !scheme.contains('/')) else {
        return target;
    };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::testing;

    fn parse(query: &str) -> Result<Filter, String> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Filter::parse(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn each_parameter_filters() {
        let mut exchange = testing::exchange("GET /api/x HTTP/1.1\r\nHost: Www.example.org:8080\r\n\r\n");
        for (query, passes) in [
            ("", true),
            ("host=www.example.org&method=get&status=200&path=/api&client=10.0.0.0/8&min_ms=47.9", true),
            ("host=example.org", false),
            ("method=POST", false),
            ("status=2xx", true),
            ("status=5xx", false),
            ("status=404", false),
            ("status=none", false),
            ("path=/api/x/y", false),
            ("client=10.0.0.2", false),
            ("min_ms=48.1", false),
        ] {
            assert_eq!(parse(query).unwrap().passes(&exchange), passes, "{query}");
        }
        exchange.target = Some("http://h/api/x".to_owned());
        assert!(parse("path=/api").unwrap().passes(&exchange));
        (exchange.status, exchange.response_time) = (None, None);
        assert!(parse("status=none").unwrap().passes(&exchange));
        assert!(!parse("min_ms=0").unwrap().passes(&exchange));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (query, allowed) in [
            ("status=abc", "5xx"),
            ("status=99", "5xx"),
            ("status=0xx", "5xx"),
            ("path=api", "/api/"),
            ("client=10.0.0.0/33", "10.0.0.0/8"),
            ("min_ms=-1", "250"),
            ("min_ms=NaN", "250"),
            ("hosts=a", "host, status"),
        ] {
            let error = parse(query).unwrap_err();
            let (name, value) = query.split_once('=').unwrap();
            assert!(error.contains(name) && error.contains(allowed), "{error}");
            assert!(name == "hosts" || error.contains(&format!("{name}={value}: use ")), "{error}");
        }
    }

    #[test]
    fn ports_of_hosts_are_left_out() {
        for (host, name) in [
            ("a.b:80", "a.b"),
            ("a.b", "a.b"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
            ("", ""),
        ] {
            assert_eq!(without_port(host), name);
        }
        for (target, path) in [("/a://b", "/a://b"), ("http://h", "/"), ("http://h/x?y", "/x?y"), ("*", "*")]
        {
            assert_eq!(path_of(target), path);
        }
    }
}
