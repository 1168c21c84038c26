//! The body of an answer in small pieces, which clients of one answer share, and which the [`Budget`] may take away.

use std::{
    fmt, io,
    pin::Pin,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::body::Bytes;
use warp::Stream;

use super::budget::{Budget, Share, UnderWay};

/// Bytes of a piece: as much as a connection holds beyond the budget.
const PIECE: usize = 16 << 10;

/// A whole body.
pub(super) struct Parcel {
    budget: Arc<Budget>,
    share: Share,
    born: Instant,
    size: usize,
    /// Bytes of the budget that it holds: whole pieces.
    taken: AtomicUsize,
    /// Empty once it was taken away.
    pieces: RwLock<Vec<Bytes>>,
    /// Deliveries under way.
    readers: AtomicUsize,
}

/// Takes a body and cuts it into pieces; fails with `QuotaExceeded` where the budget is used up.
pub(super) struct Packer {
    budget: Arc<Budget>,
    share: Share,
    born: Instant,
    pieces: Vec<Bytes>,
    open: Vec<u8>,
    /// Bytes taken from the budget.
    taken: usize,
}

/// A body on its way to one client.
pub(super) struct Delivery {
    parcel: Arc<Parcel>,
    next: usize,
    done: bool,
}

/// The answer made room for others.
#[derive(Debug, thiserror::Error)]
#[error("the answer was under way for too long, and others needed its memory")]
pub(super) struct Revoked;

impl Packer {
    pub(super) fn new(budget: &Arc<Budget>, share: Share) -> Self {
        let (pieces, open) = (Vec::new(), Vec::new());
        Self { budget: Arc::clone(budget), share, born: Instant::now(), pieces, open, taken: 0 }
    }

    /// The body as it is.
    pub(super) fn finish(mut self) -> Arc<Parcel> {
        self.close();
        let pieces = std::mem::take(&mut self.pieces);
        let size = pieces.iter().map(Bytes::len).sum();
        let parcel = Arc::new(Parcel {
            budget: Arc::clone(&self.budget),
            share: self.share,
            born: self.born,
            size,
            taken: AtomicUsize::new(std::mem::take(&mut self.taken)),
            pieces: RwLock::new(pieces),
            readers: AtomicUsize::new(0),
        });
        let answer: Arc<dyn UnderWay> = Arc::<Parcel>::clone(&parcel);
        self.budget.note(&answer);
        parcel
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push(Bytes::from(std::mem::take(&mut self.open)));
        }
    }
}

impl io::Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open.len() == self.open.capacity() {
            self.close();
            self.budget.take(self.share, PIECE).map_err(|_| io::ErrorKind::QuotaExceeded)?;
            self.taken += PIECE;
            self.open = Vec::with_capacity(PIECE);
        }
        let fits = bytes.len().min(self.open.capacity() - self.open.len());
        self.open.extend_from_slice(bytes.get(..fits).unwrap_or_default());
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.budget.give_back(self.share, self.taken);
    }
}

impl Parcel {
    /// Bytes of the whole body.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// True while a client is being sent it.
    pub(super) fn is_under_way(&self) -> bool {
        self.readers.load(Ordering::Acquire) > 0
    }

    /// Sends it to one more client.
    pub(super) fn deliver(self: Arc<Self>) -> Delivery {
        self.readers.fetch_add(1, Ordering::AcqRel);
        Delivery { parcel: self, next: 0, done: false }
    }
}

impl UnderWay for Parcel {
    fn share(&self) -> Share {
        self.share
    }

    fn age(&self) -> Duration {
        self.born.elapsed()
    }

    fn revoke(&self) -> usize {
        self.pieces.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.taken.swap(0, Ordering::AcqRel)
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.budget.give_back(self.share, self.revoke());
    }
}

impl Delivery {
    /// The last piece is on its way, or none will be.
    fn end(&mut self) {
        if !std::mem::replace(&mut self.done, true) {
            self.parcel.readers.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Stream for Delivery {
    type Item = Result<Bytes, Revoked>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.done {
            return Poll::Ready(None);
        }
        let (piece, count) = {
            let pieces = self.parcel.pieces.read().unwrap_or_else(PoisonError::into_inner);
            (pieces.get(self.next).cloned(), pieces.len())
        };
        self.next += 1;
        if self.next >= count {
            self.end();
        }
        Poll::Ready(match piece {
            Some(piece) => Some(Ok(piece)),
            None if self.parcel.size > 0 => Some(Err(Revoked)),
            None => None,
        })
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, task::Waker};

    use super::*;

    fn next(delivery: &mut Delivery) -> Option<Result<Bytes, Revoked>> {
        match Pin::new(delivery).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => next,
            Poll::Pending => unreachable!("a piece is always ready"),
        }
    }

    fn parcel(text: &[u8]) -> Arc<Parcel> {
        let mut packer = Packer::new(&Arc::default(), Share::Api);
        packer.write_all(text).unwrap();
        packer.finish()
    }

    #[test]
    fn every_client_gets_all_of_it_at_its_own_pace() {
        let text: Vec<u8> = (0..5 * PIECE / 2).map(|number| number as u8).collect();
        let parcel = parcel(&text);
        assert!(!parcel.is_under_way());
        let mut deliveries = [Arc::clone(&parcel).deliver(), Arc::clone(&parcel).deliver()];
        let first = next(&mut deliveries[0]).unwrap().unwrap();
        let mut got = Vec::new();
        while let Some(piece) = next(&mut deliveries[1]) {
            got.extend(piece.unwrap());
        }
        assert!(got == text && first == text[..PIECE]);
        assert!(parcel.is_under_way(), "one has not had all");
        for _ in 0..2 {
            next(&mut deliveries[0]).unwrap().unwrap();
        }
        assert!(!parcel.is_under_way(), "the last piece is on its way");
        assert!(next(&mut deliveries[0]).is_none());
        let mut empty = self::parcel(b"").deliver();
        assert!(next(&mut empty).is_none());
    }

    #[test]
    fn what_was_taken_away_ends_with_an_error() {
        let parcel = parcel(&vec![1; 3 * PIECE]);
        let mut delivery = Arc::clone(&parcel).deliver();
        next(&mut delivery).unwrap().unwrap();
        assert_eq!(parcel.revoke(), 3 * PIECE);
        assert!(next(&mut delivery).unwrap().is_err());
        assert!(next(&mut delivery).is_none() && !parcel.is_under_way());
    }
}
