//! The real Prometheus in the gateway's namespace.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    history,
    support::{namespace::Namespace, process::Process, until},
};

pub const URL: &str = "http://127.0.0.1:9090";

pub struct Server<'a> {
    pub namespace: &'a Namespace,
    folder: TempDir,
    _process: Process,
}

impl<'a> Server<'a> {
    /// Starts it with our configuration and rules, asked every second instead of every quarter of a minute.
    pub fn start(namespace: &'a Namespace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let ours = fs::read_to_string(config.join("prometheus.yml")).unwrap();
        let quick = ours.replace("_interval: 15s", "_interval: 1s");
        assert_ne!(ours, quick);
        fs::write(folder.path().join("prometheus.yml"), quick).unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        for file in super::rules::files() {
            let text = fs::read_to_string(&file).unwrap();
            let text = text
                .replace("    interval: 1m", "    interval: 1s")
                .replace("    interval: 5m", "    interval: 2s");
            fs::write(folder.path().join("rules").join(file.file_name().unwrap()), text).unwrap();
        }
        history::lay(folder.path());
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut command = namespace.command("prometheus");
        command.args([
            &format!("--config.file={}", path("prometheus.yml")),
            &format!("--storage.tsdb.path={}", path("data")),
            "--storage.tsdb.retention.time=60d",
            "--web.listen-address=127.0.0.1:9090",
        ]);
        let log = File::create(path("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = Process::start(&mut command);
        let server = Self { namespace, folder, _process: process };
        until("Prometheus scrapes", 30, || {
            let log = fs::read_to_string(server.folder.path().join("log")).unwrap();
            assert!(!log.contains("err="), "{log}");
            log.contains("ready to receive web requests").then_some(())
        });
        until("a first scrape", 20, || (!server.instant("flowd_build_info").is_empty()).then_some(()));
        server
    }

    /// The data of an answer, which must be a success.
    pub fn get(&self, path: &str, parameters: &[(&str, String)]) -> Value {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let mut request = agent.get(format!("{URL}/api/v1/{path}"));
        for (name, value) in parameters {
            request = request.query(*name, value);
        }
        let text = self.namespace.enter(|| {
            let mut response = request.call().unwrap();
            response.body_mut().with_config().limit(1 << 30).read_to_string().unwrap()
        });
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["status"], "success", "{path} {parameters:?}: {answer}");
        assert!(answer["warnings"].is_null(), "{parameters:?}: {}", answer["warnings"]);
        answer["data"].clone()
    }

    pub fn instant(&self, query: &str) -> Vec<Value> {
        self.at(query, now())
    }

    pub fn at(&self, query: &str, time: f64) -> Vec<Value> {
        let data = self.get("query", &[("query", query.to_owned()), ("time", time.to_string())]);
        data["result"].as_array().unwrap().clone()
    }

    /// The `seconds` before `end`, every `step` of them.
    pub fn range(&self, query: &str, end: f64, seconds: f64, step: f64) -> Vec<Value> {
        let data = self.get(
            "query_range",
            &[
                ("query", query.to_owned()),
                ("start", (end - seconds).to_string()),
                ("end", end.to_string()),
                ("step", step.to_string()),
            ],
        );
        data["result"].as_array().unwrap().clone()
    }

    /// The only value of a query.
    pub fn number(&self, query: &str) -> f64 {
        let result = self.instant(query);
        assert_eq!(result.len(), 1, "{query}: {result:?}");
        result[0]["value"][1].as_str().unwrap().parse().unwrap()
    }
}

/// Seconds since the epoch.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Whether there is a value that is a number.
pub fn has_numbers(result: &[Value]) -> bool {
    let number =
        |value: &Value| value[1].as_str().is_some_and(|text| text != "NaN" && !text.ends_with("Inf"));
    result.iter().any(|series| {
        number(&series["value"])
            || series["values"].as_array().is_some_and(|values| values.iter().any(number))
    })
}
