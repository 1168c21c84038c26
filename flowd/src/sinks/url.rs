//! `SCHEME:TARGET?OPTION=VALUE&…`: how a sink is named on the command line and in the configuration.

use std::fmt::Write as _;

/// The address of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub scheme: String,
    /// What stands between scheme and options, as written: `/var/log/x`, `//host:port`.
    pub target: String,
    /// Names with their values, in the order in which they stand there.
    pub options: Vec<(String, String)>,
}

impl Url {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// Says how one is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
        };
        let (scheme, rest) = text
            .split_once(':')
            .filter(|(scheme, _)| is_scheme(scheme))
            .ok_or("write a URL, as in file:/var/log/flowd/flow.log")?;
        let (target, options) = rest.split_once('?').unwrap_or((rest, ""));
        let pairs = options.split('&').filter(|pair| !pair.is_empty());
        let options = pairs
            .map(|pair| {
                let (name, value) =
                    pair.split_once('=').ok_or_else(|| format!("give option {pair} a value"))?;
                Ok((name.to_owned(), value.to_owned()))
            })
            .collect::<Result<Vec<_>, String>>()?;
        if let Some((name, _)) = options.iter().enumerate().find_map(|(at, option)| {
            options
                .get(..at)
                .is_some_and(|before| before.iter().any(|(name, _)| *name == option.0))
                .then_some(option)
        }) {
            return Err(format!("give option {name} once"));
        }
        Ok(Self { scheme: scheme.to_owned(), target: target.to_owned(), options })
    }

    /// The URL of the file at `path`, whatever characters are in it.
    #[must_use]
    pub fn file(path: &str) -> Self {
        let mut target = String::new();
        for letter in path.chars() {
            match letter {
                '%' | '?' => {
                    // Cannot fail, as it is memory.
                    let _ = write!(target, "%{:02X}", u32::from(letter));
                }
                _ => target.push(letter),
            }
        }
        Self { scheme: "file".to_owned(), target, options: Vec::new() }
    }

    /// The value of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The URL without its options: what two sinks must not share, and the label of its metrics.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.scheme, self.target)
    }

    /// The target with `%XX` read as bytes.
    ///
    /// # Errors
    /// Names what is no such byte.
    pub fn path(&self) -> Result<String, String> {
        let mut bytes = Vec::new();
        let mut rest = self.target.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            if *first != b'%' {
                bytes.push(*first);
                rest = after;
                continue;
            }
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or("write a percent sign as %25")?);
            rest = after.get(2..).unwrap_or_default();
        }
        String::from_utf8(bytes).map_err(|_| "write a path in UTF-8".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_url() {
        let url = Url::parse("ipfix://[2001:db8::1]:4739?profile=nfdump&domain=7").unwrap();
        assert_eq!((&*url.scheme, &*url.target), ("ipfix", "//[2001:db8::1]:4739"));
        assert_eq!(
            (url.option("profile"), url.option("domain"), url.option("x")),
            (Some("nfdump"), Some("7"), None)
        );
        assert_eq!(url.address(), "ipfix://[2001:db8::1]:4739");
    }

    #[test]
    fn any_path_of_a_file_survives() {
        for path in ["-", "/a b/c", "/50%/x?y=1&z", "relative"] {
            assert_eq!(Url::file(path).path().unwrap(), path);
            let text = Url::file(path).address();
            assert_eq!(Url::parse(&text).unwrap(), Url::file(path), "{text}");
        }
        assert!(Url::parse("file:/a%2").unwrap().path().is_err());
    }

    #[test]
    fn what_is_no_url_is_told() {
        for (text, part) in [
            ("/var/log/x", "write a URL"),
            ("", "write a URL"),
            (":x", "write a URL"),
            ("file:/x?y", "a value"),
            ("file:/x?y=1&y=2", "once"),
        ] {
            assert!(Url::parse(text).unwrap_err().contains(part), "{text}");
        }
    }
}
