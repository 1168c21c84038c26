//! `ipfix://HOST:PORT?profile=…`: flows as IPFIX (RFC 7011) over UDP. Each direction of a flow is a record of its own, as
//! collectors that know nothing of biflows want it.

mod element;
mod message;
mod one_way;
mod profile;
#[cfg(test)]
mod tests;

use std::io;

use message::Messages;
use profile::PROFILES;

use super::{
    files::Files,
    scheme::{FormatInfo, Halves, Reach, Scheme},
    udp::Udp,
    url::Url,
};

/// The line of the registry.
pub(super) const SCHEME: Scheme = Scheme {
    name: "ipfix",
    thread: "sink ipfix",
    form: "ipfix://HOST:PORT",
    remedy: "write it as ipfix://HOST:PORT",
    formats: &[FormatInfo { name: "ipfix", kinds: &["flow"] }],
    options: &["profile", "domain", "mtu"],
    check,
    reach,
    open,
};

/// The port that IANA gave to IPFIX.
const PORT: u16 = 4739;

fn check(url: &Url) -> Result<(), String> {
    Messages::of(url)?;
    Udp::of(url, PORT)?;
    Ok(())
}

fn reach(url: &Url) -> Reach {
    Reach { writes: None, resolves: Udp::of(url, PORT).is_ok_and(|udp| udp.resolves()) }
}

fn open(url: &Url, _: &str, _: &mut Files) -> io::Result<Halves> {
    let messages = Messages::of(url).map_err(io::Error::other)?;
    let udp = Udp::of(url, PORT).map_err(io::Error::other)?;
    Ok((Box::new(messages), Box::new(udp)))
}

impl Messages {
    /// The messages that a URL asks for.
    fn of(url: &Url) -> Result<Self, String> {
        let name = url.option("profile").unwrap_or("nfdump");
        let profile = PROFILES.iter().find(|profile| profile.name == name).ok_or_else(|| {
            let names = PROFILES.iter().map(|profile| profile.name).collect::<Vec<_>>().join(", ");
            format!("there is no profile {name}; there are {names}")
        })?;
        let domain = url.option("domain").unwrap_or("0");
        let domain =
            domain.parse().map_err(|_| format!("domain={domain}: use a number from 0 to {}", u32::MAX))?;
        Ok(Self::new(profile, domain))
    }
}
