//! What the real daemon shows by default of requests that are full of secrets: none of them, whatever the protocol.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    process::Stdio,
};

use serde_json::Value;

use crate::support::{
    daemon::{Daemon, flowd},
    privileged,
    process::Process,
    router::{LAN, Router, SERVER_V4},
    scripts, until,
};

/// The lines of an answer of the API.
fn lines(answer: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(answer).unwrap()["lines"].as_array().unwrap().clone()
}

#[test]
fn no_protocol_shows_a_secret_by_default() {
    if !privileged("no_protocol_shows_a_secret_by_default") {
        return;
    }
    let router = Router::new(false);
    let scripts = scripts::all();
    let names: BTreeSet<_> =
        scripts.iter().map(|script| script.protocol).filter(|name| *name != "http2").collect();
    let tables = names.iter().map(|name| format!("[{name}]\nlog = \"REQUESTS\"\n"));
    let config = tables.collect::<String>() + "[http2]\nenabled = true\n";
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    let folder = tempfile::tempdir().unwrap();
    let tailed = || fs::read_to_string(folder.path().join("tail")).unwrap();
    let mut tail = flowd(&router.gateway);
    let all = names.iter().copied().chain(["http"]).collect::<Vec<_>>().join(",");
    tail.args(["tail", "-n", "1000", "--protocol", &all]).stdin(Stdio::null());
    let tail = Process::start(tail.stdout(File::create(folder.path().join("tail")).unwrap()));

    scripts::play(&scripts, &router.client, &router.server, SERVER_V4);
    let mut shown = String::new();
    let requests = until("the API has lines of each protocol", 20, || {
        shown = daemon.get("/api/v1/requests?limit=1000") + &daemon.get("/api/v1/http");
        let requests = lines(&daemon.get("/api/v1/requests?limit=1000"));
        let seen: BTreeSet<_> = requests.iter().map(|line| line["protocol"].as_str().unwrap()).collect();
        (seen == names && shown.contains("/shop.Cart/Remove")).then_some(requests.clone())
    });
    assert!(requests.iter().all(|line| line["type"] == "request"));
    for name in &names {
        let of = |status: &str| {
            requests.iter().filter(|line| line["protocol"] == *name && line["status"] == status).count()
        };
        assert!(of("ok") > 0 && of("error") > 0, "{name}: {requests:#?}");
    }
    let failed = lines(&daemon.get("/api/v1/requests?protocol=smtp,redis&status=error&client=192.0.2.2"));
    let codes: BTreeSet<_> = failed.iter().map(|line| line["error"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from(["550", "ERR", "WRONGPASS"]));
    until("tail has printed them", 20, || (tailed().lines().count() >= requests.len() + 2).then_some(()));
    drop(tail);
    daemon.drained();
    let grpc = |method: &str, code: &str| {
        let labels =
            ["service=\"shop.Cart\"".to_owned(), format!("method=\"{method}\""), format!("code=\"{code}\"")];
        daemon.metric("flowd_grpc_requests_total", &labels.each_ref().map(String::as_str))
    };
    assert_eq!((grpc("Add", "OK"), grpc("Remove", "NOT_FOUND")), (1.0, 1.0));
    let said = [shown, tailed(), daemon.get("/metrics"), daemon.get("/api/v1/flows")].concat();
    let ended = daemon.stop();
    assert_eq!(ended.http.len(), 2, "{:#?}", ended.http);
    assert!(ended.requests.len() >= requests.len());
    let said = format!("{said} {:?} {:?} {:?} {}", ended.http, ended.requests, ended.flows, ended.stderr);
    // Nobody asked for traces either.
    for secret in ["SECRET", "U0VDUkVU", "5ec2e7", "trace_id"] {
        let at = said.find(secret).map(|at| &said[at.saturating_sub(200)..(at + 100).min(said.len())]);
        assert_eq!(at, None, "{secret}");
    }
}
