//! The large capture: packets of small real ones again and again, with other addresses each time; or made up.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use flowd::capture::Capture;

const LINKTYPE_ETHERNET: u32 = 1;
const SNAP_LEN: u32 = 262_144;
/// Copies of the flows before they repeat.
const ROUNDS: u8 = 16;
/// Between two packets, ns: 50,000 packets a second.
const STEP: u64 = 20_000;
const START: u64 = 1_700_000_000_000_000_000;

/// What was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Of real packets, or of made ones.
    pub(crate) real: bool,
}

/// Writes a classic pcap file of at least `size` bytes.
pub(crate) fn write(path: &Path, cases: Option<&Path>, size: u64) -> Result<Written> {
    let mut packets = cases.map(load).transpose()?.unwrap_or_default();
    let real = !packets.is_empty();
    if !real {
        packets = made();
    }
    let mut file = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
    // Nanosecond pcap of this machine's byte order, version 2.4 (draft-ietf-opsawg-pcap, section 4).
    file.write_all(&0xa1b2_3c4d_u32.to_ne_bytes())?;
    file.write_all(&2_u16.to_ne_bytes())?;
    file.write_all(&4_u16.to_ne_bytes())?;
    for word in [0, 0, SNAP_LEN, LINKTYPE_ETHERNET] {
        file.write_all(&word.to_ne_bytes())?;
    }
    let mut written = Written { packets: 0, bytes: 24, real };
    let mut round = 0;
    while written.bytes < size {
        for (length, packet) in &mut packets {
            let time = START + written.packets * STEP;
            let head = [time / 1_000_000_000, time % 1_000_000_000, packet.len() as u64, u64::from(*length)];
            for word in head {
                file.write_all(&(word as u32).to_ne_bytes())?;
            }
            let before = turn(packet, round);
            file.write_all(packet)?;
            restore(packet, before);
            written.packets += 1;
            written.bytes += 16 + packet.len() as u64;
            if written.bytes >= size {
                break;
            }
        }
        round = (round + 1) % ROUNDS;
    }
    file.flush()?;
    Ok(written)
}

/// Length on the wire and captured bytes.
type Packets = Vec<(u32, Vec<u8>)>;

/// Every Ethernet packet of the captures in a folder.
fn load(folder: &Path) -> Result<Packets> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| ["pcap", "pcapng", "cap"].iter().any(|known| extension == *known))
    });
    paths.sort();
    let mut packets = Vec::new();
    for path in &paths {
        // What is damaged gives what is complete.
        let Ok(mut capture) = Capture::open(File::open(path)?, path.display().to_string()) else { continue };
        while let Ok(Some(packet)) = capture.next_packet() {
            if packet.link == LINKTYPE_ETHERNET && packet.data.len() <= SNAP_LEN as usize {
                packets.push((packet.original_len, packet.data.to_vec()));
            }
        }
    }
    ensure!(!packets.is_empty(), "{} has no capture of Ethernet", folder.display());
    Ok(packets)
}

/// 8,192 TCP connections of ten packets, their packets mixed.
fn made() -> Packets {
    let mut packets = Packets::new();
    for number in 0..10_u32 {
        for connection in 0..8_192_u32 {
            let (answers, payload) = (number % 2 == 1, if number < 2 { 0 } else { 300 });
            let flags = match number {
                0 => 0x02,
                1 => 0x12,
                _ => 0x18,
            };
            let client = (0x0a00_0000 | connection).to_be_bytes();
            let server = [198, 51, 100, 7];
            let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
            packet.extend((40 + payload as u16).to_be_bytes());
            packet.extend([0, 1, 0, 0, 64, 6, 0, 0]);
            packet.extend(if answers { [server, client].concat() } else { [client, server].concat() });
            let ports: [u16; 2] = if answers { [443, 40_000] } else { [40_000, 443] };
            packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
            let sequence = 1 + number / 2 * 300;
            packet.extend(sequence.to_be_bytes());
            packet.extend(sequence.to_be_bytes());
            packet.extend([0x50, flags, 4, 0, 0, 0, 0, 0]);
            packet.resize(packet.len() + payload, 0x55);
            packets.push((packet.len() as u32, packet));
        }
    }
    packets
}

const IPV4: [u8; 2] = [8, 0];
const FIRST_BYTES: [usize; 2] = [26, 30];

/// Adds `round` to the first byte of both addresses of an IPv4 packet; gives them as they were.
fn turn(packet: &mut [u8], round: u8) -> Option<[u8; 2]> {
    if packet.get(12..14) != Some(&IPV4) || packet.len() <= 34 {
        return None;
    }
    let before = FIRST_BYTES.map(|at| packet.get(at).copied().unwrap_or(0));
    restore(packet, Some(before.map(|byte| byte.wrapping_add(round))));
    Some(before)
}

fn restore(packet: &mut [u8], before: Option<[u8; 2]>) {
    for (at, byte) in FIRST_BYTES.into_iter().zip(before.into_iter().flatten()) {
        if let Some(place) = packet.get_mut(at) {
            *place = byte;
        }
    }
}
