//! What a daemon of this configuration needs of the machine; it gives up the rest.

use std::path::Path;

use flowd_kernel::privileges::{Needs, Reach};

use super::{Config, Hook};

impl Config {
    /// What to keep, where this configuration was read from `file`; `None` without a sandbox.
    #[must_use]
    pub fn needs(&self, file: Option<&Path>) -> Option<Needs> {
        let mut reach = Reach::default();
        for sink in self.sinks("").unwrap_or_default() {
            let needed = (sink.scheme.reach)(&sink.url);
            needed.writes.iter().for_each(|path| reach.writes(path));
            if needed.resolves {
                reach.resolves();
            }
        }
        for path in self.web.files().map(|(_, path)| Path::new(path)).chain(file) {
            reach.reads(path);
        }
        reach.listens(self.listen.port());
        let program_names = self.order.is_relative() && self.hook != Hook::Clsact;
        let low_port = self.listen.port() < 1024;
        self.security.sandbox.then_some(Needs { reach, program_names, low_port })
    }
}
