//! What is linted: a package's files, and the folders around them.

use std::path::PathBuf;

use crate::dist::layout::File;

/// What the linters work on.
pub(super) struct Subject {
    /// The target folder.
    pub(super) target: PathBuf,
    /// Built without optimisation: it is asked for its manual, checks configurations and logs.
    pub(super) flowd: PathBuf,
    /// What a package holds.
    pub(super) files: Vec<File>,
    /// The same below a folder that stands for the target's root.
    pub(super) tree: PathBuf,
    /// For what is made here.
    pub(super) work: PathBuf,
}
