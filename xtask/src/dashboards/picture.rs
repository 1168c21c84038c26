//! Pictures of the dashboards, drawn from their JSON and the results of real queries, for those who have no
//! Grafana at hand. A headless Chromium makes the page an image.
#![allow(clippy::indexing_slicing, reason = "a JSON value answers null where there is nothing")]

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::draw;
use crate::process::{check, find};

/// Pixels of the page.
const WIDTH: u64 = 1_280;
/// Pixels of a unit of Grafana's grid, which has 24 columns.
const COLUMN: u64 = WIDTH / 24;
const ROW: u64 = 30;
const MARGIN: u64 = 4;
const HEAD: u64 = 46;

const STYLE: &str = "
* { box-sizing: border-box; margin: 0 } body { background: #f4f5f7; font: 12px/1.4 'DejaVu Sans', sans-serif; color: #24292e }
h1 { font-size: 17px; padding: 12px 8px 0; font-weight: 600 } h1 small { font-weight: 400; color: #6b7280; font-size: 12px }
.panel, .row { position: absolute; overflow: hidden } .panel { background: #fff; border: 1px solid #e2e5e9; border-radius: 3px; padding: 6px 8px }
.row { font-weight: 600; padding: 6px 8px; font-size: 13px } h2 { font-size: 12px; font-weight: 600; white-space: nowrap }
.big { font-size: 30px; text-align: center; padding-top: 16px } .none { color: #9aa1a9; text-align: center; padding-top: 24px }
table { border-collapse: collapse; width: 100%; font-size: 11px } td, th { text-align: left; padding: 2px 6px; border-bottom: 1px solid #eef0f2; white-space: nowrap }
td:last-child, th:last-child { text-align: right } .legend { font-size: 10px; line-height: 1.35; max-height: 42px; overflow: hidden }
.legend span { margin-right: 10px; white-space: nowrap } .legend i { display: inline-block; width: 10px; height: 3px; margin-right: 4px; vertical-align: middle }
svg text { font-size: 10px; fill: #6b7280 }
";

/// Draws every dashboard whose results are in the file.
pub(super) fn draw_all(results: &Path, folder: &Path) -> Result<()> {
    let named = || results.display().to_string();
    let results: Value =
        serde_json::from_str(&fs::read_to_string(results).with_context(named)?).with_context(named)?;
    let browser = ["chromium", "chromium-headless-shell", "google-chrome"].into_iter().find_map(find);
    let Some(browser) = browser else {
        bail!("a Chromium is missing: install Debian's chromium-headless-shell or chromium");
    };
    let work = tempfile::tempdir()?;
    let pictures = folder.join("pictures");
    fs::create_dir_all(&pictures)?;
    for (name, results) in results.as_object().context("the results are no object")? {
        let file = folder.join(format!("{name}.json"));
        let dashboard: Value =
            serde_json::from_str(&fs::read_to_string(&file).with_context(|| file.display().to_string())?)?;
        let (page, height) = page(&dashboard, results);
        let html = work.path().join(format!("{name}.html"));
        fs::write(&html, page)?;
        let picture = pictures.join(format!("{name}.png"));
        let mut command = Command::new(&browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
        // Small enough for a README to carry six.
        command.arg("--force-device-scale-factor=0.75");
        command.arg(format!("--window-size={WIDTH},{height}"));
        command.arg(format!("--screenshot={}", picture.display()));
        check(command.arg(format!("file://{}", html.display())))?;
        println!("{}", picture.display());
    }
    Ok(())
}

/// The page, and how many pixels high it is.
fn page(dashboard: &Value, results: &Value) -> (String, u64) {
    let text = |value: &Value| draw::escaped(value.as_str().unwrap_or_default());
    let mut page = format!(
        "<!doctype html><meta charset=\"utf-8\"><style>{STYLE}</style><h1>{} <small>{}</small></h1>",
        text(&dashboard["title"]),
        text(&dashboard["description"])
    );
    let mut height = HEAD;
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap_or_default();
        let (left, top) = (place("x") * COLUMN + MARGIN, place("y") * ROW + HEAD);
        let (wide, high) = (place("w") * COLUMN - MARGIN, place("h") * ROW - MARGIN);
        height = height.max(top + high + MARGIN);
        let (class, body) = if panel["type"] == "row" {
            ("row", text(&panel["title"]))
        } else {
            let results = &results[panel["id"].to_string()];
            let body = draw::panel(panel, results, wide as f64 - 18.0, high as f64 - 30.0);
            ("panel", format!("<h2>{}</h2>{body}", text(&panel["title"])))
        };
        page.push_str(&format!(
            "<div class=\"{class}\" style=\"left:{left}px;top:{top}px;width:{wide}px;height:{high}px\">{body}</div>"
        ));
    }
    (page, height)
}
