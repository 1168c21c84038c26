//! The kernel's own counters of an interface.

use std::{fs, io, path::Path};

/// The kernel's own counters of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
}

/// The kernel's counters of the interface `name`.
///
/// # Errors
/// Fails where the interface has gone.
pub fn statistics(name: &str) -> io::Result<Statistics> {
    let folder = Path::new("/sys/class/net").join(name).join("statistics");
    let number = |file: &str| -> io::Result<u64> {
        let text = fs::read_to_string(folder.join(file))?;
        text.trim().parse().map_err(io::Error::other)
    };
    Ok(Statistics {
        rx_bytes: number("rx_bytes")?,
        rx_packets: number("rx_packets")?,
        tx_bytes: number("tx_bytes")?,
        tx_packets: number("tx_packets")?,
    })
}
