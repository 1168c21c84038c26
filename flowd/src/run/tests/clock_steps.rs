//! The clock of the day is set while the daemon runs, or the machine sleeps, which CLOCK_MONOTONIC does not count.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

const HOUR: i64 = 3_600_000_000_000;

/// A story told again and again, in a day whose clock someone sets.
struct Stepped {
    story: Story,
    step: Arc<AtomicI64>,
    told: i64,
    connections: u16,
}

impl Source for Stepped {
    fn attach(&mut self, name: &str, ifindex: u32, interface: Setting) -> Result<&'static str> {
        self.story.attach(name, ifindex, interface)
    }

    fn clock(&self) -> std::io::Result<WallClock> {
        Ok(WallClock::measure()?.moved(self.step.load(Ordering::Acquire)))
    }

    fn drain_part(&mut self, now: u64, visit: Visit<'_>) -> Result<Option<DrainReport>> {
        self.story.drain_part(now, visit)
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        self.story.totals(slots)
    }

    fn passed(&self, _: u16, _: Direction, _: u64, sums: &mut [u64]) -> u64 {
        sums.fill(10);
        0
    }

    /// An exchange after each step.
    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        let step = self.step.load(Ordering::Acquire);
        if self.told == step {
            return 0;
        }
        self.told = step;
        let now = clock::monotonic().unwrap();
        // A connection of its own each time.
        self.connections += 1;
        let record = testing::connection(1, 40_000 + self.connections, 80, now);
        for (sender, kind, payload) in [
            (record.client(), PayloadKind::Request, REQUEST),
            (record.client().other(), PayloadKind::Response, RESPONSE),
        ] {
            let mut event = event(&record, 0, sender, kind, payload);
            event.time += now;
            visit(&event, payload);
        }
        2
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        self.story.record(slot, visit);
    }

    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport> {
        self.story.finish(visit)
    }
}

fn hours_from_now(time: &serde_json::Value) -> f64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    (time.as_nanosecond() - jiff::Timestamp::now().as_nanosecond()) as f64 / HOUR as f64
}

#[tokio::test]
async fn lines_and_metrics_follow_the_clock_of_the_day() {
    let _alone = SIGNALS.lock().await;
    let folder = tempfile::tempdir().unwrap();
    // Lines are not to wait for a drain to bear the right time.
    let config = Config { interval: Span::millis(500), ..config(folder.path()) };
    let address = config.listen;
    let step = Arc::new(AtomicI64::new(0));
    let mut story = Story::new(Arc::default());
    // Of now, so that times before the epoch do not come into it.
    let now = clock::monotonic().unwrap();
    for record in &mut story.records {
        record.start += now;
        record.halves.iter_mut().for_each(|side| (side.first, side.last) = (now + 1, now + 5_000_000));
    }
    let source = Stepped { story, step: Arc::clone(&step), told: i64::MIN, connections: 0 };
    let daemon = spawn(config, source);
    let lines = |name: &str| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for (number, hours) in [0, 5, -7].into_iter().enumerate() {
        step.store(hours * HOUR, Ordering::Release);
        for _ in 0..400 {
            if lines("http.log").len() > number {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let line = lines("http.log").pop().unwrap();
        let off = hours_from_now(&line["time"]) - hours as f64;
        assert!(off.abs() < 0.01, "{hours} h: {line}");
        assert_eq!(line["response_time_us"], 5_000.0);
        // The next drain's number, not the one's that may be under way.
        let mut off = 1.0;
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(25)).await;
            let shown = get(address, "/metrics").await;
            let read_at =
                shown.lines().find_map(|line| line.strip_prefix("flowd_last_drain_timestamp_seconds "));
            let read_at: f64 = read_at.unwrap().parse().unwrap();
            off = read_at / 3_600.0 - jiff::Timestamp::now().as_second() as f64 / 3_600.0 - hours as f64;
            if off.abs() < 0.01 {
                break;
            }
        }
        assert!(off.abs() < 0.01, "{hours} h: the last drain is {off} h off");
    }
    end(daemon).await;
    let flows = lines("flow.log");
    assert_eq!(flows.len(), 2);
    for flow in flows {
        let [start, end] = ["start", "end"].map(|key| hours_from_now(&flow[key]));
        assert!((start + 7.0).abs() < 0.01 && end >= start, "{flow}");
    }
}
