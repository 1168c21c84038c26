//! The tables of protocols, one each, named like the protocol: what all have in common, and each protocol's own keys.

use std::sync::Arc;

use flow_common::app::App;
use flowd_protocols::{
    PROTOCOLS, Registered, Switch,
    section::{Invalid, Keys, Section},
};
use serde::{
    Serialize, Serializer,
    de::{DeserializeOwned, IntoDeserializer as _},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::{ConfigError, Place, one_line},
    outputs::Outputs,
};

/// A protocol's table. Its common keys are off by default, as every message is copied for it.
#[derive(Clone, Debug)]
pub struct ProtocolTable {
    registered: &'static Registered,
    /// Metrics of it.
    pub enabled: bool,
    /// Where its log goes. A log switches the protocol on.
    pub log: Outputs,
    /// Its own keys.
    keys: Arc<dyn Section>,
}

/// Every protocol's table, in the order of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols(Vec<ProtocolTable>);

impl ProtocolTable {
    fn new(registered: &'static Registered) -> Self {
        let keys = (registered.keys.defaults)();
        Self { registered, enabled: false, log: Outputs::default(), keys }
    }

    #[must_use]
    pub const fn app(&self) -> App {
        self.registered.app
    }

    /// The protocol whose records its own are, where it makes none of its own kind.
    const fn of(&self) -> Option<App> {
        match self.registered.switch {
            Switch::Enabled(app) => Some(app),
            Switch::Table | Switch::Http => None,
        }
    }

    /// Whether the table has `enabled`.
    #[must_use]
    pub fn has_switch(&self) -> bool {
        matches!(self.registered.switch, Switch::Table | Switch::Enabled(_))
    }

    /// Whether the table has `log`, as the protocol has records of its own kind.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.registered.switch == Switch::Table
    }

    /// Whether the table says that messages are copied.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.enabled || !self.log.paths().is_empty()
    }

    /// Takes what the file says; keys that it lacks stay as they are.
    fn read(&mut self, file: &str, text: &str, table: Spanned<DeTable<'_>>) -> Result<(), ConfigError> {
        let fault = |offset, message: &str| ConfigError::Syntax {
            place: Place::at(file, text, offset),
            message: one_line(message),
        };
        let mut own = table.into_inner();
        if self.has_switch() {
            take(&mut own, "enabled", &mut self.enabled, fault)?;
        }
        if self.has_log() {
            take(&mut own, "log", &mut self.log, fault)?;
        }
        match self.keys_of(own.clone()) {
            Ok(keys) => self.keys = keys,
            Err(message) => {
                // Every key has a default, so that the one at fault is found with each alone.
                let alone = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
                    let offset = key.span().start;
                    let message = self.keys_of([(key, value)].into_iter().collect()).err()?;
                    Some(fault(offset, &message))
                };
                return Err(own.into_iter().find_map(alone).unwrap_or_else(|| fault(0, &message)));
            }
        }
        Ok(())
    }

    fn keys_of(&self, table: DeTable<'_>) -> Result<Arc<dyn Section>, String> {
        let table = toml::Deserializer::from(Spanned::new(0..0, table));
        let mut table = <dyn erased_serde::Deserializer<'_>>::erase(table);
        (self.registered.keys.read)(&mut table).map_err(|error| error.to_string())
    }
}

/// Takes a common key out of a table.
fn take<T: DeserializeOwned>(
    table: &mut DeTable<'_>,
    key: &str,
    place: &mut T,
    fault: impl Fn(usize, &str) -> ConfigError,
) -> Result<(), ConfigError> {
    let Some(value) = table.remove(key) else { return Ok(()) };
    let offset = value.span().start;
    *place = T::deserialize(value.into_deserializer()).map_err(|error| fault(offset, error.message()))?;
    Ok(())
}

impl PartialEq for ProtocolTable {
    fn eq(&self, other: &Self) -> bool {
        self.app() == other.app()
            && (self.enabled, &self.log) == (other.enabled, &other.log)
            && self.keys.is_same(other.keys.as_ref())
    }
}

impl Eq for ProtocolTable {}

impl Serialize for ProtocolTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Keys<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            enabled: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            log: Option<&'a Outputs>,
            #[serde(flatten)]
            own: &'a dyn Section,
        }
        let enabled = self.has_switch().then_some(self.enabled);
        let log = self.has_log().then_some(&self.log);
        Keys { enabled, log, own: self.keys.as_ref() }.serialize(serializer)
    }
}

impl Default for Protocols {
    fn default() -> Self {
        Self(PROTOCOLS.iter().map(ProtocolTable::new).collect())
    }
}

impl Protocols {
    /// Takes the tables of protocols out of a file's.
    ///
    /// # Errors
    /// Names the file, the line and what is wrong with a value.
    pub(super) fn take(file: &str, text: &str, all: &mut Spanned<DeTable<'_>>) -> Result<Self, ConfigError> {
        let mut protocols = Self::default();
        for protocol in &mut protocols.0 {
            let name = protocol.app().name();
            let Some(value) = all.get_mut().remove(name) else { continue };
            let span = value.span();
            let DeValue::Table(table) = value.into_inner() else {
                let message = format!("{name} is a table; write [{name}] and its keys below");
                return Err(ConfigError::Syntax { place: Place::at(file, text, span.start), message });
            };
            protocol.read(file, text, Spanned::new(span, table))?;
        }
        Ok(protocols)
    }

    /// Every table, in the order of the registry.
    pub fn iter(&self) -> impl Iterator<Item = &ProtocolTable> {
        self.0.iter()
    }

    /// Every table to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ProtocolTable> {
        self.0.iter_mut()
    }

    /// The table of a protocol, where it is in the registry.
    #[must_use]
    pub fn get(&self, app: App) -> Option<&ProtocolTable> {
        self.iter().find(|protocol| protocol.app() == app)
    }

    /// The same to be changed.
    pub fn get_mut(&mut self, app: App) -> Option<&mut ProtocolTable> {
        self.iter_mut().find(|protocol| protocol.app() == app)
    }

    /// Has the table of `app` hold these keys of its own.
    pub fn set_keys(&mut self, app: App, keys: impl Keys) {
        if let Some(protocol) = self.get_mut(app) {
            protocol.keys = Arc::new(keys);
        }
    }

    /// The keys that say what the records of `protocol` show: those of the table whose records they are.
    #[must_use]
    pub(super) fn keys(&self, protocol: &ProtocolTable) -> Arc<dyn Section> {
        let owner = protocol.of().and_then(|app| self.get(app));
        Arc::clone(&owner.unwrap_or(protocol).keys)
    }

    /// Checks the keys of every protocol; `origin` is where they came from.
    pub(super) fn validate(&self, origin: &str) -> Result<(), ConfigError> {
        for protocol in &self.0 {
            if let Err(Invalid { key, value, remedy }) = protocol.keys.check() {
                let key = format!("{}.{key}", protocol.app().name()).into();
                return Err(ConfigError::Value { origin: origin.to_owned(), key, value, remedy });
            }
        }
        Ok(())
    }
}

impl Serialize for Protocols {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|protocol| (protocol.app().name(), protocol)))
    }
}

#[cfg(test)]
mod tests {
    use flowd_protocols::{http::HttpKeys, section::NoKeys};

    use super::super::Config;
    use super::*;

    fn error(text: &str) -> String {
        match Config::parse("f", text) {
            Ok(config) => config.validate("f").unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn tables_are_read_and_written() {
        let text = "[dns]\nenabled = true\n[tls]\nlog = [\"-\", \"/a\"]\n[http]\ntemplate_paths = true\n";
        let config = Config::parse("f", text).unwrap();
        let table = |app| config.protocols.get(app).unwrap();
        assert_eq!((table(App::Dns).enabled, table(App::Dns).is_on()), (true, true));
        assert_eq!((table(App::Tls).enabled, table(App::Tls).is_on()), (false, true));
        assert_eq!(table(App::Tls).log.paths(), ["-", "/a"]);
        assert_ne!(config.protocols.get(App::Http), Config::default().protocols.get(App::Http));
        let written = toml::to_string(&config).unwrap();
        assert_eq!(Config::parse("f", &written).unwrap(), config, "{written}");
    }

    /// HTTP/2 makes lines of HTTP: `[http]` says what they show, and `[http2]` has no keys that would be lost.
    #[test]
    fn records_of_another_protocol_go_by_its_keys() {
        let config = Config::parse("f", "[http]\nredact = [\"q\"]\n[http2]\nenabled = true\n").unwrap();
        let table = |app| config.protocols.get(app).unwrap();
        let http: &HttpKeys = table(App::Http).keys.get().unwrap();
        assert_eq!(config.protocols.keys(table(App::Http2)).get(), Some(http));
        assert_eq!(http.redact, ["q"]);
        for protocol in config.protocols.iter().filter(|protocol| protocol.of().is_some()) {
            assert!(protocol.keys.get::<NoKeys>().is_some(), "{:?}", protocol.app());
        }
    }

    #[test]
    fn a_wrong_type_in_a_table_names_its_line() {
        for (text, line) in [
            ("[dns]\nenabled = \"yes\"\n", "line 2: "),
            ("\n[tls]\nlog = 3\n", "line 3: "),
            ("[http]\nredact = []\ntemplates = 1\n", "line 3: "),
            ("dns = true\n", "line 1: dns is a table"),
        ] {
            let error = error(text);
            assert!(error.starts_with(&format!("f, {line}")) && !error.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn unknown_keys_and_limits_are_named_with_their_table() {
        for (text, parts) in [
            (
                "[dns]\nenable = true\n",
                ["line 2", "unknown key \"dns.enable\"; did you mean \"dns.enabled\"?"],
            ),
            ("[http]\nenabled = true\n", ["line 2", "unknown key \"http.enabled\""]),
            ("[http]\nredact = [\"\"]\n", ["f: http.redact = \"\"", "leave the empty name out"]),
            ("[tls]\nlog = [\"/a\", \"/a\"]\n", ["f: tls.log = \"/a\"", "once"]),
        ] {
            let error = error(text);
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
    }
}
