//! What a daemon of this configuration needs of the machine; it gives up the rest.

use std::path::Path;

use flowd_kernel::privileges::{Needs, Reach};

use super::{Config, Hook};

impl Config {
    /// What to keep, where this configuration was read from `file`; `None` without a sandbox.
    #[must_use]
    pub fn needs(&self, file: Option<&Path>) -> Option<Needs> {
        let mut reach = Reach::default();
        for path in self.logs().iter().flat_map(|(_, log)| log.paths()).filter(|path| *path != "-") {
            reach.writes(Path::new(path));
        }
        for path in self.web.files().map(|(_, path)| Path::new(path)).chain(file) {
            reach.reads(path);
        }
        let program_names = self.order.is_relative() && self.hook != Hook::Clsact;
        let low_port = self.listen.port() < 1024;
        self.security.sandbox.then_some(Needs { reach, program_names, low_port })
    }
}
