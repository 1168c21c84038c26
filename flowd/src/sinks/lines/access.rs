//! Common and Combined Log Format, as Apache (`%h - - %t "%r" %>s %O`) and nginx write them. What is unknown
//! is `-`, as there: the request of a response without one, the status of a request that got none.

use std::io::{self, Write as _};

use flowd_protocols::http::HttpExchange;

use crate::record::Record;

/// How Apache and nginx write times; flowd's are in UTC.
const TIME: &str = "%d/%b/%Y:%H:%M:%S +0000";

/// Client, time, request line, status, bytes of the response with its head.
///
/// # Errors
/// Fails where the batch does: never, as it is memory.
pub(in crate::sinks) fn common(record: &Record, batch: &mut Vec<u8>) -> io::Result<()> {
    record.http().map_or(Ok(()), |exchange| common_line(exchange, batch))
}

fn common_line(line: &HttpExchange, batch: &mut Vec<u8>) -> io::Result<()> {
    let time = jiff::Timestamp::from_nanosecond(i128::from(line.head.time)).map_err(io::Error::other)?;
    write!(batch, "{} - - [{}] \"", line.head.client.endpoint.address, time.strftime(TIME))?;
    match &line.method {
        Some(method) => {
            escaped(method, batch)?;
            batch.push(b' ');
            escaped(line.target.as_deref().unwrap_or("-"), batch)?;
            // HTTP/0.9 has none in its request line (RFC 1945 section 5.1).
            if let Some(version) = line.version.filter(|version| *version != "0.9") {
                write!(batch, " HTTP/{version}")?;
            }
        }
        None => batch.push(b'-'),
    }
    batch.extend_from_slice(b"\" ");
    number(line.status.map(u64::from), batch)?;
    batch.push(b' ');
    number(line.response_bytes, batch)
}

/// The same, with referrer and user agent. Of the referrer flowd knows only the host: it is written as a
/// reference without a scheme (`//host`, RFC 3986 section 4.2), from which log analysers still read the site.
///
/// # Errors
/// Fails where the batch does: never, as it is memory.
pub(in crate::sinks) fn combined(record: &Record, batch: &mut Vec<u8>) -> io::Result<()> {
    record.http().map_or(Ok(()), |exchange| combined_line(exchange, batch))
}

fn combined_line(line: &HttpExchange, batch: &mut Vec<u8>) -> io::Result<()> {
    common_line(line, batch)?;
    batch.extend_from_slice(b" \"");
    match &line.referrer_host {
        Some(host) => {
            batch.extend_from_slice(b"//");
            escaped(host, batch)?;
        }
        None => batch.push(b'-'),
    }
    batch.extend_from_slice(b"\" \"");
    escaped(line.user_agent.as_deref().unwrap_or("-"), batch)?;
    batch.push(b'"');
    Ok(())
}

fn number(value: Option<u64>, batch: &mut Vec<u8>) -> io::Result<()> {
    match value {
        Some(value) => write!(batch, "{value}"),
        None => batch.write_all(b"-"),
    }
}

/// As nginx escapes: quotes, backslashes, control bytes and all beyond ASCII as `\xXX`.
fn escaped(text: &str, batch: &mut Vec<u8>) -> io::Result<()> {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | ..b' ' | 0x7f.. => write!(batch, "\\x{byte:02X}")?,
            _ => batch.push(byte),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::testing;

    fn line(format: fn(&HttpExchange, &mut Vec<u8>) -> io::Result<()>, exchange: &HttpExchange) -> String {
        let mut batch = Vec::new();
        format(exchange, &mut batch).unwrap();
        String::from_utf8(batch).unwrap()
    }

    fn exchange() -> HttpExchange {
        let mut exchange = testing::exchange("GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n");
        // 2026-11-23T10:00:00.5Z
        exchange.head.time = 1_795_428_000_500_000_000;
        exchange.response_bytes = Some(1_234);
        exchange
    }

    #[test]
    fn lines_are_as_web_servers_write_them() {
        let mut exchange = exchange();
        exchange.referrer_host = Some("www.example.org".to_owned());
        exchange.user_agent = Some("curl/8".to_owned());
        let plain = "10.0.0.1 - - [23/Nov/2026:10:00:00 +0000] \"GET /a/b HTTP/1.1\" 200 1234";
        assert_eq!(line(common_line, &exchange), plain);
        assert_eq!(line(combined_line, &exchange), format!("{plain} \"//www.example.org\" \"curl/8\""));
    }

    #[test]
    fn what_is_unknown_is_a_dash() {
        let mut exchange = exchange();
        (exchange.method, exchange.target, exchange.version) = (None, None, None);
        (exchange.response_bytes, exchange.user_agent, exchange.referrer_host) = (None, None, None);
        let end = line(combined_line, &exchange);
        assert!(end.ends_with("+0000] \"-\" 200 - \"-\" \"-\""), "{end}");
        exchange.method = Some("GET".to_owned());
        exchange.status = None;
        assert!(line(common_line, &exchange).ends_with("\"GET -\" - -"));
        (exchange.target, exchange.version) = (Some("/old".to_owned()), Some("0.9"));
        assert!(line(common_line, &exchange).contains("\"GET /old\""));
    }

    /// However hostile its fields, a line has the shape that tools cut it by.
    #[test]
    fn hostile_bytes_are_escaped() {
        let mut exchange = exchange();
        let hostile = "a\"b\\c\r\nd\te\u{7f}é\u{1b}[31m".to_owned();
        exchange.user_agent = Some(hostile.clone());
        exchange.referrer_host = Some(hostile);
        let text = line(combined_line, &exchange);
        assert!(text.ends_with("\"a\\x22b\\x5Cc\\x0D\\x0Ad\\x09e\\x7F\\xC3\\xA9\\x1B[31m\""), "{text}");
        assert_eq!(text.matches('"').count(), 6);
        assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    }
}
