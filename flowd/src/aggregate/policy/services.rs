//! Names of services by the port of their server.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use flow_common::ports;

/// Service names by port.
#[derive(Clone, Debug)]
pub(super) struct Services {
    names: HashMap<u16, Arc<str>>,
    /// The port that stands for all of a service.
    ports: HashMap<Arc<str>, u16>,
}

impl Services {
    /// The well-known names, and over them those in `named`.
    pub(super) fn new(named: &BTreeMap<String, Vec<u16>>) -> Self {
        let known = ports::NAMES.iter().map(|(port, name)| (*port, Arc::from(*name)));
        let mut names: HashMap<u16, Arc<str>> = known.collect();
        for (name, ports) in named {
            let name: Arc<str> = Arc::from(name.as_str());
            names.extend(ports.iter().map(|port| (*port, Arc::clone(&name))));
        }
        let mut ports: HashMap<Arc<str>, u16> = HashMap::new();
        for (port, name) in &names {
            let lowest = ports.entry(Arc::clone(name)).or_insert(*port);
            *lowest = (*lowest).min(*port);
        }
        Self { names, ports }
    }

    /// The name of the service at `port`.
    pub(super) fn name(&self, port: u16) -> Option<&Arc<str>> {
        self.names.get(&port)
    }

    /// The port that stands for all ports of the service at `port`.
    pub(super) fn port(&self, port: u16) -> Option<u16> {
        self.ports.get(self.name(port)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_configuration_win_and_one_port_stands_for_all() {
        let named = BTreeMap::from([("billing".to_owned(), vec![8_443, 443])]);
        let services = Services::new(&named);
        assert_eq!(services.name(443).map(|name| &**name), Some("billing"));
        assert_eq!(services.port(8_443), Some(443));
        assert_eq!(services.name(22).map(|name| &**name), Some("ssh"));
        assert_eq!((services.name(1), services.port(1)), (None, None));
    }
}
