use super::*;

const SECOND: u64 = 1_000_000_000;
const BUDGET: f64 = 0.02;

/// A daemon and its load: what it takes at each step, of one core.
struct Machine {
    governor: Governor,
    now: u64,
    spent: u64,
    /// Seconds of the reading and the step since then.
    steps: Vec<(u64, u8)>,
}

impl Machine {
    fn new() -> Self {
        let mut governor = Governor::new(BUDGET);
        assert_eq!(governor.read(0, 0), None);
        Self { governor, now: 0, spent: 0, steps: Vec::new() }
    }

    /// So many intervals of ten seconds.
    fn run(&mut self, intervals: u32, cost: impl Fn(Level) -> f64) -> Level {
        for _ in 0..intervals {
            let interval = 10 * SECOND * u64::from(self.governor.level().stretch(0, 1_000));
            self.now += interval;
            self.spent += (cost(self.governor.level()) * interval as f64) as u64;
            if let Some(change) = self.governor.read(self.now, self.spent) {
                assert_eq!((change.from as u8).abs_diff(change.to as u8), 1, "one step at a time");
                assert_eq!(change.to, self.governor.level());
                self.steps.push((self.now / SECOND, change.to as u8));
            }
        }
        self.governor.level()
    }
}

#[test]
fn a_burst_of_two_intervals_changes_nothing() {
    let mut machine = Machine::new();
    for _ in 0..100 {
        machine.run(2, |_| 0.5);
        machine.run(1, |_| 0.015);
    }
    assert_eq!(machine.steps, []);
}

#[test]
fn what_costs_nothing_at_the_next_step_needs_only_one() {
    let mut machine = Machine::new();
    machine.run(3, |_| 0.001);
    let level = machine.run(10, |level| if level == Level::Full { 0.08 } else { 0.015 });
    assert_eq!(level, Level::NoCopies);
    assert_eq!(machine.steps, [(60, 1)], "after three intervals over");
}

#[test]
fn each_step_is_given_three_intervals_and_the_last_is_the_last() {
    let mut machine = Machine::new();
    assert_eq!(machine.run(30, |_| 0.9), Level::QuarterReadings);
    assert_eq!(machine.steps, [(30, 1), (60, 2), (90, 3), (150, 4)]);
}

#[test]
fn when_the_load_ends_all_steps_are_taken_back() {
    let mut machine = Machine::new();
    machine.run(30, |_| 0.9);
    assert_eq!(machine.run(4 * UNDER, |_| 0.001), Level::Full);
    let steps: Vec<u8> = machine.steps.iter().map(|(_, step)| *step).collect();
    assert_eq!(steps, [1, 2, 3, 4, 3, 2, 1, 0]);
}

#[test]
fn between_half_and_the_whole_budget_nothing_moves() {
    let mut machine = Machine::new();
    machine.run(6, |_| 0.03);
    assert_eq!(machine.governor.level(), Level::FewSamples);
    machine.run(10_000, |_| 0.011);
    machine.run(10_000, |_| 0.02);
    assert_eq!(machine.governor.level(), Level::FewSamples);
}

/// The load stays, and the first step makes it cheap: trials fail, and become rare.
#[test]
fn a_steady_load_meets_ever_fewer_trials() {
    let mut machine = Machine::new();
    let day = 8_640;
    machine.run(day, |level| if level == Level::Full { 0.08 } else { 0.002 });
    let trials: Vec<u64> = machine.steps.iter().filter(|(_, step)| *step == 0).map(|(at, _)| *at).collect();
    let waits: Vec<u64> = trials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.is_sorted(), "{waits:?}");
    assert!(trials.len() <= 6 + day as usize / PATIENCE as usize, "{}", trials.len());
    let full: u64 = trials.len() as u64 * u64::from(OVER) * 10;
    assert!(full < 86_400 / 50, "{full} s of a day over the budget");
    // When the load is gone, the last wait is the longest.
    assert_eq!(machine.run(PATIENCE, |_| 0.002), Level::Full);
    // And the next load, much later, is met with the first patience again.
    machine.run(PATIENCE * 2, |_| 0.002);
    machine.run(OVER, |_| 0.08);
    assert_eq!(machine.run(UNDER, |_| 0.002), Level::Full);
}

/// Noise around the budget: the ladder moves seldom.
#[test]
fn noise_does_not_make_it_flap() {
    let mut machine = Machine::new();
    let mut random = 1_u32;
    for _ in 0..8_640 {
        random = random.wrapping_mul(0x19_660d).wrapping_add(0x3c6e_f35f);
        let noise = f64::from(random >> 8) / f64::from(1_u32 << 24);
        machine.run(1, |level| if level == Level::Full { 0.01 + 0.02 * noise } else { 0.02 * noise });
    }
    assert!(machine.steps.len() < 40, "{} changes in a day", machine.steps.len());
}

#[test]
fn clocks_that_jump_or_stand_are_borne() {
    let mut governor = Governor::new(BUDGET);
    for (now, spent) in
        [(SECOND, 5), (SECOND, 5), (0, 0), (u64::MAX, u64::MAX), (3, 9), (u64::MAX, 0), (0, 0)]
    {
        assert_eq!(governor.read(now, spent), None);
    }
    // Short intervals count together: three readings take one and a half seconds of them.
    let mut governor = Governor::new(BUDGET);
    let changes = (0..=15_u64).filter_map(|tenth| {
        let now = tenth * SECOND / 10;
        governor.read(now, now).map(|change| (tenth, change.to))
    });
    assert_eq!(changes.collect::<Vec<_>>(), [(15, Level::NoCopies)]);
}

/// A table that fills is read at every interval whatever the step.
#[test]
fn readings_are_left_out_only_where_flows_have_room() {
    let stretch = |live| Level::ALL.map(|level| level.stretch(live, 1_024));
    assert_eq!(stretch(0), [1, 1, 1, 2, 4]);
    assert_eq!(stretch(128), [1, 1, 1, 2, 4]);
    assert_eq!(stretch(129), [1, 1, 1, 2, 2]);
    assert_eq!(stretch(257), [1, 1, 1, 1, 1]);
    assert_eq!(Level::QuarterReadings.stretch(u32::MAX, 0), 1);
}

#[test]
fn each_step_leaves_out_what_those_before_it_do() {
    let omissions = Level::ALL.map(|level| (level.omissions().no_copies, level.omissions().untimed));
    assert_eq!(omissions, [(0, 0), (1, 0), (1, 7), (1, 7), (1, 7)]);
    for (number, level) in Level::ALL.into_iter().enumerate() {
        assert_eq!(level as usize, number);
    }
}

#[test]
fn a_change_names_its_cause_and_what_is_less_exact() {
    let change = Change { from: Level::Full, to: Level::NoCopies, share: 0.0312, budget: 0.02 };
    let text = change.to_string();
    for part in ["3.12%", "[governor] cpu = \"2%\"", "step 1", "HTTP", "flowd_events_skipped_total"] {
        assert!(text.contains(part), "{text}");
    }
    let text = Change { from: Level::NoCopies, to: Level::Full, ..change }.to_string();
    assert!(text.contains("back to step 0, payload is copied again"), "{text}");
}
