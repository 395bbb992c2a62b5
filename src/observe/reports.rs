//! Faults, told to Sentry: panics, and what is logged as an error. Off without a DSN.
//!
//! A report says what failed, where, in which request and for whom (an id, nothing else), with what led there. What it
//! says goes through two sieves: of the fields of a log line only those on a list are taken, and every text is
//! scrubbed (`super::scrub`). Reports wait in a bounded queue for a thread of their own; when it is full they are dropped.

mod fields;

use std::fmt::Display;
use std::panic;
use std::sync::mpsc::channel;
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use sentry::integrations::backtrace::{AttachStacktraceIntegration, ProcessStacktraceIntegration};
use sentry::integrations::contexts::ContextIntegration;
use sentry::integrations::panic::PanicIntegration;
use sentry::protocol::{Breadcrumb, Event, User};
use sentry::transports::ReqwestHttpTransportOptions;
use sentry::types::Dsn;
use sentry::{ClientInitGuard, ClientOptions, Hub, SentryFutureExt, Transport, TransportFactory, TransportOptions};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use self::fields::Fields;
use super::scrub::scrub;
use crate::config::{self, Environment};

/// The target of the log line about a panic, of which the report is made where it happens.
pub const PANIC_TARGET: &str = "mindflow::panic";
/// How many reports may wait.
const QUEUED: usize = 100;
/// How long Sentry may take for one.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a server that stops waits for reports that are under way.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How many steps that led to a fault are told.
const STEPS: usize = 50;

/// Whether a text names a project of Sentry.
pub fn is_dsn(text: &str) -> bool {
    text.parse::<Dsn>().is_ok()
}

/// Reports are sent as long as this is there; dropping it sends those that wait.
#[must_use = "reports are sent as long as this is there"]
pub struct Reporting(Option<ClientInitGuard>);

/// Begins to report. `None` without a DSN, and in tests, which fail on purpose.
pub fn start(chosen: &config::Sentry, environment: Environment) -> Option<Reporting> {
    if matches!(environment, Environment::Test | Environment::Testing) {
        return None;
    }
    let options = options(chosen, environment, Arc::new(Wire))?;
    let guard = sentry::init(options);
    report_panics();
    Some(Reporting(Some(guard)))
}

fn options(
    chosen: &config::Sentry,
    environment: Environment,
    transport: Arc<dyn TransportFactory>,
) -> Option<ClientOptions> {
    let mut options = ClientOptions::new();
    options.dsn = Some(chosen.dsn.as_ref()?.expose().parse().ok()?);
    options.default_integrations = false;
    options.integrations = vec![
        Arc::new(AttachStacktraceIntegration),
        Arc::new(ContextIntegration::default()),
        Arc::new(ProcessStacktraceIntegration),
    ];
    options.transport = Some(transport);
    options.environment = Some(chosen.environment.clone().unwrap_or_else(|| environment.as_str().to_owned()).into());
    let release = || format!("mindflow@{}", env!("CARGO_PKG_VERSION"));
    options.release = Some(chosen.release.clone().unwrap_or_else(release).into());
    options.server_name = chosen.server_name.clone().map(Into::into);
    options.max_breadcrumbs = STEPS;
    options.shutdown_timeout = LAST_WORDS;
    options.transport_channel_capacity = std::num::NonZeroUsize::new(QUEUED);
    options.before_send = Some(Arc::new(|event| Some(scrubbed(event))));
    options.before_breadcrumb = Some(Arc::new(|step| Some(scrubbed_step(step))));
    options.in_app_include = vec!["mindflow"];
    Some(options.sample_rate(chosen.sample_rate))
}

/// Reports over HTTP, by a client that gives up.
struct Wire;

impl TransportFactory for Wire {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let options = ReqwestHttpTransportOptions::from(options);
        // A Sentry that is elsewhere now is not followed: the reports are for the one that was named.
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        match client.build() {
            Ok(client) => Arc::new(options.with_client(client).build()),
            Err(_) => Arc::new(Nowhere),
        }
    }
}

/// Where reports go when there is no way out.
struct Nowhere;

impl Transport for Nowhere {
    fn send_envelope(&self, _envelope: sentry::Envelope) {}
}

impl Drop for Reporting {
    /// The last reports are sent, but nobody waits for a Sentry that does not answer.
    fn drop(&mut self) {
        let Some(guard) = self.0.take() else { return };
        let (done, over) = channel();
        let closing = thread::Builder::new().name("last-reports".to_owned()).spawn(move || {
            drop(guard);
            let _ = done.send(());
        });
        if closing.is_ok() {
            let _ = over.recv_timeout(LAST_WORDS + Duration::from_secs(1));
        }
    }
}

/// Reports panics where they happen, which is where their stack still is; who waits for an answer does not wait for that.
fn report_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let event = || PanicIntegration::new().event_from_panic_info(panic);
            Hub::with_active(|hub| {
                hub.capture_event(event());
            });
            next(panic);
        }));
    });
}

/// Whether this process reports.
pub fn is_on() -> bool {
    Hub::main().client().is_some_and(|client| client.is_enabled())
}

/// Requests that report, shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct Reporter(Option<Arc<Hub>>);

impl Reporter {
    /// The process's reporter; it does nothing where nothing is reported.
    pub fn of_process() -> Self {
        Self(is_on().then(Hub::main))
    }

    /// Carries out a request, so that what is reported meanwhile names it.
    pub async fn in_request<F: Future>(&self, id: &str, method: &str, request: F) -> F::Output {
        let Some(hub) = &self.0 else { return request.await };
        let hub = Arc::new(Hub::new_from_top(hub));
        hub.configure_scope(|scope| {
            scope.set_tag("request.id", scrub(id));
            scope.set_tag("http.method", scrub(method));
        });
        request.bind_hub(hub).await
    }
}

/// Says which route the request under way takes.
pub fn note_route(method: &str, pattern: &str) {
    Hub::with_active(|hub| {
        hub.configure_scope(|scope| {
            scope.set_tag("http.route", pattern);
            scope.set_transaction(Some(&format!("{method} {pattern}")));
        });
        let message = Some(format!("{method} {pattern}"));
        hub.add_breadcrumb(Breadcrumb { category: Some("http".to_owned()), message, ..Breadcrumb::default() });
    });
}

/// Says for whom the request under way is: by an id that means nothing elsewhere.
pub fn note_user(id: impl Display) {
    Hub::with_active(|hub| {
        let user = User { id: Some(id.to_string()), ..User::default() };
        hub.configure_scope(|scope| scope.set_user(Some(user)));
        let message = Some("authenticated".to_owned());
        hub.add_breadcrumb(Breadcrumb { category: Some("auth".to_owned()), message, ..Breadcrumb::default() });
    });
}

/// Makes reports of errors that are logged, and steps that lead to them of everything else.
pub(super) struct ReportLayer;

impl<S: Subscriber> Layer<S> for ReportLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let about = event.metadata();
        let own = about.target() == "mindflow" || about.target().starts_with("mindflow::");
        let is_step = own && (*about.level() == Level::INFO || *about.level() == Level::WARN);
        let is_fault = *about.level() == Level::ERROR && about.target() != PANIC_TARGET;
        // A line for every request would push everything else out.
        if !is_fault && !is_step || about.target() == "mindflow::access" {
            return;
        }
        Hub::with_active(|hub| {
            let fields = Fields::of(event);
            if is_fault {
                hub.capture_event(fields.into_event(about.target()));
            } else {
                hub.add_breadcrumb(fields.into_step(about));
            }
        });
    }
}

/// The last sieve.
fn scrubbed(mut event: Event<'static>) -> Event<'static> {
    let clean = |text: &mut Option<String>| *text = text.as_deref().map(scrub);
    clean(&mut event.message);
    event.logentry = None;
    event.request = None;
    event.user = event.user.take().map(|user| User { id: user.id, ..User::default() });
    for exception in &mut event.exception.values {
        clean(&mut exception.value);
    }
    for value in event.tags.values_mut().chain(event.extra.values_mut().filter_map(as_text)) {
        *value = scrub(value);
    }
    event
}

fn as_text(value: &mut serde_json::Value) -> Option<&mut String> {
    match value {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    }
}

fn scrubbed_step(mut step: Breadcrumb) -> Breadcrumb {
    step.message = step.message.as_deref().map(scrub);
    for value in step.data.values_mut().filter_map(as_text) {
        *value = scrub(value);
    }
    step
}

#[cfg(test)]
mod tests;
