//! The flow table fills long before it is time to read it.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use super::*;
use crate::kernel::Room;

const SLOTS: u32 = 1_024;

/// A table that is full as soon as somebody fills it, and empty once it was read.
struct Filling {
    story: Story,
    free: Arc<AtomicU32>,
    readings: Arc<AtomicU32>,
    /// Readings that numbers were shown of.
    shown: Arc<AtomicU32>,
}

impl Source for Filling {
    fn attach(&mut self, name: &str, ifindex: u32, interface: Setting) -> Result<&'static str> {
        self.story.attach(name, ifindex, interface)
    }

    fn drain_part(&mut self, now: u64, visit: Visit<'_>) -> Result<Option<DrainReport>> {
        self.readings.fetch_add(1, Ordering::AcqRel);
        self.free.store(SLOTS, Ordering::Release);
        self.story.drain_part(now, visit)
    }

    fn room(&mut self) -> Result<Option<Room>> {
        Ok(Some(Room { free: self.free.load(Ordering::Acquire), slots: SLOTS }))
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        self.shown.fetch_add(1, Ordering::AcqRel);
        self.story.totals(slots)
    }

    fn passed(&self, _: u16, _: Direction, _: u64, _: &mut [u64]) -> u64 {
        0
    }

    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        self.story.events(visit)
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        self.story.record(slot, visit);
    }

    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport> {
        self.story.finish(visit)
    }
}

#[test]
fn a_table_that_fills_is_read_before_its_time_and_shown_at_its_time() {
    let free = Arc::new(AtomicU32::new(SLOTS));
    let [readings, shown] = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
    let source = Filling {
        story: Story::new(Arc::default()),
        free: Arc::clone(&free),
        readings: Arc::clone(&readings),
        shown: Arc::clone(&shown),
    };
    let feed = Arc::new(Feed::new(Bounds { keep: [10; 2], clients: 1 }, SinkCounters::new));
    let pump = pump(Box::new(source), Sinks::default(), &feed, Span::seconds(3_600));
    let (stop, stopped) = mpsc::channel();
    let started = Instant::now();
    let pump = thread::spawn(move || pump.run(&stopped));
    for number in 1..=2 {
        free.store(SLOTS / 16, Ordering::Release);
        while readings.load(Ordering::Acquire) < number {
            assert!(started.elapsed() < Duration::from_secs(20), "nobody reads a full table");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(started.elapsed() >= Duration::from_secs(u64::from(number)), "{:?}", started.elapsed());
    }
    // It has room now.
    thread::sleep(Duration::from_millis(1_300));
    assert_eq!((readings.load(Ordering::Acquire), shown.load(Ordering::Acquire)), (2, 0));
    drop(stop);
    pump.join().unwrap().unwrap();
    assert!(shown.load(Ordering::Acquire) > 0, "the last ones");
}
