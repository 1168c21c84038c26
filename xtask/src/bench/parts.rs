//! What the bench consists of.

/// Parts by their letters, as `--part` takes them.
pub(super) const PARTS: [(char, &str); 7] = [
    ('a', "the programs, packet by packet (BPF_PROG_TEST_RUN)"),
    ('b', "live traffic between two namespaces"),
    ('c', "one reading of the flow table"),
    ('d', "the daemon at 100,000 packets a second"),
    ('e', "/metrics"),
    ('f', "`flowd read` of a large capture"),
    ('g', "size and start"),
];
