//! Which trace a request belongs to, as its field `traceparent` says (W3C Trace Context, levels 1 and 2).

/// The trace, and the caller's span in it. Neither is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
}

/// Bytes of a value of version 00.
const LENGTH: usize = 55;

impl TraceContext {
    /// Reads a value; `None` where the recommendation calls it invalid (section 3.2.2). Of a version above 00 only what
    /// version 00 has is read (section 4.3, "Versioning of traceparent").
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_at_checked(LENGTH)?;
        let mut parts = known.split(|&byte| byte == b'-');
        let version = hex(parts.next()?, 2)?;
        let (trace_id, span_id) = (hex(parts.next()?, 32)?, hex(parts.next()?, 16)?);
        hex(parts.next()?, 2)?;
        let ends_well = rest.is_empty() || version > 0 && rest.starts_with(b"-");
        let is_valid = version != 0xff && trace_id != 0 && span_id != 0 && ends_well;
        is_valid.then_some(Self { trace_id, span_id: u64::try_from(span_id).ok()? })
    }

    /// 32 digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// 16 digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span_id)
    }
}

/// A number of so many hexadecimal digits in lower case.
fn hex(digits: &[u8], length: usize) -> Option<u128> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let text = std::str::from_utf8(digits).ok().filter(|_| digits.len() == length)?;
    u128::from_str_radix(text, 16).ok().filter(|_| digits.iter().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        TraceContext::parse(value.as_bytes()).map(|trace| (trace.trace_id(), trace.span_id()))
    }

    #[test]
    fn good_values_are_read() {
        let ids = Some(("0af7651916cd43dd8448eb211c80319c".to_owned(), "00f067aa0ba902b7".to_owned()));
        for (version, rest) in
            [("00", "-00"), ("00", "-01"), ("00", "-ff"), ("01", "-01"), ("fe", "-01-more")]
        {
            let value = format!("{version}-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7{rest}");
            assert_eq!(read(&value), ids, "{value}");
        }
    }

    #[test]
    fn bad_values_are_none() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
        assert!(read(good).is_some());
        for (from, to) in [
            ("00-0", "ff-0"),
            ("0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000000"),
            ("00f067aa0ba902b7", "0000000000000000"),
            ("0af", "0AF"),
            ("00-0", "0x-0"),
            ("0af", "+af"),
            ("-01", "-1"),
            ("-01", "-01-"),
            ("-01", "-010"),
            ("-01", "-zz"),
            ("-01", ""),
            ("-00f", "_00f"),
            ("00-0af7", "0-00af7"),
            ("00-0", "\u{e9}-0"),
        ] {
            let value = good.replacen(from, to, 1);
            assert!(value != good && read(&value).is_none(), "{value}");
        }
        assert_eq!(read(&good.replacen("00-0", "01-0", 1).replacen("-01", "-01.", 2)), None);
        for end in 0..good.len() {
            assert_eq!(read(&good[..end]), None, "{end}");
        }
    }
}
