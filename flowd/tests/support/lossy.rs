//! A client, a gateway and a server with a bad line between gateway and server. There is no netem on small
//! kernels, so the line is this process: it carries packets between two TUN devices, loses some, and holds
//! each for a while.

use std::{
    collections::VecDeque,
    fs::File,
    io::{Read as _, Write as _},
    os::fd::AsRawFd as _,
    os::unix::fs::OpenOptionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::{namespace::Namespace, router::LAN};

/// How the line treats packets.
#[derive(Clone, Copy, Default)]
pub struct Line {
    /// Of a thousand data packets towards the server, so many are lost.
    pub lost_per_mille: u64,
    /// How long each packet is held, in each direction.
    pub delay: Duration,
}

/// What one direction of the line did.
#[derive(Default)]
pub struct Tally {
    pub came: AtomicU64,
    pub lost: AtomicU64,
    /// The shortest time that a packet was held, ns; 0 before the first.
    pub least_held: AtomicU64,
}

pub struct Lossy {
    pub client: Namespace,
    pub gateway: Namespace,
    pub server: Namespace,
    pub to_server: Arc<Tally>,
    pub to_client: Arc<Tally>,
    /// How long each packet is held from now on, ns.
    pub delay: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Lossy {
    /// The network, with segmentation offloads on or off between client and gateway. The addresses are those
    /// of [`super::router`].
    pub fn new(offloads: bool, line: Line) -> Self {
        let [client, gateway, server] = ["client", "gateway", "server"].map(Namespace::new);
        client.veth("eth0", &gateway, LAN);
        let (near, far) = (tun(&gateway), tun(&server));
        client.up("eth0", &["192.0.2.2/24"]);
        gateway.up(LAN, &["192.0.2.1/24"]);
        gateway.up("tun0", &["198.51.100.1/24"]);
        server.up("tun0", &["198.51.100.2/24"]);
        gateway.sysctl("ipv4/ip_forward", "1");
        client.ip("route add default via 192.0.2.1");
        server.ip("route add default via 198.51.100.1");
        for host in [&gateway, &server] {
            // So that only this line loses packets.
            host.ip("link set tun0 txqueuelen 20000");
        }
        if !offloads {
            for (host, device) in [(&client, "eth0"), (&gateway, LAN)] {
                host.ethtool(device, "tso off gso off gro off tx-udp-segmentation off");
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (to_server, to_client) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
        let back = Line { lost_per_mille: 0, ..line };
        let delay = Arc::new(AtomicU64::new(line.delay.as_nanos() as u64));
        let directions = [
            (near.try_clone().unwrap(), far.try_clone().unwrap(), line, Arc::clone(&to_server)),
            (far, near, back, Arc::clone(&to_client)),
        ];
        let carry = |(from, to, line, tally): (File, File, Line, Arc<Tally>)| {
            let (stop, delay) = (Arc::clone(&stop), Arc::clone(&delay));
            std::thread::spawn(move || carry(&from, &to, line, &delay, &tally, &stop))
        };
        let threads = directions.map(carry).into();
        Self { client, gateway, server, to_server, to_client, delay, stop, threads }
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A TUN device of whole IP packets, without offloads, which the kernel therefore cuts super-packets for.
fn tun(namespace: &Namespace) -> File {
    const SET_INTERFACE: libc::c_ulong = 0x4004_54ca;
    const TUN_WITHOUT_HEADER: u16 = 0x1001;
    namespace.enter(|| {
        let mut options = File::options();
        options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
        let file = options.open("/dev/net/tun").unwrap();
        // struct ifreq: 16 bytes of name, then the flags.
        let mut request = [0_u8; 40];
        request[..4].copy_from_slice(b"tun0");
        request[16..18].copy_from_slice(&TUN_WITHOUT_HEADER.to_ne_bytes());
        // SAFETY: the request has the size that the kernel reads, and lives through the call.
        let made = unsafe { libc::ioctl(file.as_raw_fd(), SET_INTERFACE, request.as_mut_ptr()) };
        assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        file
    })
}

/// Carries packets one way until told to stop.
fn carry(mut from: &File, mut to: &File, line: Line, delay: &AtomicU64, tally: &Tally, stop: &AtomicBool) {
    // Sleeping ends this much early, and the rest is spent looking, as timers are late by some of it.
    const SPIN: Duration = Duration::from_micros(200);
    // Packets up to this length are acknowledgements and the like.
    const CONTROL: usize = 200;
    ahead_of_others();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut held: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut buffer = vec![0; 65_536];
    while !stop.load(Relaxed) {
        let delay = Duration::from_nanos(delay.load(Relaxed));
        while let Ok(len) = from.read(&mut buffer) {
            tally.came.fetch_add(1, Relaxed);
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if len > CONTROL && random % 1_000 < line.lost_per_mille {
                tally.lost.fetch_add(1, Relaxed);
            } else {
                held.push_back((Instant::now(), buffer[..len].to_vec()));
            }
        }
        // All are held equally long, so that the first is always the first due.
        while let Some((came, packet)) = held.pop_front_if(|(came, _)| came.elapsed() >= delay) {
            to.write_all(&packet).unwrap();
            let (held, least) = (came.elapsed().as_nanos() as u64, tally.least_held.load(Relaxed));
            tally.least_held.store(if least == 0 { held } else { least.min(held) }, Relaxed);
        }
        let due = held.front().map(|(came, _)| delay.saturating_sub(came.elapsed()));
        let sleep = due.unwrap_or(Duration::from_millis(50)).saturating_sub(SPIN);
        if !sleep.is_zero() {
            wait(from, sleep);
        }
    }
}

/// Sleeps until there is something to read, or for so long.
fn wait(file: &File, limit: Duration) {
    let mut look = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let limit = libc::timespec { tv_sec: 0, tv_nsec: limit.subsec_nanos().into() };
    // SAFETY: one structure and one time that live through the call, and no signal mask.
    unsafe { libc::ppoll(&raw mut look, 1, &raw const limit, std::ptr::null()) };
}

/// On a busy machine the line must not wait for its turn; where that is refused, it does.
pub fn ahead_of_others() {
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: the structure lives through the call; thread 0 is this one.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const priority) };
}
