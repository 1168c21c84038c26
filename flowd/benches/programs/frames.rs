//! The program of XDP beside an empty one of XDP, in the same rounds.

use anyhow::{Context as _, Result, ensure};
use flowd::kernel::{Frames, Kernel, LoadOptions, Measured, Stream, Vary};
use serde_json::{Value, json};

use super::{Plan, SLOT, counted, load, quantile, run, shapes};

const SHAPES: [&str; 4] = ["tcp_data", "ack", "syn", "udp"];

/// One row per shape, as for the shapes of TC, under its name with `xdp_` before it.
pub(super) fn measure(options: &LoadOptions, plan: Plan) -> Result<Vec<Value>> {
    let mut kernel = load(&LoadOptions { frames: Some(Frames::default()), ..options.clone() })?;
    let shapes = shapes::hot().into_iter().filter(|shape| SHAPES.contains(&shape.name));
    shapes.map(|shape| row(&mut kernel, shape.name, shape.exercises, &shape.stream, plan)).collect()
}

fn row(kernel: &mut Kernel, name: &str, exercises: &str, stream: &Stream, plan: Plan) -> Result<Value> {
    let bare = Stream { vary: Vary::Same, ..stream.clone() };
    let mut streams = [stream.clone(), stream.clone(), bare];
    let mut times: [Vec<f64>; 3] = Default::default();
    // There is one yardstick, at TC.
    let [mut empty_at_tc, mut yardstick] = [stream.clone(), stream.clone()];
    let mut yards = Vec::new();
    let (before, _) = counted(&kernel.totals(SLOT)?);
    // The first round only warms up.
    for round in 0..=plan.rounds {
        let mut of_round = [0.0; 3];
        for (index, (stream, time)) in streams.iter_mut().zip(&mut of_round).enumerate() {
            let measured = kernel.measure_frames(index != 0, stream, plan.repeat).context(name.to_owned())?;
            *time = measured.as_nanos() as f64;
        }
        let mut at_tc = |program, stream| run(kernel, program, stream, plan.repeat);
        let nothing = at_tc(Measured::Empty, &mut empty_at_tc)?.as_nanos() as f64;
        let yard = at_tc(Measured::Yardstick, &mut yardstick)?.as_nanos() as f64;
        if round > 0 {
            let [full, empty, _] = of_round;
            yards.push((full - empty) / (yard - nothing));
            times.iter_mut().zip(of_round).for_each(|(times, time)| times.push(time));
        }
    }
    let seen = counted(&kernel.totals(SLOT)?).0 - before;
    let runs = u64::from(plan.rounds + 1) * u64::from(plan.repeat);
    ensure!(seen == runs, "{name} at XDP: {seen} packets counted in {runs} runs");
    let [full, empty, bare] = times.each_ref().map(|times| quantile(times, 0.5));
    Ok(json!({
        "name": format!("xdp_{name}"),
        "exercises": format!("{exercises}, at XDP beside an empty program of XDP"),
        "empty_ns": empty,
        "ns": full,
        "net_ns": full - empty,
        "yards": quantile(&yards, 0.5),
        "low_ns": quantile(&times[0], 0.25),
        "high_ns": quantile(&times[0], 0.75),
        "bare_ns": bare,
        "rounds": plan.rounds,
        "runs": runs,
        "counted": seen,
    }))
}
