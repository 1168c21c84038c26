//! What a flow's record says of the path that its packets took.

use flow_common::{dissect::transport::protocol::TCP, key::Sender, record::Rtt};
use flowd_protocols::{record::Head, time::micros};

use crate::flow::Snapshot;

/// Fills in round trips and retransmits of `flow`, which is the record's own. Other protocols than TCP have neither
/// round trips nor sequence numbers.
pub(super) fn path(head: &mut Head, flow: &Snapshot) {
    if head.key.protocol() != TCP {
        return;
    }
    let of = |end: Sender| {
        let handshake =
            if end == flow.client { flow.handshake_client_rtt } else { flow.handshake_server_rtt };
        mean(&flow.side(end).rtt).or_else(|| handshake.map(micros))
    };
    head.server_rtt_us = of(head.client_end.other());
    head.client_rtt_us = of(head.client_end);
    head.retransmits = Some(flow.sides.iter().map(|side| side.retransmits).fold(0, u32::saturating_add));
}

/// Mean of the samples in microseconds, to whole nanoseconds.
fn mean(rtt: &Rtt) -> Option<f64> {
    rtt.sum.checked_div(u64::from(rtt.count)).map(micros)
}
