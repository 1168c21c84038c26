//! What a protocol has to say of one conversation.

use std::fmt::Debug;

use super::talk::Talk;
use crate::options::Options;

/// An end of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who asks.
    Client,
    /// Who answers.
    Server,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Whether bytes are a protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// They are not, whatever follows.
    No,
    /// They may be: more bytes of either side tell.
    Maybe,
    /// They are: hardly anything else looks like this.
    Yes,
}

/// Bytes of one side that begin where the last step ended.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub bytes: &'a [u8],
    /// No more bytes follow these without a gap: what can be told is to be told now. [`Step::Need`] is then taken for
    /// [`Step::Lost`].
    pub cut: bool,
}

/// What a dialect made of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes are understood, 1 at least. More than there are: the rest is skipped as it comes, seen or not.
    Take(usize),
    /// Nothing can be told before there are so many bytes. More than [`Step::MOST`]: as with [`Input::cut`].
    Need(usize),
    /// This is not the protocol's, or nobody knows where the next message begins: the side is left until
    /// [`Dialect::resume`] takes what a segment begins with.
    Lost,
    /// The conversation speaks something else from here on, as after STARTTLS: nothing more is told of it.
    Leave,
}

impl Step {
    /// Bytes that one step may see at most.
    pub const MOST: usize = 20 << 10;
}

/// A protocol on one connection. It keeps what it needs to understand both sides, bounded by itself, and tells requests
/// and responses to a [`Talk`]. It never panics, whatever the bytes are.
pub trait Dialect: Debug + Send {
    /// Reads what stands at the front of what `side` sent. Called again with what is left after [`Step::Take`], and
    /// after [`Step::Need`] once there is more.
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step;

    /// Takes other options: what is asked from now on is shown by them.
    fn configure(&mut self, _options: &Options) {}

    /// Bytes of `side` are missing, not only skipped: which requests or responses stood in them is not known. A protocol
    /// that pairs in order has to close what it can no longer pair ([`Talk::give_up`]).
    fn gap(&mut self, _side: Side, talk: &mut Talk<'_>) {
        talk.give_up();
    }

    /// Whether a message of `side` may be taken to begin with `bytes`, the beginning of a segment after a gap, or of the
    /// first one that was seen.
    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool;

    /// No more will come of either side; `reset`: the connection ended by a RST. A protocol with records of its own
    /// tells what is still open; requests that it told the [`Talk`] are closed behind this.
    fn finish(&mut self, _reset: bool, _talk: &mut Talk<'_>) {}

    /// When the oldest of what it keeps open by itself was asked, nanoseconds of the packet clock.
    fn oldest(&self) -> Option<u64> {
        None
    }

    /// Gives up what it keeps open by itself and was asked at `until` or before.
    fn expire(&mut self, _until: u64, _talk: &mut Talk<'_>) {}

    /// Bytes that it holds beside its own place.
    fn weight(&self) -> usize {
        0
    }
}

/// A protocol among those that may recognise a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// What the bytes are that client and server sent from some moment on, either side perhaps none, perhaps cut at the
    /// end. Called with both orders of the sides: [`Recognition::Yes`] says who the client is as well.
    pub recognise: fn(client: &[u8], server: &[u8]) -> Recognition,
    /// A conversation that has said nothing yet.
    pub start: fn(&Options) -> Box<dyn Dialect>,
}
