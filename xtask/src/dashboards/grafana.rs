//! A description in Grafana's words (schema version 39, Grafana 10.4 and later).
#![allow(clippy::indexing_slicing, reason = "a JSON value answers null where there is nothing")]

use serde_json::{Value, json};

use super::source::{Dashboard, Item, Kind, Panel, Threshold};

/// Columns of the grid.
const COLUMNS: u32 = 24;

pub(super) fn dashboard(name: &str, source: &Dashboard) -> Value {
    let mut variables = vec![
        json!({
            "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
            "current": {}, "hide": 0, "includeAll": false, "multi": false, "options": [], "refresh": 1,
            "regex": ""
        }),
        variable("instance", "Instance", "label_values(flowd_build_info, instance)"),
    ];
    if source.interfaces {
        let interfaces = r#"label_values(flowd_interface_info{instance=~"$instance"}, iface)"#;
        variables.push(variable("iface", "Interface", interfaces));
    }
    json!({
        "uid": format!("flowd-{name}"),
        "title": source.title,
        "description": source.description,
        "tags": ["flowd", "network"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": { "from": source.from, "to": "now" },
        "timepicker": {},
        "annotations": { "list": [] },
        "links": [{
            "title": "flowd", "type": "dashboards", "tags": ["flowd"], "asDropdown": false, "icon": "external link",
            "includeVars": true, "keepTime": true, "targetBlank": false, "tooltip": "", "url": ""
        }],
        "templating": { "list": variables },
        "panels": panels(&source.panel),
    })
}

fn data_source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn variable(name: &str, label: &str, query: &str) -> Value {
    json!({
        "name": name, "label": label, "type": "query", "datasource": data_source(), "definition": query,
        "query": { "query": query, "refId": name }, "refresh": 2, "includeAll": true, "allValue": ".*",
        "multi": true, "sort": 1, "hide": 0, "options": [], "regex": "",
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] }
    })
}

/// From left to right; a line is as high as its highest panel.
fn panels(items: &[Item]) -> Vec<Value> {
    let (mut x, mut y, mut line) = (0, 0, 0);
    let mut made = Vec::new();
    for (id, item) in (1..).zip(items) {
        let (width, height) = match item {
            Item::Row(_) => (COLUMNS, 1),
            Item::Panel(panel) => (panel.width, panel.height),
        };
        if x + width > COLUMNS {
            (x, y, line) = (0, y + line, 0);
        }
        let place = json!({ "x": x, "y": y, "w": width, "h": height });
        (x, line) = (x + width, line.max(height));
        made.push(match item {
            Item::Row(row) => json!({
                "id": id, "type": "row", "title": row.row, "collapsed": false, "gridPos": place, "panels": []
            }),
            Item::Panel(panel) => one(id, panel, &place),
        });
    }
    made
}

fn one(id: u32, panel: &Panel, place: &Value) -> Value {
    let mut made = json!({
        "id": id,
        "type": panel.kind.name(),
        "title": panel.title,
        "description": panel.description,
        "datasource": data_source(),
        "gridPos": place,
        "fieldConfig": { "defaults": defaults(panel), "overrides": [] },
        "options": options(panel.kind),
        "targets": targets(panel),
    });
    if panel.kind == Kind::Table {
        made["transformations"] = json!([{
            "id": "organize",
            "options": { "excludeByName": { "Time": true, "__name__": true, "job": true }, "indexByName": {}, "renameByName": {} }
        }]);
    }
    made
}

fn defaults(panel: &Panel) -> Value {
    let mut defaults = json!({ "unit": panel.unit });
    if let Some(decimals) = panel.decimals {
        defaults["decimals"] = decimals.into();
    }
    if !panel.thresholds.is_empty() {
        let steps: Vec<Value> = panel
            .thresholds
            .iter()
            .map(|threshold| match threshold {
                Threshold::Base((color,)) => json!({ "color": color, "value": null }),
                Threshold::From((color, value)) => json!({ "color": color, "value": value }),
            })
            .collect();
        defaults["thresholds"] = json!({ "mode": "absolute", "steps": steps });
    }
    if panel.kind == Kind::Timeseries {
        defaults["custom"] = json!({
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": if panel.stack { 40 } else { 10 },
            "showPoints": "never",
            "spanNulls": false,
            "stacking": { "group": "A", "mode": if panel.stack { "normal" } else { "none" } },
        });
    }
    defaults
}

fn options(kind: Kind) -> Value {
    match kind {
        Kind::Timeseries => json!({
            "legend": { "displayMode": "table", "placement": "bottom", "calcs": ["mean", "max"], "showLegend": true },
            "tooltip": { "mode": "multi", "sort": "desc" }
        }),
        Kind::Stat => json!({
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            "colorMode": "value", "graphMode": "area", "textMode": "auto"
        }),
        Kind::Table => json!({ "showHeader": true, "cellHeight": "sm" }),
        Kind::Heatmap => json!({
            "calculate": false, "yAxis": { "unit": "s" }, "color": { "mode": "scheme", "scheme": "Blues" },
            "cellGap": 1, "tooltip": { "mode": "single", "yHistogram": false }, "legend": { "show": true }
        }),
    }
}

fn targets(panel: &Panel) -> Vec<Value> {
    let format = match panel.kind {
        Kind::Table => "table",
        Kind::Heatmap => "heatmap",
        Kind::Stat | Kind::Timeseries => "time_series",
    };
    ('A'..='Z')
        .zip(&panel.queries)
        .map(|(id, query)| {
            let instant = query.instant || panel.kind == Kind::Table;
            json!({
                "datasource": data_source(), "editorMode": "code", "expr": query.expression(),
                "legendFormat": query.legend, "refId": id.to_string(), "format": format,
                "instant": instant, "range": !instant
            })
        })
        .collect()
}
