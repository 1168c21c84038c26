//! Dashboards, rules and the scrape example name only metrics and labels that exist, and each rule's tests pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is tests"
)]
#![allow(unreachable_pub, reason = "the readers are modules here and elsewhere")]

mod names;
mod panels;
mod rules;
#[path = "../support/skip.rs"]
mod skip;

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use names::{Names, range};
use skip::{ROOT, skip};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

#[test]
fn queries_name_metrics_and_labels_that_exist() {
    let names = Names::new(&rules::all());
    let mut queries = 0;
    for dashboard in panels::dashboards() {
        for panel in &dashboard.panels {
            for target in &panel.targets {
                let place = format!("{}, {}", dashboard.name, panel.title);
                let used = names.check(&range(&target.expr), &place);
                assert!(!used.is_empty(), "{place}: no metric");
                queries += 1;
            }
        }
    }
    assert!(queries > 80, "{queries}");
}

/// What Prometheus would only say when a dashboard is open.
#[test]
fn expressions_of_rules_parse_and_name_what_exists() {
    let rules = rules::all();
    let names = Names::new(&rules);
    for rule in &rules {
        names.check(&rule.expr, &rule.name);
    }
}

/// Every metric that flowd has stands in a dashboard or in a rule, as nobody would look at it otherwise.
#[test]
fn every_family_is_shown() {
    let names = Names::new(&rules::all());
    let mut shown = HashSet::new();
    for dashboard in panels::dashboards() {
        let name = &dashboard.name;
        shown.extend(dashboard.panels.iter().flat_map(|panel| {
            panel.targets.iter().flat_map(|target| names.check(&range(&target.expr), name))
        }));
        shown.extend(dashboard.definitions.iter().flat_map(|query| names.words(query)));
    }
    let missing: Vec<String> = names.families().filter(|family| !shown.contains(family.as_str())).collect();
    assert!(missing.is_empty(), "in no dashboard: {missing:?}");
}

/// The list of what is expected does not outlive its reason.
#[test]
fn names_that_are_expected_are_not_there_yet() {
    let there: Vec<&str> =
        names::COMING.iter().map(|(name, _)| *name).filter(|name| names::exists(name)).collect();
    assert!(there.is_empty(), "take out of COMING, as they exist: {there:?}");
}

#[test]
fn dashboards_can_be_imported_anywhere() {
    let mut uids = BTreeSet::new();
    for dashboard in panels::dashboards() {
        let name = &dashboard.name;
        assert!(uids.insert(dashboard.json["uid"].as_str().unwrap().to_owned()), "{name}: two with one uid");
        let mut sources = Vec::new();
        panels::strings(&dashboard.json, "uid", &mut sources);
        sources.retain(|uid| Some(*uid) != dashboard.json["uid"].as_str());
        assert!(!sources.is_empty() && sources.iter().all(|uid| *uid == "${datasource}"), "{name}");
        let mut ids = BTreeSet::new();
        for panel in &dashboard.panels {
            assert!(ids.insert(panel.id), "{name}: two panels with id {}", panel.id);
            let json = &panel.json;
            assert!(json["description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}: {json}");
            assert!(json["fieldConfig"]["defaults"]["unit"].is_string(), "{name}: {json}");
            let table = json["type"] == "table";
            assert!(panel.targets.iter().all(|target| target.instant || !table), "{name}: a table over time");
            let mut references = HashSet::new();
            assert!(
                panel.targets.iter().all(|target| references.insert(&target.reference)),
                "{name}: {json}"
            );
        }
        let links = dashboard.json["links"].as_array().unwrap();
        assert!(
            links.iter().any(|link| link["type"] == "dashboards" && link["includeVars"] == true),
            "{name}"
        );
        let variables: HashSet<&str> = dashboard.json["templating"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|variable| variable["name"].as_str())
            .collect();
        for target in dashboard.panels.iter().flat_map(|panel| &panel.targets) {
            for variable in target.expr.split('$').skip(1) {
                let end =
                    variable.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(variable.len());
                let variable = &variable[..end];
                let known = variables.contains(variable)
                    || ["__rate_interval", "__range"].contains(&variable)
                    || variable.parse::<u8>().is_ok();
                assert!(known, "{name}: no variable {variable}");
            }
        }
    }
    assert_eq!(
        uids.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "flowd-capacity",
            "flowd-flowd",
            "flowd-http",
            "flowd-netflow",
            "flowd-overview",
            "flowd-requests",
            "flowd-tcp"
        ]
    );
}

/// Each panel that is drawn over time moves with the chosen resolution: `rate` over a fixed time would not.
#[test]
fn rates_follow_the_resolution() {
    for target in
        panels::dashboards().iter().flat_map(|dashboard| &dashboard.panels).flat_map(|panel| &panel.targets)
    {
        for rest in target.expr.split("rate(").skip(1).filter(|rest| rest.starts_with("flowd_")) {
            let window = rest.split(['[', ']']).nth(1).unwrap();
            assert!(["$__rate_interval", "$__range"].contains(&window), "{}", target.expr);
        }
    }
}

#[test]
fn the_scrape_example_names_the_default_address() {
    let example = include_str!("../../../config/prometheus.yml");
    let listen = flowd::config::Config::default().listen.to_string();
    assert!(example.contains(&format!("\"{listen}\"")), "{listen}");
}

#[test]
fn alerts_say_what_to_do() {
    let alerts: Vec<_> = rules::all().into_iter().filter(|rule| rule.alert).collect();
    assert!(alerts.len() > 10);
    for alert in alerts {
        assert!(alert.name.starts_with("Flowd"), "{}", alert.name);
        for part in ["for: ", "severity: ", "summary: ", "description: ", "runbook: "] {
            assert!(alert.text.contains(part), "{}: no {part}", alert.name);
        }
        let severity = alert.text.split("severity: ").nth(1).unwrap().lines().next().unwrap();
        assert!(["critical", "warning", "info"].contains(&severity), "{}: {severity}", alert.name);
    }
}

/// Each record has an expected value, each alert a moment at which it fires and one at which it does not.
#[test]
fn every_rule_has_its_tests() {
    let mut text = String::new();
    for file in rules::tests() {
        text.push_str(&fs::read_to_string(file).unwrap());
    }
    for rule in rules::all() {
        if rule.alert {
            let cases: Vec<&str> = text
                .split("- alertname: ")
                .skip(1)
                .filter(|case| case.lines().next() == Some(rule.name.as_str()))
                .collect();
            let quiet = cases.iter().filter(|case| case.contains("exp_alerts: []")).count();
            assert!(quiet >= 1 && cases.len() > quiet, "{}: {quiet} quiet of {}", rule.name, cases.len());
        } else {
            let mut cases = text.split("- expr: ").skip(1);
            let valued = cases.any(|case| {
                case.lines().next().unwrap().contains(&rule.name)
                    && case.split("alert_rule_test").next().unwrap().contains("value: ")
            });
            assert!(valued, "{}: no value is expected of it", rule.name);
        }
    }
}

#[test]
fn promtool_agrees() {
    if let Err(error) = Command::new("promtool").arg("--version").output() {
        skip(ROOT, &format!("promtool: {error}; `cargo xtask setup` installs it"));
        return;
    }
    let promtool = |arguments: &[&str], files: &[PathBuf]| {
        let output = Command::new("promtool").args(arguments).args(files).output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "promtool {arguments:?}: {said}");
        assert!(said.contains("SUCCESS"), "{said}");
    };
    promtool(&["check", "config"], &[folder("config/prometheus.yml")]);
    promtool(&["check", "rules"], &rules::files());
    promtool(&["test", "rules"], &rules::tests());
}

/// The interval that Grafana is told is that of the scrapes.
#[test]
fn provisioning_fits_the_scrape_example() {
    let value = |text: &str, key: &str| -> String {
        let line = text.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
        line.split(": ").nth(1).unwrap().to_owned()
    };
    let scrape = value(&fs::read_to_string(folder("config/prometheus.yml")).unwrap(), "scrape_interval");
    let told =
        value(&fs::read_to_string(folder("dashboards/provisioning/datasource.yml")).unwrap(), "timeInterval");
    assert_eq!(scrape, told);
}
