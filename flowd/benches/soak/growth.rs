//! Whether anything grew: the last third of the time against the first, after a warm-up.

use std::time::Duration;

use serde_json::{Value, json};

use super::sample::{Open, Sample};

/// Of all of the time, before the thirds begin.
const WARM_UP: f64 = 0.2;
/// What memory may grow by: noise of the allocator.
const SHARE: f64 = 0.05;
const BYTES: f64 = 2.0 * 1_048_576.0;

/// Arenas of the allocator reach their full size only after bursts and reloads have met in several ways: in a run of
/// five minutes they grew for 200 s and then stood. In a shorter run that looks as a leak would.
const MEMORY_FROM: Duration = Duration::from_secs(600);

type Count = (&'static str, fn(&Open) -> usize);

/// Connections come and go, and so do links with their interface.
const COUNTS: [Count; 4] = [
    ("files", |open| open.files),
    ("maps", |open| open.maps),
    ("programs", |open| open.programs),
    ("threads", |open| open.threads),
];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The medians; what grew is added to `failures`.
pub fn judge(samples: &[Sample], length: Duration, failures: &mut Vec<String>) -> Value {
    let memory_counts = length >= MEMORY_FROM;
    let length = length.as_secs_f64();
    let warm = length * WARM_UP;
    let third = (length - warm) / 3.0;
    let between = |from: f64, to: f64| -> Vec<&Sample> {
        samples.iter().filter(|sample| (from..=to).contains(&sample.second)).collect()
    };
    let (first, last) = (between(warm, warm + third), between(length - third, f64::INFINITY));
    if first.is_empty() || last.is_empty() {
        failures.push("too few samples to say whether anything grew".to_owned());
    }
    let of = |part: &[&Sample], value: &dyn Fn(&Sample) -> f64| {
        median(part.iter().map(|sample| value(sample)).collect())
    };
    let memory = [&first, &last].map(|part| of(part, &|sample| sample.anonymous_bytes as f64));
    let allowed = memory[0] * (1.0 + SHARE) + BYTES;
    if memory_counts && memory[1] > allowed {
        failures.push(format!(
            "RssAnon grew from {:.0} to {:.0} bytes, where {allowed:.0} are allowed",
            memory[0], memory[1]
        ));
    }
    let mut counts = serde_json::Map::new();
    for (name, count) in COUNTS {
        let medians = [&first, &last].map(|part| of(part, &|sample| count(&sample.open) as f64));
        if medians[1] > medians[0] {
            failures.push(format!("{name} grew from {} to {}", medians[0], medians[1]));
        }
        counts.insert(name.to_owned(), json!(medians));
    }
    let most = samples.iter().map(|sample| sample.anonymous_bytes).max();
    let slowest = samples.iter().map(|sample| sample.drain_seconds).fold(0.0, f64::max);
    let oldest = samples.iter().map(|sample| sample.drain_age_seconds).fold(0.0, f64::max);
    json!({
        "anonymous_bytes": memory,
        "anonymous_bytes_allowed": memory_counts.then_some(allowed),
        "anonymous_bytes_most": most,
        "counts": counts,
        "drain_seconds_most": slowest,
        "drain_age_seconds_most": oldest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(600);

    /// One every six seconds.
    fn failures(at: impl Fn(u32) -> Sample) -> Vec<String> {
        let samples: Vec<Sample> =
            (1..=100).map(|second| Sample { second: f64::from(6 * second), ..at(second) }).collect();
        let mut failures = Vec::new();
        judge(&samples, LENGTH, &mut failures);
        failures
    }

    #[test]
    fn memory_of_a_short_run_proves_nothing() {
        let samples: Vec<Sample> = (1_u32..=40)
            .map(|second| Sample { second: second.into(), ..with_memory(10 * u64::from(second)) })
            .collect();
        let mut failures = Vec::new();
        let found = judge(&samples, Duration::from_secs(40), &mut failures);
        assert_eq!((failures.len(), &found["anonymous_bytes_allowed"]), (0, &Value::Null));
    }

    fn with_memory(megabytes: u64) -> Sample {
        Sample { anonymous_bytes: megabytes * 1_000_000, ..Sample::default() }
    }

    #[test]
    fn waves_and_a_warm_up_are_no_growth() {
        let wave = |second: u32| with_memory(if second < 20 { 5 } else { 50 + u64::from(second % 10) });
        assert_eq!(failures(wave), Vec::<String>::new());
    }

    #[test]
    fn a_slow_leak_of_memory_is_found() {
        let found = failures(|second| with_memory(40 + u64::from(second) / 4));
        assert_eq!(found, ["RssAnon grew from 48000000 to 61000000 bytes, where 52497152 are allowed"]);
    }

    #[test]
    fn one_more_of_anything_is_found() {
        type Grow = (&'static str, fn(&mut Open));
        let grows: [Grow; 4] = [
            ("files", |open| open.files += 1),
            ("maps", |open| open.maps += 1),
            ("programs", |open| open.programs += 1),
            ("threads", |open| open.threads += 1),
        ];
        for (name, grow) in grows {
            let late = |second: u32| {
                let mut sample = Sample::default();
                if second > 60 {
                    grow(&mut sample.open);
                }
                sample
            };
            assert_eq!(failures(late), [format!("{name} grew from 0 to 1")]);
        }
    }

    #[test]
    fn without_samples_nothing_is_proven() {
        let mut failures = Vec::new();
        judge(&[], LENGTH, &mut failures);
        assert_eq!(failures.len(), 1, "{failures:?}");
    }
}
