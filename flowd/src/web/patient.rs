//! A stream that gives up on a client which takes nothing of its answer.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::places::Seat;

/// Fails a write that makes no progress for long.
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Runs while a write waits.
    limit: Option<Pin<Box<Sleep>>>,
    /// Hears of each write that makes progress.
    seat: Arc<Seat>,
}

impl<S> Patient<S> {
    pub(super) const fn new(stream: S, patience: Duration, seat: Arc<Seat>) -> Self {
        Self { stream, patience, limit: None, seat }
    }

    fn within<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.limit = None;
            self.seat.goes_on();
            return done;
        }
        self.seat.blocks();
        let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        limit.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.within(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(context);
        self.within(context, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_shutdown(context);
        self.within(context, done)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_client_that_reads_slowly_is_served_and_one_that_stops_is_not() {
        let (here, mut there) = tokio::io::duplex(16);
        let mut patient = Patient::new(here, Duration::from_millis(200), Arc::new(Seat::alone()));
        let writer = tokio::spawn(async move {
            patient.write_all(&[1; 64]).await.unwrap();
            patient.write_all(&[2; 64]).await
        });
        for _ in 0..4 {
            sleep(Duration::from_millis(80)).await;
            there.read_exact(&mut [0; 16]).await.unwrap();
        }
        let error = writer.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
