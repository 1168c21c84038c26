//! What the tests of all peers share.

use std::{
    io::Write as _,
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    daemon::{Daemon, Ended},
    namespace::Namespace,
    process::{Process, run},
    router::SERVER_V4,
    until,
};

/// A port that no table of services knows.
pub const PORT: &str = "7001";

/// A server that is ready, with the folder of its files.
pub struct Peer {
    pub folder: TempDir,
    _process: Process,
}

impl Peer {
    /// Starts a program and waits until it listens at [`PORT`].
    pub fn start(namespace: &Namespace, folder: TempDir, command: &mut Command) -> Self {
        let process =
            Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        until("the server listens", 20, || {
            namespace.enter(|| TcpStream::connect(format!("127.0.0.1:{PORT}")).ok())
        });
        Self { folder, _process: process }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder that belongs to nobody, as whom servers run that refuse to run as root.
pub fn nobodys_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(Command::new("chown").arg("nobody").arg(folder.path()));
    folder
}

/// A program as nobody, with the groups of nobody.
pub fn as_nobody(namespace: &Namespace, program: &str) -> Command {
    let mut command = namespace.command("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", program]);
    command
}

/// A client program, run to its end: what it printed.
pub fn ask(namespace: &Namespace, program: &str, words: &str, more: &[&str]) -> String {
    let mut command = namespace.command(program);
    let words = words.replace("SERVER", SERVER_V4).replace("PORT", PORT);
    run(command.args(words.split_whitespace()).args(more).stdin(Stdio::null()).stderr(Stdio::null()))
}

/// A client program with these lines as its input, run to its end; some of what it asks for may fail.
pub fn feed(command: &mut Command, text: &str) {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut client = command.spawn().unwrap();
    client.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    client.wait().unwrap();
}

/// Waits until nothing is under way any more, and ends flowd.
pub fn told(daemon: Daemon<'_>, client: &Namespace) -> Ended {
    client.quiet("eth0");
    let lost = daemon.metric("flowd_events_lost_total", &[]);
    let given_up = daemon.metric("flowd_protocol_given_up_total", &[]);
    println!("copies lost: {lost}, given up: {given_up}");
    daemon.stop()
}

/// The lines of an operation.
pub fn of<'a>(lines: &'a [Value], operation: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["operation"] == operation).collect()
}

/// As many lines as the server counted, each with its response.
pub fn assert_all(lines: &[Value], operation: &str, counted: usize) {
    let lines = of(lines, operation);
    let whole = lines.iter().filter(|line| line["outcome"] == "complete").count();
    println!("{operation}: the server counts {counted}, flowd has {} lines, {whole} complete", lines.len());
    assert_eq!((lines.len(), whole), (counted, counted), "{operation}");
}

/// Operation and code of what failed, in order.
pub fn errors(lines: &[Value]) -> Vec<(&str, &str)> {
    let failed = lines.iter().filter(|line| line["status"] == "error");
    failed.map(|line| (line["operation"].as_str().unwrap(), line["error"].as_str().unwrap())).collect()
}
