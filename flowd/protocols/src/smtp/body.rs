//! The message behind DATA.

use crate::conversation::Step;

/// A message under way: all up to a line of one point (RFC 5321, section 4.1.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// The client ends its lines with LF alone, and so its messages.
    bare: bool,
    /// A line begins here.
    begins: bool,
    /// Bytes of it are missing, its end perhaps.
    pub(super) gap: bool,
}

impl Body {
    pub(super) const fn new(bare: bool) -> Self {
        Self { bare, begins: true, gap: false }
    }

    /// Bytes are missing: nobody knows whether a line begins.
    pub(super) const fn lose(&mut self) {
        (self.begins, self.gap) = (false, true);
    }

    /// Passes over `bytes`; true where the message ends with them.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (Step, bool) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.begins {
                let ends: &[&[u8]] = if self.bare { &[b".\r\n", b".\n"] } else { &[b".\r\n"] };
                if let Some(end) = ends.iter().find(|end| rest.starts_with(end)) {
                    return (Step::Take(at + end.len()), true);
                }
                if ends.iter().any(|end| end.starts_with(rest)) {
                    return (if at > 0 { Step::Take(at) } else { Step::Need(rest.len() + 1) }, false);
                }
            }
            match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let before = end.checked_sub(1).and_then(|before| rest.get(before));
                    self.begins = self.bare || before == Some(&b'\r');
                    at += end + 1;
                }
                // The end of a line may be cut.
                None if rest == b"\r" => {
                    return (if at > 0 { Step::Take(at) } else { Step::Need(2) }, false);
                }
                None => {
                    self.begins = false;
                    at += rest.len() - usize::from(rest.ends_with(b"\r"));
                }
            }
        }
        (Step::Take(at), false)
    }
}
