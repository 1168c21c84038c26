//! The words of operations.

/// Commands of the text protocol, and names of the binary one's opcodes.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[&str] = &[
    "add", "addq", "append", "appendq", "cache_memlimit", "cas", "decr", "decrement", "decrementq", "delete", "deleteq",
    "flush", "flush_all", "flushq", "gat", "gatk", "gatkq", "gatq", "gats", "get", "getk", "getkq", "getq", "gets", "incr",
    "increment", "incrementq", "lru", "lru_crawler", "ma", "md", "me", "mg", "mn", "ms", "noop", "prepend", "prependq",
    "quit", "quitq", "replace", "replaceq", "sasl_auth", "sasl_list_mechs", "sasl_step", "set", "setq", "shutdown", "slabs",
    "stat", "stats", "touch", "verbosity", "version", "watch",
];

/// The binary protocol's opcodes in their order from 0; empty where there is none.
pub(super) const OPCODES: [&str; 0x25] = [
    "get",
    "set",
    "add",
    "replace",
    "delete",
    "increment",
    "decrement",
    "quit",
    "flush",
    "getq",
    "noop",
    "version",
    "getk",
    "getkq",
    "append",
    "prepend",
    "stat",
    "setq",
    "addq",
    "replaceq",
    "deleteq",
    "incrementq",
    "decrementq",
    "quitq",
    "flushq",
    "appendq",
    "prependq",
    "verbosity",
    "touch",
    "gat",
    "gatq",
    "",
    "sasl_list_mechs",
    "sasl_auth",
    "sasl_step",
    "gatk",
    "gatkq",
];
