//! What people learn of attempts to use what they allowed.

use serde_json::{Value, json};

use crate::connector::{Connector, REDIRECT, VERIFIER, refusal, send_form, text};
use crate::support::app::{Actor, TestApp};

/// The refusals of somebody's log, newest first: action, who came, why, and with which client.
async fn refusals(ada: &Actor<'_>) -> Vec<(String, String, Value)> {
    let page = ada.get("/api/auth/activity?limit=1000").await.good();
    let items = page["items"].as_array().unwrap().iter().filter(|row| text(row, "action").ends_with("refused"));
    items.map(|row| (text(row, "action").into(), text(row, "actor").into(), row["details"].clone())).collect()
}

fn row(action: &str, actor: &str, details: Value) -> (String, String, Value) {
    (action.to_owned(), actor.to_owned(), details)
}

#[tokio::test]
async fn what_another_client_brings_is_told_to_its_owner() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (notes, thief) = (Connector::public(&app, "notes").await, Connector::public(&app, "thief").await);
    let (tokens, code) = (notes.tokens(&ada, "read").await, notes.code(&ada, "read").await);
    let details = json!({ "client_id": "thief", "reason": "other_client" });

    assert_eq!(refusal(thief.redeem(&code).await), "invalid_grant");
    assert_eq!(refusal(thief.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
    assert_eq!(refusal(thief.revoke(text(&tokens, "refresh_token")).await), "invalid_grant");
    assert_eq!(refusal(thief.revoke(text(&tokens, "access_token")).await), "invalid_grant");

    let told = refusals(&ada).await;
    let expected = ["grant.revocation_refused", "grant.revocation_refused", "grant.refresh_refused", "code.refused"];
    assert_eq!(told, expected.map(|action| row(action, "client", details.clone())));
    assert_eq!(refusals(&eve).await, []);
    notes.redeem(&code).await.good();
    notes.refresh(text(&tokens, "refresh_token")).await.good();
}

#[tokio::test]
async fn what_its_own_client_gets_wrong_is_told_too() {
    let app = TestApp::new().await;
    let (ada, notes) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let code = notes.code(&ada, "read").await;
    let usual = [("grant_type", "authorization_code"), ("code", code.as_str())];

    for wrong in [
        [("code_verifier", "x"), ("redirect_uri", REDIRECT)],
        [("code_verifier", VERIFIER), ("redirect_uri", "https://evil.example/")],
    ] {
        assert_eq!(refusal(notes.token(&[&usual[..], &wrong].concat()).await), "invalid_grant");
    }

    let details = |reason: &str| json!({ "client_id": "notes", "reason": reason });
    let expected = ["redirect_uri", "code_verifier"].map(|reason| row("code.refused", "client", details(reason)));
    assert_eq!(refusals(&ada).await, expected);
}

#[tokio::test]
async fn who_does_not_prove_to_be_the_client_is_told_without_what_they_said() {
    let app = TestApp::new().await;
    let (ada, notes) = (app.user("ada").await, Connector::confidential(&app, "notes").await);
    let (tokens, code) = (notes.tokens(&ada, "read").await, notes.code(&ada, "read").await);
    let refresh = text(&tokens, "refresh_token");

    for body in [
        format!("grant_type=refresh_token&refresh_token={refresh}&client_id=notes&client_secret=guess"),
        format!("grant_type=authorization_code&code={code}&client_id=nobody&code_verifier={VERIFIER}"),
        "grant_type=refresh_token&refresh_token=made-up&client_id=notes&client_secret=guess".to_owned(),
    ] {
        assert_eq!(refusal(send_form(&app, "/oauth/token", body).await), "invalid_client");
    }

    let details = json!({ "reason": "client_not_authenticated" });
    let expected = ["code.refused", "grant.refresh_refused"].map(|action| row(action, "anonymous", details.clone()));
    assert_eq!(refusals(&ada).await, expected);
    let log = ada.get("/api/auth/activity?limit=1000").await.good().to_string();
    assert!([refresh, &code, "guess", "nobody"].iter().all(|secret| !log.contains(*secret)), "{log}");
}
