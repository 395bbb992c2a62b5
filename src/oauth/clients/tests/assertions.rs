use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::*;
use crate::oauth::keys::SigningKey;

const JWKS: &str = "https://c.example/jwks.json";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of a client: how it signs, and its public half.
struct Key {
    alg: Algorithm,
    private: EncodingKey,
    public: Value,
}

impl Key {
    fn rsa(kid: &str) -> Self {
        let (_, pem) = SigningKey::generate().unwrap();
        let key = SigningKey::from_pem(&pem, "it").unwrap();
        let mut public = json!(key.public());
        public["kid"] = json!(kid);
        Self { alg: Algorithm::RS256, private: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), public }
    }

    fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let public =
            json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]), "kid": kid });
        Self { alg: Algorithm::ES256, private: EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()), public }
    }

    fn ed25519(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()), "kid": kid });
        Self { alg: Algorithm::EdDSA, private: EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref()), public }
    }

    fn header(&self) -> Value {
        json!({ "alg": format!("{:?}", self.alg), "kid": self.public["kid"], "typ": "JWT" })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.alg).unwrap();
        format!("{message}.{signature}")
    }

    /// A good assertion of `client_id`, with changes.
    fn assertion(&self, client_id: &str, changes: &[(&str, Value)]) -> String {
        let now = START.as_seconds();
        let mut claims =
            json!({ "iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now + 300, "iat": now, "jti": "j" });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.sign(&self.header(), &claims)
    }
}

fn shows(assertion: &str) -> ClientProof<'static> {
    ClientProof::Assertion { client_id: None, assertion: assertion.to_owned().into() }
}

impl World {
    async fn client_with(&self, keys: &[&Key]) -> String {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
        let body = json!({
            "redirect_uris": ["https://c.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": keys },
        });
        self.register(body).await.unwrap()["client_id"].as_str().unwrap().to_owned()
    }

    async fn client_with_uri(&self) -> String {
        let body = json!({
            "redirect_uris": ["https://c.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": JWKS,
        });
        self.register(body).await.unwrap()["client_id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn three_algorithms_prove_a_client_each_assertion_once() {
    for world in worlds().await {
        let keys = [Key::rsa("r"), Key::p256("p"), Key::ed25519("e")];
        let client_id = world.client_with(&keys.each_ref()).await;
        for (index, key) in keys.iter().enumerate() {
            let assertion = key.assertion(&client_id, &[("jti", json!(format!("j{index}")))]);

            assert_eq!(world.proves(shows(&assertion)).await.unwrap().client_id, client_id);
            assert_eq!(world.proves(shows(&assertion)).await.unwrap_err(), ErrorCode::InvalidClient, "{:?}", key.alg);
            let again = key.assertion(&client_id, &[("jti", json!(format!("j{index}"))), ("x", json!(1))]);
            assert_eq!(world.proves(shows(&again)).await.unwrap_err(), ErrorCode::InvalidClient, "{}", world.db.name);
        }
    }
}

#[tokio::test]
async fn of_assertions_that_come_at_once_one_counts() {
    for world in worlds().await {
        let key = Key::p256("p");
        let client_id = world.client_with(&[&key]).await;
        let assertion = key.assertion(&client_id, &[]);

        let all = futures_util::future::join_all((0..8).map(|_| world.proves(shows(&assertion)))).await;

        assert_eq!(all.iter().filter(|proof| proof.is_ok()).count(), 1, "{}", world.db.name);
    }
}

#[tokio::test]
async fn two_clients_may_use_the_same_jti() {
    let world = worlds().await.remove(0);
    let key = Key::p256("p");
    let (one, other) = (world.client_with(&[&key]).await, world.client_with(&[&key]).await);

    assert!(world.proves(shows(&key.assertion(&one, &[]))).await.is_ok());
    assert!(world.proves(shows(&key.assertion(&other, &[]))).await.is_ok());
}

#[tokio::test]
async fn audiences_are_the_issuer_the_token_endpoint_or_the_endpoint_that_was_asked() {
    let world = worlds().await.remove(0);
    let key = Key::p256("p");
    let client_id = world.client_with(&[&key]).await;
    let revocation = "https://mindflow.example/oauth/revoke";
    let ask = async |aud: Value, endpoint: &str| {
        let jti = json!(format!("{aud}{endpoint}"));
        let assertion = key.assertion(&client_id, &[("aud", aud), ("jti", jti)]);
        world.clients.authenticate(shows(&assertion), endpoint).await.is_ok()
    };

    for good in [json!(ISSUER), json!(TOKEN_ENDPOINT), json!([ISSUER]), json!([ISSUER, TOKEN_ENDPOINT])] {
        assert!(ask(good.clone(), TOKEN_ENDPOINT).await, "{good}");
    }
    assert!(ask(json!(revocation), revocation).await && ask(json!(TOKEN_ENDPOINT), revocation).await);
    for wrong in [
        json!("https://other.example"),
        json!("https://mindflow.example/"),
        json!("https://mindflow.example.evil/oauth/token"),
        json!(revocation),
        json!([ISSUER, "https://other.example"]),
        json!([]),
        json!([[ISSUER]]),
        json!({ "a": ISSUER }),
        json!(1),
    ] {
        assert!(!ask(wrong.clone(), TOKEN_ENDPOINT).await, "{wrong}");
    }
}

#[tokio::test]
async fn claims_that_are_wrong_or_missing_prove_nothing() {
    let world = worlds().await.remove(0);
    let key = Key::p256("p");
    let (client_id, other) = (world.client_with(&[&key]).await, world.client_with(&[&Key::p256("p")]).await);
    let now = START.as_seconds();
    for (name, value) in [
        ("iss", json!(other)),
        ("iss", Value::Null),
        ("sub", json!(other)),
        ("sub", Value::Null),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("soon")),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 3600 + 120)),
        ("exp", json!(1e300)),
        ("exp", json!(-1e300)),
        ("nbf", json!(now + 61)),
        ("iat", json!(now + 61)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!("x".repeat(513))),
        ("jti", json!(1)),
    ] {
        let refused = world.proves(shows(&key.assertion(&client_id, &[(name, value.clone())]))).await;
        assert_eq!(refused.unwrap_err(), ErrorCode::InvalidClient, "{name} {value}");
    }
    let near = [("exp", json!(now - 59)), ("iat", json!(now + 59)), ("nbf", json!(1.5))];
    assert!(world.proves(shows(&key.assertion(&client_id, &near))).await.is_ok(), "clocks differ by a minute");
}

#[tokio::test]
async fn the_newer_name_of_an_algorithm_is_known_too() {
    let world = worlds().await.remove(0);
    let mut key = Key::ed25519("e");
    key.public["alg"] = json!("Ed25519");
    let client_id = world.client_with(&[&key]).await;
    let ends_at = START.as_seconds() + 300;
    let claims = json!({ "iss": client_id, "sub": client_id, "aud": ISSUER, "exp": ends_at, "jti": "j" });
    let mut header = key.header();
    header["alg"] = json!("Ed25519");

    assert!(world.proves(shows(&key.sign(&header, &claims))).await.is_ok());
    header["alg"] = json!("ES256");
    assert_eq!(world.proves(shows(&key.sign(&header, &claims))).await.unwrap_err(), ErrorCode::InvalidClient);
}

#[tokio::test]
async fn algorithms_and_keys_are_not_to_be_confused() {
    let world = worlds().await.remove(0);
    let (rsa, p256, evil) = (Key::rsa("r"), Key::p256("p"), Key::p256("p"));
    let client_id = world.client_with(&[&rsa, &p256]).await;
    let now = START.as_seconds();
    let claims = json!({ "iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now + 300, "jti": "j" });
    let unsigned = |alg: &str| {
        let header = json!({ "alg": alg, "kid": "r" });
        format!("{}.{}.", encode(header.to_string()), encode(claims.to_string()))
    };
    let hmac = |secret: &[u8]| {
        let message = unsigned("HS256").trim_end_matches('.').to_owned();
        let key = EncodingKey::from_secret(secret);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    };
    let with = |key: &Key, name: &str, value: Value| {
        let mut header = key.header();
        header[name] = value;
        key.sign(&header, &claims)
    };
    let modulus = URL_SAFE_NO_PAD.decode(rsa.public["n"].as_str().unwrap()).unwrap();
    for wrong in [
        unsigned("none"),
        unsigned("None"),
        unsigned("RS256"),
        hmac(rsa.public.to_string().as_bytes()),
        hmac(&modulus),
        hmac(b""),
        evil.sign(&evil.header(), &claims),
        with(&evil, "jwk", evil.public.clone()),
        with(&evil, "jku", json!("https://evil.example/jwks")),
        with(&p256, "kid", json!("r")),
        with(&p256, "kid", json!("unknown")),
        with(&p256, "kid", json!("../../dev/null")),
        with(&p256, "kid", json!("' OR 1=1 --")),
        with(&p256, "alg", json!("RS256")),
        with(&p256, "alg", json!("ES384")),
        with(&p256, "crit", json!(["exp"])),
        with(&p256, "crit", json!([])),
        with(&p256, "typ", json!("at+jwt")),
        p256.sign(&p256.header(), &claims) + "x",
        p256.sign(&p256.header(), &claims) + ".x",
        "a.b.c".to_owned(),
        String::new(),
        "x".repeat(10_000),
    ] {
        assert_eq!(world.proves(shows(&wrong)).await.unwrap_err(), ErrorCode::InvalidClient, "{wrong}");
    }
    assert!(world.proves(shows(&with(&p256, "typ", json!("client-authentication+jwt")))).await.is_ok());
}

#[tokio::test]
async fn a_member_that_comes_twice_is_refused() {
    let world = worlds().await.remove(0);
    let key = Key::p256("p");
    let client_id = world.client_with(&[&key]).await;
    let now = START.as_seconds();
    let claims = format!(
        r#"{{"iss":"{client_id}","sub":"{client_id}","aud":"{ISSUER}","aud":"x","exp":{},"jti":"j"}}"#,
        now + 300
    );
    let message = format!("{}.{}", encode(key.header().to_string()), encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.private, key.alg).unwrap();

    assert!(world.proves(shows(&format!("{message}.{signature}"))).await.is_err());
}

#[tokio::test]
async fn an_assertion_is_for_those_who_registered_it_and_names_one_client() {
    let world = worlds().await.remove(0);
    let key = Key::p256("p");
    let client_id = world.client_with(&[&key]).await;
    let mut body = json!({ "redirect_uris": ["https://c.example/cb"], "jwks": { "keys": [key.public] } });
    body["token_endpoint_auth_method"] = json!("none");
    let public = world.register(body).await.unwrap()["client_id"].as_str().unwrap().to_owned();

    assert!(world.proves(shows(&key.assertion(&public, &[]))).await.is_err());
    assert!(world.proves(name(&client_id)).await.is_err());
    let both = |said: &str| ClientProof::Assertion {
        client_id: Some(said.to_owned().into()),
        assertion: key.assertion(&client_id, &[]).into(),
    };
    assert!(world.proves(both(&public)).await.is_err());
    assert!(world.proves(both(&client_id)).await.is_ok());
}

#[tokio::test]
async fn keys_are_asked_for_again_at_once_when_this_server_was_busy() {
    let world = worlds().await.remove(0);
    let key = Key::p256("p");
    let client_id = world.client_with_uri().await;
    world.shelf.fail(JWKS, FetchError::Busy);
    let assertion = key.assertion(&client_id, &[]);

    assert_eq!(world.proves(shows(&assertion)).await.unwrap_err(), ErrorCode::InvalidClient);
    world.shelf.put(JWKS, &json!({ "keys": [key.public] }), None);

    world.proves(shows(&assertion)).await.unwrap();
}

#[tokio::test]
async fn keys_behind_a_url_are_fetched_once_and_again_for_an_unknown_name_at_most_once_a_minute() {
    let world = worlds().await.remove(0);
    let (old, new) = (Key::p256("old"), Key::p256("new"));
    let client_id = world.client_with_uri().await;
    let proves = async |key: &Key, jti: &str| {
        world
            .proves(shows(
                &key.assertion(&client_id, &[("jti", json!(jti)), ("exp", json!(START.as_seconds() + 3600))]),
            ))
            .await
            .is_ok()
    };
    world.shelf.put(JWKS, &json!({ "keys": [old.public] }), Some(3600));

    assert!(proves(&old, "1").await && proves(&old, "2").await);
    assert_eq!(world.shelf.asked(), 1);
    world.shelf.put(JWKS, &json!({ "keys": [old.public, new.public] }), Some(3600));
    assert!(proves(&new, "3").await, "a new name is asked for at once");
    assert_eq!(world.shelf.asked(), 2);
    assert!(!proves(&Key::p256("made up"), "4").await && !proves(&Key::p256("made up too"), "4").await);
    assert!(proves(&old, "5").await);
    assert_eq!(world.shelf.asked(), 2, "names that are made up have nobody asked");

    world.clock.advance(Duration::from_mins(2));
    world.shelf.fail(JWKS, FetchError::Unreachable);
    assert!(!proves(&Key::p256("newer"), "6").await);
    assert!(proves(&old, "7").await, "known keys outlive an outage");
}
