//! iperf3 on both ends.

use std::process::Stdio;

use super::{
    namespace::Namespace,
    process::{Process, attempt},
    until,
};

pub struct Iperf {
    _process: Process,
}

impl Iperf {
    /// A server, and waits until it listens.
    pub fn start(namespace: &Namespace) -> Self {
        let mut server = namespace.command("iperf3");
        let process = Process::start(server.arg("-s").stdout(Stdio::null()));
        until("iperf3", 10, || namespace.run("ss -Hltn sport = 5201").contains("5201").then_some(()));
        Self { _process: process }
    }

    /// A second of traffic. The server is busy for a moment after the round before.
    pub fn second(&self, client: &Namespace, server: &str, more: &[&str]) {
        until("a round of iperf3", 20, || {
            let mut command = client.command("iperf3");
            command.args(["-c", server, "-t", "1"]).args(more);
            attempt(&mut command).status.success().then_some(())
        });
    }
}
