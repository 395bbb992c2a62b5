//! Credentials, limits, methods, headers, pages.

use std::time::Duration;

use poem::Request;
use poem::http::Method;

use crate::config::Environment;
use crate::http::fake::{Answer, Fake};
use crate::observe::logs;

const THING: &str = "/api/things/00000000-0000-0000-0000-000000000009";

fn request(method: Method, path: &'static str) -> poem::RequestBuilder {
    Request::builder().method(method).uri_str(path)
}

#[tokio::test]
async fn credentials_are_asked_for_before_anything_is_looked_at() {
    let fake = Fake::new();
    let send = async |authorization: Option<&str>| {
        let request = authorization
            .into_iter()
            .fold(fake.client.post("/api/things?x=1"), |request, value| request.header("authorization", value));
        Answer::of(request.body("{").send().await).await
    };

    for value in [None, Some("Basic eDp5"), Some("Bearer"), Some("Bearer ")] {
        let answer = send(value).await;
        answer.problem(401, "unauthorized");
        let expected = "Bearer realm=\"MindFlow\", \
                        resource_metadata=\"http://127.0.0.1:8000/.well-known/oauth-protected-resource/api\", \
                        scope=\"read write\"";
        assert_eq!(answer.header("www-authenticate"), expected);
    }
    let wrong = send(Some("bearer nonsense")).await;
    wrong.problem(401, "unauthorized");
    assert!(wrong.header("www-authenticate").contains("error=\"invalid_token\""));
    let weak = send(Some("Bearer reader")).await;
    weak.problem(403, "insufficient-scope");
    assert!(weak.header("www-authenticate").contains("scope=\"read write\""));
    let away = send(Some("Bearer away")).await;
    away.problem(503, "unavailable");
    assert!(!away.text.contains("secret") && away.header("retry-after") == "1");
    send(Some("Bearer writer")).await.problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn limits_come_after_scopes_and_before_the_body() {
    let fake = Fake::with(|config| config.limits.rate_per_minute = 2);

    let first = fake.get("/api/things/best").await;
    fake.get("/api/things?limit=0").await.problem(422, "invalid-input");
    let third = fake.post("{").await;

    assert_eq!(first.header("ratelimit"), "\"default\";r=1;t=30");
    assert_eq!(first.header("ratelimit-policy"), "\"default\";q=2;w=60");
    third.problem(429, "too-many-requests");
    assert_eq!((third.header("retry-after"), third.header("ratelimit")), ("30", "\"default\";r=0;t=60"));
    assert_eq!(fake.get("/health").await.header("ratelimit"), "");
    fake.clock.advance(Duration::from_secs(30));
    assert_eq!(fake.get("/api/things/best").await.status, 200);
}

#[tokio::test]
async fn sign_in_is_limited_by_address() {
    let fake = Fake::with(|config| config.limits.auth_rate_per_minute = 1);

    let first = Answer::of(fake.client.post("/api/auth/login").send().await).await;
    let second = Answer::of(fake.client.post("/api/auth/login").send().await).await;

    assert_eq!((first.status, first.header("ratelimit-policy")), (200, "\"sign-in\";q=1;w=60"));
    second.problem(429, "too-many-requests");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let fake = Fake::new();

    fake.get("/api/nothing").await.problem(404, "not-found");
    fake.get("/api/things/").await.problem(404, "not-found");
    let wrong = fake.send(request(Method::DELETE, "/api/things").finish()).await;
    wrong.problem(405, "method-not-allowed");
    assert_eq!(wrong.header("allow"), "GET, POST, HEAD, OPTIONS");
    let asked = fake.send(request(Method::OPTIONS, THING).finish()).await;
    assert_eq!((asked.status, asked.header("allow")), (204, "GET, PATCH, HEAD, OPTIONS"));
}

#[tokio::test]
async fn what_handlers_throw_becomes_a_problem_with_the_request_id() {
    let fake = Fake::new();

    fake.get("/api/things/00000000-0000-0000-0000-000000000000").await.problem(404, "not-found");
    fake.get("/api/things/00000000-0000-0000-0000-000000000001").await.problem(500, "internal-error");
    let panicked = fake.get("/api/things/00000000-0000-0000-0000-000000000002").await;

    panicked.problem(500, "internal-error");
    assert!(!panicked.text.contains("panic"));
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let fake = Fake::new();
    let get = fake.get(THING).await;

    let head = fake.send(request(Method::HEAD, THING).header("authorization", "Bearer reader").finish()).await;

    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.text.len().to_string());
    assert_eq!(head.header("content-type"), "application/json");
}

#[tokio::test]
async fn the_request_id_reaches_the_handler_and_comes_back() {
    let fake = Fake::new();
    let best = request(Method::GET, "/api/things/best").header("authorization", "Bearer reader");

    let answer = fake.send(best.header("x-request-id", "abc-1").finish()).await;

    assert_eq!((answer.header("x-request-id"), answer.json()["name"].as_str()), ("abc-1", Some("abc-1")));
}

#[tokio::test]
async fn every_answer_carries_the_safety_headers() {
    let fake = Fake::with(|config| config.server.public_url = Some("https://mindflow.example".to_owned()));
    for path in ["/", "/docs", "/openapi.json", "/health", "/nothing", "/api/things"] {
        let answer = fake.get(path).await;
        for name in ["x-request-id", "content-security-policy", "strict-transport-security", "permissions-policy"] {
            assert_ne!(answer.header(name), "", "{path} {name}");
        }
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    assert_eq!(fake.get("/api/things").await.header("cache-control"), "no-store");
    // Without TLS browsers would not listen to it (RFC 6797, section 8.1).
    assert_eq!(Fake::new().get("/").await.header("strict-transport-security"), "");
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call() {
    let fake = Fake::with(|config| config.server.cors_origins = vec!["https://app.example".to_owned()]);
    let from = |origin: &'static str| {
        let ask = request(Method::OPTIONS, "/api/things").header("origin", origin);
        ask.header("access-control-request-method", "PATCH").finish()
    };

    let yes = fake.send(from("https://app.example")).await;
    let no = fake.send(from("https://evil.example")).await;
    let real = request(Method::GET, "/api/things").header("origin", "https://app.example").finish();
    let real = fake.send(real).await;

    assert_eq!((yes.status, yes.header("access-control-allow-origin")), (204, "https://app.example"));
    assert!(yes.header("access-control-allow-methods").contains("PATCH"));
    assert_eq!(yes.header("access-control-allow-credentials"), "true");
    assert_eq!(yes.header("access-control-max-age"), "3600");
    assert_eq!(no.header("access-control-allow-origin"), "");
    for name in ["X-Request-ID", "X-Total-Count", "ETag", "RateLimit", "Retry-After", "Undo-Token"] {
        assert!(real.header("access-control-expose-headers").contains(name), "{name}");
    }
    for name in
        ["Authorization", "Content-Type", "X-Request-ID", "Accept", "X-Requested-With", "If-Match", "Idempotency-Key"]
    {
        assert!(yes.header("access-control-allow-headers").contains(name), "{name}");
    }
    assert_eq!(real.status, 401);
    assert_eq!(real.header("vary"), "Origin");
}

#[tokio::test]
async fn large_answers_are_packed_for_who_asks() {
    let fake = Fake::new();
    let ask = |path| request(Method::GET, path).header("authorization", "Bearer reader");

    let packed = fake.send(ask(THING).header("accept-encoding", "br, gzip;q=0.5").finish()).await;
    let small = fake.send(ask("/api/things/best").header("accept-encoding", "gzip").finish()).await;
    let refused = fake.send(ask(THING).header("accept-encoding", "gzip;q=0").finish()).await;

    assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("gzip", "Accept-Encoding"));
    assert_eq!(small.header("content-encoding"), "");
    assert_eq!(small.json()["rank"], 1);
    assert_eq!(refused.header("content-encoding"), "");
}

#[tokio::test]
async fn the_documentation_works_offline_and_can_be_hidden() {
    let fake = Fake::new();
    let docs = fake.get("/docs").await;
    let script = fake.get("/docs/swagger-ui.js").await;
    let document = fake.get("/openapi.json").await;

    assert!(docs.text.contains("<title>MindFlow API</title>") && !docs.text.contains("=\"http"));
    assert!(script.text.len() > 500_000 && script.header("content-type").starts_with("text/javascript"));
    assert!(fake.get("/docs/swagger-ui.css").await.text.contains(".swagger-ui"));
    assert_eq!(document.json()["openapi"], "3.0.3");
    assert!(fake.get("/openapi.yaml").await.text.starts_with("openapi: \"3.0.3\"\n"));
    assert!(fake.get("/").await.text.contains("href=\"docs\""));
    assert_eq!(fake.get("/docs/").await.header("location"), "../docs");
    let hidden = Fake::with(|config| config.server.enable_swagger = false);
    hidden.get("/docs").await.problem(404, "not-found");
    assert!(!hidden.get("/").await.text.contains("href=\"docs\""));
}

#[tokio::test]
async fn pages_are_not_sent_again_to_who_has_them() {
    let fake = Fake::new();
    let tag = fake.get("/openapi.json").await.header("etag").to_owned();

    let again = fake.send(request(Method::GET, "/openapi.json").header("if-none-match", tag).finish()).await;

    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[tokio::test]
async fn a_request_is_logged_by_its_pattern_and_never_with_its_text() {
    let (_guard, log) = logs::capture(Environment::Production);
    let fake = Fake::new();
    let get = request(Method::GET, "/api/things/00000000-0000-0000-0000-000000000009?limit=hunter2");

    fake.send(get.header("authorization", "Bearer reader").header("x-request-id", "r-1").finish()).await;
    fake.get("/api/things/00000000-0000-0000-0000-000000000001").await;
    fake.get("/secret/path").await;

    let lines: Vec<serde_json::Value> = log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!log.text().contains("hunter2") && !log.text().contains("/secret") && !log.text().contains("reader"));
    let [refused, cause, failed, lost] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(refused["request.id"], "r-1");
    assert_eq!(refused["user.id"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(refused["http.route"], "/api/things/{thing_id}");
    assert_eq!((&refused["http.method"], &refused["http.status"]), (&"GET".into(), &422.into()));
    assert!(refused["latency_ms"].is_number());
    assert_eq!((&cause["error"], &cause["level"]), (&"the cause".into(), &"ERROR".into()));
    assert_eq!(cause["span"]["request.id"], failed["request.id"]);
    assert_eq!((&lost["http.route"], &lost["http.status"]), (&"(none)".into(), &404.into()));
}

#[tokio::test]
async fn health_says_its_status_first() {
    let answer = Fake::new().get("/health").await;

    let expected = format!(
        r#"{{"status":"healthy","version":"{}","environment":"development","checks":{{"database":"healthy"}},"details":{{}}}}"#,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(answer.text, expected);
    assert_eq!(Fake::new().get("/health/live").await.text, r#"{"status":"alive"}"#);
    assert_eq!(Fake::new().get("/health/ready").await.status, 200);
}

#[tokio::test]
async fn sites_that_were_named_may_frame_the_widgets_and_nothing_else() {
    let sites = vec!["https://chat.example".to_owned(), "https://*.chat.example".to_owned()];
    let fake = Fake::with(|config| config.server.widget_frame_ancestors = sites);

    let widget = fake.get("/widgets/task").await;
    let page = fake.get("/").await;

    let rules = widget.header("content-security-policy");
    assert!(rules.ends_with("frame-ancestors 'self' https://chat.example https://*.chat.example"), "{rules}");
    assert_eq!((widget.status, widget.header("x-frame-options")), (200, ""));
    assert!(page.header("content-security-policy").ends_with("frame-ancestors 'none'"));
    assert_eq!(page.header("x-frame-options"), "DENY");
}

#[tokio::test]
async fn a_page_of_a_chat_may_call_without_being_configured() {
    let fake = Fake::new();

    for origin in ["https://chatgpt.com", "https://chat.openai.com", "https://claude.ai"] {
        let real = fake.send(request(Method::GET, "/api/things").header("origin", origin).finish()).await;
        assert_eq!(real.header("access-control-allow-origin"), origin);
        assert_eq!(real.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn headers_beyond_the_most_are_refused_over_http_2_too() {
    let fake = Fake::with(|config| config.connections.max_header_bytes = 8192);
    let with = |bytes: usize| {
        let request = request(Method::GET, "/api/things/best").version(poem::http::Version::HTTP_2);
        request.header("authorization", "Bearer reader").header("x-large", "a".repeat(bytes)).finish()
    };

    assert_eq!(fake.send(with(8000)).await.status, 200);
    fake.send(with(8200)).await.problem(431, "headers-too-large");
}
