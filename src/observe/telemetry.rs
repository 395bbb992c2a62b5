//! Traces of requests, for collectors that speak OpenTelemetry's protocol (OTLP over HTTP). Off without an endpoint.
//!
//! A request is one span with the names of OpenTelemetry's conventions for HTTP servers, in the trace that its client
//! began (W3C Trace Context), if it did; what it asks of the database are spans below it. Spans wait in a bounded queue;
//! when the collector is away or slow, they are dropped.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;

use crate::config;

/// How long a collector may take for a batch of spans.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a server that stops waits for spans that are under way.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Where traces are sent, below the endpoint.
const TRACES: &str = "/v1/traces";

/// Traces cannot be sent as configured.
#[derive(Debug, thiserror::Error)]
#[error("no traces can be sent (`telemetry.otlp_endpoint`)")]
pub struct TelemetryError(#[source] ExporterBuildError);

/// The way of traces, shared by cloning.
#[derive(Clone, Default)]
pub struct Telemetry(Option<Arc<Tracing>>);

struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// What goes along with a request, so that rooms below find the way.
#[derive(Debug)]
struct Way(SdkTracer);

impl Telemetry {
    /// Begins to send traces where the operator wants them; needs a runtime of tokio.
    ///
    /// # Errors
    ///
    /// When nothing can be sent there.
    pub fn start(chosen: &config::Telemetry, environment: config::Environment) -> Result<Self, TelemetryError> {
        let Some(endpoint) = &chosen.otlp_endpoint else { return Ok(Self::default()) };
        let endpoint = endpoint.trim_end_matches('/');
        let endpoint = format!("{}{TRACES}", endpoint.strip_suffix(TRACES).unwrap_or(endpoint));
        let headers: HashMap<String, String> = chosen.headers().collect();
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint)
            .with_headers(headers)
            .with_timeout(PATIENCE)
            .build()
            .map_err(TelemetryError)?;
        let resource = Resource::builder()
            .with_service_name(chosen.service_name.clone())
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("deployment.environment.name", environment.as_str()),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(chosen.sample_rate.into()))))
            .with_batch_exporter(OnRuntime { exporter: Arc::new(exporter), runtime: Handle::current() })
            .build();
        let tracer = provider.tracer("mindflow");
        Ok(Self(Some(Arc::new(Tracing { provider, tracer, propagator: TraceContextPropagator::new() }))))
    }

    /// Begins a request's span.
    pub fn begin(&self, method: &str, headers: &HeaderMap) -> RequestSpan {
        let Some(Tracing { tracer, propagator, .. }) = self.0.as_deref() else { return RequestSpan(None) };
        let parent = propagator.extract_with_context(&Context::new(), &Headers(headers));
        let span = tracer.span_builder(method.to_owned()).with_kind(SpanKind::Server);
        let span = span.with_attributes([KeyValue::new("http.request.method", method.to_owned())]);
        let span = span.start_with_context(tracer, &parent);
        RequestSpan(Some(parent.with_span(span).with_value(Way(tracer.clone()))))
    }

    /// Sends what waits, and no more after that.
    pub async fn stop(&self) {
        let Some(tracing) = self.0.clone() else { return };
        let stopped = tokio::task::spawn_blocking(move || tracing.provider.shutdown_with_timeout(LAST_WORDS)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last traces were not sent");
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("on", &self.0.is_some()).finish()
    }
}

/// A request that is traced, if it is.
#[must_use]
pub struct RequestSpan(Option<Context>);

impl RequestSpan {
    /// Carries the request out.
    pub async fn carry<F: Future>(&self, request: F) -> F::Output {
        match &self.0 {
            Some(context) => request.with_context(context.clone()).await,
            None => request.await,
        }
    }

    /// Ends the span with what became of the request; `None` where no route matched.
    pub fn end(self, method: &str, route: Option<&str>, status: u16, request_id: &str) {
        let Some(context) = self.0 else { return };
        let span = context.span();
        if let Some(route) = route {
            span.update_name(format!("{method} {route}"));
            span.set_attribute(KeyValue::new("http.route", route.to_owned()));
        }
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        span.set_attribute(KeyValue::new("mindflow.request.id", request_id.to_owned()));
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// What a request asks of the database, until it is dropped; nothing where nobody traces.
#[derive(Debug)]
pub struct DatabaseSpan {
    _context: Context,
}

impl DatabaseSpan {
    /// Begins a span below that of the request under way.
    pub fn begin(name: &'static str) -> Option<Self> {
        Context::map_current(|context| {
            let Way(tracer) = context.get::<Way>()?;
            let span = tracer.span_builder(name).with_kind(SpanKind::Client);
            Some(Self { _context: context.with_span(span.start_with_context(tracer, context)) })
        })
    }
}

/// Headers of a request as OpenTelemetry reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Sends batches on the server's runtime: the thread that gathers them has none, and HTTP needs one.
#[derive(Debug)]
struct OnRuntime {
    exporter: Arc<opentelemetry_otlp::SpanExporter>,
    runtime: Handle,
}

impl SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let sent = self.runtime.spawn(async move { exporter.export(batch).await }).await;
        sent.unwrap_or(Err(OTelSdkError::AlreadyShutdown))
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}
