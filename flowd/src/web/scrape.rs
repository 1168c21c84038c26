//! /metrics: clients that ask at about the same time share one exposition, so that neither memory nor work grows with
//! their number.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;
use warp::reply::Response;

use super::{
    answer::{Body, Packed, Text, Unfinished},
    budget::{Budget, Share},
    pace::Pace,
};
use crate::{
    export::{classic::Classic, prometheus},
    numbers::Board,
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How old an exposition may be that a client shares.
const SHARED: Duration = Duration::from_secs(1);
/// Clients that come one after the other get an exposition each, at this pace in the long run; those beyond share.
const PERIOD: Duration = Duration::from_millis(100);
/// So many may come at once.
const BURST: u32 = 20;

/// What a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub open_metrics: bool,
    pub gzip: bool,
}

#[derive(Debug)]
pub(super) struct Scrapes {
    board: Arc<Board>,
    budget: Arc<Budget>,
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    expositions: Vec<Exposition>,
    pace: Pace,
}

#[derive(Debug)]
struct Exposition {
    form: Form,
    made: Instant,
    packed: Packed,
}

impl Scrapes {
    pub(super) fn new(board: Arc<Board>, budget: Arc<Budget>) -> Self {
        let last = Mutex::new(Last { expositions: Vec::new(), pace: Pace::new(PERIOD, BURST) });
        Self { board, budget, last }
    }

    pub(super) async fn answer(&self, form: Form) -> Response {
        let kind = if form.open_metrics { OPEN_METRICS } else { CLASSIC };
        // One is made at a time; who waits for it shares it.
        let mut last = self.last.lock().await;
        match last.shared(form) {
            Some(packed) => packed.answer(kind),
            None => match self.make(form) {
                Ok(packed) => last.keep(form, packed).answer(kind),
                Err(unfinished) => unfinished.answer(),
            },
        }
    }

    fn make(&self, form: Form) -> Result<Packed, Unfinished> {
        let mut body = Body::new(&self.budget, Share::Metrics, form.gzip);
        let mut text = Text { body: &mut body, failed: None };
        let done = if form.open_metrics {
            prometheus::write_open_metrics(&self.board, &mut text)
        } else {
            prometheus::write_open_metrics(
                &self.board,
                &mut Classic::new(&mut text as &mut dyn std::fmt::Write),
            )
        };
        let failed = text.failed;
        done.map_err(|_| failed.unwrap_or(Unfinished::Failed))?;
        body.finish()
    }

    /// Lets go of what is too old to be shared. To be called now and then.
    pub(super) fn forget(&self) {
        if let Ok(mut last) = self.last.try_lock() {
            last.expositions.retain(|exposition| exposition.made.elapsed() < SHARED);
        }
    }
}

impl Last {
    /// An exposition that is still on its way to others, or any where they come too fast.
    fn shared(&self, form: Form) -> Option<Packed> {
        let crowded = !self.pace.wait(Instant::now()).is_zero();
        let fits = |exposition: &&Exposition| {
            exposition.form == form
                && exposition.made.elapsed() < SHARED
                && (crowded || exposition.packed.parcel.is_under_way())
        };
        self.expositions.iter().find(fits).map(|exposition| exposition.packed.clone())
    }

    fn keep(&mut self, form: Form, packed: Packed) -> Packed {
        let made = Instant::now();
        self.pace.spend(made);
        self.expositions.retain(|exposition| exposition.form != form && exposition.made.elapsed() < SHARED);
        self.expositions.push(Exposition { form, made, packed: packed.clone() });
        packed
    }
}
