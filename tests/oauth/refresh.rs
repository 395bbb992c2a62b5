//! Refresh tokens (RFC 6749, section 6; RFC 9700, section 4.14).

use std::time::Duration;

use mindflow::ids::GrantId;
use serde_json::Value;

use crate::connector::{Connector, actions, refusal, text};
use crate::support::app::{Actor, TestApp, hours, minutes};
use crate::support::databases::Db;

const DAY: Duration = Duration::from_hours(24);

/// A server whose tokens live as long as an operator's would who chose nothing.
async fn usual() -> TestApp {
    TestApp::with(usual_lives).await
}

fn usual_lives(config: &mut mindflow::config::Config) {
    config.tokens.access_token_life = hours(1);
    config.tokens.refresh_token_life = 30 * DAY;
}

fn holder<'a>(app: &'a TestApp, tokens: &Value) -> Actor<'a> {
    app.anonymous().holding(text(tokens, "access_token"))
}

async fn refreshed(client: &Connector<'_>, tokens: &Value) -> Value {
    client.refresh(text(tokens, "refresh_token")).await.good()
}

#[tokio::test]
async fn a_refresh_token_is_replaced_and_the_old_one_good_for_its_answer_alone() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let first = client.tokens(&ada, "read").await;

    let answer = client.refresh(text(&first, "refresh_token")).await;
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    let second = answer.good();
    app.advance(minutes(1));
    let again = refreshed(&client, &first).await;

    assert_eq!(again, second, "the identical answer");
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!((second["scope"].as_str(), second["expires_in"].as_u64()), (Some("read"), Some(3600)));
    holder(&app, &second).get("/api/tasks").await.is(200);
}

#[tokio::test]
async fn a_used_refresh_token_that_comes_later_ends_everything() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let first = client.tokens(&ada, "read").await;
    let second = refreshed(&client, &first).await;

    app.advance(Duration::from_secs(61));
    assert_eq!(refusal(client.refresh(text(&first, "refresh_token")).await), "invalid_grant");

    assert_eq!(refusal(client.refresh(text(&second, "refresh_token")).await), "invalid_grant");
    holder(&app, &second).get("/api/tasks").await.is(401);
    holder(&app, &first).get("/api/tasks").await.is(401);
    let ada = app.anonymous().holding(&signed_in(&app).await);
    assert!(actions(&ada).await.contains(&"grant.reuse_detected".to_owned()));
}

#[tokio::test]
async fn a_used_refresh_token_that_asks_for_something_else_gets_it_beside_the_same_successor() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let first = client.tokens(&ada, "read write").await;
    let ask = async |name: &str, value: &str| {
        let used = ("refresh_token", text(&first, "refresh_token"));
        client.token(&[("grant_type", "refresh_token"), used, (name, value)]).await
    };
    let (api, mcp) = (format!("{}/api", app.url()), format!("{}/mcp", app.url()));

    let one = ask("resource", &api).await.good();
    let again = ask("resource", &api).await.good();
    let other = ask("resource", &mcp).await.good();
    let narrow = ask("scope", "read").await.good();
    assert_eq!(refusal(ask("resource", "https://evil.example/").await), "invalid_target");
    assert_eq!(refusal(ask("scope", "admin").await), "invalid_scope");

    assert_eq!(again, one);
    assert_eq!((&other["refresh_token"], &narrow["refresh_token"]), (&one["refresh_token"], &one["refresh_token"]));
    assert_eq!((narrow["scope"].as_str(), other["scope"].as_str()), (Some("read"), Some("read write")));
    holder(&app, &one).get("/api/tasks").await.is(200);
    holder(&app, &other).get("/api/tasks").await.is(401);
    holder(&app, &narrow).create_task(serde_json::json!({ "title": "no" })).await.is(403);
    refreshed(&client, &other).await;
    assert_eq!(refusal(ask("resource", &mcp).await), "invalid_grant", "its successor was used");
}

/// The grants that somebody made.
async fn grants(by: &Actor<'_>) -> Vec<GrantId> {
    let log = by.get("/api/auth/activity?limit=1000").await.good();
    let made = log["items"].as_array().unwrap().iter().filter(|row| row["action"] == "grant.created");
    made.map(|row| GrantId(text(row, "entity_id").parse().unwrap())).collect()
}

/// An access token of ada's own, after hers expired.
async fn signed_in(app: &TestApp) -> String {
    let login = serde_json::json!({ "email": "ada@example.com", "password": crate::support::app::PASSWORD });
    text(&app.anonymous().post("/api/auth/login", &login).await.good(), "access_token").to_owned()
}

#[tokio::test]
async fn a_used_refresh_token_whose_successor_was_used_ends_everything_at_once() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let first = client.tokens(&ada, "read").await;
    let second = refreshed(&client, &first).await;
    let third = refreshed(&client, &second).await;

    assert_eq!(refusal(client.refresh(text(&first, "refresh_token")).await), "invalid_grant");

    assert_eq!(refusal(client.refresh(text(&third, "refresh_token")).await), "invalid_grant");
    holder(&app, &third).get("/api/tasks").await.is(401);
}

#[tokio::test]
async fn a_refresh_token_belongs_to_its_client() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let other = Connector::public(&app, "other").await;
    let tokens = client.tokens(&ada, "read").await;

    assert_eq!(refusal(other.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
    assert_eq!(refusal(client.refresh("made-up").await), "invalid_grant");
    assert_eq!(refusal(client.refresh(text(&tokens, "access_token")).await), "invalid_grant");

    refreshed(&client, &tokens).await;
}

#[tokio::test]
async fn a_refresh_may_narrow_and_never_widens() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let tokens = client.tokens(&ada, "read write").await;
    let ask = async |token: &Value, name: &str, value: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", text(token, "refresh_token")), (name, value)];
        client.token(&form).await
    };

    for scope in ["admin", "read write openid", "read nonsense", "nonsense"] {
        assert_eq!(refusal(ask(&tokens, "scope", scope).await), "invalid_scope", "{scope}");
    }
    for resource in ["https://evil.example/api", "x"] {
        assert_eq!(refusal(ask(&tokens, "resource", resource).await), "invalid_target", "{resource}");
    }
    let narrow = ask(&tokens, "scope", "read").await.good();
    let elsewhere = ask(&narrow, "resource", &format!("{}/mcp", app.url())).await.good();
    let whole = refreshed(&client, &elsewhere).await;

    assert_eq!((&narrow["scope"], &whole["scope"]), (&"read".into(), &"read write".into()));
    holder(&app, &narrow).create_task(serde_json::json!({ "title": "no" })).await.is(403);
    holder(&app, &elsewhere).get("/api/tasks").await.is(401);
    holder(&app, &whole).create_task(serde_json::json!({ "title": "yes" })).await.is(201);
}

#[tokio::test]
async fn a_family_ends_after_thirty_days_whatever_was_refreshed() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let mut tokens = client.tokens(&ada, "read").await;
    for _ in 0..4 {
        app.advance(7 * DAY);
        tokens = refreshed(&client, &tokens).await;
    }

    app.advance(minutes(2 * 24 * 60 - 10));
    tokens = refreshed(&client, &tokens).await;
    assert_eq!(tokens["expires_in"], 600, "no longer than the family");
    app.advance(minutes(10));

    assert_eq!(refusal(client.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
    holder(&app, &tokens).get("/api/tasks").await.is(401);
}

#[tokio::test]
async fn a_family_ends_when_nobody_used_it_for_two_weeks() {
    let app = usual().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let (kept, left) = (client.tokens(&ada, "read").await, client.tokens(&ada, "read").await);

    app.advance(Duration::from_secs(14 * 24 * 60 * 60 - 1));
    let kept = refreshed(&client, &kept).await;
    app.advance(Duration::from_secs(1));

    assert_eq!(refusal(client.refresh(text(&left, "refresh_token")).await), "invalid_grant");
    refreshed(&client, &kept).await;
}

#[tokio::test]
async fn what_nobody_used_for_two_weeks_is_not_connected_any_more() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::start(db, usual_lives).await;
        let ada = app.user("ada").await;
        let (left, kept) = (Connector::public(&app, "left").await, Connector::public(&app, "kept").await);
        left.tokens(&ada, "read").await;
        let tokens = kept.tokens(&ada, "read").await;
        let grants = grants(&ada).await;

        app.advance(Duration::from_secs(14 * 24 * 60 * 60 - 1));
        refreshed(&kept, &tokens).await;
        let ada = app.anonymous().holding(&signed_in(&app).await);
        assert_eq!(ada.get("/api/auth/apps").await.good()["items"].as_array().unwrap().len(), 2);
        app.advance(Duration::from_secs(1));

        let apps = ada.get("/api/auth/apps").await;
        assert_eq!(apps.header("x-total-count"), Some("1"));
        assert_eq!(text(&apps.good()["items"][0], "name"), "kept");
        app.app.grants.forget_expired().await.unwrap();
        let mut lives = Vec::new();
        for grant in grants {
            lives.push(app.app.store.find_grant(grant).await.unwrap().is_some());
        }
        lives.sort_unstable();
        assert_eq!(lives, [false, true], "{db:?}");
    }
}

#[tokio::test]
async fn without_rotation_the_refresh_token_stays() {
    let app = TestApp::with(|config| {
        usual_lives(config);
        config.tokens.refresh_token_rotation = false;
    })
    .await;
    let (ada, client) = (app.user("ada").await, Connector::confidential(&app, "notes").await);
    let first = client.tokens(&ada, "read").await;

    let second = refreshed(&client, &first).await;
    app.advance(hours(2));
    let third = refreshed(&client, &second).await;

    assert_eq!((&first["refresh_token"], &second["refresh_token"]), (&third["refresh_token"], &third["refresh_token"]));
    assert_ne!(second["access_token"], third["access_token"]);
    let public = Connector::public(&app, "public").await;
    let first = public.tokens(&ada, "read").await;
    assert_ne!(refreshed(&public, &first).await["refresh_token"], first["refresh_token"], "who has no secret rotates");
}

#[tokio::test]
async fn a_new_password_ends_what_programs_were_allowed() {
    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::on(db).await;
        let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
        let (code, tokens) = (client.code(&ada, "read").await, client.tokens(&ada, "read").await);

        let change = serde_json::json!({
            "current_password": crate::support::app::PASSWORD, "new_password": "another correct horse battery",
        });
        ada.post("/api/auth/password/change", &change).await.good();

        assert_eq!(refusal(client.redeem(&code).await), "invalid_grant");
        assert_eq!(refusal(client.refresh(text(&tokens, "refresh_token")).await), "invalid_grant");
        holder(&app, &tokens).get("/api/tasks").await.is(401);
    }
}
