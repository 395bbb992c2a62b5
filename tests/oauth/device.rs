//! Devices without a browser (RFC 8628). The page on which people type the code is another matter; here they decide
//! through the service.

use std::time::Duration;

use mindflow::accounts::Origin;
use mindflow::ids::SessionId;
use mindflow::oauth::devices::{Decision, Verdict};
use mindflow::oauth::{ErrorCode, OAuthError, OAuthScopes};
use serde_json::{Value, json};

use crate::connector::{Connector, actions, refusal, text};
use crate::support::app::{Actor, TestApp, minutes};

async fn begin(client: &Connector<'_>, form: &[(&str, &str)]) -> Value {
    client.post("/oauth/device_authorization", form).await.good()
}

async fn decide(client: &Connector<'_>, by: &Actor<'_>, user_code: &str, verdict: Verdict) -> Result<(), OAuthError> {
    let now = client.app.clock.now();
    let decision = Decision {
        client: &client.client,
        verdict,
        user_id: by.id(),
        session_id: Some(SessionId::new(now)),
        authenticated_at: now,
        methods: "pwd otp".to_owned(),
    };
    client.app.app.grants.decide_device(user_code, decision, &Origin::default()).await
}

fn allow(scopes: &str) -> Verdict {
    Verdict::Allow(OAuthScopes::parse(scopes).unwrap())
}

#[tokio::test]
async fn a_device_waits_until_it_is_allowed_elsewhere() {
    let app = TestApp::new().await;
    let (ada, tv) = (app.user("ada").await, Connector::public(&app, "tv").await);

    let answer = tv.post("/oauth/device_authorization", &[("scope", "read write openid")]).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let codes = answer.good();
    assert_eq!((&codes["expires_in"], &codes["interval"]), (&json!(600), &json!(5)));
    assert_eq!(codes["verification_uri"], format!("{}/device", app.url()));
    let user_code = text(&codes, "user_code");
    assert!(text(&codes, "verification_uri_complete").ends_with(&format!("/device?user_code={user_code}")));
    let device_code = text(&codes, "device_code");
    assert_eq!(refusal(tv.poll(device_code).await), "authorization_pending");

    let found = app.app.grants.find_device(&user_code.to_lowercase().replace('-', " "), "ada").await.unwrap();
    assert_eq!((found.client_id.as_str(), found.scopes.to_string().as_str()), ("tv", "read write openid"));
    decide(&tv, &ada, user_code, allow("read openid email")).await.unwrap();
    let tokens = tv.poll(device_code).await.good();

    assert_eq!(tokens["scope"], "read openid");
    assert!(tokens["id_token"].is_string());
    app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(200);
    tv.refresh(text(&tokens, "refresh_token")).await.good();
    assert_eq!(refusal(tv.poll(device_code).await), "invalid_grant");
    let log = actions(&ada).await;
    assert!(log.contains(&"device.approved".to_owned()) && log.contains(&"grant.created".to_owned()));
}

#[tokio::test]
async fn who_asks_too_often_must_wait_longer() {
    let app = TestApp::new().await;
    let (ada, tv) = (app.user("ada").await, Connector::public(&app, "tv").await);
    let codes = begin(&tv, &[]).await;
    let poll = async |after: u64| {
        app.advance(Duration::from_secs(after));
        refusal(tv.poll(text(&codes, "device_code")).await)
    };

    assert_eq!(poll(0).await, "authorization_pending");
    assert_eq!(poll(4).await, "slow_down");
    assert_eq!(poll(9).await, "slow_down");
    assert_eq!(poll(15).await, "authorization_pending");
    assert_eq!(poll(14).await, "slow_down");
    decide(&tv, &ada, text(&codes, "user_code"), allow("read")).await.unwrap();
    assert_eq!(tv.poll(text(&codes, "device_code")).await.good()["scope"], "read");
}

#[tokio::test]
async fn a_refusal_is_told_and_final() {
    let app = TestApp::new().await;
    let (ada, tv) = (app.user("ada").await, Connector::public(&app, "tv").await);
    let codes = begin(&tv, &[]).await;

    decide(&tv, &ada, text(&codes, "user_code"), Verdict::Deny).await.unwrap();

    assert_eq!(refusal(tv.poll(text(&codes, "device_code")).await), "access_denied");
    let again = decide(&tv, &ada, text(&codes, "user_code"), allow("read")).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::InvalidGrant);
    assert_eq!(refusal(tv.poll(text(&codes, "device_code")).await), "access_denied");
    assert!(actions(&ada).await.contains(&"device.denied".to_owned()));
}

#[tokio::test]
async fn after_ten_minutes_it_is_too_late() {
    let app = TestApp::new().await;
    let (ada, tv) = (app.user("ada").await, Connector::public(&app, "tv").await);
    let (codes, approved) = (begin(&tv, &[]).await, begin(&tv, &[]).await);
    decide(&tv, &ada, text(&approved, "user_code"), allow("read")).await.unwrap();

    app.advance(minutes(10));

    for codes in [&codes, &approved] {
        assert_eq!(refusal(tv.poll(text(codes, "device_code")).await), "expired_token");
    }
    let late = decide(&tv, &ada, text(&codes, "user_code"), allow("read")).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::ExpiredToken);
}

#[tokio::test]
async fn a_device_code_belongs_to_its_client() {
    let app = TestApp::new().await;
    let (ada, tv) = (app.user("ada").await, Connector::public(&app, "tv").await);
    let other = Connector::public(&app, "other").await;
    let codes = begin(&tv, &[]).await;
    decide(&tv, &ada, text(&codes, "user_code"), allow("read")).await.unwrap();

    assert_eq!(refusal(other.poll(text(&codes, "device_code")).await), "invalid_grant");
    assert_eq!(refusal(tv.poll(text(&codes, "user_code")).await), "invalid_grant");
    assert_eq!(refusal(tv.token(&[("grant_type", crate::connector::DEVICE_GRANT)]).await), "invalid_request");

    tv.poll(text(&codes, "device_code")).await.good();
}

#[tokio::test]
async fn a_device_gets_no_more_than_it_asked_for_and_its_client_may_have() {
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;
    let fields = json!({ "scope": "read write", "token_endpoint_auth_method": "none" });
    let tv = Connector::with(&app, "tv", fields).await;

    for nothing in ["email", "offline_access", "nonsense"] {
        let refused = tv.post("/oauth/device_authorization", &[("scope", nothing)]).await;
        assert_eq!(refusal(refused), "invalid_scope", "{nothing}");
    }
    let evil = [("resource", "https://evil.example/")];
    assert_eq!(refusal(tv.post("/oauth/device_authorization", &evil).await), "invalid_target");
    let codes = begin(&tv, &[("scope", "read admin nonsense")]).await;
    let nothing = decide(&tv, &eve, text(&codes, "user_code"), allow("write")).await.unwrap_err();
    assert_eq!(nothing.code, ErrorCode::InvalidScope);
    decide(&tv, &eve, text(&codes, "user_code"), allow("read write admin")).await.unwrap();

    assert_eq!(tv.poll(text(&codes, "device_code")).await.good()["scope"], "read");
    let web = Connector::registered(&app).await;
    assert_eq!(refusal(web.post("/oauth/device_authorization", &[]).await), "unauthorized_client");
}

#[tokio::test]
async fn codes_cannot_be_found_by_trying() {
    let app = TestApp::new().await;
    let (ada, tv) = (app.user("ada").await, Connector::public(&app, "tv").await);
    let codes = begin(&tv, &[]).await;
    let find = async |code: &str| app.app.grants.find_device(code, "mallory").await;

    for _ in 0..10 {
        assert_eq!(find("BCDF-GHJK").await.unwrap_err().code, ErrorCode::InvalidGrant);
    }

    assert_eq!(find(text(&codes, "user_code")).await.unwrap_err().code, ErrorCode::SlowDown);
    decide(&tv, &ada, text(&codes, "user_code"), allow("read")).await.unwrap();
    app.advance(minutes(10));
    assert_eq!(find("BCDF-GHJK").await.unwrap_err().code, ErrorCode::InvalidGrant);
}
