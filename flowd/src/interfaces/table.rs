//! `flowd interfaces`: what there is, and what would be watched.

use super::interface::{ARPHRD_ETHER, ARPHRD_LOOPBACK, Interface};
use crate::screen::harmless;

/// A table of `all`, with a mark at those in `watched`.
#[must_use]
pub fn table(all: &[Interface], watched: &[Interface]) -> String {
    let head = ["WATCHED", "NAME", "INDEX", "STATE", "LINK", "MTU", "SPEED", "ADDRESS", "DEFAULT ROUTE"];
    let mut rows = vec![head.map(str::to_owned)];
    for interface in all {
        let is_watched = watched.iter().any(|other| other.ifindex == interface.ifindex);
        let mark = |yes: bool| if yes { "yes" } else { "-" }.to_owned();
        rows.push([
            mark(is_watched),
            harmless(&interface.name),
            interface.ifindex.to_string(),
            interface.state.clone(),
            link(interface).to_owned(),
            interface.mtu.to_string(),
            interface.speed.map_or_else(|| "-".to_owned(), |speed| format!("{} Mbit/s", speed / 125_000)),
            Some(interface.mac.clone()).filter(|mac| !mac.is_empty()).unwrap_or_else(|| "-".to_owned()),
            mark(interface.default_route),
        ]);
    }
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

const fn link(interface: &Interface) -> &'static str {
    match interface.kind {
        ARPHRD_LOOPBACK => "loopback",
        ARPHRD_ETHER => "ethernet",
        _ => "raw",
    }
}
