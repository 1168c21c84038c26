//! Where a log goes: nowhere, to one path, or to several.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
};

/// Paths of a log, `-` for standard output; none: the log is off. Written as a string, or as a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs(Vec<String>);

impl Outputs {
    /// Every path.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.0
    }

    /// A path that stands there twice, or an empty one among others.
    pub(super) fn mistake(&self) -> Option<&str> {
        let twice = |at: usize, path: &String| self.0.iter().take(at).any(|other| other == path);
        self.0
            .iter()
            .enumerate()
            .find(|(at, path)| path.is_empty() || twice(*at, path))
            .map(|(_, path)| &**path)
    }
}

impl From<&str> for Outputs {
    fn from(path: &str) -> Self {
        Self(if path.is_empty() { Vec::new() } else { vec![path.to_owned()] })
    }
}

impl From<Vec<String>> for Outputs {
    fn from(paths: Vec<String>) -> Self {
        // An empty option or environment variable switches off, as an empty key does.
        if paths.iter().all(String::is_empty) { Self::default() } else { Self(paths) }
    }
}

impl Serialize for Outputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [] => serializer.serialize_str(""),
            [path] => serializer.serialize_str(path),
            paths => paths.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Outputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathOrPaths)
    }
}

struct PathOrPaths;

impl<'de> Visitor<'de> for PathOrPaths {
    type Value = Outputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, as in \"/var/log/flowd/x.log\", or a list of paths")
    }

    fn visit_str<E>(self, path: &str) -> Result<Outputs, E> {
        Ok(Outputs::from(path))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Outputs, A::Error> {
        let mut paths = Vec::new();
        while let Some(path) = list.next_element()? {
            paths.push(path);
        }
        Ok(Outputs(paths))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn paths(text: &str) -> Vec<String> {
        Config::parse("f", text).unwrap().http_log.paths().to_vec()
    }

    #[test]
    fn a_path_or_a_list() {
        assert!(paths("http_log = \"\"").is_empty());
        assert!(paths("http_log = []").is_empty());
        assert_eq!(paths("http_log = \"-\""), ["-"]);
        assert_eq!(paths("http_log = [\"-\", \"/a\"]"), ["-", "/a"]);
        let error = Config::parse("f", "http_log = 3").unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("list of paths"), "{error}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["http_log = \"\"", "http_log = \"-\"", "http_log = [\"-\", \"/a\"]"] {
            let config = Config::parse("f", text).unwrap();
            let written = toml::to_string(&config).unwrap();
            assert_eq!(Config::parse("f", &written).unwrap(), config);
        }
    }

    #[test]
    fn a_path_twice_is_a_mistake() {
        for text in ["flow_log = [\"/a\", \"-\", \"/a\"]", "flow_log = [\"/a\", \"\"]"] {
            let error = Config::parse("f", text).unwrap().validate("f").unwrap_err().to_string();
            assert!(error.starts_with("f: flow_log = ") && error.contains("once"), "{error}");
        }
    }
}
