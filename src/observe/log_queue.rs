//! The way of log lines to standard output: who logs does not wait for it.
//!
//! A line is put behind those that wait; a thread of its own writes all of them with one call, a moment after the first
//! came, so that many lines cost few wake-ups. None is lost: who finds the queue full waits, and the end of [`LogThread`]
//! writes what is left. Only a process that is killed outright loses the lines of its last moment.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How many bytes may wait.
const MOST_BYTES: usize = 256 * 1024;
/// How long the first line waits for others.
const MOMENT: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// Nobody writes what waits any more: lines go straight to the output.
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&Queue) -> bool) -> MutexGuard<'_, Queue> {
        let waited = self.changed.wait_while(self.lock(), |queue| condition(queue));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue's end where lines are put, shared by cloning.
#[derive(Clone)]
pub(super) struct LogQueue(Arc<Shared>);

/// The queue's other end. Dropping it writes what waits; lines that come later go straight to standard output.
#[must_use = "lines are written as long as this is there"]
pub struct LogThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread that writes to `output`.
pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<(LogQueue, LogThread)> {
    let shared = Arc::new(Shared::default());
    let from = Arc::clone(&shared);
    let thread = thread::Builder::new().name("log".to_owned()).spawn(move || write_out(&from, output))?;
    Ok((LogQueue(Arc::clone(&shared)), LogThread { shared, thread: Some(thread) }))
}

fn write_out(shared: &Shared, mut output: impl Write) {
    let mut lines = Vec::new();
    loop {
        let queue = shared.wait_while(|queue| queue.lines.is_empty() && !queue.closed);
        if queue.lines.is_empty() {
            return;
        }
        let room = |queue: &mut Queue| queue.lines.len() < MOST_BYTES && !queue.closed;
        let waited = shared.changed.wait_timeout_while(queue, MOMENT, room);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut queue.lines, &mut lines);
        drop(queue);
        if lines.len() >= MOST_BYTES {
            shared.changed.notify_all();
        }
        // A closed standard output is no reason not to serve.
        let _ = output.write_all(&lines).and_then(|()| output.flush());
        lines.clear();
    }
}

impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut queue = self.0.wait_while(|queue| queue.lines.len() >= MOST_BYTES && !queue.closed);
        if queue.closed {
            drop(queue);
            return io::stdout().write(line);
        }
        let was_empty = queue.lines.is_empty();
        queue.lines.extend_from_slice(line);
        if was_empty || queue.lines.len() >= MOST_BYTES {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogQueue {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It cannot panic; if it did, there would be nobody to tell.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::logs::capture::Buffer;
    use super::*;

    #[test]
    fn every_line_is_written_before_the_end_in_the_order_of_each_thread() {
        let output = Buffer::default();
        let (queue, end) = start(output.clone()).unwrap();

        thread::scope(|scope| {
            for name in ["a", "b", "c"] {
                let mut queue = queue.clone();
                scope.spawn(move || {
                    (0..20_000).for_each(|number| queue.write_all(format!("{name} {number}\n").as_bytes()).unwrap());
                });
            }
        });
        drop(end);

        let text = output.text();
        for name in ["a", "b", "c"] {
            let numbers = text.lines().filter_map(|line| line.strip_prefix(name)?.trim().parse::<u32>().ok());
            assert!(numbers.eq(0..20_000));
        }
    }

    #[test]
    fn a_panic_does_not_lose_what_was_logged_before() {
        let output = Buffer::default();
        let (mut queue, end) = start(output.clone()).unwrap();

        let panicked = thread::spawn(move || {
            let _end = end;
            queue.write_all(b"the last words\n").unwrap();
            panic!("the server's main task");
        });

        assert!(panicked.join().is_err());
        assert_eq!(output.text(), "the last words\n");
    }
}
