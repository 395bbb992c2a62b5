//! What goes by e-mail, over REST and on the pages: confirming an address, choosing a new password.

use mindflow::mail::Message;
use serde_json::{Value, json};

use crate::browser::{Browser, CALLBACK, link, register};
use crate::connector::{Connector, actions, refusal, text};
use crate::support::answer::Answer;
use crate::support::app::{Actor, PASSWORD, TestApp, hours};

const ADA: &str = "ada@example.com";
const NEW: &str = "staple of the same horse";

/// Somebody who registered by themselves, signed in.
async fn registered(app: &TestApp) -> Actor<'_> {
    let account = json!({ "email": ADA, "password": PASSWORD });
    app.anonymous().post("/api/auth/register", &account).await.is(201);
    app.anonymous().holding(text(&login(app, PASSWORD).await.good(), "access_token"))
}

async fn login(app: &TestApp, password: &str) -> Answer {
    app.anonymous().post("/api/auth/login", &json!({ "email": ADA, "password": password })).await
}

async fn forgot(app: &TestApp, email: &str) -> Answer {
    app.anonymous().post("/api/auth/password/forgot", &json!({ "email": email })).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().post("/api/auth/password/reset", &json!({ "token": token, "new_password": password })).await
}

async fn verify(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/api/auth/verify-email", &json!({ "token": token })).await
}

async fn is_verified(ada: &Actor<'_>) -> bool {
    ada.get("/api/auth/me").await.good()["email_verified"] == json!(true)
}

/// The link of the next mail.
async fn next_link(app: &TestApp) -> String {
    let mail = app.letterbox.next().await;
    assert_eq!(mail.to, ADA);
    mail.message.link().unwrap().to_owned()
}

fn token_of(link: &str) -> &str {
    link.split_once("?token=").unwrap().1
}

#[tokio::test]
async fn an_address_is_confirmed_over_rest_by_the_link_of_the_mail_once() {
    let app = TestApp::new().await;
    let ada = registered(&app).await;
    let first = next_link(&app).await;
    assert!(first.starts_with(&format!("{}/oauth/verify-email?token=", app.url())), "{first}");
    assert!(!is_verified(&ada).await);

    assert_eq!(verify(&app, "made-up").await.faults(), ["/token"]);
    ada.send(reqwest::Method::POST, "/api/auth/verify-email/send", None, &[]).await.is(202);
    let second = next_link(&app).await;
    verify(&app, token_of(&second)).await.is(204);

    assert!(is_verified(&ada).await);
    for used in [&first, &second] {
        assert_eq!(verify(&app, token_of(used)).await.faults(), ["/token"], "every link is used up with one");
    }
    let more = ada.send(reqwest::Method::POST, "/api/auth/verify-email/send", None, &[]).await;
    more.assert_problem("email-verified");
    assert!(app.letterbox.is_empty().await);
}

#[tokio::test]
async fn an_address_is_confirmed_on_the_page_by_a_button_alone() {
    let app = TestApp::new().await;
    let ada = registered(&app).await;
    let link = next_link(&app).await;
    let browser = Browser::new(&app);

    // Programs that look into mails open links, also twice and with `HEAD`.
    browser.head(&link).await.is(200);
    browser.open(&link).await.is(200);
    let page = browser.open(&link).await.is(200);
    assert_eq!((page.header("referrer-policy"), page.header("cache-control")), ("no-referrer", "no-store"));
    assert!(!is_verified(&ada).await);
    let done = browser.send(&page.form()).await.is(200);

    assert!(done.html.contains("Your address is confirmed"), "{}", done.html);
    assert!(is_verified(&ada).await);
    assert!(browser.send(&page.form()).await.is(422).html.contains("This link is not good any more"));
    for nonsense in ["/oauth/verify-email", "/oauth/verify-email?token="] {
        assert!(browser.open(nonsense).await.is(200).html.contains("This link is not good any more"), "{nonsense}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_over_rest_and_everything_ends() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let client = Connector::public(&app, "notes").await;
    let granted = client.tokens(&ada, "read").await;
    let personal = json!({ "name": "script", "scopes": ["read"] });
    let personal = ada.post("/api/auth/tokens", &personal).await.good();
    let session = login(&app, PASSWORD).await.good();

    forgot(&app, "ADA@example.com").await.is(202);
    let link = next_link(&app).await;
    assert!(link.starts_with(&format!("{}/oauth/reset-password?token=", app.url())), "{link}");
    let token = token_of(&link);
    assert_eq!(reset(&app, token, "password1").await.faults(), ["/new_password"], "which uses nothing up");
    reset(&app, token, NEW).await.is(204);

    for holder in [
        ada.clone(),
        app.anonymous().holding(text(&personal, "token")),
        app.anonymous().holding(text(&granted, "access_token")),
        app.anonymous().holding(text(&session, "access_token")),
    ] {
        holder.get("/api/tasks").await.is(401);
    }
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    app.anonymous().post("/api/auth/refresh", &refresh).await.is(401);
    assert_eq!(refusal(client.refresh(text(&granted, "refresh_token")).await), "invalid_grant");
    assert_eq!(reset(&app, token, "another good password").await.faults(), ["/token"]);
    login(&app, PASSWORD).await.is(401);
    let ada = app.anonymous().holding(text(&login(&app, NEW).await.good(), "access_token"));
    assert!(is_verified(&ada).await, "the link proved the address");
    let log = actions(&ada).await;
    assert!(["password.reset", "password.reset_requested"].iter().all(|action| log.contains(&(*action).to_owned())));
    assert_eq!(app.letterbox.next().await.message, Message::PasswordChanged);
}

#[tokio::test]
async fn a_link_to_a_new_password_lives_for_an_hour() {
    let app = TestApp::new().await;
    app.user("ada").await;
    forgot(&app, ADA).await.is(202);
    let link = next_link(&app).await;

    app.advance(hours(1));

    assert_eq!(reset(&app, token_of(&link), NEW).await.faults(), ["/token"]);
    let page = Browser::new(&app).open(&link).await.is(200);
    assert!(page.html.contains("This link is not good any more") && !page.html.contains("<form"));
}

#[tokio::test]
async fn nothing_tells_whether_there_is_an_account() {
    let app = TestApp::new().await;
    app.user("ada").await;

    let mut answers = Vec::new();
    for email in ["nobody@example.com", "no address", ADA] {
        let Answer { status, body, mut headers } = forgot(&app, email).await;
        for own in ["x-request-id", "date"] {
            headers.remove(own);
        }
        answers.push((status, body, headers));
    }

    assert_eq!((answers[0].0, &answers[0].1), (202, &Value::Null));
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    // The mails of the first two would have come before.
    next_link(&app).await;
    assert!(app.letterbox.is_empty().await);
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_on_the_pages() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (own, browser) = (Browser::new(&app), Browser::new(&app));
    let door = own.open(&link(&client, &[])).await.is(200);
    own.sign_in(&door, ADA).await.is(200);
    let forgot = browser.open(&door.link("Forgot your password?")).await.is(200);

    let form = forgot.form().fill("email", ADA);
    browser.send_with(&form, &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]).await.is(403);
    browser.send(&form.clone().without("csrf")).await.is(403);
    assert!(app.letterbox.is_empty().await);
    assert!(browser.send(&form).await.is(200).html.contains("Look into your mail"));
    let link_of_mail = next_link(&app).await;
    let page = browser.open(&link_of_mail).await.is(200);
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let weak = browser.send(&page.form().fill("new_password", "password1")).await.is(422);
    assert!(weak.html.contains("new_password-fault"), "{}", weak.html);
    let done = browser.send(&weak.form().fill("new_password", NEW)).await.is(200);

    assert!(done.html.contains("Your password is changed"));
    let spent = browser.open(&link_of_mail).await.is(200);
    assert!(spent.html.contains("This link is not good any more"));
    browser.open(&spent.link("Ask for a new link")).await.is(200);
    browser.send(&page.form().fill("new_password", "another good password")).await.is(422);
    let out = own.open(&link(&client, &[("prompt", "none")])).await;
    assert_eq!(out.error(), "login_required", "other browsers are signed out");
    login(&app, NEW).await.good();
}

#[tokio::test]
async fn a_server_that_cannot_send_mail_says_so_to_everybody_alike() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    app.letterbox.close();
    let browser = Browser::new(&app);

    for email in [ADA, "nobody@example.com"] {
        let refused = forgot(&app, email).await;
        assert_eq!(refused.status, 503);
        refused.assert_problem("mail-not-configured");
        let form = browser.open("/oauth/forgot-password").await.is(200).form().fill("email", email);
        assert!(browser.send(&form).await.is(503).html.contains("No mail can be sent"));
    }
    let sent = ada.send(reqwest::Method::POST, "/api/auth/verify-email/send", None, &[]).await;
    sent.assert_problem("mail-not-configured");
}
