use super::*;
use crate::{
    aggregate::{HttpNumbers, Ledger, LedgerOptions, Watched},
    clock::WallClock,
    flow::testing,
};

fn state() -> State {
    let watched = Watched {
        slot: 1,
        name: Arc::from("eth0"),
        one_point: false,
        physical: false,
        speed: None,
        mac: String::new(),
        mtu: 1500,
        ifindex: 2,
    };
    let options = LedgerOptions { conversations: 100, active_timeout: None };
    let mut ledger = Ledger::new(options, Arc::default(), vec![(watched, None)], WallClock::CAPTURE);
    for port in 1..=60 {
        let mut record = testing::connection(1, 40_000 + port, 80, 1);
        let client = record.client();
        testing::send(&mut record, client, u64::from(port), 100, 5);
        ledger.absorb(u32::from(port), &record, None, 5, &mut |_| {});
    }
    let telemetry = Arc::new(Telemetry::new(Vec::new()));
    let board =
        Board::new(ledger.numbers().clone(), HttpNumbers::new(Arc::default()), Arc::clone(&telemetry));
    State { board: Arc::new(board), live: Arc::clone(ledger.live()), telemetry }
}

async fn get(state: &State, path: &str, accept: &str) -> (u16, String, String) {
    let request = warp::test::request().path(path).header("accept", accept);
    let response = request.reply(&routes(state.clone())).await;
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, String::from_utf8(response.body().to_vec()).unwrap())
}

#[tokio::test]
async fn metrics_come_in_both_formats() {
    let state = state();
    let prometheus =
        "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let (status, kind, body) = get(&state, "/metrics", prometheus).await;
    assert_eq!((status, kind.as_str()), (200, OPEN_METRICS));
    assert!(body.ends_with("# EOF\n"));
    for accept in ["*/*", "text/plain", "application/openmetrics-text;q=0.1, text/plain"] {
        let (status, kind, body) = get(&state, "/metrics", accept).await;
        assert_eq!((status, kind.as_str()), (200, CLASSIC), "{accept}");
        assert!(body.contains("# TYPE flowd_flow_bytes_total counter"));
    }
}

#[tokio::test]
async fn readiness_is_apart_from_health() {
    let state = state();
    assert_eq!(get(&state, "/healthz", "").await.0, 200);
    assert_eq!(get(&state, "/readyz", "").await.0, 503);
    state.telemetry.set_ready(true);
    assert_eq!(get(&state, "/readyz", "").await.0, 200);
}

#[tokio::test]
async fn flows_are_filtered_and_the_heaviest_come_first() {
    let state = state();
    let (status, _, body) = get(&state, "/api/v1/flows", "").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body["flows"].as_array().unwrap().len()), (200, 50));
    assert_eq!(body["flows"][0]["client"]["port"], 40_060);
    let (_, _, body) = get(&state, "/api/v1/flows?top=2&cidr=10.0.0.0/8&port=80&protocol=tcp", "").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["flows"].as_array().unwrap().len(), 2);
    assert_eq!(body["flows"][0]["iface"], "eth0");
    assert!(body["flows"][0]["end_reason"].is_null());
}

#[tokio::test]
async fn interfaces_show_every_tally() {
    let (status, _, body) = get(&state(), "/api/v1/interfaces", "").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let interface = &body["interfaces"][0];
    assert_eq!((status, interface["name"].as_str()), (200, Some("eth0")));
    for direction in ["ingress", "egress"] {
        let direction = &interface[direction];
        assert_eq!(direction["seen"]["ipv4"]["skb_bytes"], 0);
        assert_eq!(direction["skipped"]["table_full"]["packets"], 0);
        assert_eq!(direction["kernel"]["bytes"], 0);
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let state = state();
    for (query, named) in [
        ("top=0", "top=0"),
        ("top=many", "top=many"),
        ("cidr=10.0.0.0%2F33", "cidr=10.0.0.0/33"),
        ("port=65536", "port=65536"),
        ("protocol=tpc", "protocol=tpc"),
        ("prot=6", "unknown parameter prot"),
    ] {
        let (status, kind, body) = get(&state, &format!("/api/v1/flows?{query}"), "").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, kind.as_str()), (400, "application/json"), "{query}");
        assert!(body["error"].as_str().unwrap().contains(named), "{query}: {body}");
    }
    let (status, _, body) = get(&state, "/nothing", "").await;
    assert_eq!(status, 404);
    assert!(body.contains("/metrics"));
    let response = warp::test::request().method("POST").path("/metrics").reply(&routes(state)).await;
    assert_eq!(response.status().as_u16(), 405);
}

#[tokio::test]
async fn a_busy_port_is_named_with_the_remedy() {
    let first = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = first.local_addr().unwrap();
    let error = bind(address).await.unwrap_err().to_string();
    assert!(error.contains(&address.to_string()) && error.contains("--listen"), "{error}");
    assert!(!error.contains('\n'));
}
