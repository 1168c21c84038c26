use std::sync::{Mutex, PoisonError};

use flow_common::{
    counter::InterfaceTotals, event::PayloadEvent, key::Direction, record::FlowRecord, settings::Interface,
};

use super::*;
use crate::pipeline::Visit;
use crate::{
    aggregate::{CapacityOptions, LedgerOptions},
    clock::WallClock,
    kernel::DrainReport,
};

const MINUTE: u64 = 60_000_000_000;

/// Notes what it is told.
#[derive(Default)]
struct Notes {
    told: Mutex<Vec<String>>,
    /// Refuses to attach.
    refuses: bool,
    /// What it attached has gone.
    fallen: bool,
    totals: InterfaceTotals,
}

impl Notes {
    fn note(&self, line: String) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

impl Source for Notes {
    fn attach(&mut self, name: &str, _: u32, interface: Interface) -> Result<&'static str> {
        anyhow::ensure!(!self.refuses, "on purpose");
        self.fallen = false;
        self.note(format!("attach {name} {}", interface.slot));
        Ok("notes")
    }
    fn detach(&mut self, _: u32) -> Result<()> {
        self.note("detach".to_owned());
        Ok(())
    }
    fn stands(&self, _: u32) -> bool {
        !self.fallen
    }
    fn clear(&mut self, slot: u16) -> Result<()> {
        self.note(format!("clear {slot}"));
        Ok(())
    }
    fn drain_part(&mut self, _: u64, _: Visit<'_>) -> Result<Option<DrainReport>> {
        Ok(Some(DrainReport::default()))
    }
    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        Ok(slots.iter().map(|_| self.totals).collect())
    }
    fn passed(&self, _: u16, _: Direction, _: u64, _: &mut [u64]) -> u64 {
        0
    }
    fn events(&mut self, _: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        0
    }
    fn record(&mut self, _: u32, _: &mut dyn FnMut(&FlowRecord)) {}
    fn finish(&mut self, _: Visit<'_>) -> Result<DrainReport> {
        Ok(DrainReport::default())
    }
}

struct Scene {
    notes: Notes,
    ledger: Ledger,
    capacity: Capacity,
    follow: Follow,
}

fn config(patterns: &[&str]) -> Config {
    Config { interfaces: patterns.iter().map(|text| (*text).to_owned()).collect(), ..Config::default() }
}

impl Scene {
    /// Nothing is watched yet; `slots` interfaces fit.
    fn new(patterns: &[&str], slots: u16) -> Self {
        let options = LedgerOptions { conversations: 10, active_timeout: None };
        let capacity = CapacityOptions { hold: 1_000, burst_share: 0.9, replay: false };
        Self {
            notes: Notes::default(),
            ledger: Ledger::new(options, Arc::default(), Vec::new(), WallClock::measure().unwrap()),
            capacity: Capacity::new(capacity),
            follow: Follow::new(&[], &config(patterns), slots, 1).unwrap(),
        }
    }

    fn look(&mut self, now: u64) -> Vec<String> {
        let Self { notes, ledger, capacity, follow } = self;
        follow.look(now, true, &mut Parts { source: notes, ledger, capacity: Some(capacity) }).unwrap();
        self.notes.told()
    }

    fn packets(&self) -> Option<u64> {
        let numbers = self.ledger.numbers().published();
        numbers.interfaces.first().map(|interface| interface.totals.passages[0].seen[0].packets)
    }
}

#[test]
fn a_name_that_comes_back_goes_on_and_is_forgotten_in_time() {
    let mut scene = Scene::new(&["lo"], 4);
    assert_eq!(scene.look(0), ["attach lo 1"]);
    assert!(scene.capacity.watches(1) && scene.look(1).is_empty());
    scene.notes.totals.passages[0].seen[0].packets = 7;
    scene.follow.reconfigure(&config(&["l*", "!lo"]));
    assert!(scene.follow.has_news());
    assert_eq!(scene.look(MINUTE), ["detach"]);
    assert_eq!(scene.packets(), Some(7), "what was counted stays");
    assert_eq!(scene.follow.missing(), Missing { names: Vec::new(), all: true });
    assert!(scene.look(10 * MINUTE).is_empty());
    assert_eq!(scene.packets(), Some(7));
    scene.look(11 * MINUTE);
    assert_eq!(scene.packets(), None, "no longer shown");
    scene.follow.reconfigure(&config(&["lo"]));
    assert_eq!(scene.look(12 * MINUTE), ["attach lo 1"]);
    assert_eq!(scene.packets(), Some(7), "and goes on");
    scene.follow.reconfigure(&config(&["l*", "!lo"]));
    scene.look(20 * MINUTE);
    scene.look(30 * MINUTE);
    assert!(scene.look(79 * MINUTE).is_empty());
    assert_eq!(scene.look(80 * MINUTE), ["clear 1"]);
    assert!(scene.ledger.numbers().interfaces.is_empty() && !scene.capacity.watches(1));
    assert!(scene.follow.slots().is_empty());
}

#[test]
fn programs_that_have_gone_are_attached_again() {
    let mut scene = Scene::new(&["lo"], 4);
    scene.look(0);
    scene.notes.fallen = true;
    assert_eq!(scene.look(1), ["detach", "attach lo 1"]);
    assert_eq!(scene.follow.missing(), Missing::default());
}

#[test]
fn what_cannot_be_watched_is_named_and_tried_again() {
    let mut scene = Scene::new(&["lo", "no such"], 4);
    scene.notes.refuses = true;
    assert!(scene.look(0).is_empty());
    let missing = scene.follow.missing();
    let names: Vec<&str> = missing.names.iter().map(|name| &**name).collect();
    assert_eq!((names, missing.all), (vec!["no such", "lo (not attached: see the log)"], true));
    scene.notes.refuses = false;
    assert_eq!(scene.look(1), ["attach lo 1"]);
    assert_eq!(scene.follow.missing(), Missing { names: vec![Arc::from("no such")], all: false });
}

#[test]
fn a_full_house_makes_room_only_by_what_is_hidden() {
    let watched = |slot, name: &str| Watched {
        name: Arc::from(name),
        ifindex: u32::MAX,
        ..describe(&interfaces::list().unwrap()[0], slot, &config::Capacity::default())
    };
    let mut scene = Scene::new(&["lo"], 1);
    scene.follow.slots = Slots::new(&[watched(1, "old")], 1);
    scene.ledger.watch(watched(1, "old"), None);
    assert_eq!(scene.look(0), ["detach"]);
    assert!(scene.follow.missing().names.iter().any(|name| name.starts_with("lo (not attached")));
    assert!(scene.look(9 * MINUTE).is_empty());
    // Hidden at the end of this look, and forgotten with the next.
    assert!(scene.look(10 * MINUTE).is_empty());
    assert_eq!(scene.look(11 * MINUTE), ["clear 1", "attach lo 1"]);
    assert_eq!(scene.ledger.live().name(1).as_ref(), "lo");
}
