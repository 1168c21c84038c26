//! Why nothing can be watched.

use std::{io, path::PathBuf};

use flow_common::names::MAX_IFINDEX;

/// No interfaces to watch, or none that can be.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    /// /sys or /proc cannot be read.
    #[error("cannot read {}: {source}; flowd needs /proc and /sys mounted", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("interface pattern \"{pattern}\" is not valid: {reason}; write as in \"eth*\"")]
    Pattern { pattern: String, reason: String },
    #[error("no interface matches \"{pattern}\"; there are: {existing}")]
    NoMatch { pattern: String, existing: String },
    #[error("every interface that is asked for is left out by {excludes}; there are: {existing}")]
    Excluded { excludes: String, existing: String },
    #[error("no interface holds a default route; name one with -i, there are: {existing}")]
    NoDefault { existing: String },
    #[error(
        "interface {name} has index {ifindex}, flowd can watch indices below {MAX_IFINDEX}; make it anew"
    )]
    IndexTooLarge { name: String, ifindex: u32 },
}
