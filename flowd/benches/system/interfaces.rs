//! What the number of watched interfaces costs a packet: the same flows over 1, 10 and 100 of them in turn.

use std::time::Duration;

use anyhow::{Result, ensure};
use flow_common::{
    names,
    settings::{Interface, LINK_ETHERNET},
};
use flowd::kernel::{Kernel, LoadOptions, Measured};

use super::{
    Bench,
    machine::{Runs, Statistics},
    row::{Row, median, ratios},
    sender::{Kind, Sender},
    support::namespace::Namespace,
    sys::device_index,
};

/// Of all interfaces of a group together, so that the table is as warm for each.
const FLOWS: u32 = 1_000;

/// Interfaces that one set of programs watches.
struct Group {
    interfaces: u16,
    kernel: Kernel,
    senders: Vec<Sender>,
    sent: u64,
}

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let [client, server] = ["client", "server"].map(Namespace::new);
    // The empty program on the way out, flowd on the way in: both run for every packet.
    let mut empty = Kernel::load_to_measure(&LoadOptions { flows: 1_024, ..LoadOptions::default() })?;
    let mut groups = Vec::new();
    for interfaces in [1, 10, 100] {
        groups.push(Group::new(&client, &server, &mut empty, interfaces)?);
    }
    let _statistics = Statistics::on()?;
    let packets = bench.or(50_000, 200_000);
    let [mut times, mut empties] = [const { [const { Vec::new() }; 3] }; 2];
    // The first round only warms up.
    for round in 0..=bench.or(4, 15) {
        for ((group, times), empties) in groups.iter_mut().zip(&mut times).zip(&mut empties) {
            let (all, own) = (Runs::of("self")?, group.run_time());
            group.send(packets)?;
            let own = (group.run_time() - own).as_nanos() as f64;
            let all = Runs::of("self")?.since(all);
            if round > 0 {
                times.push(own / packets as f64);
                empties.push((all.ns - own) / (all.count - packets as f64));
            }
        }
    }
    for group in &groups {
        group.check()?;
    }
    let [one, ten, hundred] = &times;
    let mut rows = Vec::new();
    for ((name, times), empty) in
        ["1 interface", "10 interfaces", "100 interfaces"].into_iter().zip(&times).zip(&empties)
    {
        let note =
            format!("empty {:.0}; a packet of each in turn, {FLOWS} flows; all counted", median(empty));
        rows.push(Row::less(format!("{name}: program"), "ns", times.clone()).note(note));
    }
    rows.push(Row::less("10 interfaces / 1: program", "x", ratios(ten, one)));
    rows.push(Row::less("100 interfaces / 1: program", "x", ratios(hundred, one)));
    Ok(rows)
}

impl Group {
    /// Cables between the two, each with the empty program at one end and flowd at the other.
    fn new(client: &Namespace, server: &Namespace, empty: &mut Kernel, interfaces: u16) -> Result<Self> {
        let mut kernel =
            Kernel::load(&LoadOptions { interfaces: interfaces.into(), ..LoadOptions::default() })?;
        let mut senders = Vec::new();
        for slot in 1..=interfaces {
            let device = format!("g{interfaces}n{slot}");
            client.veth(&device, server, &device);
            for host in [client, server] {
                host.ip(&format!("link set {device} up"));
            }
            client.enter(|| empty.attach_measured(Measured::Empty, &device))?;
            server.enter(|| {
                let interface = Interface { slot, link: LINK_ETHERNET, one_point: 0, ..Interface::default() };
                anyhow::Ok(kernel.attach(&device, device_index(&device)?, interface)?)
            })?;
            let flows = FLOWS / u32::from(interfaces);
            senders.push(client.enter(|| Sender::open(&device, Kind::Udp, flows))?);
        }
        Ok(Self { interfaces, kernel, senders, sent: 0 })
    }

    /// One packet through each interface in turn.
    fn send(&mut self, packets: u64) -> Result<()> {
        self.sent += packets;
        let senders = self.senders.len();
        for number in 0..packets {
            if let Some(sender) = self.senders.get_mut(number as usize % senders) {
                sender.send(1, None)?;
            }
        }
        Ok(())
    }

    /// Of the ingress program so far.
    fn run_time(&self) -> Duration {
        let times = self.kernel.run_times();
        times
            .iter()
            .find(|(name, _)| name == names::PROGRAM_INGRESS)
            .map_or(Duration::ZERO, |(_, time)| *time)
    }

    /// Every packet was counted, at each interface its share.
    fn check(&self) -> Result<()> {
        for slot in 1..=self.interfaces {
            let seen = self
                .kernel
                .totals(slot)?
                .passages
                .map(|passage| passage.seen.iter().map(|tally| tally.packets).sum::<u64>());
            let share = self.sent / u64::from(self.interfaces);
            // Beside them there may be a word of the hosts' own.
            let counted: u64 = seen.iter().sum();
            ensure!((share..share + 100).contains(&counted), "{counted} packets counted, {share} were sent");
        }
        Ok(())
    }
}
