//! The address of a daemon.

use std::fmt;

use super::error::TailError;

/// `http://HOST[:PORT][/PREFIX]`, or `https://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub tls: bool,
    /// Without port and brackets, for the certificate.
    pub host: String,
    /// Host and port as written, for the Host field.
    pub authority: String,
    /// The same with a port, for the resolver.
    pub address: String,
    /// Without a slash at its end; of a proxy before the daemon.
    pub prefix: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, TailError> {
        let wrong = |problem| TailError::Url { url: text.to_owned(), problem };
        let tls = text.starts_with("https://");
        let rest = text.strip_prefix(if tls { "https://" } else { "http://" });
        let rest = rest.ok_or_else(|| wrong("it begins with http:// or https://"))?;
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() || text.bytes().any(|byte| byte <= b' ' || b"?#@\x7f".contains(&byte)) {
            return Err(wrong("it has a host and no user, query or blanks"));
        }
        // Behind the brackets of an IPv6 address.
        let name = authority.rfind(']').map_or(0, |end| end + 1);
        let port = authority.get(name..).and_then(|rest| rest.rsplit_once(':')).map(|(_, port)| port);
        let address = match port {
            Some(port) if port.parse::<u16>().is_ok() => authority.to_owned(),
            Some(_) => return Err(wrong("its port is a number up to 65535")),
            // RFC 9110 sections 4.2.1 and 4.2.2.
            None => format!("{authority}:{}", if tls { 443 } else { 80 }),
        };
        let host = port.and_then(|_| authority.rsplit_once(':')).map_or(authority, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let prefix = prefix.trim_end_matches('/').to_owned();
        Ok(Self { tls, host, authority: authority.to_owned(), address, prefix })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}

/// A value of a query, with all that is not unreserved as `%XX` (RFC 3986 section 2.3).
pub(super) fn encode(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ports_and_prefixes() {
        for (text, host, authority, address, prefix) in [
            ("http://127.0.0.1:9435", "127.0.0.1", "127.0.0.1:9435", "127.0.0.1:9435", ""),
            ("http://gw/", "gw", "gw", "gw:80", ""),
            ("https://gw", "gw", "gw", "gw:443", ""),
            ("https://[::1]:9435/flowd/", "::1", "[::1]:9435", "[::1]:9435", "/flowd"),
            ("http://[::1]", "::1", "[::1]", "[::1]:80", ""),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((&*url.host, &*url.authority, &*url.address), (host, authority, address));
            assert_eq!((&*url.prefix, url.tls), (prefix, text.starts_with("https")));
            assert_eq!(url.to_string(), text.trim_end_matches('/'));
        }
        for text in
            ["127.0.0.1:9435", "http://", "http://a:b", "http://a b", "http://a/\r\nX: y", "http://u@h"]
        {
            assert!(Url::parse(text).unwrap_err().to_string().contains("http://127.0.0.1:9435"), "{text}");
        }
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(encode("10.0.0.0/8"), "10.0.0.0%2F8");
        assert_eq!(encode("a&b=c d\r\né"), "a%26b%3Dc%20d%0D%0A%C3%A9");
    }
}
