//! A client, a gateway that forwards, and a server.

use super::namespace::Namespace;

pub const SERVER_V4: &str = "198.51.100.2";
pub const SERVER_V6: &str = "2001:db8:2::2";
pub const CLIENT_V4: &str = "192.0.2.2";
pub const CLIENT_V6: &str = "2001:db8:1::2";

/// The gateway's device towards the client.
pub const LAN: &str = "gw0";
/// The gateway's device towards the server.
pub const WAN: &str = "gw1";

pub struct Router {
    pub client: Namespace,
    pub gateway: Namespace,
    pub server: Namespace,
}

impl Router {
    /// The network, with segmentation offloads on or off everywhere.
    pub fn new(offloads: bool) -> Self {
        let [client, gateway, server] = ["client", "gateway", "server"].map(Namespace::new);
        client.veth("eth0", &gateway, LAN);
        server.veth("eth0", &gateway, WAN);
        client.up("eth0", &["192.0.2.2/24", "2001:db8:1::2/64"]);
        server.up("eth0", &["198.51.100.2/24", "2001:db8:2::2/64"]);
        gateway.up(LAN, &["192.0.2.1/24", "2001:db8:1::1/64"]);
        gateway.up(WAN, &["198.51.100.1/24", "2001:db8:2::1/64"]);
        gateway.sysctl("ipv4/ip_forward", "1");
        gateway.sysctl("ipv6/conf/all/forwarding", "1");
        for (host, net4, net6) in
            [(&client, "192.0.2", "2001:db8:1:"), (&server, "198.51.100", "2001:db8:2:")]
        {
            host.ip(&format!("route add default via {net4}.1"));
            host.ip(&format!("-6 route add default via {net6}:1"));
        }
        let router = Self { client, gateway, server };
        if !offloads {
            for (host, device) in router.devices() {
                host.ethtool(device, "tso off gso off gro off tx-udp-segmentation off");
            }
        }
        router
    }

    /// Every end of every cable.
    pub fn devices(&self) -> [(&Namespace, &'static str); 4] {
        [(&self.client, "eth0"), (&self.gateway, LAN), (&self.gateway, WAN), (&self.server, "eth0")]
    }
}
