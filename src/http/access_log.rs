//! One log line a request. The route pattern stands for the path; queries, tokens and bodies are never logged.

use std::time::Instant;

use poem::http::{Method, StatusCode};

use super::contract::Exchange;

/// What filters call these lines: `LOG_LEVEL=info,mindflow::access=warn` leaves them out.
pub(super) const TARGET: &str = "mindflow::access";

/// Logs an answer.
pub(super) fn write(exchange: &Exchange, method: &Method, status: StatusCode, started: Instant) {
    if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
        return;
    }
    let latency_ms = started.elapsed().as_secs_f64() * 1000.0;
    let latency_ms = (latency_ms * 1000.0).round() / 1000.0;
    let route = exchange.route.as_deref().unwrap_or("(none)");
    let client = exchange.client.map(|client| client.to_string());
    let user = exchange.user.map(|user| user.to_string());
    tracing::info!(
        target: TARGET,
        {
            request.id = &*exchange.request_id,
            client.address = client.as_deref(),
            user.id = user.as_deref(),
            http.method = method.as_str(),
            http.route = route,
            http.status = status.as_u16(),
            latency_ms = latency_ms
        },
        "answered"
    );
}
