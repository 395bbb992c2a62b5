//! Forms that did not come from a page of this server.

use crate::browser::{Browser, CALLBACK, Form, link, register};
use crate::support::app::{PASSWORD, TestApp};

/// The forms of the way from the door to the code, ready to be sent: sign-in, consent.
async fn forms<'a>(app: &'a TestApp, client: &str) -> (Browser<'a>, Form, Form) {
    let browser = Browser::new(app);
    let door = browser.open(&link(client, &[])).await;
    let sign_in = door.form().fill("email", "ada@example.com").fill("password", PASSWORD);
    let consent = browser.sign_in(&door, "ada@example.com").await;
    (browser, sign_in, consent.form().decide("allow"))
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, _, consent) = forms(&app, &client).await;

    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", app.url()), ("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
    ] {
        let page = browser.send_with(&consent, headers).await.is(403);
        assert_eq!(page.location(), None, "{headers:?}");
    }
    browser.send_with(&consent, &[("origin", "null"), ("sec-fetch-site", "same-origin")]).await.code();
}

#[tokio::test]
async fn a_form_allows_what_its_page_showed_and_nothing_else() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, _, consent) = forms(&app, &client).await;

    for more in [("scope", "read write"), ("resource", app.url()), ("state", "other"), ("nonce", "other")] {
        let other = browser.open(&link(&client, &[more])).await.is(200);
        let forged = Form { action: other.form().action, ..consent.clone() };
        browser.send(&forged).await.is(403);
    }
    browser.send(&consent).await.code();
}

#[tokio::test]
async fn a_form_without_its_token_or_with_that_of_another_does_nothing() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let other = register(&app, "Other app", &[CALLBACK]).await;
    let (browser, sign_in, consent) = forms(&app, &client).await;
    let (attacker, attackers_sign_in, attackers_consent) = forms(&app, &client).await;
    let token = |form: &Form| form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let for_other = browser.open(&link(&other, &[])).await.form();

    for forged in [
        consent.clone().without("csrf"),
        consent.clone().fill("csrf", ""),
        consent.clone().fill("csrf", "AAAA"),
        consent.clone().fill("csrf", &"A".repeat(64)),
        consent.clone().fill("csrf", &token(&attackers_consent)),
        consent.clone().fill("csrf", &token(&sign_in)),
        consent.clone().fill("csrf", &token(&for_other)),
        sign_in.clone(),
        attackers_sign_in,
    ] {
        let page = browser.send(&forged).await.is(403);
        assert_eq!(page.location(), None);
    }
    attacker.send(&attackers_consent).await.code();
    browser.send(&consent).await.code();
}

#[tokio::test]
async fn a_form_without_any_cookie_does_nothing() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (_, sign_in, consent) = forms(&app, &client).await;

    for form in [sign_in, consent] {
        let stranger = Browser::new(&app);
        stranger.send(&form).await.is(403);
    }
}

#[tokio::test]
async fn forms_come_in_one_kind_of_body_and_each_field_once() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, _, consent) = forms(&app, &client).await;

    for field in [("decision", "deny"), ("step", "consent"), ("csrf", "x")] {
        let mut twice = consent.clone();
        twice.fields.push((field.0.to_owned(), field.1.to_owned()));
        let page = browser.send(&twice).await;
        assert!(page.status >= 400 && page.location().is_none(), "{field:?} {}", page.status);
    }
    browser.send(&consent.clone().without("decision")).await.is(400);
    browser.send(&consent.clone().fill("step", "whatever")).await;
    let text = app.anonymous().request(reqwest::Method::POST, "/oauth/authorize").body("{}");
    crate::support::answer::Answer::of(text).await.is(400);
}
