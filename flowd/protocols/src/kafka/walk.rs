//! A walk through the fields of a request or response, as its bytes come.

use super::schema::{Field, Kind, Schema};

/// What stands at the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// A field of so many bytes, perhaps more than there are.
    Past(usize),
    /// An error code, of [`CODE`] bytes.
    Code(i16),
    /// A field that so many bytes are needed for.
    Short(usize),
    /// Nothing: all fields are past.
    End,
    /// No such field.
    Wrong,
}

/// Bytes of an error code.
pub(super) const CODE: usize = 2;

/// Fields that are under way.
#[derive(Debug)]
struct Frame {
    fields: &'static [Field],
    at: usize,
    /// Elements that are left, this one too.
    left: usize,
    /// Tagged fields follow each element, in a flexible version.
    tagged: bool,
    /// Tagged fields that are left, once their number is known.
    tags: Option<usize>,
}

/// How far it has come.
#[derive(Debug)]
pub(super) struct Walk {
    version: i16,
    flexible: bool,
    /// As deep as the schema at most.
    stack: Vec<Frame>,
}

impl Walk {
    /// Through a request behind its client id.
    pub(super) fn request(schema: &'static Schema, version: i16) -> Self {
        Self::new(&schema.request, true, version, schema.is_flexible(version), true)
    }

    /// Through a response behind its correlation id.
    pub(super) fn response(schema: &'static Schema, version: i16) -> Self {
        // KIP-511: that of ApiVersions keeps the old header, as it may be of another version than the request.
        // What follows the last error code is in no schema.
        Self::new(&schema.response, false, version, schema.is_flexible(version), schema.key != API_VERSIONS)
    }

    fn new(
        fields: &'static [Field],
        tagged: bool,
        version: i16,
        flexible: bool,
        tagged_header: bool,
    ) -> Self {
        let frame = |fields, tagged| Frame { fields, at: 0, left: 1, tagged, tags: None };
        let mut stack = vec![frame(fields, tagged)];
        if tagged_header {
            stack.push(frame(&[], true));
        }
        Self { version, flexible, stack }
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.stack.capacity() * size_of::<Frame>()
    }

    /// Goes past what stands at the front of `bytes`; `most`: bytes of the message from here on.
    pub(super) fn step(&mut self, bytes: &[u8], most: usize) -> Walked {
        loop {
            let Some(frame) = self.stack.last_mut() else { return Walked::End };
            let Some(field) = frame.fields.get(frame.at) else {
                if self.flexible && frame.tagged && frame.tags != Some(0) {
                    return frame.tags(bytes);
                }
                if frame.left <= 1 {
                    self.stack.pop();
                } else {
                    (frame.at, frame.left, frame.tags) = (0, frame.left - 1, None);
                }
                continue;
            };
            if !field.is_in(self.version) {
                frame.at += 1;
                continue;
            }
            if let Kind::Structure(fields) = &field.kind {
                frame.at += 1;
                self.stack.push(Frame { fields, at: 0, left: 1, tagged: true, tags: None });
                continue;
            }
            return self.field(field, bytes, most);
        }
    }

    fn field(&mut self, field: &'static Field, bytes: &[u8], most: usize) -> Walked {
        let walked = match &field.kind {
            Kind::Fixed(len) => Walked::Past(*len),
            Kind::ErrorCode => match bytes.first_chunk::<CODE>() {
                Some(code) => Walked::Code(i16::from_be_bytes(*code)),
                None => Walked::Short(CODE),
            },
            Kind::Text => self.length(bytes, Length::Short).map_or_else(|walked| walked, past_all),
            Kind::Bytes => self.length(bytes, Length::Long).map_or_else(|walked| walked, past_all),
            Kind::Array(fields) => return self.elements(fields, false, bytes, most),
            Kind::Structures(fields) => return self.elements(fields, true, bytes, most),
            Kind::Nullable(fields) => return self.nullable(fields, bytes),
            Kind::Structure(_) => Walked::Wrong,
        };
        if matches!(walked, Walked::Past(_) | Walked::Code(_)) {
            self.past();
        }
        walked
    }

    fn past(&mut self) {
        if let Some(frame) = self.stack.last_mut() {
            frame.at += 1;
        }
    }

    fn elements(&mut self, fields: &'static [Field], structures: bool, bytes: &[u8], most: usize) -> Walked {
        let (count, digits) = match self.length(bytes, Length::Long) {
            Ok(length) => length,
            Err(walked) => return walked,
        };
        // Each element takes a byte at least.
        let nothing =
            !(structures && self.flexible) && fields.iter().all(|field| field.is_empty_in(self.version));
        if count > most {
            return Walked::Wrong;
        }
        self.past();
        if count > 0 && !nothing {
            self.stack.push(Frame { fields, at: 0, left: count, tagged: structures, tags: None });
        }
        Walked::Past(digits)
    }

    fn nullable(&mut self, fields: &'static [Field], bytes: &[u8]) -> Walked {
        let Some(first) = bytes.first() else { return Walked::Short(1) };
        self.past();
        match *first {
            0xff => {}
            1 => self.stack.push(Frame { fields, at: 0, left: 1, tagged: true, tags: None }),
            _ => return Walked::Wrong,
        }
        Walked::Past(1)
    }

    /// A length, 0 for null, and the bytes that say it.
    fn length(&self, bytes: &[u8], length: Length) -> Result<(usize, usize), Walked> {
        if self.flexible {
            let (value, digits) = varint(bytes)?;
            return Ok((value.saturating_sub(1), digits));
        }
        let (value, digits) = match length {
            Length::Short => (bytes.first_chunk::<2>().map(|bytes| i32::from(i16::from_be_bytes(*bytes))), 2),
            Length::Long => (bytes.first_chunk::<4>().map(|bytes| i32::from_be_bytes(*bytes)), 4),
        };
        match value {
            Some(-1) => Ok((0, digits)),
            Some(value) => Ok((usize::try_from(value).map_err(|_| Walked::Wrong)?, digits)),
            None => Err(Walked::Short(digits)),
        }
    }
}

/// How lengths are written where they are no varints.
#[derive(Clone, Copy, Debug)]
enum Length {
    Short,
    Long,
}

/// Past a length and as many bytes.
const fn past_all((len, digits): (usize, usize)) -> Walked {
    Walked::Past(len + digits)
}

impl Frame {
    /// Past the number of tagged fields, or one of them.
    fn tags(&mut self, bytes: &[u8]) -> Walked {
        let Some(left) = self.tags else {
            return match varint(bytes) {
                Ok((count, digits)) => {
                    self.tags = Some(count);
                    Walked::Past(digits)
                }
                Err(walked) => walked,
            };
        };
        let tag = varint(bytes).and_then(|(_, digits)| {
            let (size, more) =
                varint(bytes.get(digits..).unwrap_or_default()).map_err(|walked| match walked {
                    Walked::Short(short) => Walked::Short(digits + short),
                    other => other,
                })?;
            Ok(digits + more + size)
        });
        match tag {
            Ok(len) => {
                self.tags = Some(left.saturating_sub(1));
                Walked::Past(len)
            }
            Err(walked) => walked,
        }
    }
}

/// The key whose responses keep the old header.
pub(super) const API_VERSIONS: i16 = 18;

/// An unsigned varint of 32 bits, and its length.
pub(super) fn varint(bytes: &[u8]) -> Result<(usize, usize), Walked> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((value, at + 1));
        }
    }
    Err(if bytes.len() < 5 { Walked::Short(bytes.len() + 1) } else { Walked::Wrong })
}
