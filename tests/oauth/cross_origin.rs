//! Programs that run in web pages of other origins.

use reqwest::Method;

use crate::support::app::TestApp;

const PAGE: (&str, &str) = ("origin", "https://page.example");

#[tokio::test]
async fn a_page_may_send_what_its_protocols_send() {
    let app = TestApp::new().await;
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp", "/oauth/token"]
    {
        let wanted = "authorization,mcp-protocol-version,x-anything";
        let asks = [PAGE, ("access-control-request-method", "POST"), ("access-control-request-headers", wanted)];

        let answer = app.anonymous().send(Method::OPTIONS, path, None, &asks).await.is(204);

        assert_eq!(answer.header("access-control-allow-headers"), Some(wanted), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");
    }
    let asks = [PAGE, ("access-control-request-method", "POST"), ("access-control-request-headers", "x-anything")];
    let pages = app.anonymous().send(Method::OPTIONS, "/oauth/authorize", None, &asks).await;
    assert_eq!(pages.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_page_may_read_why_it_was_refused() {
    let app = TestApp::with(|config| config.limits.auth_rate_per_minute = 2).await;

    let method = app.anonymous().send(Method::GET, "/oauth/token", None, &[PAGE]).await.is(405);
    let large = app.anonymous().request(Method::POST, "/oauth/revoke").header(PAGE.0, PAGE.1);
    let large = crate::support::answer::Answer::of(large.body("x".repeat(200_000))).await.is(413);
    app.anonymous().send(Method::POST, "/oauth/token", None, &[PAGE]).await.is(400);
    let often = app.anonymous().send(Method::POST, "/oauth/token", None, &[PAGE]).await.is(429);

    for answer in [&method, &large, &often] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{}", answer.status);
        let shown = answer.header("access-control-expose-headers").unwrap();
        assert!(shown.contains("Retry-After") && shown.contains("WWW-Authenticate"), "{shown}");
    }
}
