//! What of flowd outlives it when it is killed: filters of the clsact qdisc, and the qdisc where flowd made it.
//! Links of TCX go with the process.

use std::io;

use aya::programs::tc::TcHandle;
use flow_common::names;

use super::claim::{self, Claim};
use crate::{
    KernelError,
    net::netlink::{self, Filter},
};

/// By this handle, together with the program's name, flowd's filters are known.
const HANDLE: u32 = 0x00f1_0d00;
/// In the handle: flowd made the qdisc as well. It stands there, as the kernel keeps nothing about the qdisc
/// itself by which a later flowd could tell.
const MADE_QDISC: u32 = 1;

const PROGRAMS: [&str; 6] = [
    names::PROGRAM_INGRESS,
    names::PROGRAM_EGRESS,
    names::PROGRAM_INGRESS_TUNNELS,
    names::PROGRAM_EGRESS_TUNNELS,
    names::PROGRAM_EMPTY,
    names::PROGRAM_PLAIN,
];

/// Handle of filters in a qdisc that flowd made, or found.
pub(crate) fn handle(made_qdisc: bool) -> TcHandle {
    (HANDLE | if made_qdisc { MADE_QDISC } else { 0 }).into()
}

fn is_ours(filter: &Filter) -> bool {
    let named = filter.program.as_deref().is_some_and(|program| PROGRAMS.contains(&program));
    named && filter.handle & !MADE_QDISC == HANDLE
}

/// How many filters of flowd's an interface has.
pub(crate) fn count(ifindex: u32) -> io::Result<usize> {
    Ok(netlink::filters(ifindex)?.iter().filter(|filter| is_ours(filter)).count())
}

/// What [`remove`] found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub filters: usize,
    /// The qdisc was flowd's and empty, and has gone, too.
    pub qdisc: bool,
    /// The qdisc was flowd's, and others use it by now.
    pub shared: bool,
}

/// Removes flowd's own filters of an interface, and the qdisc if flowd had made it and nobody else uses it.
pub(crate) fn remove(ifindex: u32) -> io::Result<Removed> {
    let mut removed = Removed::default();
    let mut made = false;
    for filter in netlink::filters(ifindex)?.iter().filter(|filter| is_ours(filter)) {
        netlink::remove_filter(ifindex, filter)?;
        removed.filters += 1;
        made |= filter.handle & MADE_QDISC != 0;
    }
    if made {
        removed.qdisc = remove_empty(ifindex)?;
        removed.shared = !removed.qdisc;
    }
    Ok(removed)
}

/// Removes the clsact qdisc if it has no filter; says whether it did.
pub(crate) fn remove_empty(ifindex: u32) -> io::Result<bool> {
    if !netlink::filters(ifindex)?.is_empty() {
        return Ok(false);
    }
    netlink::remove_clsact(ifindex)?;
    Ok(true)
}

/// What `flowd clean` did to an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleaned {
    /// There was nothing of flowd's.
    Nothing,
    /// A flowd is at work there: nothing was touched.
    InUse(String),
    /// So many filters are gone, and perhaps the qdisc.
    Removed { filters: usize, qdisc: bool },
}

/// Removes the filters of this process from an interface, where it watches it: for a process that is about to end
/// without the [`crate::Kernel`] that attached them.
///
/// # Errors
/// The privilege is missing.
pub fn abandon(interface: &str, ifindex: u32) -> Result<(), KernelError> {
    if claim::is_own(ifindex) {
        remove(ifindex).map_err(|error| KernelError::leftovers(interface, &error))?;
    }
    Ok(())
}

/// Removes what a killed flowd has left on an interface, and nothing else.
///
/// # Errors
/// The privilege is missing, or the interface has gone.
pub fn clean(interface: &str, ifindex: u32) -> Result<Cleaned, KernelError> {
    let _claim = match Claim::take(interface, ifindex) {
        Ok(claim) => claim,
        Err(KernelError::InUse { holder, .. }) => return Ok(Cleaned::InUse(holder)),
        Err(error) => return Err(error),
    };
    let removed = remove(ifindex).map_err(|error| KernelError::leftovers(interface, &error))?;
    Ok(match removed {
        Removed { filters: 0, .. } => Cleaned::Nothing,
        Removed { filters, qdisc, .. } => Cleaned::Removed { filters, qdisc },
    })
}
