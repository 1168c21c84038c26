//! What a kind of sink tells the frame of itself.

use std::{io, path::PathBuf};

use super::{files::Files, format::Format, transport::Transport, url::Url};

/// What the frame has to know of a kind of sink.
#[derive(Debug)]
pub struct Scheme {
    /// What its URLs begin with.
    pub name: &'static str,
    /// Name of its threads, of at most 15 bytes.
    pub thread: &'static str,
    /// How its URLs are written.
    pub form: &'static str,
    /// What to do where one cannot be opened.
    pub remedy: &'static str,
    /// The first is the default.
    pub formats: &'static [FormatInfo],
    /// Options of its URLs, beside those of every sink.
    pub options: &'static [&'static str],
    /// Says what is wrong with a URL, and the remedy.
    pub check: fn(&Url) -> Result<(), String>,
    /// What it needs of the machine.
    pub reach: fn(&Url) -> Reach,
    /// Makes the two halves of a sink from its URL and the name of its format. What can only be known later, as whether the peer answers, is for
    /// [`Transport::connect`].
    pub open: fn(&Url, &str, &mut Files) -> io::Result<Halves>,
}

/// The two halves of a sink.
pub type Halves = (Box<dyn Format>, Box<dyn Transport>);

/// A format, and what it can tell.
#[derive(Debug)]
pub struct FormatInfo {
    pub name: &'static str,
    /// Kinds of records that it can write; empty: every kind.
    pub kinds: &'static [&'static str],
}

/// What a sink needs of the machine.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// A file that it writes.
    pub writes: Option<PathBuf>,
    /// It looks up a host by name.
    pub resolves: bool,
}

impl PartialEq for Scheme {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scheme {}
