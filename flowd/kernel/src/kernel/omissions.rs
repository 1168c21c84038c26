//! Has the programs leave out what the daemon cannot afford, while they run.

use flow_common::{names, settings::Omissions};

use super::Kernel;
use crate::{KernelError, sys::pod::Plain};

impl Kernel {
    /// Sets what the programs leave out, at every watched interface and at those that come.
    ///
    /// # Errors
    /// The map cannot be read or written.
    pub fn omit(&mut self, omissions: Omissions) -> Result<(), KernelError> {
        self.omissions = omissions;
        let failed = |error| KernelError::map(names::MAP_INTERFACES, &error);
        for place in &self.places {
            let Plain(mut interface) = self.interfaces.get(&place.ifindex, 0).map_err(failed)?;
            interface.omissions = omissions;
            self.interfaces.set(place.ifindex, Plain(interface), 0).map_err(failed)?;
        }
        Ok(())
    }
}
