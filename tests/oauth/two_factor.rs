//! The second factor over REST: setting it up, signing in with it, and getting rid of it.

use std::time::Duration;

use mindflow::mail::Message;
use reqwest::Method;
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, enrol};
use crate::connector::{Connector, actions, text};
use crate::support::answer::Answer;
use crate::support::app::{Actor, PASSWORD, TestApp};

const PATH: &str = "/api/auth/two-factor";

async fn login(app: &TestApp, password: &str, code: Option<&str>) -> Answer {
    let mut body = json!({ "email": "ada@example.com", "password": password });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    app.anonymous().post("/api/auth/login", &body).await
}

async fn standing(ada: &Actor<'_>) -> (bool, u64) {
    let standing = ada.get(PATH).await.good();
    (standing["enabled"].as_bool().unwrap(), standing["recovery_codes_left"].as_u64().unwrap())
}

async fn take_away(ada: &Actor<'_>, password: &str, code: &str) -> Answer {
    ada.send(Method::DELETE, PATH, Some(&json!({ "password": password, "code": code })), &[]).await
}

/// Lets the authenticator's next code come.
fn wait(app: &TestApp) {
    app.advance(Duration::from_secs(30));
}

#[tokio::test]
async fn a_code_is_needed_once_a_first_one_was_confirmed() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    assert_eq!(standing(&ada).await, (false, 0));
    ada.post(&format!("{PATH}/confirm"), &json!({ "code": "123456" })).await.assert_problem("not-found");

    let begun = ada.send(Method::POST, PATH, None, &[]).await.good();
    let device = Authenticator::new(text(&begun, "secret"));
    assert!(text(&begun, "otpauth_url").contains(text(&begun, "secret")));
    assert_eq!(standing(&ada).await, (false, 0));
    login(&app, PASSWORD, None).await.good();
    let wrong = ada.post(&format!("{PATH}/confirm"), &json!({ "code": "000000" })).await;
    assert_eq!(wrong.faults(), ["/code"]);
    let confirmed = ada.post(&format!("{PATH}/confirm"), &json!({ "code": device.code(&app) })).await.good();

    assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(standing(&ada).await, (true, 10));
    let refused = login(&app, PASSWORD, None).await;
    assert_eq!(refused.status, 401);
    refused.assert_problem("second-factor-needed");
    login(&app, "a wrong guess", None).await.assert_problem("wrong-credentials");
    login(&app, "a wrong guess", Some(&device.code(&app))).await.assert_problem("wrong-credentials");
    ada.send(Method::POST, PATH, None, &[]).await.is(409).assert_problem("second-factor-on");
    assert_eq!(app.letterbox.next().await.message, Message::SecondFactorOn);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_time() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (device, _) = enrol(&app, &ada).await;

    let code = device.code(&app);
    login(&app, PASSWORD, Some(&code)).await.good();
    login(&app, PASSWORD, Some(&code)).await.is(401).assert_problem("wrong-second-factor");
    wait(&app);
    let spaced = device.code(&app);
    let (start, end) = spaced.split_at(3);
    login(&app, PASSWORD, Some(&format!("{start} {end}"))).await.good();
    let old = device.code(&app);
    app.advance(Duration::from_secs(90));
    login(&app, PASSWORD, Some(&old)).await.assert_problem("wrong-second-factor");

    assert!(actions(&ada).await.contains(&"second_factor.refused".to_owned()));
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_and_new_ones_replace_all() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (_, codes) = enrol(&app, &ada).await;
    assert_eq!(app.letterbox.next().await.message, Message::SecondFactorOn);

    login(&app, PASSWORD, Some(&codes[0].to_uppercase())).await.good();
    login(&app, PASSWORD, Some(&codes[0])).await.assert_problem("wrong-second-factor");
    assert_eq!(standing(&ada).await, (true, 9));
    assert_eq!(app.letterbox.next().await.message, Message::RecoveryCodeUsed);
    let renew = |password: &str| json!({ "password": password });
    let path = format!("{PATH}/recovery-codes");
    ada.post(&path, &renew("a wrong guess")).await.assert_problem("wrong-password");
    let renewed = ada.post(&path, &renew(PASSWORD)).await.good();

    assert_eq!(standing(&ada).await, (true, 10));
    login(&app, PASSWORD, Some(&codes[1])).await.assert_problem("wrong-second-factor");
    login(&app, PASSWORD, renewed["recovery_codes"][0].as_str()).await.good();
    let log = actions(&ada).await;
    assert!(["recovery_code.used", "recovery_codes.renewed"].iter().all(|action| log.contains(&(*action).to_owned())));
}

#[tokio::test]
async fn taking_it_away_needs_the_password_and_a_code() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    take_away(&ada, PASSWORD, "123456").await.assert_problem("not-found");
    let (device, codes) = enrol(&app, &ada).await;

    take_away(&ada, "a wrong guess", &device.code(&app)).await.is(403).assert_problem("wrong-password");
    take_away(&ada, PASSWORD, "000000").await.is(401).assert_problem("wrong-second-factor");
    assert_eq!(standing(&ada).await, (true, 10));
    take_away(&ada, PASSWORD, &device.code(&app)).await.is(204);

    assert_eq!(standing(&ada).await, (false, 0));
    login(&app, PASSWORD, None).await.good();
    // What belonged to the old one is worth nothing to a new one.
    let (again, _) = enrol(&app, &ada).await;
    login(&app, PASSWORD, Some(&codes[0])).await.assert_problem("wrong-second-factor");
    login(&app, PASSWORD, Some(&again.code(&app))).await.good();
}

#[tokio::test]
async fn programs_and_personal_tokens_do_not_touch_it() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let personal = json!({ "name": "script", "scopes": ["read", "write"] });
    let personal = ada.post("/api/auth/tokens", &personal).await.good();
    let granted = Connector::public(&app, "notes").await.tokens(&ada, "read write").await;
    let script = app.anonymous().holding(text(&personal, "token"));
    let program = app.anonymous().holding(text(&granted, "access_token"));

    for (holder, kind) in [(script, "session-needed"), (program, "not-for-programs")] {
        holder.post(PATH, &Value::Null).await.is(403).assert_problem(kind);
        holder.post(&format!("{PATH}/confirm"), &json!({ "code": "123456" })).await.is(403);
        take_away(&holder, PASSWORD, "123456").await.is(403);
        holder.post(&format!("{PATH}/recovery-codes"), &json!({ "password": PASSWORD })).await.is(403);
    }
    assert_eq!(standing(&ada).await, (false, 0));
}

#[tokio::test]
async fn a_new_password_by_mail_keeps_the_factor_of_a_confirmed_address() {
    let app = TestApp::new().await;
    let account = json!({ "email": "ada@example.com", "password": PASSWORD });
    app.anonymous().post("/api/auth/register", &account).await.is(201);
    let mail = app.letterbox.next().await;
    let token = mail.message.link().unwrap().split_once("token=").unwrap().1.to_owned();
    app.anonymous().post("/api/auth/verify-email", &json!({ "token": token })).await.is(204);
    let signed_in = login(&app, PASSWORD, None).await.good();
    let (device, _) = enrol(&app, &app.anonymous().holding(text(&signed_in, "access_token"))).await;

    app.anonymous().post("/api/auth/password/forgot", &json!({ "email": "ada@example.com" })).await.is(202);
    let mail = app.letterbox.next_reset().await;
    let token = mail.message.link().unwrap().split_once("token=").unwrap().1.to_owned();
    let new = "staple of the same horse";
    app.anonymous().post("/api/auth/password/reset", &json!({ "token": token, "new_password": new })).await.is(204);

    login(&app, new, None).await.assert_problem("second-factor-needed");
    login(&app, new, Some(&device.code(&app))).await.good();
}

#[tokio::test]
async fn guesses_of_codes_are_stopped_by_account() {
    let app = TestApp::with(|config| config.limits.failed_sign_ins = 10).await;
    let ada = app.user("ada").await;
    let (device, _) = enrol(&app, &ada).await;

    for _ in 0..10 {
        login(&app, PASSWORD, Some("000000")).await.is(401);
    }
    let stopped = login(&app, PASSWORD, Some(&device.code(&app))).await.is(429);
    assert!(stopped.header("retry-after").is_some());
    stopped.assert_problem("too-many-attempts");
    app.advance(Duration::from_mins(15));

    login(&app, PASSWORD, Some(&device.code(&app))).await.good();
}
