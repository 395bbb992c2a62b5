//! Traces of requests, to a collector that takes OTLP over HTTP.

use reqwest::Method;

use crate::collector::Collector;
use crate::support::app::{TestApp, a_task};

/// Whether bytes hold others.
fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_traced_under_its_pattern_in_the_trace_of_its_client() {
    let mut collector = Collector::start().await;
    let endpoint = format!("http://{}", collector.address);
    let app = TestApp::with(|config| config.telemetry.otlp_endpoint = Some(endpoint)).await;
    let ada = app.user("ada").await;
    let id = ada.has(a_task("Call the doctor")).await;

    let trace: [u8; 16] = std::array::from_fn(|place| u8::try_from(place).unwrap() + 0xa0);
    let hex = mindflow::hex::hex(&trace);
    let parent = format!("00-{hex}-00f067aa0ba902b7-01");
    let headers = [("traceparent", parent.as_str()), ("x-request-id", "request-7")];
    ada.send(Method::GET, &format!("/api/tasks/{id}"), None, &headers).await.good();

    let arrived = collector.next(|arrived| holds(&arrived.body, &trace)).await;
    assert_eq!(arrived.path, "/v1/traces");
    assert_eq!(arrived.headers["content-type"], "application/x-protobuf");
    for part in [
        "GET /api/tasks/{task_id}",
        "http.route",
        "http.response.status_code",
        "request-7",
        "mindflow",
        "database read",
    ] {
        assert!(holds(&arrived.body, part.as_bytes()), "{part} is missing in {}", arrived.text());
    }
    for secret in ["doctor", "ada@example.com", &id.to_string()] {
        assert!(!holds(&arrived.body, secret.as_bytes()), "{secret} is in {}", arrived.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_harms_nobody() {
    let app = TestApp::with(|config| config.telemetry.otlp_endpoint = Some("http://127.0.0.1:9".to_owned())).await;
    let ada = app.user("ada").await;

    for _ in 0..20 {
        ada.list_tasks("").await.good();
    }
}
