//! The dashboards as their files say.

use std::{fs, path::Path};

use serde_json::Value;

pub struct Dashboard {
    pub name: String,
    pub json: Value,
    /// Without rows.
    pub panels: Vec<Panel>,
    /// Queries of variables.
    pub definitions: Vec<String>,
}

pub struct Panel {
    pub id: u64,
    pub title: String,
    pub json: Value,
    pub targets: Vec<Target>,
}

pub struct Target {
    pub reference: String,
    pub expr: String,
    pub instant: bool,
}

/// Every dashboard, by name.
pub fn dashboards() -> Vec<Dashboard> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let json: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let mut definitions = Vec::new();
            strings(&json, "definition", &mut definitions);
            let definitions = definitions.into_iter().map(str::to_owned).collect();
            let rows = json["panels"].as_array().unwrap().iter();
            let panels = rows.filter(|panel| panel["type"] != "row").map(panel).collect();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            found.push(Dashboard { name, json, panels, definitions });
        }
    }
    assert!(!found.is_empty());
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn panel(json: &Value) -> Panel {
    let targets = json["targets"].as_array().unwrap().iter().map(|target| Target {
        reference: target["refId"].as_str().unwrap().to_owned(),
        expr: target["expr"].as_str().unwrap().to_owned(),
        instant: target["instant"].as_bool().unwrap(),
    });
    Panel {
        id: json["id"].as_u64().unwrap(),
        title: json["title"].as_str().unwrap().to_owned(),
        targets: targets.collect(),
        json: json.clone(),
    }
}

/// Strings under `key` anywhere in `value`.
pub fn strings<'a>(value: &'a Value, key: &str, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == key => into.push(text),
                    other => strings(other, key, into),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| strings(value, key, into)),
        _ => {}
    }
}
