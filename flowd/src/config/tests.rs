use super::*;

const DOCUMENTED: &str = include_str!("../../../config/flowd.toml");

#[test]
fn the_documented_file_holds_every_key_with_its_default() {
    assert_eq!(Config::parse("config/flowd.toml", DOCUMENTED).unwrap(), Config::default());
    let written: toml::Table = toml::from_str(DOCUMENTED).unwrap();
    assert_eq!(keys::all(&written), keys::all(&keys::defaults().unwrap()), "config/flowd.toml lacks a key");
}

#[test]
fn every_documented_key_has_a_comment_above_it() {
    let mut previous = "";
    for line in DOCUMENTED.lines() {
        let is_key = line.contains(" = ") && !line.starts_with('#');
        assert!(!is_key || previous.starts_with('#'), "no comment above: {line}");
        previous = line;
    }
}

#[test]
fn an_empty_file_is_the_default() {
    let config = Config::parse("f", "").unwrap();
    assert_eq!(config, Config::default());
    config.validate("f").unwrap();
}

#[test]
fn a_wrong_type_names_file_and_line() {
    let error = Config::parse("f.toml", "# one\nflows = \"many\"\n").unwrap_err().to_string();
    assert!(error.starts_with("f.toml, line 2: "), "{error}");
    let error = Config::parse("f.toml", "interval = \"soon\"\n").unwrap_err().to_string();
    assert!(error.contains("line 1") && error.contains("\"10s\""), "{error}");
}

#[test]
fn values_out_of_range_name_key_and_limits() {
    for (text, key) in [
        ("interval = \"99ms\"", "interval"),
        ("interval = \"2h\"", "interval"),
        ("head_bytes = 4097", "head_bytes"),
        ("flows = 1023", "flows"),
        ("flows = 4194305", "flows"),
        ("event_buffer = \"3MiB\"", "event_buffer"),
        ("decapsulate = [\"vxlam\"]", "decapsulate"),
        ("interfaces = [\"eth[\"]", "interfaces"),
        ("log_max_size = \"1KiB\"", "log_max_size"),
        ("log_max_age = \"59s\"", "log_max_age"),
        ("log_keep = 0", "log_keep"),
        ("[api]\nhttp_lines = 65537", "api.http_lines"),
        ("[api]\nrequest_lines = 65537", "api.request_lines"),
        ("[timeouts]\nudp = \"0s\"", "timeouts.udp"),
        ("[web]\nhosts = [\"http://a\"]", "web.hosts"),
        ("[web]\nhosts = [\"a:80\"]", "web.hosts"),
        ("[web]\ntls_key = \"k\"", "web.tls_certificate"),
        ("[web]\ntls_certificate = \"c\"", "web.tls_key"),
    ] {
        let error = Config::parse("f", text).unwrap().validate("f").unwrap_err().to_string();
        assert!(error.starts_with(&format!("f: {key} = ")) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn all_tunnels_is_every_bit() {
    let all = decapsulate(&["all".to_owned()]).unwrap();
    let each: Vec<String> = TunnelKind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    assert_eq!(decapsulate(&each).unwrap(), all);
    assert_eq!(decapsulate(&[]).unwrap(), 0);
}
