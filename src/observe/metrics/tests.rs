use std::time::Duration;

use super::*;

fn metrics() -> Metrics {
    let metrics = Metrics::new(Timestamp::from_micros(1_700_000_000_000_000));
    metrics.watch_database(&DatabaseMetrics::default(), || {
        vec![PoolReading { pool: "all", open: 3, idle: 1, most: 10, queued: Some(2) }]
    });
    metrics.watch_policies(|| PoliciesReading {
        policies: vec![PolicyReading {
            name: "default".to_owned(),
            version: Some("41819ef26613".to_owned()),
            live_since: Some(1_700_000_001),
            refused: true,
            failing_examples: 1,
            evaluations: 7,
            reloads: [2, 1],
            rollbacks: 3,
        }],
        score_faults: 4,
    });
    metrics
}

#[track_caller]
fn shows(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|own| own == *line), "`{line}` is missing in\n{text}");
    }
}

#[test]
fn what_is_counted_is_shown_by_pattern_method_and_status() {
    let metrics = metrics();

    let in_flight = metrics.http.begin();
    metrics.http.answered(Some("/api/tasks/{task_id}"), "GET", 200, Duration::from_millis(3));
    metrics.http.answered(Some("/api/tasks/{task_id}"), "GET", 404, Duration::from_millis(3));
    metrics.http.answered(None, "BREW", 999, Duration::from_secs(20));
    let text = metrics.text(Format::Classic);
    drop(in_flight);

    shows(
        &text,
        &[
            "mindflow_http_requests_in_flight 1",
            "# TYPE mindflow_http_requests_total counter",
            r#"mindflow_http_requests_total{method="GET",route="/api/tasks/{task_id}",status="200"} 1"#,
            r#"mindflow_http_requests_total{method="GET",route="/api/tasks/{task_id}",status="404"} 1"#,
            r#"mindflow_http_requests_total{method="other",route="(none)",status="other"} 1"#,
            r#"mindflow_http_request_duration_seconds_bucket{le="0.0025",method="GET",route="/api/tasks/{task_id}"} 0"#,
            r#"mindflow_http_request_duration_seconds_bucket{le="0.005",method="GET",route="/api/tasks/{task_id}"} 2"#,
            r#"mindflow_http_request_duration_seconds_count{method="other",route="(none)"} 1"#,
        ],
    );
    shows(&metrics.text(Format::Classic), &["mindflow_http_requests_in_flight 0"]);
}

#[test]
fn the_state_of_pools_and_policies_is_that_of_the_scrape() {
    shows(
        &metrics().text(Format::Classic),
        &[
            r#"mindflow_database_connections{pool="all",state="idle"} 1"#,
            r#"mindflow_database_connections{pool="all",state="used"} 2"#,
            r#"mindflow_database_connections_max{pool="all"} 10"#,
            r#"mindflow_database_queued_changes{pool="all"} 2"#,
            r#"mindflow_database_errors_total{kind="statement"} 0"#,
            r#"mindflow_policy_live{policy="default",version="41819ef26613"} 1"#,
            r#"mindflow_policy_evaluations_total{policy="default",version="41819ef26613"} 7"#,
            r#"mindflow_policy_reloads_total{policy="default",outcome="live"} 2"#,
            r#"mindflow_policy_reloads_total{policy="default",outcome="refused"} 1"#,
            r#"mindflow_policy_rollbacks_total{policy="default"} 3"#,
            r#"mindflow_policy_refused{policy="default"} 1"#,
            "mindflow_policy_score_faults_total 4",
            "process_start_time_seconds 1700000000",
            concat!("mindflow_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ],
    );
}

#[test]
fn every_room_shows_what_it_counts() {
    let metrics = metrics();
    let (now, took) = (Timestamp::from_micros(5_000_000), Duration::from_millis(1));

    metrics.accounts.signed_in("password", "wrong_credentials");
    metrics.accounts.registered("success");
    metrics.oauth.granted("refresh_token", "invalid_grant");
    metrics.oauth.refused("api", "expired");
    metrics.mcp.called("get_tasks", "success", took);
    let class = metrics.limits.class("sign-in");
    class.allowed(Counted::Here);
    class.refused(Counted::InRedis);
    metrics.limits.set_fallback(true);
    let duty = metrics.background.duty("digest");
    duty.succeeded(now, took);
    duty.failed(took);
    metrics.mail.note(Posted::Dead);
    metrics.mail.set_queue(3, 1);
    let stream = metrics.events.opened();
    metrics.events.sent();
    metrics.events.closed("slow");
    metrics.rankings.kept();
    metrics.health.check("disk", "degraded");
    metrics.health.disk(1, 2);
    metrics.health.memory(3, 4);
    let text = metrics.text(Format::Classic);

    shows(
        &text,
        &[
            r#"mindflow_sign_ins_total{step="password",outcome="wrong_credentials"} 1"#,
            r#"mindflow_registrations_total{outcome="success"} 1"#,
            r#"mindflow_oauth_grants_total{grant_type="refresh_token",outcome="invalid_grant"} 1"#,
            r#"mindflow_token_refusals_total{resource="api",reason="expired"} 1"#,
            r#"mindflow_mcp_tool_calls_total{tool="get_tasks",outcome="success"} 1"#,
            r#"mindflow_mcp_tool_duration_seconds_count{tool="get_tasks"} 1"#,
            r#"mindflow_rate_limit_decisions_total{class="sign-in",decision="allowed",store="local"} 1"#,
            r#"mindflow_rate_limit_decisions_total{class="sign-in",decision="refused",store="redis"} 1"#,
            "mindflow_rate_limit_fallback 1",
            r#"mindflow_background_runs_total{duty="digest",outcome="failed"} 1"#,
            r#"mindflow_background_last_success_timestamp_seconds{duty="digest"} 5"#,
            r#"mindflow_mail_messages_total{outcome="dead"} 1"#,
            r#"mindflow_mail_messages_total{outcome="sent"} 0"#,
            "mindflow_mail_queue_messages 3",
            "mindflow_mail_dead_messages 1",
            "mindflow_event_streams 1",
            "mindflow_event_stream_events_total 1",
            r#"mindflow_event_streams_closed_total{reason="slow"} 1"#,
            r#"mindflow_rankings_total{outcome="kept"} 1"#,
            r#"mindflow_health_check_status{check="disk",status="degraded"} 1"#,
            r#"mindflow_health_check_status{check="disk",status="healthy"} 0"#,
            "mindflow_data_disk_free_bytes 1",
            "mindflow_memory_limit_bytes 4",
        ],
    );
    drop(stream);
    shows(&metrics.text(Format::Classic), &["mindflow_event_streams 0"]);
}

#[test]
fn open_metrics_ends_with_its_mark_and_counters_are_called_without_total() {
    let text = metrics().text(Format::OpenMetrics);

    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE mindflow_http_requests counter\n"), "{text}");
    assert!(!metrics().text(Format::Classic).contains("# EOF"));
}
