use std::net::IpAddr;

use flow_common::key::{FlowKey, Sender};
use flowd_numbers::{Exposition, Meta};
use serde::Serialize;

use super::*;
use crate::record::Head;

/// One zone, room for a few series.
#[derive(Debug)]
struct Policy;

impl LabelPolicy for Policy {
    fn zone(&self, _: IpAddr) -> u16 {
        0
    }

    fn zone_name(&self, _: u16) -> &str {
        "internet"
    }

    fn host(&self, _: Option<&str>) -> u16 {
        0
    }

    fn host_name(&self, _: u16) -> Option<&str> {
        None
    }

    fn has_hosts(&self) -> bool {
        false
    }

    fn limit(&self, _: &str) -> usize {
        16
    }
}

/// A record of a protocol that has no families of its own.
#[derive(Debug, Serialize)]
struct Asked {
    #[serde(skip)]
    app: App,
    #[serde(skip)]
    head: Head,
    operation: &'static str,
    status: Option<&'static str>,
    duration: Option<u64>,
}

impl AppRecord for Asked {
    fn app(&self) -> App {
        self.app
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn request(&self) -> Option<Request<'_>> {
        Some(Request { operation: self.operation, status: self.status, duration: self.duration })
    }
}

fn asked(app: App, operation: &'static str, status: Option<&'static str>) -> Asked {
    let head = Head::new(FlowKey::EMPTY, 0, Sender::A, 0);
    Asked { app, head, operation, status, duration: status.map(|_| 1_000_000) }
}

/// Rows as `name value value: count`.
#[derive(Default)]
struct Text(Vec<String>);

struct Lines<'a>(&'a str, &'a mut Vec<String>);

impl Exposition for Text {
    fn family(&mut self, meta: &Meta, labels: &[&'static str], fill: &mut dyn FnMut(&mut dyn Rows)) {
        assert_eq!(labels, meta.labels);
        fill(&mut Lines(meta.name, &mut self.0));
    }
}

impl Rows for Lines<'_> {
    fn counter(&mut self, values: &[&str], value: u64) {
        self.1.push(format!("{} {}: {value}", self.0, values.join(" ")));
    }

    fn seconds(&mut self, _: &[&str], _: f64) {}

    fn gauge(&mut self, _: &[&str], _: f64) {}

    fn histogram(&mut self, values: &[&str], _: f64, _: &[u64], buckets: &[u64]) {
        self.counter(values, buckets.iter().sum());
    }

    fn series(&self) -> u64 {
        0
    }
}

fn shown(numbers: &SharedNumbers) -> Vec<String> {
    let mut text = Text::default();
    numbers.published().show(&mut text);
    text.0.sort();
    text.0
}

#[test]
fn words_of_the_list_are_labels_and_others_are_not() {
    let words = Words { operations: &["GET", "SET"], statuses: &["ok", "error"] };
    let mut numbers = SharedNumbers::new(Arc::new(Policy), [(App::Dns, words)]);
    numbers.set_losses(App::Dns, vec![("evicted", 3)]);
    numbers.set_losses(App::Http, vec![("evicted", 9)]);
    for record in [
        asked(App::Dns, "GET", Some("ok")),
        asked(App::Dns, "GET", Some("ok")),
        asked(App::Dns, "SET", None),
        asked(App::Dns, "made up by a client", Some("made up by a server")),
        asked(App::Http, "GET", Some("ok")),
    ] {
        numbers.record(&record);
    }
    assert_eq!(
        shown(&numbers),
        [
            "flowd_protocol_given_up dns evicted: 3",
            "flowd_request_duration_seconds dns GET internet: 2",
            "flowd_request_duration_seconds dns _OTHER internet: 1",
            "flowd_request_duration_seconds other other other: 0",
            "flowd_requests dns GET ok internet: 2",
            "flowd_requests dns SET none internet: 1",
            "flowd_requests dns _OTHER _OTHER internet: 1",
            "flowd_requests other other other other: 0",
        ]
    );
}

#[test]
fn without_protocols_there_are_no_rows() {
    assert!(shown(&SharedNumbers::new(Arc::new(Policy), [])).is_empty());
}
