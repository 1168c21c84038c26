//! One figure, with the spread that was seen.

use serde_json::{Value, json};

/// Which way is better.
#[derive(Clone, Copy)]
pub(crate) enum Better {
    Less,
    More,
}

/// A figure of a part: the median of its rounds.
pub(crate) struct Row {
    /// Unique within the part; known to the table of targets.
    name: String,
    unit: &'static str,
    better: Better,
    values: Vec<f64>,
    /// What shows that the work was done, or how it was done.
    note: String,
}

impl Row {
    pub(crate) fn less(name: impl Into<String>, unit: &'static str, values: Vec<f64>) -> Self {
        Self { name: name.into(), unit, better: Better::Less, values, note: String::new() }
    }

    pub(crate) fn more(name: impl Into<String>, unit: &'static str, values: Vec<f64>) -> Self {
        Self { better: Better::More, ..Self::less(name, unit, values) }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn json(&self, part: &str) -> Value {
        json!({
            "part": part,
            "name": self.name,
            "unit": self.unit,
            "better": match self.better { Better::Less => "less", Better::More => "more" },
            "median": quantile(&self.values, 0.5),
            "low": quantile(&self.values, 0.25),
            "high": quantile(&self.values, 0.75),
            "rounds": self.values.len(),
            "note": self.note,
        })
    }
}

/// Between the two nearest ranks; not a number where there are no values.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = values.len().saturating_sub(1) as f64 * share;
    let at = |index: f64| values.get(index as usize).copied().unwrap_or(f64::NAN);
    at(place.floor()) + (at(place.ceil()) - at(place.floor())) * place.fract()
}

pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Each value over the other's of the same round.
pub(crate) fn ratios(values: &[f64], bases: &[f64]) -> Vec<f64> {
    values.iter().zip(bases).map(|(value, base)| value / base).collect()
}
