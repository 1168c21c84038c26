//! Nothing is lost without a name at the highest rate that this machine can make: raw senders on every CPU, more
//! flows than fit, readings back to back, an interface that comes and goes all the time.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;

use crate::support::{
    alone::alone,
    daemon::Daemon,
    flood::Flood,
    frames::Wire,
    namespace::{Counts, since},
    privileged,
    router::{LAN, Router},
    until,
};

const FOR: Duration = Duration::from_secs(8);
/// Flows that are in use at once, three for every slot of the table.
const WIDTH: u32 = 3 * 4_096;
const CONFIG: &str = "interval = \"100ms\"\nflows = 4096\nflow_log = \"\"\n[timeouts]\nudp = \"1s\"\n";
/// Comes and goes.
const GUEST: &str = "gw2";

/// A datagram from 10.0.0.0 for another host, which the gateway's hook sees and its stack drops at once.
fn frame() -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]);
    builder.ipv4([10, 0, 0, 0], [198, 51, 100, 2], 64).udp(5_000, 5_001).write(&mut frame, &[0; 18]).unwrap();
    frame
}

/// Sends from one CPU until told to stop. What is in use moves on, so that flows end and slots are used again; all
/// senders use the same flows, so that their CPUs meet in the same records.
fn send(router: &Router, number: u32, stop: &AtomicBool) -> u64 {
    let mut flood = Flood::open(&router.client, "eth0", &frame());
    let start = Instant::now();
    let mut random = number + 1;
    while !stop.load(Ordering::Relaxed) {
        let moved = start.elapsed().as_millis() as u32 / 400 * (WIDTH / 2);
        flood.send(|frame| {
            random = random.wrapping_mul(0x19_660d).wrapping_add(0x3c6e_f35f);
            let flow = moved + (random >> 8) % WIDTH;
            frame[26..30].copy_from_slice(&(0x0a00_0000 + flow).to_be_bytes());
        });
    }
    flood.sent()
}

fn invite(router: &Router) {
    router.gateway.veth(GUEST, &router.server, "guest");
    router.server.up("guest", &[]);
    router.gateway.up(GUEST, &[]);
}

/// Packets and bytes of frames, both directions together: in flows, and with a reason.
fn accounted(daemon: &Daemon<'_>, device: &str) -> [Counts; 2] {
    let label = format!("iface=\"{device}\"");
    let sum = |family| daemon.metric(family, &[&label]) as u64;
    let packets = sum("flowd_flow_packets_total");
    // What flows count begins with the IP header; all packets here are Ethernet without tags.
    let flows = Counts { packets, bytes: sum("flowd_flow_bytes_total") + 14 * packets };
    let (packets, bytes) = (sum("flowd_packets_unaccounted_total"), sum("flowd_bytes_unaccounted_total"));
    [flows, Counts { packets, bytes }]
}

#[test]
fn a_flood_is_accounted_for_to_the_packet() {
    if !privileged("a_flood_is_accounted_for_to_the_packet") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    invite(&router);
    router.gateway.quiet(GUEST);
    let before = router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN, GUEST], CONFIG);
    let cpus = std::thread::available_parallelism().unwrap().get() as u32;
    let stop = AtomicBool::new(false);
    let (mut guest, mut visits) = (0, 0);
    let sent: u64 = scope(|scope| {
        let senders: Vec<_> = (0..cpus)
            .map(|number| {
                let (router, stop) = (&router, &stop);
                scope.spawn(move || send(router, number, stop))
            })
            .collect();
        let end = Instant::now() + FOR;
        while Instant::now() < end {
            visits += 1;
            until("the guest is watched", 10, || {
                (daemon.stderr().matches(&format!("watching {GUEST}")).count() >= visits).then_some(())
            });
            let came = || router.gateway.counters(GUEST)[0].packets;
            let before = came();
            let wire = Wire::open(&router.server, "guest");
            for _ in 0..200 {
                wire.send(&frame());
            }
            sleep(FOR / 20);
            guest += came() - before;
            router.gateway.ip(&format!("link delete {GUEST}"));
            invite(&router);
        }
        stop.store(true, Ordering::Relaxed);
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    let kernel = since(router.gateway.quiet(LAN), before);
    // A record stamped in the last second is read once more.
    sleep(Duration::from_millis(1_200));
    let seen = daemon.passages(LAN);
    let [flows, reasons] = accounted(&daemon, LAN);
    let full = seen[0].reason("table_full");
    let ended = daemon.metric("flowd_flows_ended_total", &[&format!("iface=\"{LAN}\"")]);
    println!(
        "{sent} sent in {FOR:?}, {kernel:?} seen by the kernel, {flows:?} in flows, {reasons:?} with a reason, \
         {full} of them found the table full, {ended} flows ended"
    );
    assert_eq!([seen[0].wire(), seen[1].wire()], kernel, "totals");
    let both = |add: [Counts; 2]| (add[0].packets + add[1].packets, add[0].bytes + add[1].bytes);
    assert_eq!(both([flows, reasons]), both(kernel), "packets and bytes in flows and with a reason");
    assert!(full > 1_000, "the table did not overflow");
    assert!(ended > 3.0 * 4_096.0, "no slot was used again");
    assert!(kernel[0].packets > 100_000, "that was no flood");

    let [flows, reasons] = accounted(&daemon, GUEST);
    let seen = daemon.passages(GUEST);
    let seen = both([seen[0].wire(), seen[1].wire()]);
    assert_eq!(both([flows, reasons]), seen, "the guest");
    println!("{visits} visits of the guest, {guest} packets from it by the kernel's counters, {seen:?} seen");
    assert!(visits > 3 && guest > 0, "{visits} visits, {guest} packets");
    assert!(seen.0 >= guest, "the guest's {guest} packets");
    daemon.stop();
}
