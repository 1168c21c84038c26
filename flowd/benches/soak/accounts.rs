//! Whether every packet is accounted for, interface by interface.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    STAY,
    support::{
        daemon::{Daemon, sum},
        namespace::{Counters, Counts},
    },
    uplink,
};

/// Of every packet here: Ethernet without tags.
const LINK_HEADER: u64 = 14;
const DIRECTIONS: [&str; 2] = ["ingress", "egress"];

/// One direction of an interface. Packets, and bytes of frames.
#[derive(Debug, Serialize)]
pub struct Account {
    iface: String,
    direction: &'static str,
    /// By flowd's totals.
    seen: [u64; 2],
    /// The same as the kernel handed it over.
    skbs: [u64; 2],
    flows: [u64; 2],
    reasons: [u64; 2],
    /// By the counters of the device, where it was there all the time.
    kernel: Option<[u64; 2]>,
    unread: u64,
}

const fn pair(counts: Counts) -> [u64; 2] {
    [counts.packets, counts.bytes]
}

const fn add(one: [u64; 2], other: [u64; 2]) -> [u64; 2] {
    [one[0] + other[0], one[1] + other[1]]
}

/// All of them when nothing passes any more; `kernel` is of the interfaces that stayed.
pub fn read(daemon: &Daemon<'_>, kernel: &[Counters; 2]) -> Vec<Account> {
    let mut accounts = Vec::new();
    for iface in STAY.iter().chain(&uplink::NAMES) {
        let passages = daemon.passages(iface);
        let metrics = daemon.get("/metrics");
        let stayed = STAY.iter().position(|stays| stays == iface);
        for (at, direction) in DIRECTIONS.into_iter().enumerate() {
            let labels = [format!("iface=\"{iface}\""), format!("direction=\"{direction}\"")];
            let value = |family| sum(&metrics, family, &labels.each_ref().map(String::as_str)) as u64;
            let packets = value("flowd_flow_packets_total");
            accounts.push(Account {
                iface: (*iface).to_owned(),
                direction,
                seen: pair(passages[at].wire()),
                skbs: pair(passages[at].skbs()),
                flows: [packets, value("flowd_flow_bytes_total") + LINK_HEADER * packets],
                reasons: pair(passages[at].skipped()),
                kernel: stayed.map(|stayed| pair(kernel[stayed][at])),
                unread: value("flowd_interface_unread_packets"),
            });
        }
    }
    accounts
}

/// What does not fit, in words; `logged` is both directions of flows by interface, from the flow log.
pub fn judge(accounts: &[Account], logged: &BTreeMap<String, Counts>) -> Vec<String> {
    let mut failures = Vec::new();
    for account in accounts {
        let Account { iface, direction, seen, flows, reasons, .. } = account;
        if add(*flows, *reasons) != *seen || account.unread > 0 {
            failures.push(format!(
                "{iface} {direction}: {seen:?} packets and bytes seen, {flows:?} in flows, {reasons:?} with a reason, {} unread",
                account.unread
            ));
        }
        if let Some(kernel) = account.kernel.filter(|kernel| *kernel != account.skbs) {
            failures.push(format!("{iface} {direction}: {:?} seen, the device has {kernel:?}", account.skbs));
        }
        if seen[0] == 0 {
            failures.push(format!("{iface} {direction}: nothing passed"));
        }
    }
    for directions in accounts.chunks(2) {
        let iface = &directions[0].iface;
        let flows = directions.iter().fold([0; 2], |sum, account| add(sum, account.flows));
        let lines = pair(logged.get(iface).copied().unwrap_or_default());
        if flows != lines {
            failures
                .push(format!("{iface}: {flows:?} packets and bytes in flows, {lines:?} in the flow log"));
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both directions of an interface that stayed, and its flow log.
    fn good() -> (Vec<Account>, BTreeMap<String, Counts>) {
        let accounts = DIRECTIONS.map(|direction| Account {
            iface: "gw0".to_owned(),
            direction,
            seen: [10, 1_000],
            skbs: [8, 950],
            flows: [7, 700],
            reasons: [3, 300],
            kernel: Some([8, 950]),
            unread: 0,
        });
        let logged = BTreeMap::from([("gw0".to_owned(), Counts { packets: 14, bytes: 1_400 })]);
        (accounts.into(), logged)
    }

    /// What is found after a change.
    fn found(change: impl Fn(&mut Account, &mut Counts)) -> usize {
        let (mut accounts, mut logged) = good();
        change(&mut accounts[1], logged.get_mut("gw0").unwrap());
        judge(&accounts, &logged).len()
    }

    #[test]
    fn one_packet_or_byte_too_few_or_too_many_is_found() {
        assert_eq!(found(|_, _| ()), 0);
        for at in [0, 1] {
            assert_eq!(found(|account, _| account.seen[at] += 1), 1);
            assert_eq!(found(|account, _| account.reasons[at] -= 1), 1);
            assert_eq!(found(|account, _| account.skbs[at] += 1), 1);
            assert_eq!(found(|account, _| account.kernel = Some([8, 951])), 1);
            // Against what was seen, and against the log.
            assert_eq!(found(|account, _| account.flows[at] -= 1), 2);
        }
        assert_eq!(found(|_, logged| logged.packets -= 1), 1);
        assert_eq!(found(|_, logged| logged.bytes += 1), 1);
        assert_eq!(found(|account, _| account.unread = 1), 1);
    }

    #[test]
    fn a_silent_interface_and_a_log_without_it_are_found() {
        let silent = |account: &mut Account, logged: &mut Counts| {
            (account.seen, account.flows, account.reasons) = ([0; 2], [0; 2], [0; 2]);
            *logged = Counts { packets: 7, bytes: 700 };
        };
        assert_eq!(found(silent), 1);
        assert_eq!(judge(&good().0, &BTreeMap::new()).len(), 1);
    }
}
