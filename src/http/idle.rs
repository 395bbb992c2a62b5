//! Connections on which nothing is asked any more: they end, as if the client had closed them.
//!
//! poem's own timeout wakes a task of its own at every read and write, which costs more than most answers do. Here one
//! timer a connection is looked at when there is nothing to read, and set anew only when it went off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream that ends when it was silent for some time and the client had the last answer.
pub(super) struct Idle<S> {
    stream: S,
    patience: Duration,
    /// When something was last sent or received.
    stirred: Instant,
    /// Whether the client has asked something since the last answer: then the server is the one that is awaited.
    asked: bool,
    alarm: Pin<Box<Sleep>>,
}

impl<S> Idle<S> {
    /// A stream that ends after `patience`; needs a running tokio runtime.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, stirred: Instant::now(), asked: false, alarm: Box::pin(sleep(patience)) }
    }

    fn stir(&mut self, asked: bool) {
        self.stirred = Instant::now();
        self.asked = asked;
    }

    /// Ready when the time is over.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.alarm.as_mut().poll(context));
            let end = self.stirred + self.patience;
            let now = Instant::now();
            if end <= now && !self.asked {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(if end <= now { now + self.patience } else { end });
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_read(context, into) {
            Poll::Ready(read) => {
                this.stir(true);
                Poll::Ready(read)
            }
            // Reading nothing is how a stream ends.
            Poll::Pending => this.poll_over(context).map(Ok),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.stir(false);
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.stir(false);
        Pin::new(&mut this.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const LESS: Duration = Duration::from_secs(9);

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_ends_and_one_in_use_does_not() {
        let (mut client, server) = duplex(64);
        let (mut server, start) = (Idle::new(server, PATIENCE), Instant::now());

        for _ in 0..3 {
            tokio::time::advance(LESS).await;
            client.write_all(b"a").await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), b'a');
            server.write_all(b"b").await.unwrap();
        }

        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(start.elapsed().as_secs(), 3 * 9 + 10);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_an_answer_is_not_idle() {
        let (mut client, server) = duplex(64);
        let mut server = Idle::new(server, PATIENCE);

        client.write_all(b"a").await.unwrap();
        server.read_u8().await.unwrap();

        assert!(timeout(PATIENCE * 5, server.read_u8()).await.is_err());
        server.write_all(b"b").await.unwrap();
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    }
}
