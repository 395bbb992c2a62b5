//! Logs: JSON lines in production, readable ones elsewhere.

use std::io;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Environment, LogFilter};

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// To standard output, as containers expect of a server.
    Stdout,
    /// To standard error, where they do not mix with what a command prints.
    Stderr,
}

/// Starts logging, once per process; a later call changes nothing.
pub fn init(environment: Environment, filter: &LogFilter, output: Output) {
    // A second subscriber is refused, which only happens where several tests share a process.
    let _ = match output {
        Output::Stdout => subscriber(environment, filter, io::stdout).try_init(),
        Output::Stderr => subscriber(environment, filter, io::stderr).try_init(),
    };
}

fn subscriber<W>(environment: Environment, filter: &LogFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry().with(EnvFilter::new(filter.as_str()));
    if environment == Environment::Production {
        let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
        Box::new(registry.with(lines.with_writer(writer)))
    } else {
        Box::new(registry.with(fmt::layer().with_target(false).with_ansi(false).with_writer(writer)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(environment: Environment, act: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = subscriber(environment, &LogFilter::default(), move || writer.clone());
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn production_logs_one_json_object_a_line_with_the_request_it_belongs_to() {
        let line = logged(Environment::Production, || {
            let span = tracing::error_span!("request", request.id = "abc");
            span.in_scope(|| tracing::info!(http.status = 200, "answered"));
        });

        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["http.status"], 200);
        assert_eq!(line["span"]["request.id"], "abc");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn elsewhere_lines_are_readable_and_debug_stays_out() {
        let line = logged(Environment::Development, || {
            tracing::debug!("unseen");
            tracing::info!("seen");
        });

        assert!(line.contains("INFO seen") && !line.contains("unseen"), "{line}");
    }
}
