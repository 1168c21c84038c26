//! Services by the port of their server: one table, for the names that people read and for the rule that tells the
//! client from the server.

/// Ports that are known by name wherever one looks, ascending, with IANA's names in everyday spelling.
pub const NAMES: [(u16, &str); 60] = [
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
    (1812, "radius"),
    (1883, "mqtt"),
    (2049, "nfs"),
    (2181, "zookeeper"),
    (2375, "docker"),
    (2379, "etcd"),
    (3128, "squid"),
    (3268, "global-catalog"),
    (3306, "mysql"),
    (3389, "rdp"),
    (4317, "otlp"),
    (4789, "vxlan"),
    (5060, "sip"),
    (5432, "postgresql"),
    (5672, "amqp"),
    (5900, "vnc"),
    (6081, "geneve"),
    (6379, "redis"),
    (6443, "kubernetes"),
    (8000, "http-alt"),
    (8080, "http-alt"),
    (8086, "influxdb"),
    (8443, "https-alt"),
    (8883, "mqtts"),
    (9000, "cslistener"),
    (9042, "cassandra"),
    (9090, "prometheus"),
    (9092, "kafka"),
    (9200, "elasticsearch"),
    (11211, "memcached"),
    (27017, "mongodb"),
];

/// The first port that is known by its name alone: of smaller ones the smaller is the better known.
pub const FIRST_LISTED: u16 = 1024;

/// How many of [`NAMES`] are [`LISTED`].
const COUNT: usize = {
    let (mut count, mut rest) = (0, NAMES.as_slice());
    while let [(port, _), behind @ ..] = rest {
        count += (*port >= FIRST_LISTED) as usize;
        rest = behind;
    }
    count
};

/// The ports of [`NAMES`] from [`FIRST_LISTED`] on.
#[allow(clippy::indexing_slicing, reason = "worked out by the compiler, which would say so")]
pub const LISTED: [u16; COUNT] = {
    let mut listed = [0; COUNT];
    let mut index = 0;
    while index < COUNT {
        listed[index] = NAMES[NAMES.len() - COUNT + index].0;
        index += 1;
    }
    listed
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_ascend_and_have_names() {
        assert!(NAMES.is_sorted_by(|(one, _), (next, _)| one < next));
        assert!(NAMES.iter().all(|(_, name)| !name.is_empty()));
    }

    #[test]
    fn those_beyond_the_first_thousand_are_listed() {
        let beyond: Vec<u16> =
            NAMES.iter().map(|(port, _)| *port).filter(|port| *port >= FIRST_LISTED).collect();
        assert_eq!(beyond, LISTED);
    }
}
