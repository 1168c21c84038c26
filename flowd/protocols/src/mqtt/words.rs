//! What a client may ask.

/// Every operation: control packets that a client sends of its own accord (MQTT 5.0 section 2.1.2).
pub(super) const OPERATIONS: &[&str] =
    &["CONNECT", "DISCONNECT", "PINGREQ", "PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE"];
