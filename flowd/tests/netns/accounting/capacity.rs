//! Peaks and bursts of a paced sender whose bursts are known to the byte.

use std::{
    thread,
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;

use crate::support::{
    alone::alone,
    daemon::Daemon,
    frames::{Wire, mac},
    privileged,
    router::{LAN, Router},
};

const BURSTS: u32 = 12;
const FRAMES: u32 = 100;
const FRAME: usize = 1_000;
/// A burst is a tenth above 10 ms of this, and far below 100 ms.
const CONFIG: &str = "[capacity]\nhold = \"1h\"\n[capacity.speeds]\n\"gw*\" = \"72Mbit\"\n";

#[test]
fn peaks_and_bursts_are_those_of_the_sender() {
    if !privileged("peaks_and_bursts_are_those_of_the_sender") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    let to = mac(&router.gateway, LAN);
    router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], CONFIG);
    let wire = Wire::open(&router.client, "eth0");
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], to).ipv4([192, 0, 2, 2], [192, 0, 2, 1], 64);
    builder.udp(5_000, 9).write(&mut frame, &[0; FRAME - 42]).unwrap();
    // Bursts that the machine let through in one go.
    let mut quick = 0;
    for _ in 0..BURSTS {
        let started = Instant::now();
        (0..FRAMES).for_each(|_| wire.send(&frame));
        quick += u32::from(started.elapsed() < Duration::from_millis(8));
        thread::sleep(Duration::from_millis(150));
    }
    daemon.drained();
    let of = |family: &str, window: &str| {
        let labels = [r#"iface="gw0""#, r#"direction="ingress""#, &format!("window=\"{window}\"")];
        daemon.metric(family, &labels)
    };
    let [one, ten, hundred] = ["1ms", "10ms", "100ms"].map(|window| of("flowd_interface_peak_bytes", window));
    let [_, bursts, long] = ["1ms", "10ms", "100ms"].map(|window| of("flowd_interface_bursts_total", window));
    let burst = f64::from(FRAMES) * FRAME as f64;
    println!("{quick} quick; peaks {one} {ten} {hundred} of {burst}; {bursts} bursts, {long} of 100 ms");
    assert!(quick > 0, "this machine lets no burst through in one go");
    // Little beside it passes: neighbour discovery.
    for peak in [ten, hundred] {
        assert!((1.0..1.03).contains(&(peak / burst)), "{peak} of {burst}");
    }
    assert!(one > 0.0 && one <= ten, "{one} in 1 ms");
    assert!(
        (f64::from(quick)..=f64::from(BURSTS)).contains(&bursts),
        "{bursts} bursts of {BURSTS}, {quick} quick"
    );
    assert_eq!(long, 0.0);
    assert_eq!(daemon.metric("flowd_interface_speed_bytes", &["gw0"]), 9e6);
    daemon.stop();
}
