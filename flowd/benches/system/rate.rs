//! Packets of 64 bytes, as fast as one sender makes them: with no program, the empty one and flowd, in turn. The rate
//! is per second of the sender's CPU, which also does the receiver's work up to the hook and beyond, so that others on
//! the machine do not change it.

use anyhow::{Result, ensure};

use super::{
    Bench,
    live::{Attached, Pair, Program},
    row::{Row, median, ratios},
    sender::{Kind, Sender},
    sys::thread_time,
};

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let pair = Pair::new();
    let count = bench.or(200_000, 700_000);
    let mut rows = Vec::new();
    for (flows, name) in [(1, "1 flow"), (65_536, "65,536 flows")] {
        // Millions of packets a second, by program.
        let mut rates = [const { Vec::new() }; 3];
        // The first round only warms up.
        for round in 0..=bench.or(2, 5) {
            for (program, rates) in Program::ALL.into_iter().zip(&mut rates) {
                let attached = Attached::to(bench, &pair.server, program)?;
                let took = pair.client.enter(|| {
                    let mut sender = Sender::open("eth0", Kind::Udp, flows)?;
                    let before = thread_time();
                    sender.send(count, None)?;
                    anyhow::Ok(thread_time() - before)
                })?;
                if let Attached::Flowd(daemon) = attached {
                    let logged = daemon.stop()?.packets;
                    // Beside them there may be a word of the hosts' own.
                    ensure!(
                        (count..count + 100).contains(&logged),
                        "flowd's flow log has {logged} packets where {count} were sent"
                    );
                }
                if round > 0 {
                    rates.push(count as f64 / took.as_secs_f64() / 1e6);
                }
            }
        }
        let [none, empty, flowd] = &rates;
        let note = format!("every packet in the flow log; {count} a round");
        rows.push(
            Row::more(format!("64 bytes, {name}: flowd / empty"), "x", ratios(flowd, empty)).note(note),
        );
        let net = 1e3 / median(flowd) - 1e3 / median(empty);
        rows.push(Row::more(format!("64 bytes, {name}: none"), "Mpps", none.clone()));
        rows.push(Row::more(format!("64 bytes, {name}: empty"), "Mpps", empty.clone()));
        rows.push(
            Row::more(format!("64 bytes, {name}: flowd"), "Mpps", flowd.clone())
                .note(format!("{net:.0} ns per packet more than the empty program")),
        );
    }
    Ok(rows)
}
