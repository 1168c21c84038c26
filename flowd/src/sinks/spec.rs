//! What a sink is to be, checked: everything that can be known without opening it.

use std::sync::Arc;

use flowd_protocols::{PROTOCOLS, Switch};

use super::{
    file::SCHEME_OF_LOGS,
    registry::SCHEMES,
    scheme::{FormatInfo, Scheme},
    url::Url,
};

/// Below this likeness (0 to 1) a suggestion would only confuse.
const ALIKE: f64 = 0.6;
/// Options that every URL may have.
const COMMON_OPTIONS: [&str; 2] = ["records", "format"];

/// A sink as it was asked for. Two that are equal are the same sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The label value of its metrics.
    pub label: Arc<str>,
    pub url: Url,
    pub scheme: &'static Scheme,
    /// Kinds of records that it wants.
    pub kinds: Vec<&'static str>,
    pub format: &'static str,
    /// Name of its thread, of which Linux shows 15 bytes, and of the part of the daemon that it is.
    pub thread: &'static str,
    /// Records that wait at most, beside a backlog for bursts.
    pub queue: usize,
}

/// The part of a sink's description that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Url,
    Records,
    Format,
}

/// What is wrong with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub part: Part,
    /// As it was written.
    pub value: String,
    pub remedy: String,
}

/// Kinds of records that there are.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    let own = PROTOCOLS.iter().filter(|protocol| !matches!(protocol.switch, Switch::Enabled(_)));
    std::iter::once("flow").chain(own.map(|protocol| protocol.app.name()))
}

impl Spec {
    /// The sink at `url`. Without `records` it wants all that its format can write, without `format` it has the first
    /// of its kind; both may stand in the URL instead.
    ///
    /// # Errors
    /// Names the part that cannot be used, and the remedy.
    pub fn new(url: &str, records: &[String], format: &str, queue: usize) -> Result<Self, Mistake> {
        let wrong = |remedy: String| Mistake { part: Part::Url, value: format!("\"{url}\""), remedy };
        let parsed = Url::parse(url).map_err(wrong)?;
        let scheme = SCHEMES.iter().find(|scheme| scheme.name == parsed.scheme);
        let scheme = scheme.ok_or_else(|| wrong(unknown_scheme(&parsed.scheme)))?;
        for (name, _) in &parsed.options {
            let known = || COMMON_OPTIONS.iter().chain(scheme.options).copied();
            if !known().any(|known| known == name) {
                let near =
                    nearest(name, known()).map_or_else(String::new, |near| format!("; did you mean {near}?"));
                return Err(wrong(format!("there is no option {name}{near}")));
            }
        }
        (scheme.check)(&parsed).map_err(wrong)?;
        let listed: Vec<String> = match parsed.option("records") {
            Some(_) if !records.is_empty() => {
                return Err(wrong("give records here or as a key, not both".to_owned()));
            }
            Some(list) => list.split(',').map(str::to_owned).collect(),
            None => records.to_vec(),
        };
        let format = match parsed.option("format") {
            Some(_) if !format.is_empty() => {
                return Err(wrong("give format here or as a key, not both".to_owned()));
            }
            Some(format) => format,
            None => format,
        };
        let format = find_format(scheme, format)?;
        let kinds = chosen(&listed, format)?;
        Ok(Self {
            label: Arc::from(parsed.address()),
            url: parsed,
            scheme,
            kinds,
            format: format.name,
            thread: scheme.thread,
            queue,
        })
    }

    /// The log of records of one kind at `path`, which is any path or `-` for standard output; its metrics bear `label`.
    #[must_use]
    pub fn log(
        label: &'static str,
        path: &str,
        kind: &'static str,
        format: &'static str,
        queue: usize,
    ) -> Self {
        let scheme = &SCHEME_OF_LOGS;
        Self {
            label: Arc::from(label),
            url: Url::file(path),
            scheme,
            kinds: vec![kind],
            format,
            thread: label,
            queue,
        }
    }

    /// Whether it wants records of this kind.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }

    /// What it writes, as in messages: the name of a log, or records.
    #[must_use]
    pub fn what(&self) -> Arc<str> {
        if *self.label == self.url.address() { Arc::from("records") } else { Arc::clone(&self.label) }
    }
}

fn unknown_scheme(name: &str) -> String {
    let names = || SCHEMES.iter().map(|scheme| scheme.name);
    let forms = SCHEMES.iter().map(|scheme| scheme.form).collect::<Vec<_>>().join(" or ");
    match nearest(name, names()) {
        Some(near) => format!("there is no sink {name}; did you mean {near}? Write {forms}"),
        None => format!("there is no sink {name}; write {forms}"),
    }
}

fn find_format(scheme: &'static Scheme, name: &str) -> Result<&'static FormatInfo, Mistake> {
    let known = || scheme.formats.iter();
    let found = if name.is_empty() { known().next() } else { known().find(|format| format.name == name) };
    found.ok_or_else(|| {
        let names = known().map(|format| format.name).collect::<Vec<_>>().join(", ");
        let remedy = format!("a sink {} has {names}", scheme.name);
        Mistake { part: Part::Format, value: format!("\"{name}\""), remedy }
    })
}

fn chosen(listed: &[String], format: &FormatInfo) -> Result<Vec<&'static str>, Mistake> {
    let can = |kind: &str| format.kinds.is_empty() || format.kinds.contains(&kind);
    if listed.is_empty() {
        return Ok(kinds().filter(|kind| can(kind)).collect());
    }
    let wrong = |name: &str, remedy| Mistake { part: Part::Records, value: format!("\"{name}\""), remedy };
    let mut chosen = Vec::new();
    for name in listed {
        let Some(kind) = kinds().find(|kind| kind == name) else {
            let all = kinds().collect::<Vec<_>>().join(", ");
            let near =
                nearest(name, kinds()).map_or_else(String::new, |near| format!("did you mean {near}? "));
            return Err(wrong(name, format!("{near}There are {all}")));
        };
        if !can(kind) {
            return Err(wrong(
                name,
                format!("format {} writes only {}", format.name, format.kinds.join(", ")),
            ));
        }
        if chosen.contains(&kind) {
            return Err(wrong(name, "name each kind once".to_owned()));
        }
        chosen.push(kind);
    }
    Ok(chosen)
}

fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let likeness = |known: &str| strsim::jaro_winkler(name, known);
    let best = known.max_by(|left, right| likeness(left).total_cmp(&likeness(right)))?;
    (likeness(best) >= ALIKE).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(url: &str, records: &[&str], format: &str) -> Result<Spec, Mistake> {
        let records: Vec<String> = records.iter().map(|name| (*name).to_owned()).collect();
        Spec::new(url, &records, format, 16)
    }

    #[test]
    fn a_sink_wants_what_it_is_asked_for_or_what_it_can_write() {
        let all: Vec<_> = kinds().collect();
        assert_eq!(spec("file:/x", &[], "").unwrap().kinds, all);
        assert_eq!(spec("file:/x", &["dns", "flow"], "").unwrap().kinds, ["dns", "flow"]);
        assert_eq!(spec("file:/x", &[], "combined").unwrap().kinds, ["http"]);
        let by_url = spec("file:/x?records=http&format=common", &[], "").unwrap();
        assert_eq!((&*by_url.kinds, by_url.format), (&["http"][..], "common"));
        assert!(by_url.wants("http") && !by_url.wants("flow"));
        assert_eq!(&*by_url.label, "file:/x");
    }

    #[test]
    fn mistakes_name_the_part_and_the_remedy() {
        for (url, records, format, part, remedy) in [
            ("fiel:/x", &[][..], "", Part::Url, "did you mean file?"),
            ("zzz:/x", &[], "", Part::Url, "write file:PATH"),
            ("/x", &[], "", Part::Url, "write a URL"),
            ("file:", &[], "", Part::Url, "file:PATH"),
            ("file:/x?formt=json", &[], "", Part::Url, "did you mean format?"),
            ("file:/x?format=json", &[], "json", Part::Url, "not both"),
            ("file:/x?records=flow", &["flow"], "", Part::Url, "not both"),
            ("file:/x", &["flows"], "", Part::Records, "did you mean flow?"),
            ("file:/x", &["flow", "flow"], "", Part::Records, "once"),
            ("file:/x", &["flow"], "common", Part::Records, "only http"),
            ("file:/x", &[], "xml", Part::Format, "json, common, combined"),
        ] {
            let mistake = spec(url, records, format).unwrap_err();
            assert_eq!(mistake.part, part, "{url}: {mistake:?}");
            assert!(mistake.remedy.contains(remedy) && !mistake.remedy.contains('\n'), "{url}: {mistake:?}");
        }
    }

    /// Whatever is in the path of a log, it is that path.
    #[test]
    fn logs_take_any_path() {
        let log = Spec::log("http_log", "/a?b%c", "http", "json", 16);
        assert_eq!((log.url.path().unwrap().as_str(), &*log.what()), ("/a?b%c", "http_log"));
        assert_eq!(&*spec("file:/x", &[], "").unwrap().what(), "records");
    }
}
