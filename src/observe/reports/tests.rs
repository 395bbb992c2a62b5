use std::sync::Mutex;

use sentry::Envelope;
use sentry::protocol::EnvelopeItem;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::config::{Config, Secret};

/// A Sentry in memory.
#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Vec<Envelope>>>);

impl Transport for Caught {
    fn send_envelope(&self, envelope: Envelope) {
        self.0.lock().unwrap().push(envelope);
    }
}

impl TransportFactory for Caught {
    fn create_transport_with_options(&self, _options: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }
}

impl Caught {
    fn events(&self) -> Vec<Event<'static>> {
        let envelopes = self.0.lock().unwrap();
        let items = envelopes.iter().flat_map(Envelope::items);
        items
            .filter_map(|item| if let EnvelopeItem::Event(event) = item { Some((**event).clone()) } else { None })
            .collect()
    }

    fn all(&self) -> String {
        let mut bytes = Vec::new();
        self.0.lock().unwrap().iter().for_each(|envelope| envelope.to_writer(&mut bytes).unwrap());
        String::from_utf8(bytes).unwrap()
    }
}

fn chosen() -> config::Sentry {
    config::Sentry { dsn: Some(Secret::new("http://public@127.0.0.1:9/1")), ..Config::default().sentry }
}

/// A reporter of its own, which no other test of the process sees, and what it sent.
fn reporter() -> (Reporter, Caught) {
    let caught = Caught::default();
    let options = options(&chosen(), Environment::Production, Arc::new(caught.clone())).unwrap();
    let client = Arc::new(sentry::Client::from(options));
    (Reporter(Some(Arc::new(Hub::new(Some(client), Arc::default())))), caught)
}

fn logged(work: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(ReportLayer);
    tracing::subscriber::with_default(subscriber, work);
}

#[derive(Debug, thiserror::Error)]
#[error("the accounts cannot be read or changed")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("UNIQUE constraint failed for `ada@example.org`")]
struct Inner;

#[tokio::test]
async fn an_error_is_reported_with_its_request_its_user_its_causes_and_what_led_there() {
    let (reporter, caught) = reporter();

    let request = async {
        note_route("POST", "/api/tasks/{task_id}");
        note_user("01a1fd33-6f87-76fc-851e-cf0899201583");
        logged(|| {
            tracing::warn!(attempt = 2, title = "Call the doctor", "the store is slow");
            tracing::error!(error = &Outer(Inner) as &dyn std::error::Error, changes = 3, "a commit failed");
        });
    };
    reporter.in_request("01a1fd33-0000-7000-8000-000000000000", "POST", request).await;

    let [event] = caught.events().try_into().unwrap();
    assert_eq!(event.message.as_deref(), Some("a commit failed"));
    assert_eq!(event.user.as_ref().unwrap().id.as_deref(), Some("01a1fd33-6f87-76fc-851e-cf0899201583"));
    assert_eq!(event.tags["http.route"], "/api/tasks/{task_id}");
    assert_eq!(event.tags["request.id"], "01a1fd33-0000-7000-8000-000000000000");
    assert_eq!(event.transaction.as_deref(), Some("POST /api/tasks/{task_id}"));
    assert_eq!(event.environment.as_deref(), Some("production"));
    assert_eq!(event.release.as_deref(), Some(concat!("mindflow@", env!("CARGO_PKG_VERSION"))));
    assert_eq!(event.extra["changes"], 3);
    let causes: Vec<_> = event.exception.iter().map(|cause| cause.value.as_deref().unwrap()).collect();
    assert_eq!(causes, ["UNIQUE constraint failed for `[removed]`", "the accounts cannot be read or changed"]);
    let steps: Vec<_> = event.breadcrumbs.iter().map(|step| step.message.as_deref().unwrap()).collect();
    assert_eq!(steps, ["POST /api/tasks/{task_id}", "authenticated", "the store is slow"]);
    assert!(!caught.all().contains("doctor") && !caught.all().contains("ada@example.org"), "{}", caught.all());
}

#[tokio::test]
async fn requests_side_by_side_are_not_mixed_up() {
    let (reporter, caught) = reporter();

    for name in ["a", "b"] {
        let request = async {
            note_user(name);
            tokio::task::yield_now().await;
            logged(|| tracing::error!("failed"));
        };
        reporter.in_request(name, "GET", request).await;
    }
    reporter.in_request("c", "GET", async { logged(|| tracing::error!("failed")) }).await;

    let told: Vec<_> =
        caught.events().into_iter().map(|event| (event.tags["request.id"].clone(), event.user)).collect();
    let user = |id: &str| Some(User { id: Some(id.to_owned()), ..User::default() });
    assert_eq!(told, [("a".to_owned(), user("a")), ("b".to_owned(), user("b")), ("c".to_owned(), None)]);
}

#[tokio::test]
async fn nothing_secret_is_reported_whatever_is_logged() {
    let secrets = [
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
        "mf_8kJ2lqPz0vQ4xYt6",
        "FuYlXFdTBIwKJbLbbAsz10FHBogRbpijD4fFXD8vMVU",
        "ada@example.org",
        "postgres://mindflow:hunter2@db/mindflow",
        "https://app.example/cb?code=hunter2",
        "483920",
        "WDJB-MJHT",
    ];
    for secret in secrets {
        let (reporter, caught) = reporter();
        let request = async {
            logged(|| {
                tracing::info!(reason = secret, password = secret, "{secret} came");
                tracing::error!(error = secret, reason = %secret, cookie = secret, "{secret} failed");
            });
        };
        reporter.in_request(secret, secret, request).await;

        assert_eq!(caught.events().len(), 1);
        assert!(!caught.all().contains(secret) && !caught.all().contains("hunter2"), "{secret}: {}", caught.all());
    }
}

#[tokio::test]
async fn fields_that_are_not_on_the_list_stay_here() {
    let (reporter, caught) = reporter();

    let request = async {
        logged(|| {
            tracing::info!(password = "correct horse battery staple", "signed in");
            tracing::error!(title = "Call the doctor", description = ?["private"], "failed");
        });
    };
    reporter.in_request("r", "GET", request).await;

    for text in ["horse", "doctor", "private"] {
        assert!(!caught.all().contains(text), "{}", caught.all());
    }
}

#[test]
fn steps_and_lines_of_other_programs_are_no_reports() {
    let (reporter, caught) = reporter();

    Hub::run(reporter.0.unwrap(), || {
        logged(|| {
            tracing::warn!("only a warning");
            tracing::info!(target: "somebody_else::client", "GET https://app.example/secret");
            tracing::error!(target: "mindflow::panic", "reported where it happened");
        });
    });

    assert!(caught.events().is_empty());
}

#[test]
fn there_are_no_reports_without_a_dsn_and_none_of_tests() {
    assert!(start(&Config::default().sentry, Environment::Production).is_none());
    assert!(start(&chosen(), Environment::Test).is_none() && start(&chosen(), Environment::Testing).is_none());
    assert!(Reporter::default().0.is_none());
}
