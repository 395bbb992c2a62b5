//! Accounts as clients see them: through the whole edge.

use std::sync::Arc;

use poem::http::Method;
use poem::{Endpoint as _, EndpointExt as _, Request, endpoint::BoxEndpoint};
use serde_json::{Value, json};

use super::AccountsApi;
use crate::accounts::tests::{GOOD, SETTINGS, World, worlds, worlds_with};
use crate::accounts::{AccountSettings, Role};
use crate::config::{Config, Registration};
use crate::http::document::ApiDocument;
use crate::http::limits::Limits;
use crate::http::{Parts, endpoint};
use crate::observe::health::{Finding, Health, Need};
use crate::observe::metrics::Metrics;
use crate::observe::telemetry::Telemetry;

struct Server {
    endpoint: BoxEndpoint<'static>,
    world: World,
}

struct Answer {
    status: u16,
    headers: poem::http::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn assert_problem(&self, status: u16, kind: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["type"], format!("urn:mindflow:problem:{kind}"));
    }

    fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
    }
}

impl Server {
    fn of(world: World) -> Self {
        let mut config = Config::default();
        config.limits.auth_rate_per_minute = 0;
        config.limits.rate_per_minute = 0;
        let health =
            Health::new(config.server.environment).with("database", Need::Vital, || async { Finding::HEALTHY });
        let parts = Parts {
            config: &config,
            authenticator: world.guard.clone(),
            limits: Arc::new(Limits::new(&config.limits, &world.clock)),
            health: Arc::new(health),
            metrics: Arc::new(Metrics::new(world.clock.now())),
            telemetry: Telemetry::default(),
            clock: world.clock.clone(),
            oauth: None,
            mcp: None,
        };
        Self { endpoint: endpoint(AccountsApi::new(world.accounts.clone()), parts).unwrap().boxed(), world }
    }

    async fn new() -> Self {
        Self::of(worlds().await.remove(0))
    }

    async fn send(&self, method: Method, path: &str, token: &str, body: Value) -> Answer {
        let uri: poem::http::Uri = format!("/api/auth/{path}").parse().unwrap();
        let mut request = Request::builder().method(method).uri(uri).header("user-agent", "tests/1");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = if body.is_null() {
            request.finish()
        } else {
            let text = body.to_string();
            request.content_type("application/json").header("content-length", text.len()).body(text)
        };
        let (parts, body) = self.endpoint.get_response(request).await.into_parts();
        let bytes = body.into_bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::POST, path, token, body).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, token, Value::Null).await
    }

    /// Registers and signs in; gives the access and the refresh token.
    async fn join(&self, email: &str) -> (String, String) {
        self.world.tick();
        let made = self.post("register", "", json!({ "email": email, "password": GOOD })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        self.sign_in(email).await
    }

    async fn sign_in(&self, email: &str) -> (String, String) {
        self.world.tick();
        let tokens = self.post("login", "", json!({ "email": email, "password": GOOD })).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        let text = |name: &str| tokens.body[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }
}

#[tokio::test]
async fn registering_answers_with_the_account() {
    let server = Server::new().await;
    let body =
        json!({ "email": "Ada@example.org", "password": GOOD, "full_name": "Ada", "time_zone": "Europe/Vienna" });

    let made = server.post("register", "", body).await;

    let mut shown = made.body.clone();
    shown["id"] = json!("<id>");
    assert_eq!((made.status, made.header("location")), (201, "/api/auth/me"));
    insta::assert_snapshot!(shown, @r#"{"id":"<id>","email":"Ada@example.org","email_verified":false,"full_name":"Ada","time_zone":"Europe/Vienna","role":"user","preferences":{"windows":{"morning":["06:00","12:00"],"afternoon":["12:00","18:00"],"evening":["18:00","23:00"]},"policy":"default","policy_params":{},"digest":"off"},"created_at":"2027-01-15T08:00:00Z","updated_at":"2027-01-15T08:00:00Z"}"#);
}

#[tokio::test]
async fn signing_in_gives_bearer_tokens_that_nobody_stores() {
    let server = Server::new().await;
    server.join("ada@example.org").await;

    let tokens = server.post("login", "", json!({ "email": "ADA@example.org", "password": GOOD })).await;

    assert_eq!((&tokens.body["token_type"], &tokens.body["expires_in"]), (&json!("bearer"), &json!(3600)));
    assert_eq!(tokens.header("cache-control"), "no-store");
    let me = server.get("me", tokens.body["access_token"].as_str().unwrap()).await;
    assert_eq!((me.status, &me.body["email"]), (200, &json!("ada@example.org")));
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer() {
    let server = Server::new().await;
    server.join("ada@example.org").await;

    let mut answers = Vec::new();
    for email in ["ada@example.org", "bob@example.org", "nobody"] {
        let mut answer = server.post("login", "", json!({ "email": email, "password": "wrong password" })).await;
        answer.assert_problem(401, "wrong-credentials");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        answer.body["request_id"] = Value::Null;
        answers.push(answer.body);
    }

    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_conflict() {
    let server = Server::new().await;
    server.join("ada@example.org").await;

    let again = server.post("register", "", json!({ "email": "ADA@EXAMPLE.org", "password": GOOD })).await;

    again.assert_problem(409, "email-taken");
}

#[tokio::test]
async fn all_faults_of_an_account_come_at_once() {
    let server = Server::new().await;
    let body = json!({ "email": "nobody", "password": "short", "full_name": "", "time_zone": "", "admin": true });

    let answer = server.post("register", "", body).await;

    answer.assert_problem(422, "invalid-input");
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["/admin", "/email", "/full_name", "/password", "/time_zone"]);
    let body = json!({ "email": "a@b", "password": "password1", "full_name": "a\nb", "time_zone": "Mars" });
    assert_eq!(server.post("register", "", body).await.body["errors"].as_array().unwrap().len(), 4);
    let weak = server.post("register", "", json!({ "email": "ada@example.org", "password": "password1" })).await;
    assert_eq!(weak.fields(), ["/password"]);
}

#[tokio::test]
async fn a_closed_server_says_so() {
    let settings = AccountSettings { registration: Registration::Closed, ..SETTINGS };
    let server = Server::of(worlds_with(settings).await.remove(0));

    let refused = server.post("register", "", json!({ "email": "ada@example.org", "password": GOOD })).await;

    refused.assert_problem(403, "registration-closed");
}

#[tokio::test]
async fn a_refresh_gives_the_next_tokens_and_the_same_again() {
    let server = Server::new().await;
    let (_, first) = server.join("ada@example.org").await;

    let one = server.post("refresh", "", json!({ "refresh_token": first })).await;
    let two = server.post("refresh", "", json!({ "refresh_token": first })).await;

    assert_eq!((one.status, &one.body), (200, &two.body));
    assert_ne!(one.body["refresh_token"], json!(first));
    server.post("refresh", "", json!({ "refresh_token": "x" })).await.assert_problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn signing_out_takes_effect_at_once_with_or_without_a_body() {
    let server = Server::new().await;
    let (one, _) = server.join("ada@example.org").await;
    let (two, refresh) = server.sign_in("ada@example.org").await;
    let (three, _) = server.sign_in("ada@example.org").await;

    assert_eq!(server.post("logout", &one, Value::Null).await.status, 204);
    assert_eq!(server.post("logout", &three, json!({ "refresh_token": refresh })).await.status, 204);

    for token in [&one, &two, &three] {
        let answer = server.get("me", token).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    server.post("refresh", "", json!({ "refresh_token": refresh })).await.assert_problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn a_profile_is_a_merge_patch() {
    let server = Server::new().await;
    let (token, _) = server.join("ada@example.org").await;
    let patch = json!({
        "full_name": "Ada", "time_zone": "Asia/Tokyo",
        "preferences": { "windows": { "evening": ["19:00", "24:00"] }, "policy": "eisenhower" },
    });

    let changed = server.send(Method::PATCH, "me", &token, patch).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.body["preferences"]["windows"]["evening"], json!(["19:00", "24:00"]));
    assert_eq!(changed.body["preferences"]["windows"]["morning"], json!(["08:00", "12:00"]));

    let cleared = json!({ "full_name": null, "preferences": { "windows": null, "policy": null } });
    let cleared = server.send(Method::PATCH, "me", &token, cleared).await;
    assert_eq!((&cleared.body["full_name"], &cleared.body["time_zone"]), (&Value::Null, &json!("Asia/Tokyo")));
    assert_eq!(cleared.body["preferences"]["policy"], json!("default"));
    assert_eq!(server.get("me", &token).await.body, cleared.body);

    for (patch, field) in [
        (json!({ "time_zone": null }), "/time_zone"),
        (json!({ "time_zone": "Mars/Olympus" }), "/time_zone"),
        (json!({ "email": "eve@example.org" }), "/email"),
        (json!({ "preferences": { "windows": { "morning": ["06:00"] } } }), "/preferences/windows/morning"),
        (json!({ "preferences": { "windows": { "morning": ["06:00", "06:00"] } } }), "/preferences/windows/morning"),
        (json!({ "preferences": { "windows": { "noon": ["06:00", "07:00"] } } }), "/preferences/windows/noon"),
        (json!({ "preferences": { "policy": "none" } }), "/preferences/policy"),
        (json!({ "preferences": { "digest": "hourly" } }), "/preferences/digest"),
    ] {
        let answer = server.send(Method::PATCH, "me", &token, patch.clone()).await;
        assert_eq!(answer.status, 422, "{patch} {}", answer.body);
        assert_eq!(answer.fields(), [field], "{patch}");
    }
}

#[tokio::test]
async fn a_personal_token_is_scoped_and_shown_once() {
    let server = Server::new().await;
    let (token, _) = server.join("ada@example.org").await;

    let made = server.post("tokens", &token, json!({ "name": "backup", "scopes": ["read"] })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, text) = (made.body["id"].as_str().unwrap(), made.body["token"].as_str().unwrap());
    assert_eq!(made.header("location"), format!("/api/auth/tokens/{id}"));

    let listed = server.get("tokens", text).await;
    assert_eq!((listed.header("x-total-count"), listed.body["items"].as_array().unwrap().len()), ("1", 1));
    assert!(listed.body["items"][0].get("token").is_none());
    let change = server.send(Method::PATCH, "me", text, json!({ "full_name": "Eve" })).await;
    change.assert_problem(403, "insufficient-scope");

    let more = json!({ "name": "x", "scopes": ["admin"] });
    server.post("tokens", &token, more).await.assert_problem(403, "insufficient-scope");
    let writer = server.post("tokens", &token, json!({ "name": "w", "scopes": ["read", "write"] })).await;
    let by_token = json!({ "name": "child", "scopes": ["read"] });
    let by_token = server.post("tokens", writer.body["token"].as_str().unwrap(), by_token).await;
    by_token.assert_problem(403, "session-needed");

    assert_eq!(server.send(Method::DELETE, &format!("tokens/{id}"), &token, Value::Null).await.status, 204);
    assert_eq!(server.get("me", text).await.status, 401);
    let again = server.send(Method::DELETE, &format!("tokens/{id}"), &token, Value::Null).await;
    again.assert_problem(404, "not-found");
    let past = json!({ "name": "x", "scopes": ["read"], "expires_at": "2020-01-01" });
    assert_eq!(server.post("tokens", &token, past).await.fields(), ["/expires_at"]);
}

#[tokio::test]
async fn sessions_of_others_are_not_there() {
    let server = Server::new().await;
    let (ada, _) = server.join("ada@example.org").await;
    let (bob, _) = server.join("bob@example.org").await;

    let sessions = server.get("sessions", &ada).await;
    let own = &sessions.body["items"][0];
    assert_eq!((&own["current"], &own["user_agent"]), (&json!(true), &json!("tests/1")));
    let path = format!("sessions/{}", own["id"].as_str().unwrap());

    server.send(Method::DELETE, &path, &bob, Value::Null).await.assert_problem(404, "not-found");
    server.send(Method::DELETE, "sessions/x", &bob, Value::Null).await.assert_problem(422, "invalid-input");
    assert_eq!(server.send(Method::DELETE, &path, &ada, Value::Null).await.status, 204);
    assert_eq!(server.get("me", &ada).await.status, 401);
}

#[tokio::test]
async fn activity_is_paged_and_a_foreign_cursor_refused() {
    let server = Server::new().await;
    let (token, _) = server.join("ada@example.org").await;

    let first = server.get("activity?limit=1", &token).await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("activity?limit=1&cursor={cursor}"), &token).await;

    assert_eq!((first.header("x-total-count"), &first.body["items"][0]["action"]), ("2", &json!("session.created")));
    assert_eq!(
        (&second.body["items"][0]["action"], &second.body["next_cursor"]),
        (&json!("user.registered"), &Value::Null)
    );
    let foreign = server.get(&format!("sessions?cursor={cursor}"), &token).await;
    assert_eq!((foreign.status, foreign.fields()), (422, vec!["?cursor"]));
    assert_eq!(server.get("activity?limit=0", &token).await.fields(), ["?limit"]);
}

#[tokio::test]
async fn passwords_are_changed_and_accounts_deleted_with_the_password() {
    let server = Server::new().await;
    let (token, _) = server.join("ada@example.org").await;
    let (other, _) = server.sign_in("ada@example.org").await;
    let change = |current: &str| json!({ "current_password": current, "new_password": "another good password" });

    server.post("password/change", &token, change("wrong")).await.assert_problem(403, "wrong-password");
    assert_eq!(server.post("password/change", &token, change(GOOD)).await.status, 204);
    assert_eq!((server.get("me", &other).await.status, server.get("me", &token).await.status), (401, 200));

    let delete = |password: &str| json!({ "password": password });
    server.send(Method::DELETE, "me", &token, delete(GOOD)).await.assert_problem(403, "wrong-password");
    assert_eq!(server.send(Method::DELETE, "me", &token, delete("another good password")).await.status, 204);
    assert_eq!(server.get("me", &token).await.status, 401);
}

#[tokio::test]
async fn an_operator_is_shown_as_one() {
    let server = Server::new().await;
    server.join("eve@example.org").await;
    server.world.accounts.set_role("eve@example.org", Role::Admin).await.unwrap();
    let (token, _) = server.sign_in("eve@example.org").await;

    assert_eq!(server.get("me", &token).await.body["role"], json!("admin"));
}

#[test]
fn the_document_names_every_operation_and_its_scope() {
    let document = ApiDocument::of::<AccountsApi>();

    let scopes: Vec<String> = document.scopes.iter().map(|(id, scope)| format!("{id}: {}", scope.as_str())).collect();

    insta::assert_snapshot!(scopes.join("\n"), @r"
    change_password: write
    create_token: write
    delete_me: write
    delete_token: write
    end_session: write
    get_me: read
    list_activity: read
    list_sessions: read
    list_tokens: read
    logout: read
    update_me: write
    ");
}
