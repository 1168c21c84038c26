//! Floods of each kind against a daemon with the defaults: its own memory stays within the formula, and within 256 MiB
//! of what it takes when idle.

use std::time::{Duration, Instant};

use flowd::{config::Config, memory::Memory};

use super::stories::Story;
use crate::support::{
    alone::alone,
    daemon::{Daemon, sum},
    namespace::since,
    privileged,
    router::{LAN, Router},
};

/// As many as have room in a table of twice the default's size.
const SOURCES: u32 = 1 << 19;
const WHILE: Duration = Duration::from_secs(8);
const ALLOWED: u64 = 256 << 20;
/// Everything is followed, and all else is the default.
const CONFIG: &str = "interval = \"10s\"\nflows = 262144\nhttp_log = \"\"\nflow_log = \"\"\n[dns]\nenabled = true\n[tls]\nenabled = true\n";

#[test]
fn memory_stays_within_the_formula_under_each_flood() {
    if !privileged("memory_stays_within_the_formula_under_each_flood") {
        return;
    }
    let _alone = alone();
    let formula = Memory::most(&Config::parse("test", CONFIG).unwrap()).daemon;
    for story in
        [Story::syns(), Story::http(true, 300), Story::pipelines(16), Story::dns(4), Story::tls(true)]
    {
        let router = Router::new(false);
        let before = router.gateway.quiet(LAN);
        let daemon = Daemon::start(&router.gateway, &[LAN], CONFIG);
        let idle = daemon.memory("RssAnon");
        let mut telling = story.start(&router.client, "eth0", SOURCES);
        let (start, mut looked, mut most) = (Instant::now(), Instant::now(), 0);
        while start.elapsed() < WHILE {
            telling.send();
            if looked.elapsed() > Duration::from_millis(100) {
                most = most.max(daemon.memory("RssAnon"));
                looked = Instant::now();
            }
        }
        // What comes of it at the reading after, and of what is given up then.
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(6) {
            most = most.max(daemon.memory("RssAnon"));
            std::thread::sleep(Duration::from_millis(50));
        }
        let kernel = since(router.gateway.quiet(LAN), before);
        let text = daemon.get("/metrics");
        let dropped: f64 = ["http_messages", "dns", "tls"]
            .map(|what| sum(&text, &format!("flowd_{what}_dropped_total"), &["reason=\"evicted\""]))
            .iter()
            .sum();
        println!(
            "{}: {} packets, {dropped} of what was under way given up for want of room, {} copies lost; RssAnon {} MiB when \
             idle, {} MiB at most, {} by the formula",
            story.name,
            kernel[0].packets,
            sum(&text, "flowd_events_lost_total", &[]),
            idle >> 20,
            most >> 20,
            formula >> 20
        );
        assert!(telling.sent() > 200_000, "{}: {} packets are no flood", story.name, telling.sent());
        assert!(most < formula, "{}: {most} bytes, {formula} by the formula", story.name);
        assert!(most < idle + ALLOWED, "{}: {most} bytes, {idle} when idle", story.name);
        daemon.stop();
    }
}
