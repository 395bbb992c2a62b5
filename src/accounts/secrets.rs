//! Secrets that clients hold: random texts, of which only the hash is stored.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What every personal access token begins with, so that scanners find leaked ones.
pub const PERSONAL_TOKEN_PREFIX: &str = "mf_";
/// Bytes of a nonce of AES-GCM, which stands before what was sealed.
const NONCE_BYTES: usize = 12;

/// The SHA-256 of a secret: 256 random bits need no slow hash.
pub type SecretHash = [u8; 32];

/// Randomness or encryption failed, which only a broken machine does.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system's source of randomness failed")]
pub struct RandomError;

/// Makes a secret of 256 random bits: `prefix` and 43 characters of base64url.
pub fn random_secret(prefix: &str) -> Result<String, RandomError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| RandomError)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// The hash under which a secret is stored and found.
pub fn hash_secret(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// Encrypts `text` so that only who holds `secret` can read it (AES-256-GCM under a key derived by HKDF-SHA-256).
pub fn seal(secret: &str, text: &str) -> Result<Vec<u8>, RandomError> {
    let mut sealed = text.as_bytes().to_vec();
    let nonce = key_of(secret)?.seal_in_place_append_tag(Aad::empty(), &mut sealed).map_err(|_| RandomError)?;
    Ok([nonce.as_ref().as_slice(), &sealed].concat())
}

/// Decrypts what [`seal`] made; `None` when it was made with another secret or changed.
pub fn open(secret: &str, sealed: &[u8]) -> Option<String> {
    let (nonce, text) = sealed.split_at_checked(NONCE_BYTES)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = text.to_vec();
    let plain = key_of(secret).ok()?.open_in_place(nonce, Aad::empty(), &mut text).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

fn key_of(secret: &str) -> Result<RandomizedNonceKey, RandomError> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"mindflow");
    let mut key = Zeroizing::new([0_u8; 32]);
    salt.extract(secret.as_bytes())
        .expand(&[b"refresh answer"], hkdf::HKDF_SHA256)
        .and_then(|material| material.fill(key.as_mut()))
        .map_err(|_| RandomError)?;
    RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| RandomError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, two) = (random_secret(PERSONAL_TOKEN_PREFIX).unwrap(), random_secret("").unwrap());

        assert!(one.starts_with("mf_") && one.len() == 46 && two.len() == 43);
        assert_ne!(hash_secret(&one), hash_secret(&two));
    }

    #[test]
    fn what_is_sealed_opens_with_its_secret_alone() {
        let sealed = seal("key", "answer").unwrap();
        let mut changed = sealed.clone();
        changed[13] ^= 1;

        assert_eq!(open("key", &sealed).as_deref(), Some("answer"));
        assert_eq!(open("kez", &sealed), None);
        assert_eq!(open("key", &changed), None);
        assert_eq!(open("key", &sealed[..11]), None);
        assert_ne!(seal("key", "answer").unwrap(), sealed, "a nonce is used once");
    }
}
