//! Giving tokens back (RFC 7009), asking about them (RFC 7662), and disconnecting programs.

use serde_json::json;

use crate::connector::{Connector, actions, refusal, send_form, text};
use crate::support::app::TestApp;

#[tokio::test]
async fn either_token_ends_both_whatever_the_hint() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);

    for (given_back, hint) in
        [("access_token", "refresh_token"), ("refresh_token", "access_token"), ("refresh_token", "x")]
    {
        let tokens = client.tokens(&ada, "read").await;
        let form = [("token", text(&tokens, given_back)), ("token_type_hint", hint)];
        client.post("/oauth/revoke", &form).await.is(200);

        app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(401);
        assert_eq!(refusal(client.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
        client.post("/oauth/revoke", &form).await.is(200);
    }
    assert_eq!(actions(&ada).await.iter().filter(|action| *action == "grant.revoked").count(), 3);
}

#[tokio::test]
async fn a_used_refresh_token_ends_its_family_too() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let first = client.tokens(&ada, "read").await;
    let second = client.refresh(text(&first, "refresh_token")).await.good();

    client.revoke(text(&first, "refresh_token")).await.is(200);

    assert_eq!(refusal(client.refresh(text(&second, "refresh_token")).await), "invalid_grant");
}

#[tokio::test]
async fn tokens_of_others_stay_and_nonsense_is_no_error() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let other = Connector::public(&app, "other").await;
    let tokens = client.tokens(&ada, "read").await;

    for token in ["access_token", "refresh_token"] {
        assert_eq!(refusal(other.revoke(text(&tokens, token)).await), "invalid_grant");
    }
    for nonsense in ["made-up", "a.b.c", " ", ada.token.as_deref().unwrap()] {
        client.revoke(nonsense).await.is(200);
    }
    assert_eq!(refusal(client.post("/oauth/revoke", &[]).await), "invalid_request");
    let stranger = format!("token={}&client_id=nobody", text(&tokens, "refresh_token"));
    assert_eq!(refusal(send_form(&app, "/oauth/revoke", stranger).await.is(401)), "invalid_client");

    app.anonymous().holding(text(&tokens, "access_token")).get("/api/tasks").await.is(200);
    ada.get("/api/tasks").await.is(200);
    client.refresh(text(&tokens, "refresh_token")).await.good();
}

#[tokio::test]
async fn a_client_may_ask_about_its_own_tokens() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::confidential(&app, "notes").await);
    let tokens = client.tokens(&ada, "read write").await;

    let access = client.introspect(text(&tokens, "access_token")).await;
    assert_eq!(access.header("cache-control"), Some("no-store"));
    let access = access.good();
    let refresh = client.introspect(text(&tokens, "refresh_token")).await.good();

    assert_eq!((&access["active"], &access["scope"]), (&json!(true), &json!("read write")));
    assert_eq!((&access["client_id"], &access["sub"]), (&json!("notes"), &json!(ada.id().to_string())));
    assert_eq!((&access["iss"], &access["token_type"]), (&json!(app.url()), &json!("Bearer")));
    assert_eq!(access["aud"], json!([format!("{}/api", app.url()), format!("{}/mcp", app.url()), app.url()]));
    assert!(access["exp"].as_i64() > access["iat"].as_i64() && access["jti"].is_string());
    assert_eq!((&refresh["active"], &refresh["token_type"]), (&json!(true), &json!(null)));
    client.refresh(text(&tokens, "refresh_token")).await.good();
    assert_eq!(client.introspect(text(&tokens, "refresh_token")).await.good(), json!({ "active": false }));
    client.revoke(text(&tokens, "access_token")).await.is(200);
    assert_eq!(client.introspect(text(&tokens, "access_token")).await.good(), json!({ "active": false }));
}

#[tokio::test]
async fn nobody_learns_anything_of_others_tokens() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::confidential(&app, "notes").await);
    let (other, public) = (Connector::confidential(&app, "other").await, Connector::public(&app, "open").await);
    let (tokens, own) = (client.tokens(&ada, "read").await, public.tokens(&ada, "read").await);

    for token in [text(&tokens, "access_token"), text(&tokens, "refresh_token"), ada.token.as_deref().unwrap(), "x"] {
        assert_eq!(other.introspect(token).await.good(), json!({ "active": false }));
    }
    for asked in [public.introspect(text(&own, "access_token")), public.introspect(text(&tokens, "access_token"))] {
        assert_eq!(refusal(asked.await.is(401)), "invalid_client");
    }
    let wrong = format!("token={}&client_id=notes&client_secret=wrong", text(&tokens, "access_token"));
    assert_eq!(refusal(send_form(&app, "/oauth/introspect", wrong).await.is(401)), "invalid_client");
}

#[tokio::test]
async fn people_see_their_connected_programs_and_disconnect_them() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (notes, mail) = (Connector::public(&app, "notes").await, Connector::public(&app, "mail").await);
    let first = notes.tokens(&ada, "read").await;
    app.advance(std::time::Duration::from_secs(1));
    let second = notes.tokens(&ada, "read write").await;
    let code = notes.code(&ada, "read").await;
    let (third, eves) = (mail.tokens(&ada, "read").await, notes.tokens(&eve, "read").await);

    let page = ada.get("/api/auth/apps").await;
    assert_eq!(page.header("x-total-count"), Some("2"));
    let page = page.good();
    let names: Vec<_> = page["items"].as_array().unwrap().iter().map(|app| text(app, "name")).collect();
    assert_eq!(names, ["mail", "notes"]);
    let app_view = &page["items"][1];
    assert_eq!((&app_view["scopes"], &app_view["connections"]), (&json!(["read", "write"]), &json!(2)));
    assert_eq!((&app_view["host"], &app_view["made_by_operator"]), (&json!("client.example"), &json!(true)));
    let one = ada.get("/api/auth/apps?limit=1").await.good();
    let next = ada.get(&format!("/api/auth/apps?limit=1&cursor={}", text(&one, "next_cursor"))).await.good();
    assert_eq!((text(&next["items"][0], "name"), &next["next_cursor"]), ("notes", &json!(null)));

    let path = format!("/api/auth/apps/{}", text(app_view, "id"));
    app.anonymous().holding(text(&second, "access_token")).delete(&path).await.is(403);
    ada.delete(&path).await.is(204);

    for tokens in [&first, &second] {
        app.anonymous().holding(text(tokens, "access_token")).get("/api/tasks").await.is(401);
        assert_eq!(refusal(notes.refresh(text(tokens, "refresh_token")).await), "invalid_grant");
    }
    assert_eq!(refusal(notes.redeem(&code).await), "invalid_grant");
    for tokens in [&third, &eves] {
        app.anonymous().holding(text(tokens, "access_token")).get("/api/tasks").await.is(200);
    }
    ada.delete(&path).await.is(404);
    assert_eq!(ada.get("/api/auth/apps").await.good()["items"].as_array().unwrap().len(), 1);
    assert!(actions(&ada).await.contains(&"app.ended".to_owned()));
}
