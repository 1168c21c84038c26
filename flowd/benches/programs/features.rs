//! What each feature that can be switched off adds to a packet which it does not concern.

use anyhow::Result;
use flow_common::{
    app::{App, Apps},
    settings::Settings,
};
use flowd::kernel::{LoadOptions, Measured};
use serde_json::{Value, json};

use super::{Plan, SETTINGS, load, quantile, run, shapes};

/// A feature, and the settings with and without it.
const FEATURES: [(&str, Settings, Settings); 5] = [
    ("HTTP", SETTINGS, Settings { copies: Apps::ALL.without(App::Http), ..SETTINGS }),
    ("DNS", SETTINGS, Settings { copies: Apps::ALL.without(App::Dns), ..SETTINGS }),
    ("TLS", SETTINGS, Settings { copies: Apps::ALL.without(App::Tls), ..SETTINGS }),
    ("windows", SETTINGS, Settings { windows: 0, ..SETTINGS }),
    ("tunnels", Settings { decapsulate: u32::MAX, ..SETTINGS }, SETTINGS),
];

/// Packets that are neither HTTP nor DNS nor TLS, nor in a tunnel.
const SHAPES: [&str; 2] = ["tcp_data", "udp"];

/// Medians of the differences, ns per packet, over rounds in which programs with and without the feature take turns.
pub(super) fn measure(options: &LoadOptions, plan: Plan) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for (feature, with, without) in FEATURES {
        let [mut with, mut without] = [
            load(&LoadOptions { settings: with, ..options.clone() })?,
            load(&LoadOptions { settings: without, ..options.clone() })?,
        ];
        for shape in shapes::hot().into_iter().filter(|shape| SHAPES.contains(&shape.name)) {
            let mut streams = [shape.stream.clone(), shape.stream];
            let mut added = Vec::new();
            // The first round only warms up.
            for round in 0..=plan.rounds {
                let [first, second] = &mut streams;
                let with = run(&mut with, Measured::Ingress, first, plan.repeat)?;
                let without = run(&mut without, Measured::Ingress, second, plan.repeat)?;
                if round > 0 {
                    added.push(with.as_nanos() as f64 - without.as_nanos() as f64);
                }
            }
            rows.push(json!({
                "feature": feature,
                "shape": shape.name,
                "ns": quantile(&added, 0.5),
                "low_ns": quantile(&added, 0.25),
                "high_ns": quantile(&added, 0.75),
                "rounds": plan.rounds,
            }));
        }
    }
    Ok(rows)
}
