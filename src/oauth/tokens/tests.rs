use super::*;
use crate::clock::Timestamp;
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
    let ring = Arc::new(KeyRing::fixed(KeySet::new(key, Vec::new()).unwrap()));
    let tokens = AccessTokens::new(ring, ISSUER, Duration::from_hours(1), clock.clone());
    World { clock, tokens }
}

fn of_session() -> SessionToken {
    SessionToken {
        user_id: UserId(Uuid::from_u128(1)),
        session_id: SessionId(Uuid::from_u128(2)),
        scopes: Scopes::parse("read write").unwrap(),
    }
}

fn of_grant(resources: Resources) -> GrantToken<'static> {
    GrantToken {
        user_id: UserId(Uuid::from_u128(1)),
        grant_id: GrantId(Uuid::from_u128(4)),
        client_id: "chatgpt_mindflow",
        scopes: OAuthScopes::parse("read openid").unwrap(),
        resources,
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": Uuid::from_u128(1), "aud": FIRST_PARTY, "exp": NOW + 60,
        "iat": NOW, "nbf": NOW, "jti": Uuid::from_u128(3), "sid": Uuid::from_u128(2), "scope": "read",
        "client_id": "mindflow"
    })
}

/// The payload of a token, unchecked.
fn payload(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

impl World {
    fn kid(&self) -> String {
        self.tokens.ring.keys().active().kid().to_owned()
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(ACCESS_TOKEN.to_owned());
        header.kid = Some(self.kid());
        header
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, self.tokens.ring.keys().active().encoding()).unwrap()
    }

    fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        self.tokens.verify(token)
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
    let token = world.tokens.issue_for_session(of_session()).unwrap();

    let expected = Verified {
        user_id: of_session().user_id,
        family: Family::Session(of_session().session_id),
        scopes: OAuthScopes::parse("read write").unwrap(),
        expires_at: NOW + 3600,
    };
    assert!(expected.is_for(Resource::Api) && !expected.is_for(Resource::Mcp));
    assert_eq!(world.verify(&token), Ok(expected));
    assert_eq!(world.verify(&token), Ok(expected), "from memory");

    world.clock.advance(Duration::from_hours(1));
    assert_eq!(world.verify(&token), Err(TokenError::Expired), "from memory");
    assert_eq!(world.verify(&token), Err(TokenError::Expired), "proven again");
}

#[test]
fn a_clients_token_has_the_claims_of_the_profile_and_is_good_where_it_was_issued_for() {
    let world = world();
    let only = |resource| world.tokens.issue_for_grant(of_grant(Resources::only(resource))).unwrap();
    let (mcp, both) = (only(Resource::Mcp), world.tokens.issue_for_grant(of_grant(Resources::ALL)).unwrap());

    let verified = world.verify(&mcp).unwrap();
    let claims = payload(&mcp);

    assert_eq!(verified.family, Family::Grant(of_grant(Resources::ALL).grant_id, Resources::only(Resource::Mcp)));
    assert!(verified.is_for(Resource::Mcp) && !verified.is_for(Resource::Api));
    assert_eq!(verified.scopes.to_string(), "read openid");
    assert_eq!(claims["aud"], "https://mindflow.example/mcp");
    assert_eq!(payload(&both)["aud"], json!(["https://mindflow.example/api", "https://mindflow.example/mcp", ISSUER]));
    let expected = json!({
        "iss": ISSUER, "sub": Uuid::from_u128(1), "aud": claims["aud"], "exp": NOW + 3600, "iat": NOW, "nbf": NOW,
        "jti": claims["jti"], "grant_id": Uuid::from_u128(4), "scope": "read openid", "client_id": "chatgpt_mindflow",
    });
    assert_eq!(claims, expected);
    assert_ne!(payload(&both)["jti"], claims["jti"]);
    assert_eq!(world.tokens.read(&both).unwrap().aud.iter().count(), 3);
}

#[test]
fn a_clients_token_names_our_resources_exactly() {
    let world = world();
    let aimed = |aud: Value| {
        world.with(|claims| {
            claims["sid"].take();
            claims["grant_id"] = json!(Uuid::from_u128(4));
            claims["aud"] = aud;
        })
    };
    assert!(aimed(json!(["https://elsewhere.example", "https://mindflow.example/api"])).is_ok());

    for aud in [
        json!(FIRST_PARTY),
        json!(ISSUER),
        json!("https://mindflow.example/api/"),
        json!("https://mindflow.example/apis"),
        json!("https://MINDFLOW.example/api"),
        json!("api"),
        json!([]),
    ] {
        assert_eq!(aimed(aud.clone()), Err(TokenError::Audience), "{aud}");
    }
    assert_eq!(aimed(json!({ "aud": "https://mindflow.example/api" })), Err(TokenError::Malformed));
}

#[test]
fn an_id_token_is_no_access_token() {
    let world = world();

    let token = world.tokens.sign("JWT", &claims()).unwrap();

    assert_eq!(world.verify(&token), Err(TokenError::Kind));
    assert!(world.verify(&world.tokens.sign(ACCESS_TOKEN, &claims()).unwrap()).is_ok());
}

#[test]
fn keys_that_a_token_brings_along_are_not_looked_at() {
    let (ours, theirs) = (world(), world());
    let theirs = theirs.tokens.ring.keys();
    let forge = |change: &dyn Fn(&mut Header)| {
        let mut header = ours.header();
        change(&mut header);
        ours.verify(&jsonwebtoken::encode(&header, &claims(), theirs.active().encoding()).unwrap())
    };

    let jwk = theirs.active().public().clone();
    assert_eq!(forge(&|header| header.jwk = Some(jwk.clone())), Err(TokenError::Signature));
    assert_eq!(forge(&|header| header.jku = Some("https://evil.example/jwks".into())), Err(TokenError::Signature));
    assert_eq!(forge(&|header| header.x5u = Some("https://evil.example/x5u".into())), Err(TokenError::Signature));
    assert_eq!(forge(&|header| header.x5c = Some(vec!["MIIB".into()])), Err(TokenError::Signature));
    assert_eq!(forge(&|header| header.kid = jwk.common.key_id.clone()), Err(TokenError::UnknownKey));
    for kid in ["../../../dev/null", "' OR 1=1 --", "", "\u{0}", "*"] {
        assert_eq!(forge(&|header| header.kid = Some(kid.to_owned())), Err(TokenError::UnknownKey), "{kid}");
    }
}

#[test]
fn a_header_names_the_type_and_the_key() {
    let world = world();
    let token = world.tokens.issue_for_session(of_session()).unwrap();

    let header = jsonwebtoken::decode_header(&token).unwrap();

    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(header.kid.as_deref(), Some(world.kid().as_str()));
}

#[test]
fn claims_of_others_are_refused() {
    let world = world();
    assert!(world.with(|_| {}).is_ok());
    assert!(world.with(|claims| claims["aud"] = json!(["x", FIRST_PARTY])).is_ok());

    let cases: [(&str, Value, TokenError); 15] = [
        ("iss", json!("https://mindflow.example/"), TokenError::Audience),
        ("aud", json!("https://mindflow.example/mcp"), TokenError::Audience),
        ("aud", json!([]), TokenError::Audience),
        ("exp", json!(NOW), TokenError::Expired),
        ("nbf", json!(NOW + 60), TokenError::NotYet),
        ("iat", json!(NOW + 60), TokenError::NotYet),
        ("scope", json!("root"), TokenError::Malformed),
        ("sub", json!("ada"), TokenError::Malformed),
        ("exp", Value::Null, TokenError::Malformed),
        ("exp", json!("2100-01-01"), TokenError::Malformed),
        ("exp", json!(9e99), TokenError::Malformed),
        ("nbf", Value::Null, TokenError::Malformed),
        ("jti", Value::Null, TokenError::Malformed),
        ("sid", Value::Null, TokenError::Malformed),
        ("grant_id", json!(Uuid::from_u128(4)), TokenError::Malformed),
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
    let jwk = serde_json::to_value(world.tokens.ring.keys().active().public()).unwrap();
    let n = jwk["n"].as_str().unwrap();
    let der = URL_SAFE_NO_PAD.decode(n).unwrap();
    let set = serde_json::to_vec(&world.tokens.ring.keys().jwks()).unwrap();
    for secret in [n.as_bytes(), &der, jwk.to_string().as_bytes(), &set, b""] {
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut header = world.header();
            header.alg = alg;
            let forged = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(world.verify(&forged), Err(TokenError::Kind));
        }
    }

    let kid = world.kid();
    for none in ["none", "None", "NONE", "nOnE", "", "rs256"] {
        let header = json!({"alg": none, "typ": "at+jwt", "kid": kid}).to_string();
        let bare = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims().to_string()));
        assert_eq!(world.verify(&bare), Err(TokenError::Malformed), "{none}");
        assert_eq!(world.verify(&format!("{bare}.")), Err(TokenError::Malformed), "{none}");
    }
}

#[test]
fn a_changed_token_is_refused() {
    let world = world();
    let token = world.tokens.issue_for_session(of_session()).unwrap();
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

    assert_eq!(ours.verify(&theirs.tokens.issue_for_session(of_session()).unwrap()), Err(TokenError::UnknownKey));
}
