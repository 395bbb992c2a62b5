use super::*;
use crate::oauth::keys::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

const ISSUER: &str = "https://mindflow.example";
const NOW: i64 = 1_800_000_000;

struct World {
    clock: Clock,
    tokens: AccessTokens,
}

fn world() -> World {
    let clock = Clock::fixed(Timestamp::from_micros(NOW * 1_000_000));
    let (key, _) = SigningKey::generate().unwrap();
    let keys = Arc::new(KeySet::new(key, Vec::new()).unwrap());
    let tokens = AccessTokens::new(keys, ISSUER, Duration::from_hours(1), clock.clone());
    World { clock, tokens }
}

fn grant() -> Grant<'static> {
    Grant {
        user_id: UserId(Uuid::from_u128(1)),
        session_id: SessionId(Uuid::from_u128(2)),
        audience: Audience::FirstParty,
        scopes: Scopes::parse("read write").unwrap(),
        client: "mindflow",
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": Uuid::from_u128(1), "aud": Audience::FirstParty.as_str(), "exp": NOW + 60,
        "iat": NOW, "nbf": NOW, "jti": Uuid::from_u128(3), "sid": Uuid::from_u128(2), "scope": "read",
        "client_id": "mindflow"
    })
}

impl World {
    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(ACCESS_TOKEN.to_owned());
        header.kid = Some(self.tokens.keys.active().kid().to_owned());
        header
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, self.tokens.keys.active().encoding()).unwrap()
    }

    fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        self.tokens.verify(token, Audience::FirstParty)
    }

    fn with(&self, change: impl FnOnce(&mut Value)) -> Result<Verified, TokenError> {
        let mut claims = claims();
        change(&mut claims);
        self.verify(&self.sign(&self.header(), &claims))
    }

    fn headed(&self, change: impl FnOnce(&mut Header)) -> Result<Verified, TokenError> {
        let mut header = self.header();
        change(&mut header);
        self.verify(&self.sign(&header, &claims()))
    }
}

#[test]
fn a_token_says_what_was_granted_until_it_expires() {
    let world = world();
    let token = world.tokens.issue(grant()).unwrap();

    let expected = Verified {
        user_id: grant().user_id,
        session_id: grant().session_id,
        scopes: grant().scopes,
        expires_at: NOW + 3600,
    };
    assert_eq!(world.verify(&token), Ok(expected));
    assert_eq!(world.verify(&token), Ok(expected), "from memory");

    world.clock.advance(Duration::from_hours(1));
    assert_eq!(world.verify(&token), Err(TokenError::Expired), "from memory");
    assert_eq!(world.verify(&token), Err(TokenError::Expired), "proven again");
}

#[test]
fn a_header_names_the_type_and_the_key() {
    let world = world();
    let token = world.tokens.issue(grant()).unwrap();

    let header = jsonwebtoken::decode_header(&token).unwrap();

    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(header.kid.as_deref(), Some(world.tokens.keys.active().kid()));
}

#[test]
fn claims_of_others_are_refused() {
    let world = world();
    assert!(world.with(|_| {}).is_ok());
    assert!(world.with(|claims| claims["aud"] = json!(["x", Audience::FirstParty.as_str()])).is_ok());

    let cases: [(&str, Value, TokenError); 9] = [
        ("iss", json!("https://mindflow.example/"), TokenError::Audience),
        ("aud", json!("https://mindflow.example/mcp"), TokenError::Audience),
        ("aud", json!([]), TokenError::Audience),
        ("exp", json!(NOW), TokenError::Expired),
        ("nbf", json!(NOW + 60), TokenError::NotYet),
        ("iat", json!(NOW + 60), TokenError::NotYet),
        ("scope", json!("root"), TokenError::Malformed),
        ("sub", json!("ada"), TokenError::Malformed),
        ("exp", Value::Null, TokenError::Malformed),
    ];
    for (claim, value, error) in cases {
        assert_eq!(world.with(|claims| claims[claim] = value.clone()), Err(error), "{claim} {value}");
    }
}

#[test]
fn headers_that_are_not_ours_are_refused() {
    let world = world();

    assert_eq!(world.headed(|header| header.typ = Some("JWT".to_owned())), Err(TokenError::Kind));
    assert_eq!(world.headed(|header| header.typ = None), Err(TokenError::Kind));
    assert_eq!(world.headed(|header| header.crit = Some(vec!["exp".to_owned()])), Err(TokenError::Kind));
    assert_eq!(world.headed(|header| header.alg = Algorithm::PS256), Err(TokenError::Kind));
    assert_eq!(world.headed(|header| header.kid = Some("other".to_owned())), Err(TokenError::UnknownKey));
    assert_eq!(world.headed(|header| header.kid = None), Err(TokenError::UnknownKey));
}

#[test]
fn the_public_key_is_no_secret_to_sign_with_and_none_is_no_algorithm() {
    let world = world();
    let jwk = serde_json::to_value(world.tokens.keys.active().public()).unwrap();
    let secret = EncodingKey::from_secret(jwk["n"].as_str().unwrap().as_bytes());
    let mut header = world.header();
    header.alg = Algorithm::HS256;
    let forged = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
    assert_eq!(world.verify(&forged), Err(TokenError::Kind));

    let kid = world.tokens.keys.active().kid();
    let header = json!({"alg": "none", "typ": "at+jwt", "kid": kid}).to_string();
    let bare = format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims().to_string()));
    assert_eq!(world.verify(&bare), Err(TokenError::Malformed));
}

#[test]
fn a_changed_token_is_refused() {
    let world = world();
    let token = world.tokens.issue(grant()).unwrap();
    let (head, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());

    assert_eq!(world.verify(&format!("{head}.{body}.{signature}")), Err(TokenError::Signature));
    assert!(world.verify(&token[..token.len() - 1]).is_err());
    for text in ["", ".", "..", "a.b.c", "é.é.é", &"x".repeat(5000)] {
        assert_eq!(world.verify(text), Err(TokenError::Malformed), "{text:.10}");
    }
}

#[test]
fn a_token_of_another_server_is_refused() {
    let (ours, theirs) = (world(), world());

    assert_eq!(ours.verify(&theirs.tokens.issue(grant()).unwrap()), Err(TokenError::UnknownKey));
}
