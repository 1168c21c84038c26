//! Which interfaces to watch, by name.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::{error::InterfaceError, interface::Interface};

/// Patterns of interfaces' names to watch, and of those to leave out. Without any to watch: what holds a default
/// route.
#[derive(Clone, Debug)]
pub struct Patterns {
    includes: Vec<String>,
    excludes: Vec<String>,
    include: GlobSet,
    exclude: GlobSet,
}

/// A pattern without its `!`, and whether it had one: then it leaves out.
#[must_use]
pub fn pattern(text: &str) -> (&str, bool) {
    text.strip_prefix('!').map_or((text, false), |rest| (rest, true))
}

impl Patterns {
    /// Reads patterns as they stand in the configuration.
    ///
    /// # Errors
    /// Names the one that is none.
    pub fn new(texts: &[String]) -> Result<Self, InterfaceError> {
        let of_kind = |exclude| -> Vec<String> {
            let parsed = texts.iter().map(|text| pattern(text)).filter(|(_, is)| *is == exclude);
            parsed.map(|(text, _)| text.to_owned()).collect()
        };
        let (includes, excludes) = (of_kind(false), of_kind(true));
        Ok(Self { include: compile(&includes)?, exclude: compile(&excludes)?, includes, excludes })
    }

    /// True without a pattern of what to watch.
    #[must_use]
    pub const fn by_default_route(&self) -> bool {
        self.includes.is_empty()
    }

    /// True for a name to leave out.
    #[must_use]
    pub fn excludes(&self, name: &str) -> bool {
        self.exclude.is_match(name)
    }

    /// True for a name that one of the patterns to watch matches.
    #[must_use]
    pub fn includes(&self, name: &str) -> bool {
        self.include.is_match(name)
    }

    /// Names that are to be watched, written out in full.
    pub fn exact(&self) -> impl Iterator<Item = &str> {
        let is_name = |text: &&String| !text.contains(['*', '?', '[', '{', '\\']);
        self.includes.iter().filter(is_name).map(String::as_str).filter(|name| !self.excludes(name))
    }

    /// The first pattern to watch, of those that `known` has not, which matches none of `all`.
    pub(super) fn unmatched(&self, all: &[Interface], known: Option<&Self>) -> Option<&str> {
        let matched =
            |index: usize| all.iter().any(|interface| self.include.matches(&interface.name).contains(&index));
        let is_new = |text: &String| known.is_none_or(|known| !known.includes.contains(text));
        let mut patterns = self.includes.iter().enumerate();
        patterns.find(|(index, text)| is_new(text) && !matched(*index)).map(|(_, text)| text.as_str())
    }

    /// Those of what to leave out, as they are written.
    pub(super) fn excludes_shown(&self) -> String {
        self.excludes.iter().map(|pattern| format!("\"!{pattern}\"")).collect::<Vec<_>>().join(", ")
    }
}

fn compile(patterns: &[String]) -> Result<GlobSet, InterfaceError> {
    let fail = |pattern: &str, error: &globset::Error| InterfaceError::Pattern {
        pattern: pattern.to_owned(),
        reason: error.kind().to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|error| fail(pattern, &error))?);
    }
    set.build().map_err(|error| fail(&patterns.join(", "), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_written_in_full_are_known() {
        let texts = ["eth0", "wan*", "!eth1", "eth1", "x[12]", "ppp?"].map(str::to_owned);
        let patterns = Patterns::new(&texts).unwrap();
        assert_eq!(patterns.exact().collect::<Vec<_>>(), ["eth0"]);
        assert!(patterns.includes("wan7") && patterns.includes("x1") && !patterns.includes("lo"));
        assert!(patterns.excludes("eth1") && !patterns.by_default_route());
        assert!(Patterns::new(&["!a".to_owned()]).unwrap().by_default_route());
    }
}
