//! Logs: JSON lines in production, readable ones elsewhere.

use std::backtrace::Backtrace;
use std::io;
use std::panic;
use std::sync::Once;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use super::log_queue::{self, LogThread};
use super::reports::{self, PANIC_TARGET, ReportLayer};
use crate::config::{Environment, LogFilter};

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// To standard output, as containers expect of a server.
    Stdout,
    /// To standard error, where they do not mix with what a command prints.
    Stderr,
}

/// Starts logging, once per process; a later call changes nothing. A server's lines are written by a thread, as long as
/// what this returns is there.
pub fn init(environment: Environment, filter: &LogFilter, output: Output) -> Option<LogThread> {
    let started = match output {
        Output::Stdout => log_queue::start(io::stdout()).ok(),
        Output::Stderr => None,
    };
    let subscriber = match (output, &started) {
        (Output::Stdout, Some((queue, _))) => subscriber(environment, filter, queue.clone()),
        (Output::Stdout, None) => subscriber(environment, filter, io::stdout),
        (Output::Stderr, _) => subscriber(environment, filter, io::stderr),
    };
    log_panics();
    // A second subscriber is refused, which only happens where several tests share a process.
    let _ = subscriber.try_init();
    started.map(|(_, thread)| thread)
}

/// Logs panics with their place and their stack, within the request under way.
fn log_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string);
            let stack = Backtrace::force_capture();
            let message = panic.payload_as_str().unwrap_or("(no text)");
            tracing::error!(target: PANIC_TARGET, panic = message, place, %stack, "something panicked");
            next(panic);
        }));
    });
}

fn subscriber<W>(environment: Environment, filter: &LogFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let reports = reports::is_on().then_some(ReportLayer);
    let registry =
        tracing_subscriber::registry().with(EnvFilter::new(filter.as_str())).with(filter_fn(is_discreet)).with(reports);
    if environment == Environment::Production {
        let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
        Box::new(registry.with(lines.with_writer(writer)))
    } else {
        Box::new(registry.with(fmt::layer().with_target(false).with_ansi(false).with_writer(writer)))
    }
}

/// Libraries that write down whole messages below errors: in rmcp's are tasks, in webauthn-rs's what people sign in with.
const TALKATIVE: [&str; 3] = ["rmcp", "webauthn_rs", "webauthn_rs_core"];

/// Whether a line may be written whatever level was chosen. What there is to say about a request is in the line that this
/// program writes of it.
fn is_discreet(line: &Metadata<'_>) -> bool {
    let library = line.target().split("::").next().unwrap_or_default();
    !TALKATIVE.contains(&library) || *line.level() == Level::ERROR
}

/// Catches what this thread logs until the guard is dropped.
#[cfg(test)]
pub(crate) fn capture(environment: Environment) -> (tracing::subscriber::DefaultGuard, capture::Buffer) {
    capture_at(environment, &LogFilter::default())
}

/// The same at another level.
#[cfg(test)]
pub(crate) fn capture_at(
    environment: Environment,
    filter: &LogFilter,
) -> (tracing::subscriber::DefaultGuard, capture::Buffer) {
    use tracing::Dispatch;
    // While there is only one subscriber, tracing asks that of the thread which meets a log statement first, and tests
    // on other threads have none. A second one that lives on makes it ask all.
    static ANOTHER: std::sync::LazyLock<Dispatch> =
        std::sync::LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
    std::sync::LazyLock::force(&ANOTHER);
    let buffer = capture::Buffer::default();
    let writer = buffer.clone();
    let subscriber = subscriber(environment, filter, move || writer.clone());
    (tracing::subscriber::set_default(subscriber), buffer)
}

#[cfg(test)]
pub(crate) mod capture {
    use std::io;
    use std::sync::{Arc, Mutex};

    /// Log lines, caught.
    #[derive(Clone, Default)]
    pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        /// What was logged so far.
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_logs_one_json_object_a_line_with_the_request_it_belongs_to() {
        let (_guard, log) = capture(Environment::Production);
        let span = tracing::error_span!("request", request.id = "abc");

        span.in_scope(|| tracing::info!(http.status = 200, "answered"));

        let line: serde_json::Value = serde_json::from_str(&log.text()).unwrap();
        assert_eq!(line["http.status"], 200);
        assert_eq!(line["span"]["request.id"], "abc");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_panic_is_logged_with_its_request_its_place_and_its_stack() {
        log_panics();
        let (_guard, log) = capture(Environment::Production);
        let span = tracing::error_span!("request", request.id = "abc");

        let panicked = panic::catch_unwind(panic::AssertUnwindSafe(|| span.in_scope(|| panic!("the sky fell"))));

        assert!(panicked.is_err());
        let line: serde_json::Value = serde_json::from_str(log.text().lines().next().unwrap()).unwrap();
        assert_eq!((&line["panic"], &line["level"]), (&"the sky fell".into(), &"ERROR".into()));
        assert_eq!(line["span"]["request.id"], "abc");
        assert!(line["place"].as_str().unwrap().contains("logs.rs:"), "{line}");
        assert!(line["stack"].as_str().unwrap().contains("a_panic_is_logged"), "{line}");
    }

    #[test]
    fn elsewhere_lines_are_readable_and_debug_stays_out() {
        let (_guard, log) = capture(Environment::Development);

        tracing::debug!("unseen");
        tracing::info!("seen");

        assert!(log.text().contains("INFO seen") && !log.text().contains("unseen"), "{}", log.text());
    }

    #[test]
    fn messages_of_the_protocol_stay_out_whatever_level_is_chosen() {
        let (_guard, log) = capture_at(Environment::Development, &LogFilter::of("trace,rmcp::service=trace"));

        tracing::debug!(target: "rmcp::service", request = "Call the doctor", "received request");
        tracing::warn!(target: "rmcp::service", "response error");
        tracing::trace!(target: "webauthn_rs_core::core", reg = "A signature", "challenge");
        tracing::error!(target: "rmcp::service", "fail to close sink");
        tracing::debug!("our own");

        let text = log.text();
        assert!(!text.contains("doctor") && !text.contains("response error"), "{text}");
        assert!(!text.contains("A signature"), "{text}");
        assert!(text.contains("fail to close sink") && text.contains("our own"), "{text}");
    }
}
