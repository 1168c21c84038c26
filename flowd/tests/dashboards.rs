//! Dashboards and scrape examples name only metrics and labels that exist.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{collections::BTreeSet, fs, path::Path};

use flowd::export::prometheus::{FAMILIES, Family, Kind};
use serde_json::Value;

/// Every dashboard with its name.
fn dashboards() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), serde_json::from_str(&text).unwrap()));
        }
    }
    assert!(!found.is_empty());
    found
}

/// The family that a series name in a query belongs to.
fn family(series: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| match family.kind {
        Kind::Counter | Kind::Gauge => family.full_name() == series,
        Kind::Histogram => {
            series.strip_prefix(family.name).is_some_and(|rest| ["_bucket", "_sum", "_count"].contains(&rest))
        }
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
}

/// Strings under `key` anywhere in `value`.
fn strings<'a>(value: &'a Value, key: &str, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == key => into.push(text),
                    other => strings(other, key, into),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| strings(value, key, into)),
        _ => {}
    }
}

#[test]
fn queries_name_metrics_and_labels_that_exist() {
    for (name, dashboard) in dashboards() {
        let mut queries = Vec::new();
        strings(&dashboard, "expr", &mut queries);
        strings(&dashboard, "definition", &mut queries);
        assert!(queries.len() > 1, "{name}");
        for query in queries {
            let families: Vec<&Family> = words(query)
                .filter(|word| word.starts_with("flowd_"))
                .map(|series| family(series).unwrap_or_else(|| panic!("{name}: no metric {series}")))
                .collect();
            assert!(!families.is_empty(), "{name}: {query}");
            let labels: BTreeSet<&str> =
                families.iter().flat_map(|family| family.labels).copied().chain(["le"]).collect();
            // Between "by (" and ")", and before "=" inside braces.
            let grouped = query.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
            let matched = query.split('{').skip(1).filter_map(|rest| rest.split('}').next());
            let matched = matched.flat_map(|list| list.split(',')).filter_map(|pair| pair.split('=').next());
            for label in grouped.flat_map(|list| list.split(',')).chain(matched).map(str::trim) {
                assert!(labels.contains(label), "{name}: no label {label} in {query}");
            }
        }
    }
}

#[test]
fn dashboards_can_be_imported_anywhere() {
    for (name, dashboard) in dashboards() {
        let mut sources = Vec::new();
        strings(&dashboard, "uid", &mut sources);
        sources.retain(|uid| Some(*uid) != dashboard["uid"].as_str());
        assert!(!sources.is_empty() && sources.iter().all(|uid| *uid == "${datasource}"), "{name}");
        let mut ids = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: two panels with one id");
            if panel["type"] != "row" {
                assert!(
                    panel["description"].as_str().is_some_and(|text| text.ends_with('.')),
                    "{name}: {panel}"
                );
                assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{name}: {panel}");
            }
        }
    }
}

#[test]
fn the_scrape_example_names_the_default_address() {
    let example = include_str!("../../config/prometheus.yml");
    let listen = flowd::config::Config::default().listen.to_string();
    assert!(example.contains(&format!("\"{listen}\"")), "{listen}");
}
