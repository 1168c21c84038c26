//! What Prometheus knows of the links, by its HTTP API. ureq's home.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{
    answer::{Pair, Report},
    error::ReportError,
    link::{Link, Point, Side},
    request::Request,
    trend::DAY,
};

/// Points of one series that Prometheus gives in one answer at most (it refuses more than 11,000).
const POINTS: f64 = 10_000.0;

/// The five-minute samples that flowd took itself, else the rate of its totals.
const SAMPLES: &str = "max by (instance, iface, direction) (flowd_interface_sample_bytes) \
    or sum by (instance, iface, direction) (rate(flowd_interface_bytes_total[5m]))";

/// Points by instance, interface and direction.
type Samples = BTreeMap<(String, String, String), Vec<Point>>;

pub(super) struct Prometheus {
    agent: ureq::Agent,
    url: String,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

/// Labels, and one value or many: (seconds since the epoch, number as text).
#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: Option<(f64, String)>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl Series {
    fn label(&self, name: &str) -> String {
        self.metric.get(name).cloned().unwrap_or_default()
    }

    fn link(&self) -> (String, String) {
        (self.label("instance"), self.label("iface"))
    }

    /// NaN and infinities are no rates.
    fn number(&self) -> Option<f64> {
        self.value.as_ref().and_then(|(_, text)| text.parse().ok()).filter(|number: &f64| number.is_finite())
    }
}

impl Prometheus {
    /// `url` is what stands before `/api/v1/query`.
    #[must_use]
    pub(super) fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_mins(2)))
            .http_status_as_error(false)
            .build();
        Self { agent: config.new_agent(), url: url.trim_end_matches('/').to_owned() }
    }

    fn ask(&self, path: &str, parameters: &[(&str, String)]) -> Result<Vec<Series>, ReportError> {
        let url = || self.url.clone();
        let unreachable =
            |error: ureq::Error| ReportError::Unreachable { url: url(), reason: error.to_string() };
        let address = format!("{}/api/v1/{path}", self.url);
        // By POST, as queries may be longer than what a URL may be.
        let form = parameters.iter().map(|(name, value)| (*name, value.as_str()));
        let mut response = self.agent.post(&address).send_form(form).map_err(unreachable)?;
        let status = response.status().as_u16();
        let limit = 1 << 30;
        let body = response.body_mut().with_config().limit(limit).read_to_string().map_err(unreachable)?;
        match (status, serde_json::from_str::<Answer>(&body)) {
            (200, Ok(Answer { data: Some(data), status, .. })) if status == "success" => Ok(data.result),
            (_, Ok(Answer { error: Some(message), .. })) => {
                let remedy = "shorten --days or lengthen --step";
                Err(ReportError::Refused { url: url(), status, message, remedy })
            }
            (_, Ok(_)) => {
                Err(ReportError::Answer { url: url(), reason: "an answer without data".to_owned() })
            }
            (200, Err(error)) => Err(ReportError::Answer { url: url(), reason: error.to_string() }),
            (_, Err(_)) => {
                let message = body.lines().next().unwrap_or_default().chars().take(120).collect();
                let remedy = "--prometheus takes the address before /api/v1/query";
                Err(ReportError::Refused { url: url(), status, message, remedy })
            }
        }
    }

    fn instant(&self, query: &str, at: f64) -> Result<Vec<Series>, ReportError> {
        self.ask("query", &[("query", query.to_owned()), ("time", at.to_string())])
    }

    /// Points by link and direction.
    fn samples(&self, request: &Request) -> Result<Samples, ReportError> {
        let step = request.step;
        let mut found = Samples::new();
        // On multiples of the step, so that each five-minute sample is taken once.
        let mut start = (request.from() / step).ceil() * step;
        while start <= request.now {
            let end = (start + (POINTS - 1.0) * step).min(request.now);
            let parameters = [
                ("query", SAMPLES.to_owned()),
                ("start", start.to_string()),
                ("end", end.to_string()),
                ("step", step.to_string()),
            ];
            for series in self.ask("query_range", &parameters)? {
                let (instance, iface) = series.link();
                let points = found.entry((instance, iface, series.label("direction"))).or_default();
                let numbers =
                    series.values.iter().filter_map(|(time, text)| Some((*time, text.parse().ok()?)));
                points.extend(numbers.filter(|(_, number): &Point| number.is_finite()));
            }
            start += POINTS * step;
        }
        Ok(found)
    }

    /// All of it.
    ///
    /// # Errors
    /// Names what Prometheus lacks or says, and the remedy.
    pub(super) fn report(&self, request: &Request) -> Result<Report, ReportError> {
        let now = request.now;
        let window = format!("{}s", (request.days * DAY) as u64);
        let mut samples = self.samples(request)?;
        if samples.is_empty() {
            return Err(ReportError::Empty {
                place: format!("Prometheus at {}", self.url),
                what: "flowd_interface_bytes_total in the chosen days",
                remedy: "let it scrape a flowd (config/prometheus.yml), or choose more --days",
            });
        }
        let speeds = self.instant(
            &format!("max by (instance, iface) (last_over_time(flowd_interface_speed_bytes[{window}]))"),
            now,
        )?;
        let speeds: BTreeMap<_, f64> =
            speeds.iter().filter_map(|series| Some((series.link(), series.number()?))).collect();
        let peaks = self.instant(
            &format!(
                "10 * max by (instance, iface, direction) (max_over_time(flowd_interface_peak_bytes{{window=\"100ms\"}}[{window}]))"
            ),
            now,
        )?;
        let peaks: BTreeMap<_, f64> = peaks
            .iter()
            .filter_map(|series| Some(((series.link(), series.label("direction")), series.number()?)))
            .collect();
        let names: Vec<(String, String)> =
            samples.keys().map(|(instance, iface, _)| (instance.clone(), iface.clone())).collect();
        let mut links = Vec::new();
        for (instance, iface) in names {
            if links.last().is_some_and(|link: &Link| {
                link.instance.as_deref() == Some(instance.as_str()) && link.iface == iface
            }) {
                continue;
            }
            let link = (instance.clone(), iface.clone());
            let mut side = |direction: &str| {
                let key = (instance.clone(), iface.clone(), direction.to_owned());
                let peak = peaks.get(&(link.clone(), direction.to_owned())).copied();
                Side::new(samples.remove(&key)?, request.step, now, peak)
            };
            let (inward, outward) = (side("ingress"), side("egress"));
            let speed =
                request.speed(&iface).or_else(|| speeds.get(&link).copied().filter(|speed| *speed > 0.0));
            links.push(Link::new(Some(instance), iface, speed, inward, outward));
        }
        Ok(Report::new(request, format!("Prometheus at {}", self.url), links, self.pairs(request)?))
    }

    fn pairs(&self, request: &Request) -> Result<Vec<Pair>, ReportError> {
        let half = (request.days * DAY / 2.0) as u64;
        let query = |offset: &str| {
            format!(
                "sum by (instance, iface, src_net, dst_net) (increase(flowd_flow_bytes_total[{half}s]{offset}))"
            )
        };
        let mut halves: BTreeMap<Vec<String>, [f64; 2]> = BTreeMap::new();
        for (at, offset) in [format!(" offset {half}s"), String::new()].iter().enumerate() {
            for series in self.instant(&query(offset), request.now)? {
                let labels = ["instance", "iface", "src_net", "dst_net"].map(|label| series.label(label));
                if let (Some(bytes), Some(number)) =
                    (halves.entry(labels.into()).or_default().get_mut(at), series.number())
                {
                    *bytes = number;
                }
            }
        }
        let mut pairs = Vec::new();
        for (labels, halves) in halves {
            if let Ok([instance, iface, source, destination]) = <[String; 4]>::try_from(labels) {
                pairs.push(Pair::new(Some(instance), iface, source, destination, halves));
            }
        }
        Ok(pairs)
    }
}
