//! How bytes reach a peer.

use std::io;

use crate::telemetry::ErrorReason;

/// Sends batches, in the thread of its sink. It neither queues nor counts nor tries again: the frame does.
pub trait Transport: Send {
    /// The peer, as in messages.
    fn peer(&self) -> &str;

    /// Bytes of the next batch, about.
    fn limit(&self) -> usize;

    /// Connects, or connects again after a failure. Called before the first batch.
    ///
    /// # Errors
    /// The peer cannot be reached; the frame tries again later.
    fn connect(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Does what is due beside sending, a few times a second.
    ///
    /// # Errors
    /// What was due failed, and was told.
    fn tend(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Sends a batch: all of it or, as far as the peer can tell, nothing.
    ///
    /// # Errors
    /// Says whether the same batch is to be sent again.
    fn send(&mut self, batch: &[u8]) -> Result<(), Failure>;
}

/// A batch was not sent.
#[derive(Debug)]
pub enum Failure {
    /// It is lost; the next one may go.
    Lost(io::Error),
    /// It is to be sent once more, after a pause and over a new connection.
    Again(io::Error),
}

impl Failure {
    pub(super) fn into_parts(self) -> (io::Error, bool) {
        match self {
            Self::Lost(error) => (error, false),
            Self::Again(error) => (error, true),
        }
    }
}

/// The label value for a failure.
pub(super) fn reason(error: &io::Error) -> ErrorReason {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe
        | Kind::NotConnected => ErrorReason::Refused,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown | Kind::AddrNotAvailable => {
            ErrorReason::Unreachable
        }
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => ErrorReason::Denied,
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => ErrorReason::Full,
        Kind::TimedOut | Kind::WouldBlock => ErrorReason::TimedOut,
        _ => ErrorReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_kernel_have_their_reasons() {
        for (errno, expected) in [
            (libc::ECONNREFUSED, ErrorReason::Refused),
            (libc::EPIPE, ErrorReason::Refused),
            (libc::EHOSTUNREACH, ErrorReason::Unreachable),
            (libc::ENETUNREACH, ErrorReason::Unreachable),
            (libc::EACCES, ErrorReason::Denied),
            (libc::EPERM, ErrorReason::Denied),
            (libc::ENOSPC, ErrorReason::Full),
            (libc::EDQUOT, ErrorReason::Full),
            (libc::ETIMEDOUT, ErrorReason::TimedOut),
            (libc::EIO, ErrorReason::Other),
        ] {
            assert_eq!(reason(&io::Error::from_raw_os_error(errno)), expected, "{errno}");
        }
    }
}
