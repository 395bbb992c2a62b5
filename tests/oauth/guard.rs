//! Tokens of clients at the API.

use std::time::Duration;

use mindflow::ids::{GrantId, UserId};
use mindflow::oauth::{GrantToken, OAuthScopes, Resource, Resources};
use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use uuid::Uuid;

use crate::support::app::{Actor, TestApp, a_task};

const CLIENT: &str = "https://client.example/oauth.json";

/// A program that somebody connected, as the authorization server leaves it behind.
struct Connected {
    grant: GrantId,
    user: UserId,
}

impl Connected {
    async fn to(ada: &Actor<'_>, app: &TestApp, scopes: &str) -> Self {
        let (client, grant) = (Uuid::now_v7(), GrantId(Uuid::now_v7()));
        let far = app.clock.now().plus(Duration::from_hours(30 * 24)).as_micros();
        run(
            app,
            &format!(
                "INSERT INTO oauth_clients (id, client_id, kind, name, auth_method, metadata, created_at, updated_at)
             VALUES (x'{}', '{CLIENT}', 'document', 'A client', 'none', '{{}}', 1, 1)
             ON CONFLICT DO NOTHING",
                client.simple(),
            ),
        )
        .await;
        run(app, &format!(
            "INSERT INTO oauth_grants (id, user_id, client_ref, scopes, resources, created_at, last_used_at, expires_at)
             SELECT x'{}', x'{}', id, '{scopes}', 'api mcp', 1, 1, {far} FROM oauth_clients WHERE client_id = '{CLIENT}'",
            grant.0.simple(),
            ada.id().0.simple(),
        ))
        .await;
        Self { grant, user: ada.id() }
    }

    fn token(&self, app: &TestApp, scopes: &str, resources: Resources) -> String {
        let token = GrantToken {
            user_id: self.user,
            grant_id: self.grant,
            client_id: CLIENT,
            scopes: OAuthScopes::parse(scopes).unwrap(),
            resources,
        };
        app.app.tokens.issue_for_grant(token).unwrap()
    }
}

async fn run(app: &TestApp, statement: &str) {
    let url = app.app.config.storage.database_url.expose();
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_token_is_good_where_it_was_issued_for() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("Write the report")).await;
    let connected = Connected::to(&ada, &app, "read write").await;
    let token = |resources| connected.token(&app, "read", resources);
    let (api, mcp) = (token(Resources::only(Resource::Api)), token(Resources::only(Resource::Mcp)));

    assert_eq!(ada.holding(&api).list_tasks("").await.titles(), ["Write the report"]);
    assert_eq!(ada.holding(&token(Resources::ALL)).list_tasks("").await.status, 200);
    let refused = ada.holding(&mcp).list_tasks("").await.is(401);
    assert!(refused.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    refused.assert_problem("unauthorized");

    let at = async |token: &str, resource| app.app.guard.identify(token, resource, "r").await;
    assert!(at(&mcp, Resource::Mcp).await.is_ok() && at(&api, Resource::Mcp).await.is_err());
    let first_party = ada.token.clone().unwrap();
    assert!(at(&first_party, Resource::Api).await.is_ok() && at(&first_party, Resource::Mcp).await.is_err());
    let made = ada.post("/api/auth/tokens", &json!({ "name": "script", "scopes": ["read"] })).await.good();
    let personal = made["token"].as_str().unwrap();
    assert!(at(personal, Resource::Api).await.is_ok() && at(personal, Resource::Mcp).await.is_ok());
}

#[tokio::test]
async fn scopes_are_what_token_and_grant_both_allow() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = json!({ "title": "From a program" });

    let wide = Connected::to(&ada, &app, "read write").await;
    let reader = ada.holding(&wide.token(&app, "read", Resources::ALL));
    let refused = reader.post("/api/tasks", &body).await.is(403);
    let challenge = refused.header("www-authenticate").unwrap();
    for part in ["Bearer ", "error=\"insufficient_scope\"", "scope=\"read write\"", "resource_metadata=\"http"] {
        assert!(challenge.contains(part), "{challenge}");
    }
    let writer = ada.holding(&wide.token(&app, "read write", Resources::ALL));
    writer.post("/api/tasks", &body).await.is(201);

    let narrow = Connected::to(&ada, &app, "read").await;
    let escalated = ada.holding(&narrow.token(&app, "read write admin", Resources::ALL));
    escalated.post("/api/tasks", &body).await.is(403);
    escalated.list_tasks("").await.is(200);

    let nobody = Connected::to(&ada, &app, "openid").await;
    ada.holding(&nobody.token(&app, "openid", Resources::ALL)).list_tasks("").await.is(403);
}

#[tokio::test]
async fn programs_do_not_touch_the_account_that_let_them_in() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let connected = Connected::to(&ada, &app, "read write").await;
    let program = ada.holding(&connected.token(&app, "read write", Resources::ALL));

    assert_eq!(program.get("/api/auth/me").await.good()["email"], "ada@example.com");
    let document = app.anonymous().get("/openapi.json").await.good();
    let mut denied = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let open = operation["security"].as_array().is_none_or(Vec::is_empty);
            if open || !path.starts_with("/api/auth/") || (path == "/api/auth/me" && method == "get") {
                continue;
            }
            let path = path.replace(['{', '}'], "x");
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = program.send(method.clone(), &path, Some(&json!({})), &[]).await;
            assert_eq!(answer.status, 403, "{method} {path}");
            answer.assert_problem("not-for-programs");
            denied += 1;
        }
    }
    assert!(denied >= 10, "{denied}");
}

#[tokio::test]
async fn a_grant_that_ended_ends_its_tokens_at_the_next_request() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let connected = Connected::to(&ada, &app, "read").await;
    let program = ada.holding(&connected.token(&app, "read", Resources::ALL));
    program.list_tasks("").await.is(200);

    let stolen = Connected { grant: connected.grant, user: eve.id() };
    ada.holding(&stolen.token(&app, "read", Resources::ALL)).list_tasks("").await.is(401);

    run(&app, &format!("DELETE FROM oauth_grants WHERE id = x'{}'", connected.grant.0.simple())).await;
    let ended = program.list_tasks("").await.is(401);
    assert!(ended.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));

    let disabled = Connected::to(&ada, &app, "read").await;
    run(&app, "UPDATE users SET status = 'disabled'").await;
    ada.holding(&disabled.token(&app, "read", Resources::ALL)).list_tasks("").await.is(401);
}

#[tokio::test]
async fn a_grant_ends_by_itself() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let connected = Connected::to(&ada, &app, "read").await;
    let program = ada.holding(&connected.token(&app, "read", Resources::ALL));

    app.advance(Duration::from_hours(30 * 24));

    program.list_tasks("").await.is(401);
}

#[tokio::test]
async fn what_a_program_did_is_in_the_activity_log_under_its_name() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let connected = Connected::to(&ada, &app, "read write").await;
    let program = ada.holding(&connected.token(&app, "read write", Resources::ALL));

    program.post("/api/tasks", &json!({ "title": "From a program" })).await.is(201);

    let log = ada.get("/api/auth/activity").await.good();
    let created = log["items"].as_array().unwrap().iter().find(|item| item["action"] == "task.created").unwrap();
    assert!(created.to_string().contains(CLIENT), "{created}");
}

#[tokio::test]
async fn a_token_comes_in_the_header_alone() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let connected = Connected::to(&ada, &app, "read").await;
    let token = connected.token(&app, "read", Resources::ALL);
    let nobody = app.anonymous();

    nobody.get(&format!("/api/tasks?access_token={token}")).await.is(401);
    nobody.send(Method::GET, "/api/tasks", None, &[("cookie", &format!("access_token={token}"))]).await.is(401);
    for value in
        [format!("Token {token}"), token.clone(), format!("Bearer {token} {token}"), format!("Bearer {token},")]
    {
        nobody.send(Method::GET, "/api/tasks", None, &[("authorization", &value)]).await.is(401);
    }
    let good = format!("bearer {token}");
    nobody.send(Method::GET, "/api/tasks", None, &[("authorization", &good)]).await.is(200);
    for other in [good.as_str(), "Bearer other"] {
        let two = [("authorization", good.as_str()), ("authorization", other)];
        nobody.send(Method::GET, "/api/tasks", None, &two).await.is(401);
    }
}

#[tokio::test]
async fn the_use_of_a_grant_is_noted_behind_the_requests_back() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let connected = Connected::to(&ada, &app, "read").await;
    let program = ada.holding(&connected.token(&app, "read", Resources::ALL));

    program.list_tasks("").await.is(200);

    let noted = async {
        loop {
            let log = ada.get("/api/auth/activity").await.good();
            if let Some(used) = log["items"].as_array().unwrap().iter().find(|item| item["action"] == "grant.used") {
                break used.clone();
            }
        }
    };
    let used = tokio::time::timeout(Duration::from_secs(10), noted).await.unwrap();
    assert_eq!(used["entity_id"], connected.grant.to_string());
    let grant = app.app.store.find_grant(connected.grant).await.unwrap().unwrap().grant;
    assert_eq!(grant.last_used_at, app.clock.now().as_micros());
}
