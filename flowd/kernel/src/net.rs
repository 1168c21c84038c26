//! What rtnetlink(7) tells of interfaces and of what is attached to them, and what it is told.

mod changes;
mod datagram;
pub(crate) mod netlink;

pub use self::{changes::Changes, datagram::path_mtu};
