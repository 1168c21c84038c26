//! Files that are none, and folders that were made anew, while the daemon runs: told, and nothing hangs.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use crate::support::{
    daemon::Daemon,
    namespace::Namespace,
    privileged,
    process::run,
    until,
    user::{folder, own},
};

/// The configuration file that it was started with.
fn configuration(daemon: &Daemon<'_>) -> PathBuf {
    let line = fs::read(format!("/proc/{}/cmdline", daemon.id())).unwrap();
    let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let at = arguments.iter().position(|argument| *argument == b"-c").unwrap();
    PathBuf::from(std::str::from_utf8(arguments[at + 1]).unwrap())
}

#[test]
fn a_pipe_in_place_of_a_file_holds_up_nothing() {
    if !privileged("a_pipe_in_place_of_a_file_holds_up_nothing") {
        return;
    }
    let host = Namespace::new("host");
    let folder = folder();
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "0123456789abcdef\n").unwrap();
    own(&tokens);
    let daemon = Daemon::start(&host, &["lo"], &format!("[web]\ntokens = {tokens:?}\n"));
    let files = [(&tokens, "web.tokens"), (&configuration(&daemon), "configuration file")];
    for (before, (path, part)) in files.into_iter().enumerate() {
        let kept = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        run(Command::new("mkfifo").arg(path));
        own(path);
        daemon.signal(libc::SIGHUP);
        let said = until("the refusal", 10, || {
            let said = daemon.stderr();
            (said.matches("it is no regular file").count() == before + 1).then_some(said)
        });
        assert!(said.contains(part) && said.contains("all stays as it was"), "{said}");
        assert!(daemon.answer("/readyz").contains(" 200 "));
        fs::remove_file(path).unwrap();
        fs::write(path, kept).unwrap();
        own(path);
    }
    daemon.signal(libc::SIGHUP);
    until("the reload", 10, || daemon.stderr().contains("configuration read again").then_some(()));
    run(Command::new("rm").arg(&tokens));
    run(Command::new("mkfifo").arg(&tokens));
    daemon.signal(libc::SIGHUP);
    let ended = daemon.stop();
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);
}

#[test]
fn a_log_folder_that_was_made_anew_is_told_with_its_remedy() {
    if !privileged("a_log_folder_that_was_made_anew_is_told_with_its_remedy") {
        return;
    }
    let host = Namespace::new("host");
    let folder = folder();
    let inner = folder.path().join("inner");
    let make = || {
        fs::create_dir(&inner).unwrap();
        own(&inner);
    };
    make();
    let log = inner.join("http.log");
    let daemon = Daemon::start(&host, &["lo"], &format!("http_log = {log:?}\n"));
    // Its own answers pass lo.
    let lines_until = |what: &str, done: &dyn Fn() -> bool| {
        until(what, 20, || {
            daemon.get("/healthz");
            done().then_some(())
        });
    };
    lines_until("a line", &|| !fs::read(&log).unwrap_or_default().is_empty());
    fs::remove_file(&log).unwrap();
    lines_until("the file again", &|| !fs::read(&log).unwrap_or_default().is_empty());
    assert!(daemon.stderr().contains("was deleted, and made again"), "{}", daemon.stderr());

    fs::remove_dir_all(&inner).unwrap();
    make();
    let dropped = || daemon.metric("flowd_export_dropped_total", &["sink=\"http_log\""]);
    // The sandbox holds on to the folder that was there at the start; a kernel without Landlock does not.
    lines_until("lines that are dropped, or written", &|| dropped() > 0.0 || log.exists());
    if !log.exists() {
        let said = daemon.stderr();
        assert!(said.contains("writing http_log") && said.contains("start flowd again"), "{said}");
    }
    assert!(daemon.answer("/readyz").contains(" 200 "));
    daemon.stop();
}
