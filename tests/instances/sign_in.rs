//! Signing in and connecting programs, each step at the other instance.

use serde_json::{Value, json};

use crate::balancer::Balanced;
use crate::browser::{Browser, CALLBACK, VERIFIER, form_request, link, register};
use crate::provider::Provider;
use crate::support::answer::Answer;
use crate::support::app::{PASSWORD, TestApp};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn post(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    Answer::of(form_request(app.anonymous().request(reqwest::Method::POST, path), fields)).await
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}"))
}

/// Which of the two is asked first.
const BEGINNINGS: [usize; 2] = [0, 1];

#[tokio::test]
async fn a_program_is_registered_allowed_and_given_tokens_by_turns() {
    for skipped in BEGINNINGS {
        let two = Balanced::start(|_| {}).await;
        two.app.user("ada").await;
        (0..skipped).for_each(|_| two.skip_a_turn());

        let client = register(&two.app, "Calm app", &[CALLBACK]).await;
        let browser = Browser::new(&two.app);
        let door = browser.open(&link(&client, &[("scope", "read write openid")])).await.is(200);
        let consent = browser.sign_in(&door, "ada@example.com").await.is(200);
        let code = browser.send(&consent.form().decide("allow")).await.code();
        let exchange = [
            ("grant_type", "authorization_code"),
            ("client_id", client.as_str()),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let tokens = post(&two.app, "/oauth/token", &exchange).await.good();
        let refresh = |token: String| {
            let (app, client) = (&two.app, client.clone());
            async move {
                let fields = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", &token)];
                post(app, "/oauth/token", &fields).await
            }
        };
        let fresh = refresh(text(&tokens, "refresh_token").to_owned()).await.good();
        // The same again, at the other one: hosts refresh in parallel.
        let again = refresh(text(&tokens, "refresh_token").to_owned()).await.good();
        assert_eq!(fresh["refresh_token"], again["refresh_token"]);

        let program = two.app.anonymous().holding(text(&fresh, "access_token"));
        for _ in 0..2 {
            program.get("/api/tasks").await.is(200);
            program.get("/oauth/userinfo").await.is(200);
        }
        post(&two.app, "/oauth/revoke", &[("client_id", &client), ("token", text(&fresh, "refresh_token"))])
            .await
            .is(200);
        for _ in 0..2 {
            program.get("/api/tasks").await.is(401);
        }
        assert_eq!(refresh(text(&fresh, "refresh_token").to_owned()).await.is(400).body["error"], "invalid_grant");
    }
}

#[tokio::test]
async fn a_code_is_good_once_whichever_instance_sees_it() {
    let two = Balanced::start(|_| {}).await;
    two.app.user("ada").await;
    let client = register(&two.app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&two.app);
    let door = browser.open(&link(&client, &[])).await;
    let consent = browser.sign_in(&door, "ada@example.com").await;
    let code = browser.send(&consent.form().decide("allow")).await.code();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", client.as_str()),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];

    let answers = tokio::join!(post(&two.app, "/oauth/token", &exchange), post(&two.app, "/oauth/token", &exchange));

    let mut statuses = [answers.0.status, answers.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn a_device_is_connected_by_turns() {
    for skipped in BEGINNINGS {
        let two = Balanced::start(|_| {}).await;
        two.app.user("ada").await;
        (0..skipped).for_each(|_| two.skip_a_turn());
        let body = json!({
            "client_name": "Kitchen display",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", DEVICE_CODE],
        });
        let client = two.app.anonymous().post("/oauth/register", &body).await.good();
        let client_id = text(&client, "client_id");
        let asked = [("client_id", client_id), ("scope", "read")];
        let device = post(&two.app, "/oauth/device_authorization", &asked).await.good();
        let poll =
            [("grant_type", DEVICE_CODE), ("client_id", client_id), ("device_code", text(&device, "device_code"))];
        assert_eq!(post(&two.app, "/oauth/token", &poll).await.body["error"], "authorization_pending");
        assert_eq!(post(&two.app, "/oauth/token", &poll).await.body["error"], "slow_down", "counted together");

        let browser = Browser::new(&two.app);
        let door = browser.open(text(&device, "verification_uri_complete")).await.is(200);
        let page = browser.sign_in(&door, "ada@example.com").await.is(200);
        browser.send(&page.form().decide("allow")).await.is(200);

        two.app.advance(std::time::Duration::from_secs(30));
        assert_eq!(post(&two.app, "/oauth/token", &poll).await.good()["scope"], "read");
    }
}

#[tokio::test]
async fn who_comes_back_from_another_provider_may_come_back_to_another_instance() {
    for skipped in BEGINNINGS {
        let provider = Provider::start().await;
        let two = Balanced::start(|config| provider.known_to(config)).await;
        provider.is_used_by(7, Some("ada@example.net"), true);
        (0..skipped).for_each(|_| two.skip_a_turn());

        let browser = Browser::new(&two.app);
        let away = browser.open("/oauth/upstream/oidc?return_to=/device").await.is(303);
        let back = provider.visit(away.location().unwrap()).await;
        browser.open(&back).await.is(303);

        assert!(browser.cookie().is_some());
        browser.open("/device").await.is(200);
        let signed_in = two.app.app.accounts.find_browser(&browser.cookie().unwrap()).await.unwrap().unwrap();
        assert_eq!(signed_in.email, "ada@example.net");
    }
}

#[tokio::test]
async fn a_session_is_refreshed_and_ended_everywhere_at_once() {
    let two = Balanced::start(|_| {}).await;
    let ada = two.app.user("ada").await;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = two.app.anonymous().post("/api/auth/login", &login).await.good();
    let refresh = json!({ "refresh_token": signed_in["refresh_token"] });
    let (here, there) = (two.app.anonymous(), two.app.anonymous());
    let answers = tokio::join!(here.post("/api/auth/refresh", &refresh), there.post("/api/auth/refresh", &refresh));
    let (one, other) = (answers.0.good(), answers.1.good());
    assert_eq!(one["refresh_token"], other["refresh_token"], "the identical answer again");

    let session = ada.holding(text(&one, "access_token"));
    for _ in 0..4 {
        session.get("/api/tasks").await.is(200);
    }
    session.post("/api/auth/logout", &json!({})).await.is(204);
    for _ in 0..4 {
        session.get("/api/tasks").await.is(401);
    }
    let change = json!({ "current_password": PASSWORD, "new_password": "another horse battery staple" });
    let made = ada.post("/api/auth/tokens", &json!({ "name": "bot", "scopes": ["read"] })).await.good();
    let bot = ada.holding(text(&made, "token"));
    bot.get("/api/tasks").await.is(200);
    ada.post("/api/auth/password/change", &change).await.is(204);

    for _ in 0..2 {
        bot.get("/api/tasks").await.is(401);
        two.app.anonymous().post("/api/auth/login", &login).await.is(401);
    }
}
