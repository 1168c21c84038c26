//! Names of services by the port of their server.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Ports that are known by name wherever one looks, IANA's names in everyday spelling.
const WELL_KNOWN: [(u16, &str); 47] = [
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (53, "dns"),
    (67, "dhcp"),
    (80, "http"),
    (88, "kerberos"),
    (110, "pop3"),
    (123, "ntp"),
    (143, "imap"),
    (161, "snmp"),
    (179, "bgp"),
    (389, "ldap"),
    (443, "https"),
    (445, "smb"),
    (465, "smtps"),
    (514, "syslog"),
    (554, "rtsp"),
    (587, "submission"),
    (631, "ipp"),
    (636, "ldaps"),
    (853, "dns-tls"),
    (873, "rsync"),
    (993, "imaps"),
    (995, "pop3s"),
    (1194, "openvpn"),
    (1433, "mssql"),
    (1521, "oracle"),
    (1883, "mqtt"),
    (2049, "nfs"),
    (2379, "etcd"),
    (3306, "mysql"),
    (3389, "rdp"),
    (4317, "otlp"),
    (5060, "sip"),
    (5432, "postgresql"),
    (5672, "amqp"),
    (6379, "redis"),
    (6443, "kubernetes"),
    (8080, "http-alt"),
    (8883, "mqtts"),
    (9042, "cassandra"),
    (9092, "kafka"),
    (9200, "elasticsearch"),
    (11211, "memcached"),
    (27017, "mongodb"),
];

/// Service names by port.
#[derive(Clone, Debug)]
pub(super) struct Services {
    names: HashMap<u16, Arc<str>>,
    /// The port that stands for all of a service.
    ports: HashMap<Arc<str>, u16>,
}

impl Services {
    /// The well-known names, and over them those in `named`.
    pub(super) fn new(named: &BTreeMap<String, Vec<u16>>) -> Self {
        let known = WELL_KNOWN.iter().map(|(port, name)| (*port, Arc::from(*name)));
        let mut names: HashMap<u16, Arc<str>> = known.collect();
        for (name, ports) in named {
            let name: Arc<str> = Arc::from(name.as_str());
            names.extend(ports.iter().map(|port| (*port, Arc::clone(&name))));
        }
        let mut ports: HashMap<Arc<str>, u16> = HashMap::new();
        for (port, name) in &names {
            let lowest = ports.entry(Arc::clone(name)).or_insert(*port);
            *lowest = (*lowest).min(*port);
        }
        Self { names, ports }
    }

    /// The name of the service at `port`.
    pub(super) fn name(&self, port: u16) -> Option<&Arc<str>> {
        self.names.get(&port)
    }

    /// The port that stands for all ports of the service at `port`.
    pub(super) fn port(&self, port: u16) -> Option<u16> {
        self.ports.get(self.name(port)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_configuration_win_and_one_port_stands_for_all() {
        let named = BTreeMap::from([("billing".to_owned(), vec![8_443, 443])]);
        let services = Services::new(&named);
        assert_eq!(services.name(443).map(|name| &**name), Some("billing"));
        assert_eq!(services.port(8_443), Some(443));
        assert_eq!(services.name(22).map(|name| &**name), Some("ssh"));
        assert_eq!((services.name(1), services.port(1)), (None, None));
    }
}
