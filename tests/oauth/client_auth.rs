//! Clients prove who they are at the token endpoint; `oauth/clients/tests/` has the long tables of assertions.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mindflow::oauth::keys::SigningKey;
use reqwest::Method;
use serde_json::{Value, json};

use super::site::Site;
use crate::support::answer::Answer;
use crate::support::app::{TestApp, minutes};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A code that is none: who proves to be a client is told so, who does not is told nothing of it.
const WRONG_CODE: [(&str, &str); 4] = [
    ("grant_type", "authorization_code"),
    ("code", "none"),
    ("redirect_uri", "https://c.example/cb"),
    ("code_verifier", "0123456789012345678901234567890123456789012"),
];

struct Client {
    id: String,
    secret: String,
}

async fn client(app: &TestApp, method: &str) -> Client {
    let body = json!({ "redirect_uris": ["https://c.example/cb"], "token_endpoint_auth_method": method });
    let made = app.anonymous().post("/oauth/register", &body).await.good();
    let text = |field: &str| made[field].as_str().unwrap_or_default().to_owned();
    Client { id: text("client_id"), secret: text("client_secret") }
}

async fn ask(app: &TestApp, form: &[(&str, &str)], basic: Option<(&str, &str)>) -> Answer {
    let mut request = app.anonymous().request(Method::POST, "/oauth/token");
    if let Some((name, secret)) = basic {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(format!("{name}:{secret}"))));
    }
    let body =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(WRONG_CODE).extend_pairs(form).finish();
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

#[track_caller]
fn assert_known(answer: &Answer) {
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_grant")), "{}", answer.body);
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    assert_eq!((answer.status, &answer.body["error"]), (401, &json!("invalid_client")), "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn each_client_proves_itself_in_its_own_way_only() {
    let app = TestApp::new().await;
    let (public, header, body) = (
        client(&app, "none").await,
        client(&app, "client_secret_basic").await,
        client(&app, "client_secret_post").await,
    );

    assert_known(&ask(&app, &[("client_id", &public.id)], None).await);
    assert_known(&ask(&app, &[("client_id", &public.id), ("client_secret", "")], None).await);
    assert_known(&ask(&app, &[], Some((&header.id, &header.secret))).await);
    assert_known(&ask(&app, &[("client_id", &header.id)], Some((&header.id, &header.secret))).await);
    assert_known(&ask(&app, &[("client_id", &body.id), ("client_secret", &body.secret)], None).await);

    for (form, basic) in [
        (vec![("client_id", header.id.as_str())], None),
        (vec![("client_id", header.id.as_str()), ("client_secret", header.secret.as_str())], None),
        (vec![("client_id", body.id.as_str()), ("client_secret", header.secret.as_str())], None),
        (vec![("client_id", public.id.as_str()), ("client_secret", "x")], None),
        (vec![("client_id", "nobody")], None),
        (vec![], None),
        (vec![], Some((body.id.as_str(), body.secret.as_str()))),
        (vec![], Some((header.id.as_str(), "wrong"))),
        (vec![], Some(("nobody", "wrong"))),
        (vec![], Some((public.id.as_str(), ""))),
    ] {
        let refused = ask(&app, &form, basic).await;
        assert_refused(&refused);
        assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"mindflow\""), "{form:?} {basic:?}");
    }
}

#[tokio::test]
async fn unknown_clients_and_wrong_secrets_are_answered_alike() {
    let app = TestApp::new().await;
    let header = client(&app, "client_secret_basic").await;

    let wrong = ask(&app, &[], Some((&header.id, "wrong"))).await;
    let unknown = ask(&app, &[], Some(("nobody", "wrong"))).await;

    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.header("www-authenticate"), unknown.header("www-authenticate"));
}

#[tokio::test]
async fn a_client_that_says_two_things_is_told_so() {
    let app = TestApp::new().await;
    let header = client(&app, "client_secret_basic").await;
    let basic = Some((header.id.as_str(), header.secret.as_str()));

    for form in [
        &[("client_secret", "x")][..],
        &[("client_id", "other")],
        &[("client_assertion", "a.b.c"), ("client_assertion_type", JWT_BEARER)],
        &[("client_id", "a"), ("client_id", "a")],
        &[("grant_type", "refresh_token")],
    ] {
        let refused = ask(&app, form, basic).await.is(400);
        assert_eq!(refused.body["error"], "invalid_request", "{form:?}");
    }
}

#[tokio::test]
async fn a_secret_in_the_url_is_refused() {
    let app = TestApp::new().await;
    let body = client(&app, "client_secret_post").await;
    let path = format!("/oauth/token?client_id={}&client_secret={}", body.id, body.secret);
    let request = app.anonymous().request(Method::POST, &path);
    let request = request.header("content-type", "application/x-www-form-urlencoded");

    let refused = Answer::of(request.body("grant_type=authorization_code&code=none")).await.is(400);

    assert_eq!(refused.body["error"], "invalid_request");
}

struct Signer {
    key: EncodingKey,
    jwk: Value,
}

fn signer(kid: &str) -> Signer {
    let (key, pem) = SigningKey::generate().unwrap();
    let mut jwk = json!(key.public());
    jwk["kid"] = json!(kid);
    Signer { key: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), jwk }
}

impl Signer {
    fn assertion(&self, app: &TestApp, client_id: &str, audience: &str, jti: &str) -> String {
        let now = app.clock.now().as_seconds();
        let claims =
            json!({ "iss": client_id, "sub": client_id, "aud": audience, "exp": now + 60, "iat": now, "jti": jti });
        let mut header = Header::new(Algorithm::RS256);
        header.kid = self.jwk["kid"].as_str().map(str::to_owned);
        jsonwebtoken::encode(&header, &claims, &self.key).unwrap()
    }
}

async fn shows(app: &TestApp, assertion: &str) -> Answer {
    ask(app, &[("client_assertion", assertion), ("client_assertion_type", JWT_BEARER)], None).await
}

/// As ChatGPT's: a document that prefers assertions, allows to come without, and has its keys at a URL.
#[tokio::test]
async fn a_document_names_its_keys_and_the_client_signs_with_them_or_comes_without() {
    let site = Site::start().await;
    let app = TestApp::with(|config| site.trusted_by(config)).await;
    let (id, signer) = (site.url("/client.json"), signer("k"));
    site.put(
        "/client.json",
        &json!({
            "client_id": id,
            "redirect_uris": ["https://c.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "token_endpoint_auth_signing_alg": "RS256",
            "jwks_uri": site.url("/jwks.json"),
        }),
    );
    site.put("/jwks.json", &json!({ "keys": [signer.jwk] }));

    for (index, audience) in [app.url().to_owned(), format!("{}/oauth/token", app.url())].iter().enumerate() {
        let assertion = signer.assertion(&app, &id, audience, &format!("j{index}"));
        assert_known(&shows(&app, &assertion).await);
        assert_refused(&shows(&app, &assertion).await);
    }
    assert_known(&ask(&app, &[("client_id", &id)], None).await);
    assert_refused(&shows(&app, &signer.assertion(&app, &id, "https://other.example", "j9")).await);
    let elsewhere = format!("{}/oauth/revoke", app.url());
    assert_refused(&shows(&app, &signer.assertion(&app, &id, &elsewhere, "j8")).await);
    assert_eq!((site.hits("/client.json"), site.hits("/jwks.json")), (1, 1));
}

#[tokio::test]
async fn a_client_may_change_its_keys() {
    let site = Site::start().await;
    let app = TestApp::with(|config| site.trusted_by(config)).await;
    let (old, new) = (signer("old"), signer("new"));
    let body = json!({
        "redirect_uris": ["https://c.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": site.url("/jwks.json"),
    });
    let made = app.anonymous().post("/oauth/register", &body).await.good();
    let id = made["client_id"].as_str().unwrap();
    site.put("/jwks.json", &json!({ "keys": [old.jwk] }));
    assert_known(&shows(&app, &old.assertion(&app, id, app.url(), "1")).await);

    site.put("/jwks.json", &json!({ "keys": [new.jwk] }));
    assert_known(&shows(&app, &new.assertion(&app, id, app.url(), "2")).await);
    for jti in ["3", "4"] {
        assert_refused(&shows(&app, &old.assertion(&app, id, app.url(), jti)).await);
    }
    assert_eq!(site.hits("/jwks.json"), 2, "for unknown keys not more than once a minute");
    site.put("/jwks.json", &json!({ "keys": [old.jwk, new.jwk] }));
    app.advance(minutes(1));

    assert_known(&shows(&app, &old.assertion(&app, id, app.url(), "5")).await);
    assert_known(&shows(&app, &new.assertion(&app, id, app.url(), "6")).await);
    assert_eq!(site.hits("/jwks.json"), 3);
}

#[tokio::test]
async fn an_assertion_with_the_servers_own_or_no_signature_proves_nothing() {
    let app = TestApp::new().await;
    let signer = signer("k");
    let body = json!({
        "redirect_uris": ["https://c.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [signer.jwk] },
    });
    let made = app.anonymous().post("/oauth/register", &body).await.good();
    let id = made["client_id"].as_str().unwrap();
    let good = signer.assertion(&app, id, app.url(), "1");
    let (_, claims) = good.split_once('.').unwrap();
    let (claims, _) = claims.split_once('.').unwrap();
    let with_header = |header: Value| format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header.to_string()));

    for wrong in [
        with_header(json!({ "alg": "none" })),
        with_header(json!({ "alg": "none", "kid": "k" })),
        with_header(json!({ "alg": "RS256", "kid": "k" })),
        good.rsplit_once('.').unwrap().0.to_owned() + ".AAAA",
        "x".to_owned(),
    ] {
        assert_refused(&shows(&app, &wrong).await);
    }
    assert_known(&shows(&app, &good).await);
}
