//! A client of the token endpoint. Codes come straight from the service, as pages would give them.

use std::sync::Arc;
use std::time::Duration;

use mindflow::ids::SessionId;
use mindflow::oauth::codes::Approved;
use mindflow::oauth::static_clients::NewClient;
use mindflow::oauth::{Client, OAuthScopes, Resources};
use reqwest::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::answer::Answer;
use crate::support::app::{Actor, TestApp};

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "https://client.example/callback";
pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long before the code somebody signed in.
pub(crate) const SIGNED_IN_AGO: Duration = Duration::from_secs(30);

/// A program that asks for tokens.
#[derive(Clone)]
pub(crate) struct Connector<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) client: Arc<Client>,
    secret: Option<String>,
}

impl<'a> Connector<'a> {
    /// One that has no secret.
    pub(crate) async fn public(app: &'a TestApp, name: &str) -> Self {
        Self::with(app, name, json!({ "token_endpoint_auth_method": "none" })).await
    }

    /// One that has.
    pub(crate) async fn confidential(app: &'a TestApp, name: &str) -> Self {
        Self::with(app, name, json!({ "token_endpoint_auth_method": "client_secret_post" })).await
    }

    /// One that an operator made with these fields beside the usual.
    pub(crate) async fn with(app: &'a TestApp, name: &str, fields: Value) -> Self {
        let mut all = json!({
            "client_name": name,
            "redirect_uris": [REDIRECT],
            "grant_types": ["authorization_code", "refresh_token", DEVICE_GRANT],
        });
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let new = NewClient { client_id: Some(name.to_owned()), fields: all.as_object().unwrap().clone() };
        let (client, secret) = app.app.clients.create_static(new).await.unwrap();
        Self { app, client: Arc::new(client), secret }
    }

    /// One that registered itself.
    pub(crate) async fn registered(app: &'a TestApp) -> Self {
        let fields = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" });
        let origin = mindflow::accounts::Origin::default();
        let made = app.app.clients.register(fields.as_object().unwrap(), &origin).await.unwrap();
        let client = app.app.clients.find(&made.client_id).await.unwrap();
        Self { app, client, secret: None }
    }

    /// What somebody allows by clicking.
    pub(crate) fn approved(&self, by: &Actor<'_>, scopes: &str) -> Approved {
        let now = self.app.clock.now();
        Approved {
            client: Arc::clone(&self.client),
            user_id: by.id(),
            session_id: Some(SessionId::new(now)),
            redirect_uri: REDIRECT.to_owned(),
            challenge: CHALLENGE.to_owned(),
            scopes: OAuthScopes::parse(scopes).unwrap(),
            resources: Resources::ALL,
            nonce: None,
            authenticated_at: now.minus(SIGNED_IN_AGO),
            methods: "pwd".to_owned(),
        }
    }

    /// A code for everything at every resource.
    pub(crate) async fn code(&self, by: &Actor<'_>, scopes: &str) -> String {
        self.app.app.grants.issue_code(self.approved(by, scopes)).await.unwrap()
    }

    /// Tokens for everything at every resource.
    pub(crate) async fn tokens(&self, by: &Actor<'_>, scopes: &str) -> Value {
        let code = self.code(by, scopes).await;
        self.redeem(&code).await.good()
    }

    /// Redeems a code as it should be.
    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn poll(&self, device_code: &str) -> Answer {
        self.token(&[("grant_type", DEVICE_GRANT), ("device_code", device_code)]).await
    }

    /// Asks the token endpoint.
    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.post("/oauth/token", form).await
    }

    pub(crate) async fn revoke(&self, token: &str) -> Answer {
        self.post("/oauth/revoke", &[("token", token)]).await
    }

    pub(crate) async fn introspect(&self, token: &str) -> Answer {
        self.post("/oauth/introspect", &[("token", token)]).await
    }

    /// Sends a form with the client's proof.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form).append_pair("client_id", &self.client.client_id);
        if let Some(secret) = &self.secret {
            body.append_pair("client_secret", secret);
        }
        send_form(self.app, path, body.finish()).await
    }
}

/// Sends a form as it is.
pub(crate) async fn send_form(app: &TestApp, path: &str, body: String) -> Answer {
    let request = app.anonymous().request(Method::POST, path);
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

/// The error of a refused request, which nobody may keep.
#[track_caller]
pub(crate) fn refusal(answer: Answer) -> String {
    let Answer { status, headers, body } = answer;
    assert!((400..500).contains(&status), "{status} {body}");
    assert_eq!(headers["cache-control"], "no-store");
    text(&body, "error").to_owned()
}

/// The text of a member.
#[track_caller]
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}"))
}

/// The actions of somebody's activity log, newest first, without those of signing in.
pub(crate) async fn actions(by: &Actor<'_>) -> Vec<String> {
    let page = by.get("/api/auth/activity?limit=1000").await.good();
    let items = page["items"].as_array().unwrap();
    let action = |item: &Value| item["action"].as_str().unwrap().to_owned();
    items.iter().map(action).filter(|action| !action.starts_with("session.") && !action.starts_with("user.")).collect()
}
