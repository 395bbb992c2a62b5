//! Authorization requests, from the link to the answer.

use serde_json::json;

use crate::browser::{Browser, CALLBACK, VERIFIER, form_request, link, register};
use crate::support::app::TestApp;
use crate::support::databases::Db;

#[tokio::test]
async fn somebody_signs_in_and_allows_and_the_client_gets_a_code_that_works() {
    for db in [Db::Sqlite, Db::Postgres] {
        a_code_that_works(&TestApp::on(db).await).await;
    }
}

async fn a_code_that_works(app: &TestApp) {
    app.user("ada").await;
    let client = register(app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(app);

    let door = browser.open(&link(&client, &[("scope", "read write"), ("state", "a b&c=d%\u{e4}")])).await.is(200);
    let consent = browser.sign_in(&door, "ada@example.com").await.is(200);
    let answer = browser.send(&consent.form().decide("allow")).await;

    let brought = answer.brings(CALLBACK);
    assert_eq!((brought["state"].as_str(), brought["iss"].as_str()), ("a b&c=d%\u{e4}", app.url()));
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &client),
        ("code", &brought["code"]),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let token = form_request(app.anonymous().request(reqwest::Method::POST, "/oauth/token"), &fields);
    let token = crate::support::answer::Answer::of(token).await.good();
    assert_eq!(token["scope"], "read write");
    let ada = app.anonymous();
    let ada = ada.holding(token["access_token"].as_str().unwrap());
    assert_eq!(ada.get("/api/auth/me").await.good()["email"], "ada@example.com");
    ada.create_task(json!({ "title": "Breathe" })).await.good();
}

#[tokio::test]
async fn a_state_comes_back_byte_by_byte() {
    let app = TestApp::new().await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let long = "x".repeat(4000);

    for (state, expected) in [
        ("%00%FF%C3%28+%2B%26%3D%23%25", "%00%FF%C3%28%20%2B%26%3D%23%25"),
        ("%E2%98%83%22%3Cscript%3E", "%E2%98%83%22%3Cscript%3E"),
        (long.as_str(), long.as_str()),
    ] {
        let path = format!("{}&prompt=none&state={state}", link(&client, &[]));
        let answer = Browser::new(&app).open(&path).await;
        let location = answer.location().unwrap();
        assert!(location.contains(&format!("&state={expected}&iss=")), "{location}");
    }
}

#[tokio::test]
async fn where_an_answer_may_go_is_certain_or_it_goes_nowhere() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let signed_in = Browser::new(&app);
    let door = signed_in.open(&link(&client, &[])).await;
    signed_in.sign_in(&door, "ada@example.com").await;

    for more in [
        [("redirect_uri", "https://app.example/callback/")],
        [("redirect_uri", "https://evil.example/callback")],
        [("redirect_uri", "https://app.example@evil.example/callback")],
        [("redirect_uri", "https://app.example/callback?x=1")],
        [("redirect_uri", "javascript:alert(1)")],
        [("client_id", "nobody")],
        [("client_id", "")],
    ] {
        for browser in [&signed_in, &Browser::new(&app)] {
            for prompt in ["", "none"] {
                let page = browser.open(&link(&client, &[more[0], ("prompt", prompt)])).await.is(400);
                assert_eq!(page.location(), None, "{more:?}");
                assert!(page.header("content-type").starts_with("text/html"));
            }
        }
    }
    let unsaid = link(&client, &[("scope", "openid read"), ("redirect_uri", "")]);
    assert_eq!(signed_in.open(&unsaid).await.is(400).location(), None);
    signed_in.open(&link(&client, &[("scope", "read"), ("redirect_uri", "")])).await.is(200);
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback", link(&client, &[]));
    assert_eq!(signed_in.open(&twice).await.is(400).location(), None);
}

#[tokio::test]
async fn an_error_for_who_registered_itself_is_shown_before_it_is_sent() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let wrong = link(&client, &[("response_type", "token"), ("state", "s")]);

    let stranger = Browser::new(&app);
    let page = stranger.open(&wrong).await.is(400);
    assert!(page.html.contains("unsupported_response_type"));
    assert!(
        page.link("Return to app.example").starts_with("https://app.example/callback?error=unsupported_response_type")
    );

    let door = stranger.open(&link(&client, &[])).await;
    stranger.sign_in(&door, "ada@example.com").await;
    let brought = stranger.open(&wrong).await.brings(CALLBACK);
    assert_eq!((brought["error"].as_str(), brought["state"].as_str()), ("unsupported_response_type", "s"));
    assert_eq!(brought["iss"], app.url());
}

#[tokio::test]
async fn the_built_in_client_is_told_its_errors_at_once() {
    let app = TestApp::new().await;
    let callback = "https://chat.openai.com/aip/oauth/callback";
    let open = |more: [(&'static str, &'static str); 1]| {
        let path = link("chatgpt_mindflow", &[more[0], ("redirect_uri", callback)]);
        let app = &app;
        async move { Browser::new(app).open(&path).await.brings(callback)["error"].clone() }
    };

    for (more, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("scope", "nonsense"), "invalid_scope"),
        (("resource", "https://evil.example/mcp"), "invalid_target"),
        (("request", "x"), "request_not_supported"),
        (("request_uri", "https://a.example"), "request_uri_not_supported"),
        (("response_mode", "fragment"), "invalid_request"),
        (("registration", "{}"), "registration_not_supported"),
        (("prompt", "none login"), "invalid_request"),
        (("prompt", "bogus"), "invalid_request"),
        (("prompt", "Login"), "invalid_request"),
        (("prompt", "none"), "login_required"),
    ] {
        assert_eq!(open([more]).await, error, "{more:?}");
    }
}

#[tokio::test]
async fn a_silent_request_is_answered_without_any_page() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, silent) = (Browser::new(&app), link(&client, &[("prompt", "none")]));

    assert_eq!(browser.open(&silent).await.error(), "login_required");
    let door = browser.open(&link(&client, &[])).await;
    let consent = browser.sign_in(&door, "ada@example.com").await;
    assert_eq!(browser.open(&silent).await.error(), "consent_required");
    browser.send(&consent.form().decide("allow")).await.code();

    browser.open(&silent).await.code();
    let wider = link(&client, &[("prompt", "none"), ("scope", "read write")]);
    assert_eq!(browser.open(&wider).await.error(), "consent_required");
}

#[tokio::test]
async fn asking_for_the_headers_alone_gives_nothing() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    let door = browser.open(&link(&client, &[])).await;
    let consent = browser.sign_in(&door, "ada@example.com").await;
    browser.send(&consent.form().decide("allow")).await.code();

    let ahead = browser.open_with(&link(&client, &[]), &[("sec-purpose", "prefetch;prerender")]).await.is(200);
    assert_eq!(ahead.location(), None);
    let answer = browser.head(&link(&client, &[])).await.is(200);

    assert_eq!((answer.location(), answer.html.as_str()), (None, ""));
    browser.open(&link(&client, &[])).await.code();
}

#[tokio::test]
async fn a_request_may_come_as_a_form() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let path = link(&client, &[("state", "s")]);
    let query = path.split_once('?').unwrap().1.to_owned();
    let post = |headers: &[(&str, &str)]| {
        let request = app.anonymous().request(reqwest::Method::POST, "/oauth/authorize");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(query.clone());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };

    let direct = crate::support::answer::Answer::of(post(&[])).await.is(200);
    assert!(direct.body.as_str().unwrap().contains("name=\"password\""));
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let foreign = post(&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")]);
    let foreign = http.execute(foreign.build().unwrap()).await.unwrap();
    assert_eq!(foreign.status(), 303);
    let location = foreign.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("{}/oauth/authorize?response_type=code&", app.url())), "{location}");
}

#[tokio::test]
async fn pages_may_not_be_kept_framed_or_read_by_others() {
    let app = TestApp::with(|config| config.server.cors_origins = vec!["https://friend.example".to_owned()]).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;

    let page = Browser::new(&app).open(&link(&client, &[])).await.is(200);

    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.ends_with("form-action 'self' https:"), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    assert_eq!((page.header("cache-control"), page.header("x-frame-options")), ("no-store", "DENY"));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let request = app.anonymous().request(reqwest::Method::GET, &link(&client, &[]));
    let foreign = crate::support::answer::Answer::of(request.header("origin", "https://friend.example")).await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    let refused = app.anonymous().send(reqwest::Method::PUT, "/oauth/authorize", None, &[]).await.is(405);
    assert_eq!(refused.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn what_an_application_calls_itself_is_text() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "<script>alert(1)</script>\"", &[CALLBACK]).await;
    let browser = Browser::new(&app);

    let door = browser.open(&link(&client, &[("login_hint", "\"><script>"), ("state", "\"><script>")])).await;
    assert_eq!(door.value("email").as_deref(), Some("\"><script>"));
    let consent = browser.sign_in(&door, "ada@example.com").await;

    for page in [&door, &consent] {
        assert!(!page.html.contains("<script") && page.html.contains("&lt;script&gt;"), "{}", page.html);
    }
}
