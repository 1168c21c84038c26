//! When a record is over, the same for every table that holds records.

use flow_common::{
    account::idle_timeout,
    record::{Ended, FlowRecord, life},
    settings::Settings,
};

use super::EndReason;

/// Why a record is over at `now` (ns of the packets' clock), or at the end of everything; `None` while it goes on.
#[must_use]
pub fn end_of(record: &FlowRecord, life: u32, now: Option<u64>, settings: &Settings) -> Option<EndReason> {
    let closed = if record.ended == Ended::Fin as u8 {
        Some(EndReason::Fin)
    } else if record.ended == Ended::Rst as u8 {
        Some(EndReason::Rst)
    } else {
        None
    };
    if life == life::DETACHED {
        return Some(closed.unwrap_or(EndReason::Idle));
    }
    let Some(now) = now else { return Some(closed.unwrap_or(EndReason::Shutdown)) };
    let timeout = idle_timeout(record, |field| *field(settings));
    (now.saturating_sub(record.last()) > timeout).then_some(closed.unwrap_or(EndReason::Idle))
}
