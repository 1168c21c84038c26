//! The exposition in OpenMetrics text. prometheus-client's only home.

use std::fmt;

use flowd_numbers::{Exposition, Kind, Meta, Rows};
use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet, text,
    },
    metrics::MetricType,
    registry::{Registry, Unit},
};

use crate::numbers::{Board, Moment};

/// Writes all families of `board` as OpenMetrics text.
///
/// # Errors
/// Fails only where `out` does.
pub fn write_open_metrics(board: &Board, mut out: &mut dyn fmt::Write) -> fmt::Result {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(board.moment()));
    text::encode(&mut out, &registry)
}

/// All families of `board` in OpenMetrics text.
///
/// # Errors
/// Fails only where formatting does.
pub fn open_metrics(board: &Board) -> Result<String, fmt::Error> {
    let mut text = String::new();
    write_open_metrics(board, &mut text)?;
    Ok(text)
}

impl Collector for Moment {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page { encoder, series: 0, result: Ok(()) };
        self.show(&mut page);
        page.result
    }
}

/// Families so far.
struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
    series: u64,
    result: fmt::Result,
}

impl Page<'_> {
    fn encode(
        &mut self,
        meta: &Meta,
        labels: &[&'static str],
        fill: &mut dyn FnMut(&mut dyn Rows),
    ) -> fmt::Result {
        let unit = meta.unit().map(|unit| if unit == "bytes" { Unit::Bytes } else { Unit::Seconds });
        // The encoder puts the unit behind the name by itself.
        let suffix = meta.unit().map_or(0, |unit| unit.len() + 1);
        let name = meta.name.get(..meta.name.len() - suffix).unwrap_or(meta.name);
        let kind = match meta.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        let encoder = self.encoder.encode_descriptor(name, meta.help, unit.as_ref(), kind)?;
        let mut rows = Encoder { encoder, names: labels, series: self.series, result: Ok(()) };
        fill(&mut rows);
        self.series = rows.series;
        rows.result
    }
}

impl Exposition for Page<'_> {
    fn family(&mut self, meta: &Meta, labels: &[&'static str], fill: &mut dyn FnMut(&mut dyn Rows)) {
        if self.result.is_ok() {
            self.result = self.encode(meta, labels, fill);
        }
    }
}

/// The rows of one family.
struct Encoder<'a> {
    encoder: MetricEncoder<'a>,
    names: &'a [&'static str],
    series: u64,
    result: fmt::Result,
}

impl Rows for Encoder<'_> {
    fn counter(&mut self, values: &[&str], value: u64) {
        self.row(values, 1, |row| row.encode_counter::<NoLabelSet, _, u64>(&value, None));
    }

    fn seconds(&mut self, values: &[&str], value: f64) {
        self.row(values, 1, |row| row.encode_counter::<NoLabelSet, _, f64>(&value, None));
    }

    fn gauge(&mut self, values: &[&str], value: f64) {
        self.row(values, 1, |row| row.encode_gauge(&value));
    }

    fn histogram(&mut self, values: &[&str], sum: f64, bounds: &[u64], buckets: &[u64]) {
        let limits = bounds.iter().map(|ns| *ns as f64 / 1e9).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = limits.zip(buckets.iter().copied()).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let lines = buckets.len() as u64 + 2;
        self.row(values, lines, |row| row.encode_histogram::<NoLabelSet>(sum, count, &buckets, None));
    }

    fn series(&self) -> u64 {
        self.series
    }
}

impl Encoder<'_> {
    fn row(
        &mut self,
        values: &[&str],
        lines: u64,
        encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) {
        debug_assert_eq!(values.len(), self.names.len(), "labels {:?}", self.names);
        self.series += lines;
        let result = if self.names.is_empty() {
            encode(&mut self.encoder)
        } else {
            let labels = Pairs { names: self.names, values };
            self.encoder.encode_family(&labels).and_then(|mut row| encode(&mut row))
        };
        self.result = self.result.and(result);
    }
}

struct Pairs<'a> {
    names: &'a [&'static str],
    values: &'a [&'a str],
}

impl EncodeLabelSet for Pairs<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let mut pairs = self.names.iter().zip(self.values);
        pairs.try_for_each(|(name, value)| (*name, *value).encode(encoder.encode_label()))
    }
}

#[cfg(test)]
mod tests;
