//! What the daemon does not give up.

use super::files::Reach;

/// What the daemon does not give up.
#[derive(Debug, Default)]
pub struct Needs {
    pub reach: Reach,
    /// It looks up the names of other owners' programs, for which the kernel asks for SYS_ADMIN.
    pub program_names: bool,
    /// It listens on a port below 1024.
    pub low_port: bool,
}
