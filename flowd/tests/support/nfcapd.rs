//! nfdump's collector, and what it stored.

use std::{
    collections::BTreeMap,
    fs,
    net::UdpSocket,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// A collector that listens; ends with its value.
pub struct Nfcapd {
    child: Child,
    folder: tempfile::TempDir,
}

/// One record as nfdump tells it.
#[derive(Debug)]
pub struct Stored {
    /// As in `6 192.0.2.2 40000 > 198.51.100.2 80`; ICMP has port 0.
    pub between: String,
    pub packets: u64,
    pub octets: u64,
    /// First packet, `YYYY-MM-DD HH:MM:SS.mmm` in local time.
    pub first: String,
    /// Index of the interface by which packets came in, and by which they left.
    pub interfaces: [u32; 2],
}

/// Packets and octets by protocol, addresses and ports.
pub type Sums = BTreeMap<String, [u64; 2]>;

/// What the collector has.
pub fn stored_sums(records: &[Stored]) -> Sums {
    let mut sums = Sums::new();
    for Stored { between, packets, octets, .. } in records {
        add(&mut sums, between.clone(), [*packets, *octets]);
    }
    sums
}

/// The same of flow lines, each direction for itself.
pub fn printed_sums<'a>(flows: impl IntoIterator<Item = &'a Value>) -> Sums {
    let mut sums = Sums::new();
    for flow in flows {
        for (from, to, traffic) in [("client", "server", "sent"), ("server", "client", "received")] {
            let [packets, octets] = ["packets", "ip_bytes"].map(|name| flow[traffic][name].as_u64().unwrap());
            let end = |end: &str| format!("{} {}", flow[end]["address"].as_str().unwrap(), flow[end]["port"]);
            if packets > 0 {
                add(
                    &mut sums,
                    format!("{} {} > {}", flow["protocol"], end(from), end(to)),
                    [packets, octets],
                );
            }
        }
    }
    sums
}

fn add(sums: &mut Sums, between: String, [packets, octets]: [u64; 2]) {
    let sum = sums.entry(between).or_default();
    sum[0] += packets;
    sum[1] += octets;
}

/// A port of 127.0.0.1 that nobody uses just now.
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nfcapd {
    /// Starts `nfcapd`, a command without arguments, on a port of 127.0.0.1. `None` where it is not installed, which
    /// `cargo xtask ci` does not let pass.
    pub fn start(mut nfcapd: Command, port: u16) -> Option<Self> {
        if !Command::new("nfcapd").arg("-V").output().is_ok_and(|output| output.status.success()) {
            println!("SKIPPED: nfcapd is missing: cargo xtask setup installs it");
            assert!(std::env::var_os("FLOWD_REQUIRE_ROOT_TESTS").is_none(), "a skip is a failure here");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let said = fs::File::create(folder.path().join("said")).unwrap();
        fs::create_dir(folder.path().join("flows")).unwrap();
        nfcapd.arg("-w").arg(folder.path().join("flows")).args(["-b", "127.0.0.1", "-p", &port.to_string()]);
        let child = nfcapd.stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap();
        let this = Self { child, folder };
        let (sockets, listens) =
            (format!("/proc/{}/net/udp", this.child.id()), format!(":{port:04X} 00000000:0000 07"));
        let began = Instant::now();
        while !fs::read_to_string(&sockets).is_ok_and(|text| text.contains(&listens)) {
            assert!(began.elapsed() < Duration::from_secs(10), "nfcapd does not listen: {}", this.said());
            thread::sleep(Duration::from_millis(20));
        }
        Some(this)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }

    /// Ends it, so that it writes what it has, and gives back what it stored, and what it said.
    pub fn stop(mut self) -> (Vec<Stored>, String) {
        // What was sent is in its socket; this is the time to read it.
        thread::sleep(Duration::from_millis(500));
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        self.child.wait().unwrap();
        let mut nfdump = Command::new("nfdump");
        let format = "fmt:%pr|%sa|%sp|%da|%dp|%pkt|%byt|%ts|%te|%in|%out";
        nfdump.arg("-R").arg(self.folder.path().join("flows")).args(["-q", "-N", "-6", "-o", format]);
        let output = nfdump.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        (text.lines().filter(|line| line.contains('|')).map(stored).collect(), self.said())
    }
}

fn stored(line: &str) -> Stored {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let number = |at: usize| cells[at].parse::<u64>().unwrap_or_else(|_| panic!("{line}"));
    let protocol = number(0);
    // nfdump has type and code of ICMP in the port.
    let port = |at: usize| if [1, 58].contains(&protocol) { "0".to_owned() } else { cells[at].to_owned() };
    assert!(cells[7] <= cells[8], "it ends before it begins: {line}");
    Stored {
        between: format!("{protocol} {} {} > {} {}", cells[1], port(2), cells[3], port(4)),
        packets: number(5),
        octets: number(6),
        first: cells[7].to_owned(),
        interfaces: [number(9) as u32, number(10) as u32],
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
