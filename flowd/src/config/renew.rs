//! What a running daemon takes over of another configuration, and what it keeps until it is started again.

use toml::Table;

use super::{Config, Protocols, keys};

/// Copies one key.
type Keep = fn(&mut Config, &Config);

/// Keys that are fixed once the daemon runs: they are in the loaded programs, in the size of maps and of buffers,
/// or given up for good.
const FIXED: [(&str, Keep); 18] = [
    ("listen", |to, from| to.listen = from.listen),
    ("head_bytes", |to, from| to.head_bytes = from.head_bytes),
    ("event_buffer", |to, from| to.event_buffer = from.event_buffer),
    ("hook", |to, from| to.hook = from.hook),
    ("xdp_mode", |to, from| to.xdp_mode = from.xdp_mode),
    ("order", |to, from| to.order.clone_from(&from.order)),
    ("flows", |to, from| to.flows = from.flows),
    ("decapsulate", |to, from| to.decapsulate.clone_from(&from.decapsulate)),
    ("ignore_vlan", |to, from| to.ignore_vlan = from.ignore_vlan),
    ("security.sandbox", |to, from| to.security.sandbox = from.security.sandbox),
    ("timeouts.tcp_established", |to, from| to.timeouts.tcp_established = from.timeouts.tcp_established),
    ("timeouts.tcp_half_open", |to, from| to.timeouts.tcp_half_open = from.timeouts.tcp_half_open),
    ("timeouts.tcp_closed", |to, from| to.timeouts.tcp_closed = from.timeouts.tcp_closed),
    ("timeouts.udp", |to, from| to.timeouts.udp = from.timeouts.udp),
    ("timeouts.icmp", |to, from| to.timeouts.icmp = from.timeouts.icmp),
    ("timeouts.other", |to, from| to.timeouts.other = from.timeouts.other),
    ("governor.cpu", |to, from| to.governor.cpu = from.governor.cpu),
    ("capacity.windows", |to, from| to.capacity.windows = from.capacity.windows),
];

impl Config {
    /// Keys that are fixed while the daemon runs. The log of a protocol is so where it was off at the start.
    pub fn fixed_keys() -> impl Iterator<Item = String> {
        let switches = Protocols::default();
        let switches: Vec<_> = switches.iter().filter(|protocol| protocol.has_switch()).cloned().collect();
        let switches = switches.into_iter().map(|protocol| format!("{}.enabled", protocol.app().name()));
        FIXED.iter().map(|(key, _)| (*key).to_owned()).chain(switches)
    }

    /// What a daemon that was started with this configuration makes of `new`, and the keys of `new` that would take
    /// a restart.
    #[must_use]
    pub fn renewed(&self, new: &Self) -> (Self, Vec<String>) {
        let mut taken = new.clone();
        for (_, keep) in &FIXED {
            keep(&mut taken, self);
        }
        for (taken, started) in taken.protocols.iter_mut().zip(self.protocols.iter()) {
            taken.enabled = started.enabled;
            // Where nothing is copied, there is nothing to log.
            if !self.follows(started) {
                taken.log.clone_from(&started.log);
            }
        }
        let table = |config| Table::try_from(config).unwrap_or_default();
        let mut kept = keys::differences(&table(new), &table(&taken));
        for started in self.protocols.iter().filter(|started| started.has_switch()) {
            let kind = started.app().name();
            if !self.follows(started) && taken.wants(kind) {
                kept.push(format!("[[sink]] records {kind}"));
            }
        }
        (taken, kept)
    }
}

#[cfg(test)]
mod tests {
    use flow_common::app::App;
    use flowd_protocols::{PROTOCOLS, Switch};

    use super::*;

    /// Every fixed key with another value than its default.
    const OTHER: &str = r#"
listen = "127.0.0.1:1"
head_bytes = 100
event_buffer = "1MiB"
hook = "clsact"
xdp_mode = "generic"
order = "last"
flows = 2048
decapsulate = ["gre"]
ignore_vlan = true
[security]
sandbox = false
[timeouts]
tcp_established = "7s"
tcp_half_open = "7s"
tcp_closed = "7s"
udp = "7s"
icmp = "7s"
other = "7s"
[capacity]
windows = false
[governor]
cpu = "off"
"#;

    #[test]
    fn each_fixed_key_is_the_one_that_is_kept() {
        let switched = PROTOCOLS.iter().filter(|protocol| protocol.switch != Switch::Http);
        let tables = switched.map(|protocol| format!("[{}]\nenabled = true\n", protocol.app.name()));
        let other = Config::parse("f", &format!("{OTHER}{}", tables.collect::<String>())).unwrap();
        for (key, keep) in &FIXED {
            let mut config = Config::default();
            keep(&mut config, &other);
            let table = |config: &Config| Table::try_from(config).unwrap();
            assert_eq!(keys::differences(&table(&config), &table(&Config::default())), [*key]);
        }
        let (taken, mut kept) = Config::default().renewed(&other);
        assert_eq!(taken, Config::default());
        kept.sort();
        let mut all: Vec<String> = Config::fixed_keys().collect();
        all.sort();
        assert_eq!(kept, all);
    }

    #[test]
    fn the_rest_is_taken_over() {
        let text = "flows = 2048\ninterval = \"5s\"\nhttp_log = \"/x\"\n[timeouts]\nactive = \"7s\"\n[zones]\na = [\"10.0.0.0/8\"]\n";
        let new = Config::parse("f", text).unwrap();
        let (taken, kept) = Config::default().renewed(&new);
        assert_eq!(kept, ["flows"]);
        assert_eq!(taken, Config { flows: Config::default().flows, ..new });
    }

    /// Nothing is copied for a log that was off at the start.
    #[test]
    fn logs_of_lookups_change_where_lookups_are_on() {
        let config = |text| Config::parse("f", text).unwrap();
        let (off, on) = (Config::default(), config("[dns]\nlog = \"/a\"\n[tls]\nenabled = true\n"));
        let new = config("[dns]\nlog = \"/b\"\n[tls]\nenabled = true\nlog = \"/c\"\n");
        let sink = config("[[sink]]\nurl = \"file:/a\"\nrecords = [\"dns\", \"flow\"]\n");
        assert_eq!(off.renewed(&sink), (sink.clone(), vec!["[[sink]] records dns".to_owned()]));
        assert_eq!(on.renewed(&sink).1, ["dns.enabled", "tls.enabled"].map(str::to_owned)[1..]);
        assert_eq!(off.renewed(&new).1, ["dns.log", "tls.enabled", "tls.log"]);
        assert_eq!(on.renewed(&new), (new, Vec::new()));
        let (taken, kept) = on.renewed(&off);
        let log = taken.protocols.get(App::Dns).map(|protocol| protocol.log.paths().len());
        assert_eq!((log, kept), (Some(0), vec!["tls.enabled".to_owned()]));
    }
}
