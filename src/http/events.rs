//! `/api/events`: what happens to a user's data, as it happens (server-sent events, HTML Standard, section 9.2).

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use poem::{Body, IntoResponse, Request, Response};
use poem_openapi::param::{Header, Query};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, OpenApi};

use super::auth::{Authenticator, Reader};
use super::gate::bearer;
use super::problem::ApiError;
use super::tags::Tag;
use crate::events::{Events, FullError};
use crate::observe::health::Health;
use crate::observe::metrics::EventMetrics;

mod feed;
mod views;
mod wire;

use feed::{Feed, Listener};
pub use views::EventView;

/// The media type of a stream.
const EVENT_STREAM: &str = "text/event-stream";
/// Without data, a comment is sent this often: whoever stands in between closes what is silent, and a client that has gone
/// is noticed by it.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The operation on events.
pub struct EventsApi {
    events: Events,
    authenticator: Arc<dyn Authenticator>,
    health: Arc<Health>,
    heartbeat: Duration,
    metrics: EventMetrics,
}

/// A stream that was opened.
pub struct EventStream(Body);

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        Response::builder()
            .header(CONTENT_TYPE, EVENT_STREAM)
            .header(CACHE_CONTROL, "no-store")
            // nginx and those who follow it keep answers back until they are whole, unless told otherwise.
            .header("x-accel-buffering", "no")
            .body(self.0)
    }
}

impl ApiResponse for EventStream {
    fn meta() -> MetaResponses {
        let items = MetaSchemaRef::Inline(Box::new(MetaSchema {
            items: Some(Box::new(EventView::schema_ref())),
            ..MetaSchema::new_with_format("array", "event-stream")
        }));
        let header = |name: &str, about: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(about.to_owned()),
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let response = MetaResponse {
            description: "The stream; it goes on until one side ends it. An item of the schema is the `data` of one event.",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: EVENT_STREAM, schema: items }],
            headers: vec![
                header("Cache-Control", "Always `no-store`."),
                header("X-Accel-Buffering", "Always `no`: proxies are to hand events on at once."),
            ],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        EventView::register(registry);
    }
}

impl EventsApi {
    /// The operation over events; `patience` is how long the server lets a connection be silent.
    pub fn new(events: Events, authenticator: Arc<dyn Authenticator>, health: Arc<Health>, patience: Duration) -> Self {
        Self { events, authenticator, health, heartbeat: HEARTBEAT.min(patience / 2), metrics: EventMetrics::default() }
    }

    /// The same, counted in `metrics`.
    #[must_use]
    pub fn counting(self, metrics: EventMetrics) -> Self {
        Self { metrics, ..self }
    }
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Events")]
impl EventsApi {
    /// Listen to what happens
    ///
    /// A stream of server-sent events: your own changes, whichever app, device or instance of the server they come through,
    /// each as soon as it is done. The stream begins with an event `ready`, whose `id` says where you stand; then come
    /// events named like their `type`, and a comment now and then so that silence means a broken connection.
    ///
    /// Events have numbers that go up; one is left out where a request changed nothing. Whoever connects again with
    /// `Last-Event-ID` gets everything that happened meanwhile, each event once and in order; browsers do so by themselves.
    /// What is older than the server keeps (48 hours unless chosen otherwise) is told by one event `reset`: read anew what
    /// you hold, and go on from its `id`.
    ///
    /// `task` shows the task as it is when the event is sent, which may be newer than the event; it is left out when the
    /// task is not there any more. The stream ends with the credential that opened it, and when the server restarts:
    /// connect again.
    ///
    /// - 429: Too many streams of yours are open, or too many requests were made.
    /// - 503: Too many streams are open on this server, or the database is away.
    #[expect(clippy::unused_async, reason = "operations are async")]
    #[oai(path = "/events", method = "get", operation_id = "listen_to_events")]
    async fn listen_to_events(
        &self,
        caller: Reader,
        request: &Request,
        /// The number of the last event that you had; the stream goes on after it. Without it, it begins with what happens
        /// from now on.
        #[oai(name = "Last-Event-ID", validator(minimum(value = "0")))]
        last_event_id: Header<Option<i64>>,
        /// The same, for clients that cannot send the header; the header counts when both are there.
        #[oai(name = "last_event_id", validator(minimum(value = "0")))]
        last_event_id_parameter: Query<Option<i64>>,
    ) -> Result<EventStream, ApiError> {
        let follower = self.events.follow(caller.user_id).map_err(|error| full(&error))?;
        // The contract layer has seen it already.
        let token = bearer(request.headers()).unwrap_or_default().to_owned();
        let listener = Listener {
            follower,
            token,
            request_id: Arc::clone(&caller.request_id),
            authenticator: Arc::clone(&self.authenticator),
            health: Arc::clone(&self.health),
            open: self.metrics.opened(),
            metrics: self.metrics.clone(),
        };
        let from = last_event_id.0.or(last_event_id_parameter.0).unwrap_or(caller.data_version);
        let feed = Feed::new(listener, from, self.heartbeat);
        Ok(EventStream(Body::from_bytes_stream(feed.into_stream())))
    }
}

fn full(error: &FullError) -> ApiError {
    let (status, kind, title) = match error {
        FullError::User(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many-streams", "Too many streams are open"),
        FullError::Server => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is unavailable at the moment")
        }
    };
    let detail = match error {
        FullError::User(most) => {
            format!("At most {most} streams of one user can be open at a time; close another one.")
        }
        FullError::Server => "As many streams are open as this server allows; try again soon.".to_owned(),
    };
    ApiError::new(status, kind, title).detail(detail).header(RETRY_AFTER, "10")
}
