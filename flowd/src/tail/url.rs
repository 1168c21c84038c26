//! The address of a daemon.

use super::TailError;

/// `http://HOST[:PORT][/PREFIX]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
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
        if text.starts_with("https://") {
            return Err(wrong("this command speaks no TLS: go through a tunnel, as of ssh -L"));
        }
        let rest = text.strip_prefix("http://").ok_or_else(|| wrong("it begins with http://"))?;
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
            // RFC 9110 section 4.2.1.
            None => format!("{authority}:80"),
        };
        let prefix = prefix.trim_end_matches('/').to_owned();
        Ok(Self { authority: authority.to_owned(), address, prefix })
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
        for (text, authority, address, prefix) in [
            ("http://127.0.0.1:9435", "127.0.0.1:9435", "127.0.0.1:9435", ""),
            ("http://gw/", "gw", "gw:80", ""),
            ("http://[::1]:9435/flowd/", "[::1]:9435", "[::1]:9435", "/flowd"),
            ("http://[::1]", "[::1]", "[::1]:80", ""),
        ] {
            let (authority, address, prefix) = (authority.to_owned(), address.to_owned(), prefix.to_owned());
            assert_eq!(Url::parse(text).unwrap(), Url { authority, address, prefix });
        }
        for text in
            ["127.0.0.1:9435", "http://", "http://a:b", "http://a b", "http://a/\r\nX: y", "http://u@h"]
        {
            assert!(Url::parse(text).unwrap_err().to_string().contains("http://127.0.0.1:9435"), "{text}");
        }
        assert!(Url::parse("https://a").unwrap_err().to_string().contains("TLS"));
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(encode("10.0.0.0/8"), "10.0.0.0%2F8");
        assert_eq!(encode("a&b=c d\r\né"), "a%26b%3Dc%20d%0D%0A%C3%A9");
    }
}
