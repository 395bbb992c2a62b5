//! The public keys of clients: written in their metadata, or at a URL that it names.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use quick_cache::sync::Cache;
use serde_json::Value;
use url::Url;

use super::client::ClientMetadata;
use super::documents::{MOST_FRESH, clamp};
use super::fetch::{FetchError, Fetcher};
use crate::clock::{Clock, Timestamp};

/// The most keys of one client.
const MOST_KEYS: usize = 20;
/// The largest set of keys, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The largest set of keys inside metadata, in bytes.
const MOST_INLINE_BYTES: usize = 16 * 1024;
/// How long nothing is fetched after a try, whatever comes.
const RETRY_AFTER: Duration = Duration::from_mins(1);
/// Sets that are remembered.
const REMEMBERED: usize = 1024;
/// RSA moduli in bytes: 2048 bits are the least (RFC 7518, section 3.3), 8192 the most that is worth the time.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Whether a set of keys may stand in metadata: public keys alone.
pub(super) fn check(jwks: &Value) -> Result<(), &'static str> {
    let keys = jwks.get("keys").and_then(Value::as_array).ok_or("must be a JWK set: {keys: [...]}")?;
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err("must hold 1 to 20 keys");
    }
    if jwks.to_string().len() > MOST_INLINE_BYTES {
        return Err("is too large");
    }
    let private = |key: &Value| {
        let secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|part| key.get(part).is_some());
        secret || key.get("kty").and_then(Value::as_str) == Some("oct")
    };
    if keys.iter().any(private) {
        return Err("must hold public keys only");
    }
    if keys.iter().any(|key| !key.is_object()) {
        return Err("must hold keys");
    }
    Ok(())
}

/// The keys of a set that this server can read; others may be for somebody else.
fn read(jwks: &Value) -> Vec<Jwk> {
    let keys = jwks.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    keys.iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value(key.clone()).ok()).collect()
}

/// A set that was fetched.
#[derive(Clone)]
struct Fetched {
    keys: Arc<Vec<Jwk>>,
    /// When the keys are worth nothing any more, even while their server is away.
    ends_at: Timestamp,
    fresh_until: Timestamp,
    tried_at: Timestamp,
    /// When it was fetched again, before its time, for the name of a key that was not known.
    asked_again_at: Timestamp,
}

impl Fetched {
    /// Whether it is good enough for who looks for the key named `kid`.
    fn serves(&self, kid: Option<&str>, now: Timestamp) -> bool {
        let knows = kid.is_none_or(|kid| self.keys.iter().any(|key| key.common.key_id.as_deref() == Some(kid)));
        if now >= self.fresh_until {
            return now < self.tried_at.plus(RETRY_AFTER);
        }
        knows || now < self.asked_again_at.plus(RETRY_AFTER)
    }

    /// A set without keys, after a try at `at`.
    fn none(at: Timestamp) -> Self {
        Self { keys: Arc::default(), ends_at: at, fresh_until: at, tried_at: at, asked_again_at: Timestamp::MIN }
    }
}

/// This server asks for too much at the moment.
struct Busy;

/// Finds keys, and remembers those that were fetched.
pub(super) struct ClientKeys {
    fetcher: Arc<dyn Fetcher>,
    clock: Clock,
    fetched: Cache<String, Fetched>,
}

impl ClientKeys {
    pub(super) fn new(fetcher: Arc<dyn Fetcher>, clock: Clock) -> Self {
        Self { fetcher, clock, fetched: Cache::new(REMEMBERED) }
    }

    /// The keys of a client with which a signature of that algorithm can be checked: the one named `kid`, or all when the
    /// signature names none. A name that is not known has the set fetched again (OpenID Connect Core, section 10.1.1), at
    /// most once a minute.
    pub(super) async fn find(&self, metadata: &ClientMetadata, kid: Option<&str>, alg: Algorithm) -> Vec<DecodingKey> {
        let keys = match (&metadata.jwks, &metadata.jwks_uri) {
            (Some(jwks), _) => Arc::new(read(jwks)),
            (None, Some(uri)) => self.fetch(uri, kid).await,
            (None, None) => return Vec::new(),
        };
        let named = keys.iter().filter(|key| kid.is_none() || key.common.key_id.as_deref() == kid);
        named.filter(|key| serves(key, alg)).filter_map(|key| DecodingKey::from_jwk(key).ok()).collect()
    }

    async fn fetch(&self, uri: &str, kid: Option<&str>) -> Arc<Vec<Jwk>> {
        let now = self.clock.now();
        let before = self.fetched.get(uri);
        if let Some(set) = before.as_ref().filter(|set| set.serves(kid, now)) {
            return Arc::clone(&set.keys);
        }
        self.fetched.remove(uri);
        match self.fetched.get_value_or_guard_async(uri).await {
            // Somebody fetched it meanwhile.
            Ok(set) => set.keys,
            Err(turn) => {
                let set = match self.ask(uri, now, before.clone()).await {
                    Ok(set) => set,
                    // Nobody was asked, so the next one may.
                    Err(Busy) => before.unwrap_or_else(|| Fetched::none(Timestamp::MIN)),
                };
                let keys = Arc::clone(&set.keys);
                // It is only refused when it was pushed out meanwhile.
                let _ = turn.insert(set);
                keys
            }
        }
    }

    async fn ask(&self, uri: &str, now: Timestamp, before: Option<Fetched>) -> Result<Fetched, Busy> {
        let none = || Fetched::none(now);
        // It was fresh, so it was its names that did not do.
        let early = before.as_ref().is_some_and(|before| now < before.fresh_until);
        let asked_again_at = if early { now } else { Timestamp::MIN };
        let kept = before.filter(|before| now < before.ends_at).map(|before| Fetched {
            tried_at: now,
            asked_again_at,
            ..before
        });
        let Ok(url) = Url::parse(uri) else { return Ok(none()) };
        Ok(match self.fetcher.fetch(&url, MOST_BYTES).await {
            Ok(answer) => {
                let jwks = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
                let fresh_until = now.plus(clamp(answer.fresh_for));
                let keys = Arc::new(read(&jwks));
                Fetched { keys, ends_at: now.plus(MOST_FRESH), fresh_until, tried_at: now, asked_again_at }
            }
            Err(FetchError::Busy) => return Err(Busy),
            Err(error) if error.is_passing() => kept.unwrap_or_else(none),
            Err(_) => none(),
        })
    }
}

/// Whether a key is one for signatures of that algorithm: of its family and curve, long enough, and not meant otherwise.
fn serves(key: &Jwk, alg: Algorithm) -> bool {
    let meant = key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    // Ed25519 is the newer name of what the library knows as EdDSA (RFC 9864, section 2.2); the curve is compared below.
    let newer = alg == Algorithm::EdDSA && key.common.key_algorithm == Some(KeyAlgorithm::UNKNOWN_ALGORITHM);
    let named = newer || key.common.key_algorithm.is_none_or(|own| own.to_string() == format!("{alg:?}"));
    let fits = match (&key.algorithm, alg) {
        (AlgorithmParameters::RSA(rsa), Algorithm::RS256) => {
            modulus_bytes(&rsa.n).is_some_and(|bytes| RSA_BYTES.contains(&bytes)) && rsa.e.len() <= 8
        }
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES256) => ec.curve == EllipticCurve::P256,
        (AlgorithmParameters::OctetKeyPair(ed), Algorithm::EdDSA) => ed.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    meant && named && fits
}

fn modulus_bytes(text: &str) -> Option<usize> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(bytes.iter().skip_while(|byte| **byte == 0).count())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_in_metadata_holds_public_keys_only() {
        let public = json!({ "kty": "EC", "crv": "P-256", "x": "x", "y": "y" });
        assert_eq!(check(&json!({ "keys": [public] })), Ok(()));
        for wrong in [
            json!([]),
            json!({}),
            json!({ "keys": [] }),
            json!({ "keys": ["x"] }),
            json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }),
            json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "d" }] }),
            json!({ "keys": vec![public.clone(); 21] }),
            json!({ "keys": [{ "kty": "RSA", "n": "n".repeat(20_000), "e": "AQAB" }] }),
        ] {
            assert!(check(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_serves_its_own_algorithm_only() {
        let key = |value: Value| serde_json::from_value::<Jwk>(value).unwrap();
        let rsa = json!({ "kty": "RSA", "n": "A".repeat(2) + "_".repeat(342).as_str(), "e": "AQAB" });
        let short = json!({ "kty": "RSA", "n": "_".repeat(171), "e": "AQAB" });
        let p256 = json!({ "kty": "EC", "crv": "P-256", "x": "x", "y": "y" });
        let p384 = json!({ "kty": "EC", "crv": "P-384", "x": "x", "y": "y" });
        let oct = json!({ "kty": "oct", "k": "c2VjcmV0" });
        let mut encrypts = p256.clone();
        encrypts["use"] = json!("enc");
        let mut other = p256.clone();
        other["alg"] = json!("ES384");

        assert!(serves(&key(p256), Algorithm::ES256));
        for (value, alg) in [
            (short, Algorithm::RS256),
            (p384, Algorithm::ES256),
            (encrypts, Algorithm::ES256),
            (other, Algorithm::ES256),
            (oct.clone(), Algorithm::RS256),
            (oct, Algorithm::HS256),
            (rsa, Algorithm::ES256),
        ] {
            assert!(!serves(&key(value.clone()), alg), "{value} {alg:?}");
        }
    }
}
