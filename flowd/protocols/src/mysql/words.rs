//! Operations that are label values, and the commands by their numbers.

/// The first command of a connection.
pub(super) const LOGIN: &str = "LOGIN";

/// An execution of a statement whose prepare was not seen.
pub(super) const EXECUTE: &str = "EXECUTE";

/// A statement of which too little was seen.
pub(super) const QUERY: &str = "QUERY";

/// First words of statements (the manuals' "SQL Statements"), and commands without their `COM_`.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[&str] = &[
    "ALTER", "ANALYZE", "BACKUP", "BEGIN", "BINLOG", "BINLOG_DUMP", "BINLOG_DUMP_GTID", "CACHE", "CALL", "CHANGE",
    "CHANGE_USER", "CHECK", "CHECKSUM", "CLONE", "COMMIT", "CONNECT", "CONNECT_OUT", "CREATE", "CREATE_DB", "DAEMON",
    "DEALLOCATE", "DEBUG", "DELAYED_INSERT", "DELETE", "DESC", "DESCRIBE", "DO", "DROP", "DROP_DB", "EMPTY", "EXECUTE",
    "EXPLAIN", "FIELD_LIST", "FLUSH", "GET", "GRANT", "HANDLER", "HELP", "IMPORT", "INIT_DB", "INSERT", "INSTALL",
    "KILL", "LOAD", "LOCK", "LOGIN", "OPTIMIZE", "PING", "PREPARE", "PROCESS_INFO", "PROCESS_KILL", "PURGE", "QUERY", "QUIT",
    "REFRESH", "REGISTER_SLAVE", "RELEASE", "RENAME", "REPAIR", "REPLACE", "RESET", "RESET_CONNECTION", "RESIGNAL",
    "RESTART", "REVOKE", "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "SET_OPTION", "SHOW", "SHUTDOWN", "SIGNAL", "SLEEP",
    "START", "STATISTICS", "STMT_CLOSE", "STMT_FETCH", "STMT_PREPARE", "STMT_RESET", "STMT_SEND_LONG_DATA", "STOP",
    "TABLE", "TABLE_DUMP", "TIME", "TRUNCATE", "UNINSTALL", "UNLOCK", "UPDATE", "USE", "VALUES", "WITH", "XA",
];

/// The commands by their number, from 0; nothing where the operation is a statement's word.
#[rustfmt::skip]
const COMMANDS: [&str; 33] = [
    "SLEEP", "QUIT", "INIT_DB", "", "FIELD_LIST", "CREATE_DB", "DROP_DB", "REFRESH", "SHUTDOWN", "STATISTICS",
    "PROCESS_INFO", "CONNECT", "PROCESS_KILL", "DEBUG", "PING", "TIME", "DELAYED_INSERT", "CHANGE_USER", "BINLOG_DUMP",
    "TABLE_DUMP", "CONNECT_OUT", "REGISTER_SLAVE", "STMT_PREPARE", "", "STMT_SEND_LONG_DATA", "STMT_CLOSE",
    "STMT_RESET", "SET_OPTION", "STMT_FETCH", "DAEMON", "BINLOG_DUMP_GTID", "RESET_CONNECTION", "CLONE",
];

/// The operation of a command that is no statement.
pub(super) fn command(number: u8) -> &'static str {
    COMMANDS.get(usize::from(number)).copied().unwrap_or_default()
}
