//! Days before the test, laid into Prometheus' storage, as figures of days cannot be had in a minute. They end
//! ten minutes before, so that no present value can come from them.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use super::support::{process::run, router::LAN};

const DAY: u64 = 86_400;
const DAYS: u64 = 16;
const LABELS: &str = "job=\"flowd\",instance=\"127.0.0.1:9435\"";
/// Bytes per second: now, and a day's growth. A veth says 10 Gbit/s.
const LEVEL: f64 = 700_000_000.0;
const GROWTH: f64 = 20_000_000.0;

pub fn days_until(speed: f64) -> f64 {
    (speed - LEVEL) / GROWTH
}

/// The daily 95th percentile: busy for 10 % of each day, all at one height.
fn samples(time: f64, now: f64) -> f64 {
    let height = LEVEL - GROWTH * (now - time) / DAY as f64;
    if (0.4..0.6).contains(&(time / DAY as f64).fract()) { height } else { height * 0.4 }
}

pub fn lay(folder: &Path) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut text = String::new();
    let end = now - 600;
    let point = format!("{LABELS},iface=\"{LAN}\",direction=\"ingress\"");
    text.push_str("# TYPE flowd_interface_sample_bytes gauge\n");
    for time in (now - DAYS * DAY..end).step_by(120) {
        let rate = samples((time / 300 * 300) as f64, now as f64);
        writeln!(text, "flowd_interface_sample_bytes{{{point}}} {rate} {time}").unwrap();
    }
    // What the rules would have recorded: under their own labels, without the job.
    let point = format!("instance=\"127.0.0.1:9435\",iface=\"{LAN}\",direction=\"ingress\"");
    let name = "instance_iface_direction:flowd_interface_sample_bytes:p95_1d";
    writeln!(text, "# TYPE {name} gauge").unwrap();
    for time in (now - DAYS * DAY..end).step_by(240) {
        let rate = LEVEL - GROWTH * (now - time) as f64 / DAY as f64;
        writeln!(text, "{name}{{{point}}} {rate} {time}").unwrap();
    }
    let name = "instance_iface_src_net_dst_net:flowd_flow_bytes:rate1d";
    writeln!(text, "# TYPE {name} gauge").unwrap();
    let begin = now - 7 * DAY - 600;
    for time in (begin..begin + 3_600).step_by(60) {
        for iface in [LAN, "tun0"] {
            for nets in
                ["src_net=\"private\",dst_net=\"internet\"", "src_net=\"internet\",dst_net=\"internet\""]
            {
                let labels = format!("instance=\"127.0.0.1:9435\",iface=\"{iface}\",{nets}");
                writeln!(text, "{name}{{{labels}}} 1000 {time}").unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    // OpenMetrics wants the samples of one series together and in order, which they are.
    let file = folder.join("history.om");
    fs::write(&file, text).unwrap();
    let mut promtool = Command::new("promtool");
    run(promtool
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
        .arg(&file)
        .arg(folder.join("data")));
}
