//! A provider of accounts elsewhere, on this machine: OpenID Connect, and GitHub's own dialect.
#![expect(clippy::needless_pass_by_value, reason = "handlers take their state as the routes give it")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mindflow::config::{Config, OidcProvider, Secret, UpstreamClient};
use poem::http::{StatusCode, Uri};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{EndpointExt as _, IntoResponse as _, Request, Response, Route, Server, get, handler, post, web};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

/// What the server under test is called there, with characters that must be encoded (RFC 6749, section 2.3.1).
pub(crate) const CLIENT_ID: &str = "mindflow test";
const CLIENT_SECRET: &str = "s3cret:+%/ä";
/// After the real time at which tests run: the ID token's end is judged by the test's clock.
const FAR: i64 = 4_000_000_000;

/// Somebody with an account there.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) subject: u64,
    pub(crate) email: Option<&'static str>,
    pub(crate) verified: bool,
}

/// How it behaves, and what it was asked.
#[derive(Default)]
pub(crate) struct State {
    url: String,
    person: Option<Person>,
    /// Claims of the ID token that are not as they should be.
    pub(crate) twist: Value,
    /// Parameters of its answer besides code and state.
    pub(crate) extra: Vec<(&'static str, String)>,
    /// Another subject in the user info.
    pub(crate) other_subject: Option<String>,
    codes: HashMap<String, HashMap<String, String>>,
    pub(crate) redeemed: usize,
}

/// The provider; it ends with the test.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let port = acceptor.local_addr()[0].as_socket_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let state = Arc::new(Mutex::new(State { url: url.clone(), twist: json!({}), ..State::default() }));
        let routes = Route::new()
            .at("/.well-known/openid-configuration", get(discovery))
            .at("/authorize", get(authorize))
            .at("/login/oauth/authorize", get(authorize))
            .at("/token", post(token))
            .at("/login/oauth/access_token", post(token))
            .at("/userinfo", get(userinfo))
            .at("/api/v3/user", get(github_user))
            .at("/api/v3/user/emails", get(github_emails))
            .data(Arc::clone(&state));
        tokio::spawn(async move { Server::new_with_acceptor(acceptor).run(routes).await });
        Self { url, state }
    }

    /// Has a server send people here.
    pub(crate) fn known_to(&self, config: &mut Config) {
        let client = || UpstreamClient { id: CLIENT_ID.to_owned(), secret: Some(Secret::new(CLIENT_SECRET)) };
        config.upstream.oidc =
            Some(OidcProvider { issuer: self.url.clone(), name: "Example ID".to_owned(), client: client() });
        config.upstream.github = Some(client());
        config.upstream.github_url.clone_from(&self.url);
    }

    /// Who is in front of it.
    pub(crate) fn is_used_by(&self, subject: u64, email: Option<&'static str>, verified: bool) {
        self.change(|state| state.person = Some(Person { subject, email, verified }));
    }

    pub(crate) fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.state.lock().unwrap());
    }

    pub(crate) fn redeemed(&self) -> usize {
        self.state.lock().unwrap().redeemed
    }

    /// What a browser gets that is sent to the provider: the way back.
    pub(crate) async fn visit(&self, location: &str) -> String {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let response = http.get(location).send().await.unwrap();
        assert_eq!(response.status(), 303, "{}", response.text().await.unwrap());
        response.headers()["location"].to_str().unwrap().to_owned()
    }
}

type Shared<'a> = web::Data<&'a Arc<Mutex<State>>>;

fn bad(text: &str) -> Response {
    let body = json!({ "error": "invalid_request", "error_description": text }).to_string();
    Response::builder().status(StatusCode::BAD_REQUEST).content_type("application/json").body(body)
}

fn pairs(text: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[handler]
fn discovery(state: Shared<'_>) -> web::Json<Value> {
    let url = &state.lock().unwrap().url;
    web::Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

#[handler]
fn authorize(uri: &Uri, state: Shared<'_>) -> Response {
    let mut state = state.lock().unwrap();
    let asked = pairs(uri.query().unwrap_or_default());
    let is = |name: &str, value: &str| asked.get(name).is_some_and(|own| own == value);
    if !is("response_type", "code") || !is("client_id", CLIENT_ID) || !is("code_challenge_method", "S256") {
        return bad("no such request");
    }
    let code = format!("code-{}", state.codes.len());
    let mut back = Url::parse(&asked["redirect_uri"]).unwrap();
    {
        let mut query = back.query_pairs_mut();
        if state.extra.iter().all(|(name, _)| *name != "error") {
            query.append_pair("code", &code);
        }
        query.append_pair("state", &asked["state"]);
        let github = uri.path().starts_with("/login");
        if !github && state.extra.iter().all(|(name, _)| *name != "iss") {
            query.append_pair("iss", &state.url);
        }
        for (name, value) in &state.extra {
            query.append_pair(name, value);
        }
    }
    state.codes.insert(code, asked);
    Response::builder().status(StatusCode::SEE_OTHER).header("location", back.as_str()).finish()
}

#[handler]
fn token(request: &Request, body: String, state: Shared<'_>) -> Response {
    let mut state = state.lock().unwrap();
    let form = pairs(&body);
    let form_encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", form_encoded(CLIENT_ID), form_encoded(CLIENT_SECRET)));
    let by_header = request.header("authorization") == Some(&format!("Basic {basic}"));
    let by_body = form.get("client_secret").is_some_and(|own| own == CLIENT_SECRET) && form["client_id"] == CLIENT_ID;
    if !by_header && !by_body {
        return bad("who is it?");
    }
    let Some(asked) = form.get("code").and_then(|code| state.codes.remove(code)) else { return bad("no such code") };
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if asked["code_challenge"] != challenge || form.get("redirect_uri") != asked.get("redirect_uri") {
        return bad("no such code");
    }
    state.redeemed += 1;
    let person = state.person.clone().unwrap();
    let mut claims = json!({
        "iss": state.url, "aud": CLIENT_ID, "sub": person.subject.to_string(), "exp": FAR, "iat": 0,
        "nonce": asked.get("nonce"),
    });
    for (name, value) in state.twist.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let mut answer = json!({ "access_token": "upstream-token", "token_type": "bearer", "expires_in": 60 });
    if asked.contains_key("nonce") {
        answer["id_token"] = json!(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string())));
    }
    web::Json(answer).into_response()
}

fn is_allowed(request: &Request) -> bool {
    request.header("authorization") == Some("Bearer upstream-token")
}

#[handler]
fn userinfo(request: &Request, state: Shared<'_>) -> Response {
    let state = state.lock().unwrap();
    let person = state.person.clone().unwrap();
    if !is_allowed(request) {
        return bad("who is it?");
    }
    let subject = state.other_subject.clone().unwrap_or_else(|| person.subject.to_string());
    let claims = json!({ "sub": subject, "email": person.email, "email_verified": person.verified, "name": "Ada L." });
    web::Json(claims).into_response()
}

#[handler]
fn github_user(request: &Request, state: Shared<'_>) -> Response {
    let subject = state.lock().unwrap().person.clone().unwrap().subject;
    if !is_allowed(request) || request.header("user-agent").is_none() {
        return bad("who is it?");
    }
    web::Json(json!({ "id": subject, "login": "ada", "name": "Ada L." })).into_response()
}

#[handler]
fn github_emails(request: &Request, state: Shared<'_>) -> Response {
    let person = state.lock().unwrap().person.clone().unwrap();
    if !is_allowed(request) {
        return bad("who is it?");
    }
    let addresses = json!([
        { "email": "other@example.net", "primary": false, "verified": true },
        { "email": person.email, "primary": true, "verified": person.verified },
    ]);
    web::Json(addresses).into_response()
}
