//! Where records go: `[[sink]]` tables, and the keys of logs as their short forms.

use std::sync::LazyLock;

use flowd_protocols::{PROTOCOLS, Switch};

use super::{Config, ConfigError, LogFormat};
use crate::sinks::{Mistake, Part, Spec};

impl Config {
    /// Every sink: those of the logs, and those of `[[sink]]`.
    ///
    /// # Errors
    /// Names the key that cannot be used; `origin` is where the configuration came from.
    pub fn sinks(&self, origin: &str) -> Result<Vec<Spec>, ConfigError> {
        let mut sinks = self.log_sinks();
        let logs = sinks.len();
        for sink in &self.sink {
            let queue = if sink.queue == 0 { self.log_queue } else { sink.queue };
            let spec = Spec::new(&sink.url, &sink.records, &sink.format, queue as usize);
            let spec = spec.map_err(|mistake| value(origin, mistake))?;
            let (earlier, tables) = sinks.split_at(logs);
            let same = |other: &&Spec| other.url.address() == spec.url.address();
            let log = |other: &&Spec| other.kinds.iter().any(|kind| spec.wants(kind));
            if let Some(other) = tables.iter().find(same).or_else(|| earlier.iter().filter(same).find(log)) {
                let other = if *other.label == other.url.address() { "[[sink]]" } else { &*other.label };
                let remedy =
                    format!("{other} writes there already: name each URL once, with all its records");
                return Err(value(
                    origin,
                    Mistake { part: Part::Url, value: format!("\"{}\"", sink.url), remedy },
                ));
            }
            sinks.push(spec);
        }
        Ok(sinks)
    }

    /// The sinks that the keys of logs stand for.
    fn log_sinks(&self) -> Vec<Spec> {
        let http_format = match self.http_log_format {
            LogFormat::Json => "json",
            LogFormat::Common => "common",
            LogFormat::Combined => "combined",
        };
        let queue = self.log_queue as usize;
        let fixed = [("http", &self.http_log, http_format), ("flow", &self.flow_log, "json")];
        let protocols = self.protocols.iter().filter(|protocol| protocol.has_log());
        let protocols = protocols.map(|protocol| (protocol.app().name(), &protocol.log, "json"));
        let sinks = fixed.into_iter().chain(protocols).flat_map(|(kind, outputs, format)| {
            let paths = outputs.paths().iter();
            paths.map(move |path| Spec::log(log_name(kind), path, kind, format, queue))
        });
        sinks.collect()
    }

    /// Whether a sink wants records of this kind.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.sinks("").is_ok_and(|sinks| sinks.iter().any(|sink| sink.wants(kind)))
    }
}

/// Names of logs that a key switches on, as in metrics and messages, with the kind of their records.
static LOGS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let protocols = PROTOCOLS.iter().filter(|protocol| protocol.switch == Switch::Table);
    let kinds = ["http", "flow"].into_iter().chain(protocols.map(|protocol| protocol.app.name()));
    kinds.map(|kind| (kind, format!("{kind}_log"))).collect()
});

/// The name of the log of these records.
fn log_name(kind: &str) -> &'static str {
    LOGS.iter().find(|(known, _)| *known == kind).map_or("log", |(_, name)| name)
}

/// Names of all logs that a key switches on.
pub fn log_names() -> impl Iterator<Item = &'static str> {
    LOGS.iter().map(|(_, name)| name.as_str())
}

fn value(origin: &str, Mistake { part, value, remedy }: Mistake) -> ConfigError {
    let key = match part {
        Part::Url => "sink.url",
        Part::Records => "sink.records",
        Part::Format => "sink.format",
    };
    ConfigError::Value { origin: origin.to_owned(), key: key.into(), value, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("f", text).unwrap()
    }

    fn error(text: &str) -> String {
        Config::parse("f", text).and_then(|config| config.validate("f")).unwrap_err().to_string()
    }

    #[test]
    fn logs_are_short_forms_of_sinks() {
        let short = config("http_log = [\"-\", \"/a\"]\nhttp_log_format = \"common\"\n[dns]\nlog = \"/d\"\n");
        let sinks = short.sinks("f").unwrap();
        let told: Vec<_> = sinks.iter().map(|sink| (&*sink.label, sink.url.address(), sink.format)).collect();
        let expected = [
            ("http_log", "file:-", "common"),
            ("http_log", "file:/a", "common"),
            ("dns_log", "file:/d", "json"),
        ];
        assert_eq!(told, expected.map(|(label, url, format)| (label, url.to_owned(), format)));
    }

    #[test]
    fn tables_beside_logs() {
        let text = "log_queue = 100\nflow_log = \"/a\"\n[[sink]]\nurl = \"file:/b\"\n[[sink]]\nurl = \"file:/a\"\nrecords = [\"http\"]\nqueue = 50\n";
        let both = config(text);
        both.validate("f").unwrap();
        let sinks = both.sinks("f").unwrap();
        assert_eq!(sinks.iter().map(|sink| sink.queue).collect::<Vec<_>>(), [100, 100, 50]);
        assert!(both.wants("dns") && both.wants("flow"));
        let written = toml::to_string(&both).unwrap();
        assert_eq!(config(&written), both);
    }

    /// Payload is copied where someone wants what is in it.
    #[test]
    fn a_sink_that_wants_lookups_switches_them_on() {
        use flow_common::app::App;
        let copied = |text| [App::Dns, App::Tls].map(|app| config(text).settings().copies.contains(app));
        assert_eq!(copied(""), [false, false]);
        assert_eq!(copied("[[sink]]\nurl = \"file:/a\"\nrecords = [\"flow\", \"http\"]\n"), [false, false]);
        assert_eq!(copied("[[sink]]\nurl = \"file:/a\"\nrecords = [\"dns\"]\n"), [true, false]);
        assert_eq!(copied("[[sink]]\nurl = \"file:/a\"\n"), [true, true]);
    }

    #[test]
    fn mistakes_are_one_line_with_their_remedy() {
        let same = "[[sink]]\nurl = \"file:/a\"\n";
        for (text, parts) in [
            ("[[sink]]\nurl = \"fiel:/a\"\n", ["sink.url = \"fiel:/a\"", "did you mean file?"]),
            (
                "[[sink]]\nurl = \"file:/a\"\nrecords = [\"htp\"]\n",
                ["sink.records = \"htp\"", "did you mean http?"],
            ),
            (
                "[[sink]]\nurl = \"file:/a\"\nformat = \"xml\"\n",
                ["sink.format = \"xml\"", "json, common, combined"],
            ),
            ("[[sink]]\nurl = \"file:/a\"\nqueue = 3\n", ["sink.queue = 3", "from 16"]),
            ("[[sink]]\nrecords = [\"flow\"]\n", ["sink.url = \"\"", "write a URL"]),
            (&format!("{same}{same}"), ["sink.url = \"file:/a\"", "[[sink]] writes there already"]),
            (
                &format!("http_log = \"/a\"\n{same}"),
                ["sink.url = \"file:/a\"", "http_log writes there already"],
            ),
            ("[[sink]]\nuri = \"file:/a\"\n", ["line 2", "did you mean \"sink.url\"?"]),
            ("[[sinks]]\nurl = \"file:/a\"\n", ["line 1", "did you mean \"sink\"?"]),
            ("sink = \"file:/a\"\n", ["line 1", "sequence"]),
        ] {
            let error = error(text);
            assert!(error.starts_with("f") && !error.contains('\n'), "{error}");
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
    }
}
