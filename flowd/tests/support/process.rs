//! Programs that run beside a test, and end with it.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, ExitStatus, Output},
    time::{Duration, Instant},
};

/// A started program; killed when dropped.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Processor time of its threads of this name so far, and how long they have waited for a processor.
    pub fn thread_time(&self, name: &str) -> [Duration; 2] {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let time = |task: std::path::PathBuf| {
            let comm = std::fs::read_to_string(task.join("comm")).ok()?;
            let spent = std::fs::read_to_string(task.join("schedstat")).ok()?;
            let mut times = spent.split(' ').map(|time| time.trim().parse().map(Duration::from_nanos));
            let times = [times.next()?.ok()?, times.next()?.ok()?];
            (comm.trim() == name).then_some(times)
        };
        let times: Vec<_> = tasks.filter_map(|task| time(task.unwrap().path())).collect();
        [0, 1].map(|at| times.iter().map(|times: &[Duration; 2]| times[at]).sum())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal.
    pub fn signal(&self, number: i32) {
        // SAFETY: no pointers; the child was not waited for, so that its id is still its own.
        let sent = unsafe { libc::kill(self.0.id().cast_signed(), number) };
        assert_eq!(sent, 0, "signal {number}");
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Waits for the end; says how it was and how long it took.
    pub fn wait(mut self, seconds: u64) -> (ExitStatus, Duration) {
        let start = Instant::now();
        let status = super::until("the end of a program", seconds, || self.ended());
        (status, start.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end, which must be a good one; gives its output.
pub fn run(command: &mut Command) -> String {
    let output = attempt(command);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {} {:?} {error}", output.status, output.status.signal());
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program to its end, whatever that is.
pub fn attempt(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
