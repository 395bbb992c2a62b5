//! Passkeys on the pages, with devices in software in the place of the script.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::browser::{Browser, Page, VERIFIER, form_request, link, register};
use crate::passkey_device::{Device, SERVER};
use crate::passkeys::server;
use crate::support::answer::Answer;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::databases::Db;

const PAGE: &str = "/oauth/identities";
const QUESTION: &str = "/oauth/passkeys/question";

/// Signs Ada in, on the page with her ways to sign in.
async fn signed_in(app: &TestApp) -> (Browser<'_>, Page) {
    let browser = Browser::new(app);
    let door = browser.open(PAGE).await.is(200);
    let form = door.form().fill("email", "ada@example.com").fill("password", PASSWORD);
    browser.send(&form).await.is(303);
    let page = browser.open(PAGE).await.is(200);
    (browser, page)
}

/// What the page on which a passkey is made gives the browser.
fn options(page: &Page) -> Value {
    let start = page.html.split_once("data-options=\"").unwrap().1;
    serde_json::from_str(&start.split_once('"').unwrap().0.replace("&quot;", "\"").replace("&amp;", "&")).unwrap()
}

/// Adds a passkey for who is signed in.
async fn add(browser: &Browser<'_>, page: &Page, device: &mut Device) -> Page {
    let made = browser.send(&page.form_for("add-passkey").fill("name", "Ada's phone")).await.is(200);
    let credential = device.make(&options(&made)).to_string();
    browser.send(&made.form_for("keep-passkey").fill("credential", &credential)).await.is(303);
    browser.open(PAGE).await.is(200)
}

/// What the script does when its button is pressed.
async fn show(browser: &Browser<'_>, page: &Page, device: &Device) -> Page {
    let question: Value = serde_json::from_str(&browser.open(QUESTION).await.is(200).html).unwrap();
    let credential = device.show(&question["options"]).to_string();
    let form = page.form_for("passkey").fill("credential", &credential);
    browser.send(&form.fill("ceremony", question["ceremony"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_passkey_leads_to_the_application() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = server(db).await;
        app.user("ada").await;
        let (ada, page) = signed_in(&app).await;
        let mut device = Device::new();
        let page = add(&ada, &page, &mut device).await;
        assert!(page.html.contains("Ada's phone") && page.html.contains("never used"), "{}", page.html);
        let client = register(&app, "App", &["https://app.example/callback"]).await;
        let wanted = link(&client, &[("scope", "openid read"), ("prompt", "login")]);

        let browser = Browser::new(&app);
        let door = browser.open(&wanted).await.is(200);
        let entered = show(&browser, &door, &device).await.is(303);
        let next = entered.location().unwrap().strip_prefix(SERVER).unwrap();
        let consent = browser.open(next).await.is(200);
        let code = browser.send(&consent.form().decide("allow")).await.code();

        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client.as_str()),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
            ("redirect_uri", "https://app.example/callback"),
        ];
        let request = app.anonymous().request(reqwest::Method::POST, "/oauth/token");
        let tokens = Answer::of(form_request(request, &form)).await.good();
        let claims = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims["amr"], json!(["hwk", "mfa"]), "{db:?}");
        assert!(ada.open(PAGE).await.is(200).html.contains("last used on 2026-03-23"));
    }
}

#[tokio::test]
async fn the_page_to_sign_in_has_the_script_only_where_passkeys_work() {
    let (named, unnamed) = (server(Db::Sqlite).await, TestApp::new().await);

    let page = Browser::new(&named).open(PAGE).await.is(200);
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("script-src https://mindflow.example/oauth/passkeys.js; connect-src"), "{policy}");
    assert!(!policy.contains("unsafe") && page.html.contains("<script src=\"../oauth/passkeys.js\" defer></script>"));
    assert!(
        page.html.contains("autocomplete=\"username webauthn\"") && page.html.contains("hidden data-passkey=\"get\"")
    );
    let script = Browser::new(&named).open("/oauth/passkeys.js").await.is(200);
    assert!(script.header("content-type").starts_with("text/javascript"));

    let page = Browser::new(&unnamed).open(PAGE).await.is(200);
    assert!(!page.html.contains("script") && !page.html.contains("passkey"), "{}", page.html);
    assert!(!page.header("content-security-policy").contains("script-src"));
    Browser::new(&unnamed).open(QUESTION).await.is(409);
    unnamed.user("ada").await;
    let (_, ways) = signed_in(&unnamed).await;
    assert!(ways.html.contains("Passkeys are not possible here"), "{}", ways.html);
}

#[tokio::test]
async fn a_question_is_for_the_browser_that_asked() {
    let app = server(Db::Sqlite).await;
    app.user("ada").await;
    let (ada, page) = signed_in(&app).await;
    let mut device = Device::new();
    add(&ada, &page, &mut device).await;
    let (browser, other) = (Browser::new(&app), Browser::new(&app));
    let (door, others) = (browser.open(PAGE).await, other.open(PAGE).await);

    let question: Value = serde_json::from_str(&browser.open(QUESTION).await.is(200).html).unwrap();
    let credential = device.show(&question["options"]).to_string();
    let fill = |page: &Page| {
        let form = page.form_for("passkey").fill("credential", &credential);
        form.fill("ceremony", question["ceremony"].as_str().unwrap())
    };
    let refused = other.send(&fill(&others)).await.is(422);
    assert!(refused.html.contains("That took too long"), "{}", refused.html);
    other.send(&fill(&door)).await.is(403);
    browser.send_with(&fill(&door), &[("origin", "https://evil.example")]).await.is(403);
    browser.open_with(QUESTION, &[("sec-fetch-site", "cross-site")]).await.is(403);
    let stranger = show(&browser, &door, &Device::new()).await.is(422);
    assert!(stranger.html.contains("Nobody can sign in with this passkey"), "{}", stranger.html);
    browser.send(&fill(&door)).await.is(303);
    app.advance(Duration::from_mins(1));
    let again = Browser::new(&app);
    let door = again.open(PAGE).await;
    again.send(&fill(&door)).await.is(422);
}

#[tokio::test]
async fn passkeys_are_renamed_and_removed_on_the_page() {
    let app = server(Db::Sqlite).await;
    app.user("ada").await;
    let (ada, page) = signed_in(&app).await;
    let mut device = Device::new();
    let page = add(&ada, &page, &mut device).await;

    let blank = ada.send(&page.form_for("rename-passkey").fill("name", " ")).await.is(422);
    assert!(blank.html.contains("The name "), "{}", blank.html);
    ada.send(&page.form_for("rename-passkey").fill("name", "<b>Desk</b>")).await.is(303);
    let page = ada.open(PAGE).await.is(200);
    assert!(page.html.contains("&lt;b&gt;Desk&lt;/b&gt;") && !page.html.contains("<b>Desk"));
    let removal = page.form_for("remove-passkey");
    ada.send_with(&removal, &[("origin", "https://evil.example")]).await.is(403);
    ada.send(&removal.clone().fill("csrf", "x")).await.is(403);
    ada.send(&removal).await.is(303);
    ada.send(&removal).await.is(303);

    assert!(ada.open(PAGE).await.html.contains("There is no passkey."));
    let browser = Browser::new(&app);
    let door = browser.open(PAGE).await.is(200);
    show(&browser, &door, &device).await.is(422);
}

#[tokio::test]
async fn who_signed_in_long_ago_gives_the_password_on_the_page() {
    let app = server(Db::Sqlite).await;
    app.user("ada").await;
    let (ada, _) = signed_in(&app).await;
    app.advance(Duration::from_mins(11));
    let page = ada.open(PAGE).await.is(200);

    let missing = ada.send(&page.form_for("add-passkey")).await.is(422);
    assert!(missing.html.contains("The password is missing or wrong."), "{}", missing.html);
    ada.send(&page.form_for("add-passkey").fill("password", "a wrong guess")).await.is(422);
    let made = ada.send(&page.form_for("add-passkey").fill("password", PASSWORD)).await.is(200);
    let nonsense = ada.send(&made.form_for("keep-passkey").fill("credential", "{")).await.is(422);

    assert!(nonsense.html.contains("no passkey"), "{}", nonsense.html);
}
