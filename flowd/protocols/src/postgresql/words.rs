//! Operations that are label values.

/// The login.
pub(super) const STARTUP: &str = "STARTUP";

/// An Execute of a statement whose Parse was not seen.
pub(super) const EXECUTE: &str = "EXECUTE";

/// A statement of which too little was seen.
pub(super) const QUERY: &str = "QUERY";

/// The manual's "SQL Commands" and "Streaming Replication Protocol", and what is none of them.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[&str] = &[
    "ABORT", "ALTER", "ALTER_REPLICATION_SLOT", "ANALYZE", "BASE_BACKUP", "BEGIN", "CALL", "CHECKPOINT", "CLOSE",
    "CLUSTER", "COMMENT", "COMMIT", "COPY", "CREATE", "CREATE_REPLICATION_SLOT", "DEALLOCATE", "DECLARE", "DELETE",
    "DISCARD", "DO", "DROP", "DROP_REPLICATION_SLOT", "EMPTY", "END", "EXECUTE", "EXPLAIN", "FETCH", "GRANT",
    "IDENTIFY_SYSTEM", "IMPORT", "INSERT", "LISTEN", "LOAD", "LOCK", "MERGE", "MOVE", "NOTIFY", "PREPARE", "QUERY",
    "READ_REPLICATION_SLOT", "REASSIGN", "REFRESH", "REINDEX", "RELEASE", "RESET", "REVOKE", "ROLLBACK", "SAVEPOINT",
    "SECURITY", "SELECT", "SET", "SHOW", "START", "START_REPLICATION", "STARTUP", "TABLE", "TIMELINE_HISTORY",
    "TRUNCATE", "UNLISTEN", "UPDATE", "UPLOAD_MANIFEST", "VACUUM", "VALUES", "WITH",
];
