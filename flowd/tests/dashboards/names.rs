//! Which series and labels there are, and whether a query keeps to them.

use std::collections::{BTreeSet, HashMap, HashSet};

use flowd::numbers::families;
use flowd_numbers::{Kind, Meta};
use promql_parser::{
    label::Matchers,
    parser::{self, Expr, LabelModifier, VectorSelector},
    util::{ExprVisitor, walk_expr},
};

use super::rules::Rule;

/// Series that are expected of the next versions of flowd, with their labels.
pub const COMING: &[(&str, &[&str])] = &[];

/// Series of Prometheus itself.
const OTHERS: &[(&str, &[&str])] = &[("up", &[]), ("ALERTS", &["alertname", "alertstate", "severity"])];

/// Labels that Prometheus gives to every series.
const EVERYWHERE: [&str; 2] = ["instance", "job"];

/// The query with Grafana's variables of time replaced.
pub fn range(expr: &str) -> String {
    expr.replace("$__rate_interval", "1m").replace("$__range", "1h")
}

pub fn exists(series: &str) -> bool {
    family(series).is_some()
}

/// The family that a series name belongs to.
fn family(series: &str) -> Option<Meta> {
    families().into_iter().find(|family| match family.kind {
        Kind::Counter | Kind::Gauge => family.full_name() == series,
        Kind::Histogram => {
            series.strip_prefix(family.name).is_some_and(|rest| ["_bucket", "_sum", "_count"].contains(&rest))
        }
    })
}

pub struct Names {
    /// Labels of what rules record.
    recorded: HashMap<String, BTreeSet<String>>,
}

/// What stands in a query.
#[derive(Default)]
struct Found {
    selectors: Vec<(String, Vec<String>)>,
    grouped: Vec<String>,
    made: Vec<String>,
}

impl Names {
    /// With what `rules` record, in the order of evaluation or not.
    pub fn new(rules: &[Rule]) -> Self {
        let mut names = Self { recorded: HashMap::new() };
        let records: Vec<&Rule> = rules.iter().filter(|rule| !rule.alert).collect();
        for rule in &records {
            names.recorded.insert(rule.name.clone(), BTreeSet::new());
        }
        // As long as a record takes labels over from another.
        loop {
            let before: usize = names.recorded.values().map(BTreeSet::len).sum();
            for rule in &records {
                let found = find(&rule.expr, &rule.name);
                let taken = found
                    .selectors
                    .iter()
                    .filter_map(|(name, _)| names.recorded.get(name))
                    .flatten()
                    .cloned();
                let labels: BTreeSet<String> = taken.chain(found.grouped.iter().cloned()).collect();
                names.recorded.insert(rule.name.clone(), labels);
            }
            if before == names.recorded.values().map(BTreeSet::len).sum::<usize>() {
                return names;
            }
        }
    }

    fn labels(&self, series: &str) -> Option<BTreeSet<String>> {
        let listed = COMING.iter().chain(OTHERS).find(|(name, _)| *name == series).map(|(_, labels)| *labels);
        let labels = family(series).map(|family| family.labels).or(listed);
        labels
            .map(|labels| labels.iter().map(|label| (*label).to_owned()).collect())
            .or_else(|| self.recorded.get(series).cloned())
    }

    /// Fails where `expr` does not parse or names what there is not; gives the series that it reads, those
    /// behind recorded ones included.
    pub fn check(&self, expr: &str, place: &str) -> HashSet<String> {
        let found = find(expr, place);
        let mut all: BTreeSet<String> = found.made.iter().cloned().collect();
        let mut used = HashSet::new();
        for (series, matched) in &found.selectors {
            let mut labels = self.labels(series).unwrap_or_else(|| panic!("{place}: no metric {series}"));
            labels.extend(EVERYWHERE.map(str::to_owned));
            // Alerts have the labels of their expressions as well.
            if series.ends_with("_bucket") {
                labels.insert("le".to_owned());
            }
            for label in matched {
                assert!(labels.contains(label), "{place}: {series} has no label {label}");
            }
            all.extend(labels);
            used.insert(family(series).map_or_else(|| series.clone(), |family| family.full_name()));
        }
        for label in &found.grouped {
            assert!(all.contains(label), "{place}: no label {label} in {expr}");
        }
        used
    }

    /// Families named in a query that is not PromQL.
    pub fn words(&self, query: &str) -> HashSet<String> {
        let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let series = words.filter(|word| word.starts_with("flowd_"));
        series.map(|name| family(name).unwrap_or_else(|| panic!("no metric {name}")).full_name()).collect()
    }

    /// Full names of all families.
    pub fn families(&self) -> impl Iterator<Item = String> {
        families().into_iter().map(|family| family.full_name())
    }
}

fn find(expr: &str, place: &str) -> Found {
    let parsed = parser::parse(expr).unwrap_or_else(|error| panic!("{place}: {error}: {expr}"));
    let mut found = Found::default();
    walk_expr(&mut found, &parsed).unwrap();
    found
}

impl Found {
    fn selector(&mut self, selector: &VectorSelector) {
        let Matchers { matchers, or_matchers } = &selector.matchers;
        let all = matchers.iter().chain(or_matchers.iter().flatten());
        let labels = all.map(|matcher| matcher.name.clone()).collect();
        self.selectors.push((selector.name.clone().expect("every selector names a metric"), labels));
    }

    fn group(&mut self, modifier: Option<&LabelModifier>) {
        if let Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = modifier {
            self.grouped.extend(labels.labels.iter().cloned());
        }
    }
}

impl ExprVisitor for Found {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            Expr::Aggregate(aggregate) => self.group(aggregate.modifier.as_ref()),
            Expr::Binary(binary) => {
                self.group(binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref()));
            }
            Expr::Call(call) if call.func.name == "label_replace" => {
                if let Some(Expr::StringLiteral(label)) = call.args.args.get(1).map(AsRef::as_ref) {
                    self.made.push(label.val.clone());
                }
            }
            _ => {}
        }
        Ok(true)
    }
}
