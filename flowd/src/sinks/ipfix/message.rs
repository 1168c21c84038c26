//! Messages of IPFIX: header, sets, templates and their repetition, sequence numbers (RFC 7011 sections 3, 8 and 10.3).

use std::{
    io,
    time::{Duration, Instant, SystemTime},
};

use super::{
    one_way::OneWay,
    profile::{Profile, Template},
};
use crate::{
    record::Record,
    sinks::format::{Appended, Format},
};

const VERSION: u16 = 10;
const HEADER: usize = 16;
const TEMPLATE_SET: u16 = 2;
/// Over UDP a template may get lost, and a collector that was started anew knows none: they are sent again after this
/// time and after so many messages, whichever is first (RFC 7011 section 8.4).
const REFRESH: Duration = Duration::from_secs(60);
const REFRESH_MESSAGES: u32 = 500;

/// Batches that are one message each.
#[derive(Debug)]
pub(super) struct Messages {
    profile: &'static Profile,
    domain: u32,
    /// Data records of all messages before this one, modulo 2^32. It counts those as well whose message got lost, so
    /// that the collector sees the gap.
    pub(super) sequence: u32,
    /// Data records of this message.
    records: u32,
    /// The set that records are appended to: its template, and where in the message it begins.
    set: Option<(u16, usize)>,
    /// Templates are in this message.
    has_templates: bool,
    /// When they were in a message last, and how many messages ago.
    sent_templates: Option<Instant>,
    messages: u32,
}

impl Messages {
    pub(super) const fn new(profile: &'static Profile, domain: u32) -> Self {
        Self {
            profile,
            domain,
            sequence: 0,
            records: 0,
            set: None,
            has_templates: false,
            sent_templates: None,
            messages: 0,
        }
    }

    fn begin(&mut self, message: &mut Vec<u8>, with_templates: bool) {
        (self.set, self.records, self.has_templates) = (None, 0, with_templates);
        message.resize(HEADER, 0);
        if !with_templates {
            return;
        }
        let start = begin_set(TEMPLATE_SET, message);
        for Template { id, elements } in &self.profile.templates {
            for word in [*id, elements.len() as u16] {
                message.extend_from_slice(&word.to_be_bytes());
            }
            for element in *elements {
                for word in [element.id, element.length] {
                    message.extend_from_slice(&word.to_be_bytes());
                }
            }
        }
        end_set(start, message);
    }

    fn are_templates_due(&self) -> bool {
        self.messages >= REFRESH_MESSAGES || self.sent_templates.is_none_or(|sent| sent.elapsed() >= REFRESH)
    }

    fn append_one(&mut self, way: &OneWay<'_>, message: &mut Vec<u8>) {
        let template = self.profile.template(way);
        if self.set.is_none_or(|(id, _)| id != template.id) {
            if let Some((_, start)) = self.set {
                end_set(start, message);
            }
            self.set = Some((template.id, begin_set(template.id, message)));
        }
        for element in template.elements {
            (element.write)(way, message);
        }
        self.records += 1;
    }

    /// Writes what only the end tells.
    fn complete(&mut self, message: &mut [u8]) {
        if let Some((_, start)) = self.set.take() {
            end_set(start, message);
        }
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut header = [0; HEADER];
        let words =
            [u32::from(VERSION) << 16 | u32::from(length), now.as_secs() as u32, self.sequence, self.domain];
        for (place, word) in header.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        if let Some(place) = message.get_mut(..HEADER) {
            place.copy_from_slice(&header);
        }
        self.sequence = self.sequence.wrapping_add(self.records);
        self.records = 0;
    }
}

impl Format for Messages {
    fn append(&mut self, record: &Record, message: &mut Vec<u8>, limit: usize) -> io::Result<Appended> {
        let Record::Flow(flow) = record else { return Err(io::ErrorKind::Unsupported.into()) };
        let (length, set, records) = (message.len(), self.set, self.records);
        for way in OneWay::of(flow) {
            if message.is_empty() {
                self.begin(message, self.are_templates_due());
            }
            self.append_one(&way, message);
        }
        if message.len() <= limit.min(usize::from(u16::MAX)) {
            return Ok(Appended::Taken);
        }
        // The set before, where this one was begun for the record, gets its length again at the end.
        message.truncate(length);
        (self.set, self.records) = (set, records);
        Ok(Appended::Full)
    }

    fn finish(&mut self, message: &mut Vec<u8>) {
        if message.is_empty() {
            return;
        }
        self.messages += 1;
        if self.has_templates {
            (self.sent_templates, self.messages) = (Some(Instant::now()), 0);
        }
        self.complete(message);
    }

    fn greet(&mut self, message: &mut Vec<u8>) {
        // A message of its own, between those that are made already: it has no records, so it takes no number. The next
        // one that is made has the templates as well, as this one may get lost.
        let mut greeting = Self::new(self.profile, self.domain);
        greeting.sequence = self.sequence;
        greeting.begin(message, true);
        greeting.complete(message);
        self.sent_templates = None;
    }
}

/// Makes room for a set's header; gives back where it begins.
fn begin_set(id: u16, message: &mut Vec<u8>) -> usize {
    let start = message.len();
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&[0, 0]);
    start
}

/// Writes the length of the set that began at `start`. There is no padding: it is not asked for (RFC 7011 section
/// 3.3.1), and some collectors stumble over it.
fn end_set(start: usize, message: &mut [u8]) {
    let length = u16::try_from(message.len().saturating_sub(start)).unwrap_or(u16::MAX);
    if let Some(place) = message.get_mut(start + 2..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}
