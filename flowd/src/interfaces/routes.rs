//! Which interfaces hold a default route.

use std::fs;

/// Route is usable (RTF_UP).
const UP: u32 = 1;
/// Route refuses packets (RTF_REJECT), as the kernel's own `unreachable default` of IPv6 does.
const REJECT: u32 = 0x200;

/// Names of interfaces with a default route of either family; none where /proc has no tables.
pub(super) fn default_interfaces() -> Vec<String> {
    let mut names = v4(&fs::read_to_string("/proc/net/route").unwrap_or_default());
    names.extend(v6(&fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default()));
    names.sort();
    names.dedup();
    names
}

/// Columns: interface, destination, gateway, flags, ..., mask (the eighth).
fn v4(table: &str) -> Vec<String> {
    let default = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let flags = hexadecimal(columns.get(3)?)?;
        let all = hexadecimal(columns.get(1)?)? == 0 && hexadecimal(columns.get(7)?)? == 0;
        (all && usable(flags)).then(|| (*columns.first().unwrap_or(&"")).to_owned())
    };
    table.lines().skip(1).filter_map(default).collect()
}

/// Columns: destination, its prefix length, ..., flags (the ninth), interface (the tenth).
fn v6(table: &str) -> Vec<String> {
    let default = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let all = columns.first()?.bytes().all(|digit| digit == b'0') && hexadecimal(columns.get(1)?)? == 0;
        let flags = hexadecimal(columns.get(8)?)?;
        (all && usable(flags)).then(|| (*columns.get(9).unwrap_or(&"")).to_owned())
    };
    table.lines().filter_map(default).collect()
}

const fn usable(flags: u32) -> bool {
    flags & UP != 0 && flags & REJECT == 0
}

fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_routes_of_both_families() {
        let four = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                    eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                    eth1\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n\
                    broken line\n";
        assert_eq!(v4(four), ["eth0"]);
        let zero = "0".repeat(32);
        let six = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 wan0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo\n\
             fe800000000000000000000000000000 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001 eth1\n"
        );
        assert_eq!(v6(&six), ["wan0"]);
    }
}
