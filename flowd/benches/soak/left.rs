//! What a daemon that ended may have left.

use std::fs;

use super::{STAY, support::namespace::Namespace, uplink};

/// Filters, qdiscs, programs and claims of a namespace's devices, in words.
pub fn behind(gateway: &Namespace) -> Vec<String> {
    let mut left = Vec::new();
    for device in STAY.iter().chain(&uplink::NAMES[..1]) {
        let programs = gateway.enter(|| flowd::kernel::attached(device)).unwrap_or_default();
        left.extend(programs.iter().map(|program| format!("left on {device}: program {program}")));
        let shown = gateway.tc(&format!("qdisc show dev {device}"));
        if shown.contains("clsact") {
            left.push(format!("left on {device}: {shown}"));
        }
    }
    let sockets = gateway.enter(|| fs::read_to_string("/proc/thread-self/net/unix").unwrap());
    let claims = sockets.matches("flowd/interface/").count();
    if claims > 0 {
        left.push(format!("{claims} claims of interfaces are left"));
    }
    left
}
