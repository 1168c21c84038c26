//! One figure with its spread, as the benches print them and as result files hold them.

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A figure of a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Letter of the part.
    pub(super) part: String,
    pub(super) name: String,
    pub(super) unit: String,
    /// Whether less is better.
    pub(super) less: bool,
    pub(super) median: f64,
    /// Quartiles of the rounds.
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) rounds: u64,
    /// What shows that the work was done, or how it was done.
    pub(super) note: String,
}

impl Row {
    fn parse(value: &Value) -> Result<Self> {
        let word = |key: &str| {
            let word = value.get(key).and_then(Value::as_str);
            word.map(str::to_owned).with_context(|| format!("a row of the bench has no {key}: {value}"))
        };
        let number = |key: &str| {
            let number = value.get(key).and_then(Value::as_f64);
            number.with_context(|| format!("a row of the bench has no {key}: {value}"))
        };
        Ok(Self {
            part: word("part")?,
            name: word("name")?,
            unit: word("unit")?,
            less: word("better")? == "less",
            median: number("median")?,
            low: number("low")?,
            high: number("high")?,
            rounds: value.get("rounds").and_then(Value::as_u64).unwrap_or(0),
            note: word("note")?,
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "part": self.part,
            "name": self.name,
            "unit": self.unit,
            "better": if self.less { "less" } else { "more" },
            "median": rounded(self.median),
            "low": rounded(self.low),
            "high": rounded(self.high),
            "rounds": self.rounds,
            "note": self.note,
        })
    }
}

/// To four digits: more is noise.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powi(3 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

/// The rows of a report.
pub(super) fn all(report: &Value) -> Result<Vec<Row>> {
    let rows = report.get("rows").and_then(Value::as_array).context("a report without rows")?;
    rows.iter().map(Row::parse).collect()
}

/// Two rows per shape: nanoseconds that flowd adds to the empty program in the same rounds, and the same in units of
/// the empty program, which is what runs on different machines have in common.
pub(super) fn of_programs(report: &Value) -> Result<Vec<Row>> {
    let shapes = report.get("shapes").and_then(Value::as_array).context("a report without shapes")?;
    let mut rows = Vec::new();
    for shape in shapes {
        let number = |key: &str| {
            let number = shape.get(key).and_then(Value::as_f64);
            number.with_context(|| format!("a shape of the bench has no {key}: {shape}"))
        };
        let name = shape.get("name").and_then(Value::as_str).context("a shape without a name")?;
        let exercises = shape.get("exercises").and_then(Value::as_str).unwrap_or_default();
        let (empty, bare, flowd) = (number("empty_ns")?, number("bare_ns")?, number("ns")?);
        let counted = number("counted")?;
        // XDP has no program that only parses.
        let parse = number("parse_ns").map(|parse| format!(", parse {parse}")).unwrap_or_default();
        let row = |what: &str, unit: &str, over: f64, note: String| -> Result<Row> {
            Ok(Row {
                part: "a".to_owned(),
                name: format!("{name}: {what}"),
                unit: unit.to_owned(),
                less: true,
                median: (flowd - empty) / over,
                low: (number("low_ns")? - empty) / over,
                high: (number("high_ns")? - empty) / over,
                rounds: shape.get("rounds").and_then(Value::as_u64).unwrap_or(0),
                note,
            })
        };
        let costs = format!("empty {empty}{parse}, flowd {flowd}; all {counted} counted");
        rows.push(row("net of empty", "ns", 1.0, costs)?);
        rows.push(row("net / empty", "x", bare, exercises.to_owned())?);
    }
    for feature in report.get("features").and_then(Value::as_array).into_iter().flatten() {
        let number = |key: &str| {
            let number = feature.get(key).and_then(Value::as_f64);
            number.with_context(|| format!("a feature of the bench has no {key}: {feature}"))
        };
        let word = |key: &str| feature.get(key).and_then(Value::as_str).unwrap_or_default();
        rows.push(Row {
            part: "a".to_owned(),
            name: format!("{}: added by {}", word("shape"), word("feature")),
            unit: "ns".to_owned(),
            less: true,
            median: number("ns")?,
            low: number("low_ns")?,
            high: number("high_ns")?,
            rounds: feature.get("rounds").and_then(Value::as_u64).unwrap_or(0),
            note: "programs with and without it in turn".to_owned(),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_from_its_file() {
        let report = json!({ "shapes": [{ "name": "ack", "exercises": "next", "empty_ns": 20.0, "bare_ns": 10.0,
            "ns": 50.0, "parse_ns": 25.0, "low_ns": 45.0, "high_ns": 60.0, "counted": 7, "rounds": 3 }] });
        let rows = of_programs(&report).unwrap();
        assert_eq!(rows[0].median, 30.0);
        assert_eq!((rows[1].low, rows[1].median, rows[1].high), (2.5, 3.0, 4.0));
        let file = json!({ "rows": rows.iter().map(Row::json).collect::<Vec<_>>() });
        assert_eq!(all(&file).unwrap(), rows);
        assert!(all(&json!({ "rows": [{ "part": "a" }] })).is_err());
    }

    #[test]
    fn four_digits_are_kept() {
        assert_eq!(rounded(1.234_567), 1.235);
        assert_eq!(rounded(123_456.0), 123_500.0);
        assert_eq!(rounded(0.0), 0.0);
    }
}
