//! What sinks get: a flow, or what an application said.

use std::sync::Arc;

use flowd_protocols::{AppRecord, http::HttpExchange};
use serde::Serialize;

use crate::flow::Flow;

/// One record, in its typed form: each sink writes it in its own, in its own thread. Shared, as several may want it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Record {
    Flow(Arc<Flow>),
    App(Arc<dyn AppRecord>),
}

impl Record {
    /// What sinks choose by: `flow`, or the name of the protocol.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Flow(_) => "flow",
            Self::App(record) => record.app().name(),
        }
    }

    /// What an application said, where it is that.
    #[must_use]
    pub fn app(&self) -> Option<&dyn AppRecord> {
        match self {
            Self::Flow(_) => None,
            Self::App(record) => Some(record.as_ref()),
        }
    }

    /// The record as an HTTP exchange, where it is one.
    #[must_use]
    pub fn http(&self) -> Option<&HttpExchange> {
        self.app()?.get()
    }
}

impl From<Flow> for Record {
    fn from(flow: Flow) -> Self {
        Self::Flow(Arc::new(flow))
    }
}

impl From<Box<dyn AppRecord>> for Record {
    fn from(record: Box<dyn AppRecord>) -> Self {
        Self::App(record.into())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::fmt::{self, Debug, Formatter};

    use flow_common::{
        app::App,
        key::{FlowKey, Sender},
    };
    use flowd_protocols::record::Head;

    use super::*;

    struct Text<T> {
        head: Head,
        text: T,
    }

    impl<T> Debug for Text<T> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str("Text")
        }
    }

    impl<T: Serialize> Serialize for Text<T> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.text.serialize(serializer)
        }
    }

    impl<T: Serialize + Send + Sync + 'static> AppRecord for Text<T> {
        fn app(&self) -> App {
            App::Http
        }

        fn head(&self) -> &Head {
            &self.head
        }

        fn head_mut(&mut self) -> &mut Head {
            &mut self.head
        }
    }

    /// A record of the kind `http` that is `text` in JSON.
    pub(crate) fn record<T: Serialize + Send + Sync + 'static>(text: T) -> Record {
        let head = Head::new(FlowKey::EMPTY, 0, Sender::A, 0);
        Record::App(Arc::new(Text { head, text }))
    }
}
