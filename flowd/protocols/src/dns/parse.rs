//! A DNS message (RFC 1035 section 4), read as far as its copy reaches.
//!
//! The reader is this project's own: messages are cut at the copied bytes, their counts are the sender's
//! claim, and one odd record must not cost the question. The tests hold it against another implementation.

mod bytes;
mod name;
mod resource;

pub(super) use bytes::u16_at;

/// Questions of a message that are read; nobody sends more than one.
const MAX_QUESTIONS: usize = 16;
/// Answers of a message that are shown.
const MAX_ANSWERS: usize = 16;

const HEADER_LEN: usize = 12;
/// Bits of the flags; 0 is a standard query.
const OPCODE: u16 = 0x7800;
/// The pseudo record of EDNS (RFC 6891 section 6.1.2).
const OPT: u16 = 41;

/// How the root is shown where it is asked for: a lone dot would vanish beside names without one at their end. The
/// word is Wireshark's.
const ROOT: &str = "<Root>";

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Printable ASCII, as it was sent; the root, which has no name, by [`ROOT`].
    pub(super) name: String,
    pub(super) qtype: u16,
    pub(super) qclass: u16,
}

impl Question {
    /// Names are equal in upper and lower case (RFC 4343), and resolvers mix them on purpose.
    pub(super) fn same(&self, other: &Self) -> bool {
        (self.qtype, self.qclass) == (other.qtype, other.qclass)
            && self.name.eq_ignore_ascii_case(&other.name)
    }
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: u16,
    pub(super) response: bool,
    /// TC: the sender had more to say than fits.
    pub(super) truncated: bool,
    /// With the upper bits that EDNS adds, where its record was reached.
    pub(super) rcode: u16,
    pub(super) questions: Vec<Question>,
    pub(super) answers: Vec<String>,
    /// Answers that the header claims.
    pub(super) answer_count: u16,
}

impl Message {
    /// Reads a message that may be cut; `None` where it is too short for a header, or no question can be read where there
    /// should be one, unless it `goes_on` behind the copied bytes: the header of a standard query then still says what it answers, and how.
    pub(super) fn read(bytes: &[u8], goes_on: bool) -> Option<Self> {
        let word = |at| u16_at(bytes, at);
        let flags = word(2)?;
        let (questions, answers) = (word(4)?, word(6)?);
        let others = usize::from(word(8)?) + usize::from(word(10)?);
        let mut message = Self {
            id: word(0)?,
            response: flags & 0x8000 != 0,
            truncated: flags & 0x0200 != 0,
            rcode: flags & 0xf,
            answer_count: answers,
            ..Self::default()
        };
        let Some(at) = message.read_questions(bytes, questions) else {
            // Of the questions some may have been read, and of a cut response nothing more is expected.
            let is_plain = questions == 1 && flags & OPCODE == 0;
            return (goes_on && is_plain || !message.questions.is_empty()).then_some(message);
        };
        let Some(at) = message.read_answers(bytes, at, answers) else { return Some(message) };
        message.find_extension(bytes, at, others);
        Some(message)
    }

    fn read_questions(&mut self, bytes: &[u8], count: u16) -> Option<usize> {
        let mut at = HEADER_LEN;
        for _ in 0..count {
            let (name, end) = name::read(bytes, at)?;
            let name = if name == "." { ROOT.to_owned() } else { name };
            let question = Question { name, qtype: u16_at(bytes, end)?, qclass: u16_at(bytes, end + 2)? };
            if self.questions.len() < MAX_QUESTIONS {
                self.questions.push(question);
            }
            at = end + 4;
        }
        Some(at)
    }

    /// Every record takes eleven bytes at least, so that the copy's length bounds these loops.
    fn read_answers(&mut self, bytes: &[u8], mut at: usize, count: u16) -> Option<usize> {
        for _ in 0..count {
            let record = resource::Record::at(bytes, at)?;
            if self.answers.len() < MAX_ANSWERS {
                self.answers.push(record.text(bytes));
            }
            at = record.end;
        }
        Some(at)
    }

    fn find_extension(&mut self, bytes: &[u8], mut at: usize, count: usize) {
        for _ in 0..count {
            let Some(record) = resource::Record::at(bytes, at) else { return };
            if record.kind == OPT {
                self.rcode |= (record.ttl >> 24 << 4) as u16;
                return;
            }
            at = record.end;
        }
    }
}
