//! Finds keys that do not exist, and what was probably meant.

use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::{Config, ConfigError, Place, SinkConfig, error::one_line};

/// Below this likeness (0 to 1) a suggestion would only confuse.
const ALIKE: f64 = 0.6;

/// Tables whose keys are names that the user gives.
const FREE: [&str; 4] = ["zones", "series.limits", "series.services", "capacity.speeds"];

/// The key of tables that stand there as often as one likes, none by default.
const SINK: &str = "sink";

/// Every key of a table `[[sink]]`.
fn sink_defaults() -> Table {
    Table::try_from(SinkConfig::default()).unwrap_or_default()
}

/// Every key with its default, as TOML.
///
/// # Errors
/// Fails only if a default cannot be written as TOML.
pub(super) fn defaults() -> Result<Table, toml::ser::Error> {
    Table::try_from(Config::default())
}

/// Looks for keys in `text` that the configuration does not have.
///
/// # Errors
/// Names the first unknown key and the nearest known one, or what is not TOML.
pub(super) fn check(file: &str, text: &str) -> Result<(), ConfigError> {
    let syntax = |message: String, offset: usize| ConfigError::Syntax {
        place: Place::at(file, text, offset),
        message,
    };
    let table = DeTable::parse(text)
        .map_err(|error| syntax(one_line(error.message()), error.span().map_or(0, |span| span.start)))?;
    let known = defaults().map_err(|error| syntax(error.to_string(), 0))?;
    walk(file, text, "", table.get_ref(), &known)
}

fn walk(file: &str, text: &str, prefix: &str, table: &DeTable<'_>, known: &Table) -> Result<(), ConfigError> {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        match (known.get(name), value.get_ref()) {
            (Some(Value::Table(inner)), DeValue::Table(table)) => {
                walk(file, text, &format!("{prefix}{name}."), table, inner)?;
            }
            (Some(_), _) => {}
            (None, DeValue::Array(list)) if prefix.is_empty() && name == SINK => {
                for table in list {
                    if let DeValue::Table(table) = table.get_ref() {
                        walk(file, text, "sink.", table, &sink_defaults())?;
                    }
                }
            }
            // Not a list of tables: what reads it says so.
            (None, _) if prefix.is_empty() && name == SINK => {}
            (None, _) if FREE.contains(&prefix.trim_end_matches('.')) => {}
            (None, _) => {
                let place = Place::at(file, text, key.span().start);
                let key = format!("{prefix}{name}");
                let nearest = nearest(&key, name);
                return Err(ConfigError::UnknownKey { place, key, nearest });
            }
        }
    }
    Ok(())
}

/// The known key that looks most like `key`, in whichever table it stands.
fn nearest(key: &str, name: &str) -> Option<String> {
    let mut known = defaults().ok()?;
    let mut all = all(&known);
    known.clear();
    known.insert(SINK.to_owned(), Value::Table(sink_defaults()));
    all.push(SINK.to_owned());
    all.extend(self::all(&known));
    let likeness = |candidate: &str| {
        let last = candidate.rsplit('.').next().unwrap_or(candidate);
        strsim::jaro_winkler(key, candidate).max(strsim::jaro_winkler(name, last))
    };
    let best = all.into_iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)))?;
    (likeness(&best) >= ALIKE).then_some(best)
}

/// Every key's path in `table`, as in `timeouts.udp`.
pub(super) fn all(table: &Table) -> Vec<String> {
    let mut paths = Vec::new();
    collect("", table, &mut paths);
    paths
}

fn collect(prefix: &str, table: &Table, into: &mut Vec<String>) {
    for (name, value) in table {
        let path = format!("{prefix}{name}");
        match value {
            Value::Table(inner) => collect(&format!("{path}."), inner, into),
            _ => into.push(path),
        }
    }
}

/// Paths of keys in `left` whose values are others in `right`.
pub(super) fn differences(left: &Table, right: &Table) -> Vec<String> {
    let value = |table: &Table, path: &str| {
        let mut names = path.split('.');
        let first = names.next().and_then(|name| table.get(name)).cloned();
        names.try_fold(first?, |value, name| value.get(name).cloned())
    };
    all(left).into_iter().filter(|path| value(left, path) != value(right, path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest() {
        let error = check("f.toml", "listen = \"127.0.0.1:1\"\nintervall = \"1s\"\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "f.toml, line 2: unknown key \"intervall\"; did you mean \"interval\"?"
        );
        let error = check("f.toml", "[timeouts]\ntcp_open = \"1s\"\n").unwrap_err();
        assert!(error.to_string().contains("line 2: unknown key \"timeouts.tcp_open\""), "{error}");
        let error = check("f.toml", "udp = \"1s\"\n").unwrap_err();
        assert!(error.to_string().contains("did you mean \"timeouts.udp\""), "{error}");
        let error = check("f.toml", "zzzzqqq = 1\n").unwrap_err();
        assert!(error.to_string().contains("config/flowd.toml"), "{error}");
    }

    #[test]
    fn differences_are_named_by_their_path() {
        let mut other = Config { flows: 2_048, ..Config::default() };
        other.timeouts.udp = super::super::Span::seconds(7);
        other.series.limit = 99;
        let table = |config| Table::try_from(config).unwrap();
        let named = differences(&table(Config::default()), &table(other));
        assert_eq!(named, ["flows", "series.limit", "timeouts.udp"]);
    }

    #[test]
    fn broken_toml_is_one_line() {
        let error = check("f.toml", "listen = \n").unwrap_err().to_string();
        assert!(error.starts_with("f.toml, line 1: ") && !error.contains('\n'), "{error}");
    }
}
