//! What a request asks for.

use std::collections::HashMap;

use ipnetwork::IpNetwork;

use crate::{aggregate::Filter, flow::words};

/// Flows shown without `top`.
const TOP: usize = 50;
/// Flows shown at most.
const MAX_TOP: usize = 10_000;

/// How many flows, and which.
pub(super) fn parse(parameters: &HashMap<String, String>) -> Result<(usize, Filter), String> {
    let mut top = TOP;
    let mut filter = Filter::default();
    for (name, value) in parameters {
        match name.as_str() {
            "top" => {
                top = value
                    .parse()
                    .ok()
                    .filter(|top| (1..=MAX_TOP).contains(top))
                    .ok_or_else(|| format!("top={value}: use a number from 1 to {MAX_TOP}"))?;
            }
            "cidr" => {
                let net: IpNetwork = value
                    .parse()
                    .map_err(|_| format!("cidr={value}: use an address or a net as in 10.0.0.0/8"))?;
                filter.cidr = Some(net);
            }
            "port" => {
                let port =
                    value.parse().map_err(|_| format!("port={value}: use a number from 0 to 65535"))?;
                filter.port = Some(port);
            }
            "protocol" => {
                let protocol = protocol(value).ok_or_else(|| {
                    format!("protocol={value}: use a number from 0 to 255 or a name as tcp, udp, icmp")
                })?;
                filter.protocol = Some(protocol);
            }
            _ => return Err(format!("unknown parameter {name}: there are top, cidr, port and protocol")),
        }
    }
    Ok((top, filter))
}

fn protocol(text: &str) -> Option<u8> {
    text.parse().ok().or_else(|| {
        let name = text.to_ascii_lowercase();
        (0..=u8::MAX).find(|number| words::transport(*number) == Some(name.as_str()))
    })
}

/// True where an Accept header prefers OpenMetrics to plain text.
pub(super) fn wants_open_metrics(accept: &str) -> bool {
    let best = |kind: &str| accept.split(',').filter_map(|range| weight(range, kind)).fold(0.0, f32::max);
    let open = best("application/openmetrics-text");
    open > 0.0 && open >= best("text/plain")
}

/// True where an Accept-Encoding header takes gzip (RFC 9110 section 12.5.3): by its name, else by `*`.
pub(super) fn takes_gzip(accepted: &str) -> bool {
    let of = |kind: &str| accepted.split(',').find_map(|coding| weight(coding, kind));
    of("gzip").or_else(|| of("x-gzip")).or_else(|| of("*")).is_some_and(|weight| weight > 0.0)
}

/// The weight of one media range or coding, if it is of this kind.
fn weight(range: &str, kind: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    parts.next().filter(|name| name.eq_ignore_ascii_case(kind))?;
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
    Some(weight.unwrap_or_default())
}
