//! Replays the corpus of a fuzz target in the package that includes this, so that what was found once stays
//! found.

use std::{fs, path::Path};

pub(crate) fn replay(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        run(&fs::read(entry.path()).unwrap_or_default());
        inputs += 1;
    }
    assert!(inputs > 0, "no corpus in {}", folder.display());
}
