//! Which requests, of whatever protocol, a request of the API asks for.

use std::collections::HashMap;

use flow_common::app::App;
use flowd_protocols::{
    AppRecord, Follow, PROTOCOLS, Switch,
    record::{ERROR, OK},
};

use super::{Kind, common::Common};
use crate::{
    export::feed::{Group, Wanted},
    pipeline::Record,
};

/// Lines of type `request`, and on demand those of HTTP, DNS and TLS.
pub(in crate::web) enum Requests {}

#[derive(Debug, Default)]
struct Filter {
    /// None asked for: every protocol whose lines are of type `request`.
    protocols: Vec<App>,
    operation: Option<String>,
    status: Option<Status>,
    common: Common,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Said(&'static str),
    /// No response was seen.
    None,
}

impl Kind for Requests {
    const GROUP: Group = Group::Requests;

    fn wanted(parameters: &HashMap<String, String>) -> Result<Wanted<Record>, String> {
        let filter = Filter::parse(parameters)?;
        Ok(Box::new(move |record| record.app().is_some_and(|record| filter.passes(record))))
    }
}

/// Protocols by whose name lines can be asked for: those of the others are among them.
fn protocols() -> impl Iterator<Item = App> {
    PROTOCOLS.iter().filter(|known| !matches!(known.switch, Switch::Enabled(_))).map(|known| known.app)
}

/// Whether its lines are of type `request`.
fn has_requests(app: App) -> bool {
    PROTOCOLS.iter().any(|known| known.app == app && matches!(known.follow, Follow::Dialect(_)))
}

impl Filter {
    fn parse(parameters: &HashMap<String, String>) -> Result<Self, String> {
        let mut filter = Self::default();
        for (name, value) in parameters {
            match name.as_str() {
                "protocol" => {
                    let of = |name: &str| protocols().find(|app| app.name().eq_ignore_ascii_case(name));
                    let named: Option<_> = value.split(',').map(of).collect();
                    filter.protocols = named.ok_or_else(|| {
                        let known: Vec<_> = protocols().map(App::name).collect();
                        let known = known.join(", ");
                        format!(
                            "protocol={value}: use one name or several as in redis,mysql; there are {known}"
                        )
                    })?;
                }
                "operation" => filter.operation = Some(value.clone()),
                "status" => {
                    let status = match value.as_str() {
                        OK => Some(Status::Said(OK)),
                        ERROR => Some(Status::Said(ERROR)),
                        "none" => Some(Status::None),
                        _ => None,
                    };
                    filter.status = Some(status.ok_or_else(|| {
                        format!("status={value}: use ok, error, or none for requests without a response")
                    })?);
                }
                _ if filter.common.take(name, value)? => {}
                _ => {
                    let known = "limit, protocol, operation, status, client and min_ms";
                    return Err(format!("unknown parameter {name}: there are {known}"));
                }
            }
        }
        Ok(filter)
    }

    fn passes(&self, record: &dyn AppRecord) -> bool {
        let app = record.app();
        let named = match self.protocols.as_slice() {
            [] => has_requests(app),
            named => named.contains(&app),
        };
        if !named {
            return false;
        }
        let request = record.request();
        let is = |wanted: &str| request.is_some_and(|request| request.operation.eq_ignore_ascii_case(wanted));
        let status = request.map(|request| request.status.map_or(Status::None, Status::of));
        self.operation.as_deref().is_none_or(is)
            && self.status.is_none_or(|wanted| status == Some(wanted))
            && self.common.passes(record.head(), request.and_then(|request| request.duration))
    }
}

impl Status {
    fn of(word: &str) -> Self {
        Self::Said(if word == OK { OK } else { ERROR })
    }
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
        let request = testing::request(App::Redis, "GET", Some("WRONGTYPE"));
        for (query, passes) in [
            ("", true),
            ("protocol=redis", true),
            ("protocol=mysql,Redis&operation=get&status=error&client=10.0.0.0/8&min_ms=47.9", true),
            ("protocol=mysql,http", false),
            ("operation=SET", false),
            ("status=ok", false),
            ("status=none", false),
            ("client=10.0.0.2", false),
            ("min_ms=48.1", false),
        ] {
            assert_eq!(parse(query).unwrap().passes(&request), passes, "{query}");
        }
    }

    /// Lines of other types come where their protocol is named, and go by the same words.
    #[test]
    fn http_goes_by_the_same_words() {
        let mut exchange = testing::exchange("GET /api/x HTTP/1.1\r\nHost: h\r\n\r\n");
        let passes = |exchange: &_, query: &str| parse(query).unwrap().passes(exchange);
        assert!(!passes(&exchange, "") && !passes(&exchange, "operation=GET"), "it is of another type");
        assert!(passes(&exchange, "protocol=http,redis&operation=GET&status=ok"));
        exchange.status = Some(404);
        assert!(passes(&exchange, "protocol=http&status=error"));
        (exchange.status, exchange.grpc_status) = (Some(200), Some(5));
        assert!(passes(&exchange, "protocol=http&status=error"));
        (exchange.status, exchange.response_time) = (None, None);
        assert!(
            passes(&exchange, "protocol=http&status=none") && !passes(&exchange, "protocol=http&min_ms=0")
        );
        exchange.request_time = None;
        assert!(passes(&exchange, "protocol=http") && !passes(&exchange, "protocol=http&status=none"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (query, allowed) in [
            ("protocol=redis,oracle", "http, dns, tls, postgresql"),
            ("protocol=", "there are"),
            ("protocol=http2", "there are"),
            ("status=404", "ok, error"),
            ("client=x", "10.0.0.0/8"),
            ("min_ms=-1", "250"),
            ("path=/a", "protocol, operation"),
        ] {
            let error = parse(query).unwrap_err();
            let (name, value) = query.split_once('=').unwrap();
            assert!(error.contains(name) && error.contains(allowed), "{error}");
            assert!(name == "path" || error.contains(&format!("{name}={value}: use ")), "{error}");
        }
    }
}
