//! A client's connection, with patience: for what it sends, for what it takes, and for nothing at all.
//!
//! One timer a connection is looked at when there is nothing to read or no room to write, and set anew when it went off: a
//! quick request costs none. hyper's own timers end a connection without a word; here the reason is kept, so that the client can
//! be told.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use poem::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// What clients of HTTP/2 send first (RFC 9113, section 3.4).
const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An answer that hyper gives by itself is shorter; each of ours is longer, by its headers.
const LONGEST_BARE: usize = 200;

/// How long a connection is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Without a request.
    pub(super) idle: Duration,
    /// For the head of a request, from its first byte on.
    pub(super) head: Duration,
    /// For a client that takes nothing of its answer.
    pub(super) write: Duration,
}

/// Requests of a connection that are being answered, counted by those who answer.
#[derive(Debug, Default)]
pub(super) struct Activity {
    running: AtomicUsize,
    heads: AtomicUsize,
}

/// One request that is being answered, until its answer's last byte is given to the connection.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Running {
    pub(super) fn begin(activity: &Arc<Activity>) -> Self {
        activity.running.fetch_add(1, Ordering::Relaxed);
        activity.heads.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a stream ended from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nobody asked anything any more.
    Idle,
    /// The head of a request did not come in time.
    SlowHead,
    /// The client took nothing of its answer.
    Stalled,
    /// hyper could not read the head, and would have answered with this status alone.
    Refused(StatusCode),
}

/// Which protocol a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// The head of a request that is under way.
#[derive(Clone, Copy, Debug)]
struct Head {
    since: Instant,
    /// How many heads were complete before it.
    number: usize,
    /// Whether its first line is there.
    has_line: bool,
}

/// A stream that ends when the patience with it is over.
pub(super) struct Stream<S> {
    inner: S,
    patience: Patience,
    activity: Arc<Activity>,
    version: Version,
    /// What was read to find out the version, and how much of it was handed on.
    ahead: [u8; PREFACE.len()],
    ahead_read: usize,
    ahead_given: usize,
    /// When something was last sent or received.
    stirred: Instant,
    /// Since when there has been no room to write.
    stalled: Option<Instant>,
    head: Option<Head>,
    /// Whether something came since the last write.
    asked: bool,
    ended: Option<Ended>,
    alarm: Pin<Box<Sleep>>,
}

impl<S> Stream<S> {
    /// A stream that nobody has read from; needs a running tokio runtime.
    pub(super) fn new(inner: S, patience: Patience, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            patience,
            activity,
            version: Version::Http1,
            ahead: [0; PREFACE.len()],
            ahead_read: 0,
            ahead_given: 0,
            stirred: Instant::now(),
            stalled: None,
            head: None,
            asked: false,
            ended: None,
            alarm: Box::pin(sleep(patience.head.min(patience.idle))),
        }
    }

    /// Why it ended, if this side ended it.
    pub(super) const fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The stream itself, without patience.
    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    fn is_running(&self) -> bool {
        self.activity.running.load(Ordering::Relaxed) > 0
    }

    /// The head that is under way, if one is: hyper has not handed it on since.
    fn open_head(&self) -> Option<Head> {
        let heads = self.activity.heads.load(Ordering::Relaxed);
        self.head.filter(|head| head.number == heads && !self.is_running())
    }

    /// When the patience is over, and with what.
    fn end(&self) -> Option<(Instant, Ended)> {
        if let Some(since) = self.stalled {
            return Some((since + self.patience.write, Ended::Stalled));
        }
        if self.is_running() {
            return None;
        }
        match self.open_head() {
            Some(head) if self.version == Version::Http1 => Some((head.since + self.patience.head, Ended::SlowHead)),
            _ => Some((self.stirred + self.patience.idle, Ended::Idle)),
        }
    }

    /// Ready when the patience is over.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        loop {
            let end = self.end();
            if let Some((at, _)) = end
                && at < self.alarm.deadline()
            {
                self.alarm.as_mut().reset(at);
            }
            ready!(self.alarm.as_mut().poll(context));
            let now = Instant::now();
            match end {
                Some((at, why)) if at <= now => {
                    self.ended = Some(why);
                    return Poll::Ready(why);
                }
                Some((at, _)) => self.alarm.as_mut().reset(at),
                None => self.alarm.as_mut().reset(now + self.patience.idle),
            }
        }
    }

    /// Notes bytes that came.
    fn received(&mut self, bytes: &[u8]) {
        self.stirred = Instant::now();
        if bytes.is_empty() || self.is_running() {
            return;
        }
        self.asked = true;
        let number = self.activity.heads.load(Ordering::Relaxed);
        let fresh = Head { since: self.stirred, number, has_line: false };
        let mut head = self.head.filter(|head| head.number == number).unwrap_or(fresh);
        head.has_line = head.has_line || bytes.contains(&b'\n');
        self.head = Some(head);
    }

    /// Notes that there was room to write, or none.
    fn written(&mut self, written: &Poll<io::Result<usize>>) {
        self.asked = false;
        if written.is_ready() {
            self.stirred = Instant::now();
            self.stalled = None;
        } else if self.stalled.is_none() {
            self.stalled = Some(Instant::now());
        }
    }

    /// Whether `bytes` are an answer that hyper gives by itself to a head that it cannot read; then they are not sent, and the
    /// status is kept for a better one.
    fn takes_over(&mut self, bytes: &[u8]) -> bool {
        if !self.asked || self.is_running() || bytes.len() > LONGEST_BARE || self.version != Version::Http1 {
            return false;
        }
        let Some(status) = bare_status(bytes) else { return false };
        let too_long =
            status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE && !self.head.is_some_and(|head| head.has_line);
        self.ended = Some(Ended::Refused(if too_long { StatusCode::URI_TOO_LONG } else { status }));
        true
    }

    /// What a write comes to that cannot go on: an error when the patience is over.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self.poll_over(context) {
            Poll::Ready(Ended::Stalled) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            _ => Poll::Pending,
        }
    }
}

/// The status of an answer to a head that could not be read: three lines of hyper's, and no body.
fn bare_status(bytes: &[u8]) -> Option<StatusCode> {
    let text = std::str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "))?;
    let bare = text.ends_with("\r\n\r\n") && text.contains("content-length: 0\r\n") && !text.contains("x-request-id");
    let status = StatusCode::from_bytes(rest.get(..3)?.as_bytes()).ok()?;
    (bare && status.is_client_error()).then_some(status)
}

impl<S: AsyncRead + Unpin> Stream<S> {
    /// Finds out which protocol the client speaks, from the first bytes; `None` when there are none.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub(super) async fn find_version(&mut self) -> io::Result<Option<Version>> {
        loop {
            let seen = &self.ahead[..self.ahead_read];
            if seen == PREFACE {
                self.version = Version::Http2;
            } else if seen.is_empty() || PREFACE.starts_with(seen) {
                if std::future::poll_fn(|context| self.poll_ahead(context)).await? == 0 {
                    // Who began a request and did not go on is told so.
                    return Ok((self.ended == Some(Ended::SlowHead)).then_some(Version::Http1));
                }
                continue;
            }
            return Ok(Some(self.version));
        }
    }

    fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; PREFACE.len()];
        let mut into = ReadBuf::new(&mut space[self.ahead_read..]);
        ready!(self.poll_patiently(context, &mut into))?;
        let read = into.filled().len();
        self.ahead[self.ahead_read..self.ahead_read + read].copy_from_slice(into.filled());
        self.ahead_read += read;
        Poll::Ready(Ok(read))
    }

    fn poll_patiently(&mut self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        match Pin::new(&mut self.inner).poll_read(context, into) {
            Poll::Ready(read) => {
                self.received(&into.filled()[before..]);
                Poll::Ready(read)
            }
            // Reading nothing is how a stream ends.
            Poll::Pending => self.poll_over(context).map(|_| Ok(())),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead_given < this.ahead_read {
            let ahead = &this.ahead[this.ahead_given..this.ahead_read];
            let given = ahead.len().min(into.remaining());
            into.put_slice(&ahead[..given]);
            this.ahead_given += given;
            return Poll::Ready(Ok(()));
        }
        this.poll_patiently(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.takes_over(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.written(&written);
        if written.is_pending() { this.poll_stalled(context) } else { written }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let [only] = bytes
            && this.takes_over(only)
        {
            return Poll::Ready(Ok(only.len()));
        }
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, bytes);
        this.written(&written);
        if written.is_pending() { this.poll_stalled(context) } else { written }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    /// Left to who owns the connection: something may have to be said before.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

#[cfg(test)]
mod tests;
