//! The RSA keys that sign access tokens, each named by its thumbprint.

use std::io;
use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jsonwebtoken::crypto::{CryptoProvider, aws_lc};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use zeroize::Zeroizing;

use crate::accounts::secrets::RandomError;
use crate::store::StoreError;

/// The smallest modulus that is accepted (RFC 7518, section 3.3).
const LEAST_BITS: usize = 2048;

/// Why there is no usable signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key is none, or not one of RSA.
    #[error("{from} is no RSA {kind} key in PEM form")]
    NotRsa {
        /// Where the key comes from: a configuration key or a file.
        from: String,
        /// `private` or `public`.
        kind: &'static str,
    },
    /// The modulus is too short to be safe.
    #[error("{from} has {bits} bits, at least {LEAST_BITS} are needed")]
    TooSmall {
        /// Where the key comes from.
        from: String,
        /// Its size.
        bits: usize,
    },
    /// Public and private key do not belong together.
    #[error("OAUTH_PUBLIC_KEY does not belong to OAUTH_PRIVATE_KEY")]
    Mismatch,
    /// There is a public key only.
    #[error("OAUTH_PUBLIC_KEY is set without OAUTH_PRIVATE_KEY")]
    PublicAlone,
    /// A file cannot be read.
    #[error("cannot read signing keys from `{}`", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The library refused what it must be able to do.
    #[error("cannot sign and verify with RSA on this machine")]
    SelfTest,
    /// The keys of the database cannot be opened.
    #[error(
        "the signing keys in the database are sealed with another SECRET_KEY: set that one again, or give them up with \
         `mindflow keys rotate --leaked`"
    )]
    Sealed,
    /// The configured key is not in the ring.
    #[error("OAUTH_PRIVATE_KEY is set, and that key signs; take it away to let MindFlow keep its keys itself")]
    Configured,
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The database failed.
    #[error("the signing keys cannot be read or kept")]
    Store(#[from] StoreError),
}

/// The configured key, if any.
#[derive(Clone, Default)]
pub struct KeySource {
    /// `OAUTH_PRIVATE_KEY`: PEM, with line breaks or the two characters `\n`.
    pub private_pem: Option<String>,
    /// `OAUTH_PUBLIC_KEY`: only compared with the private key, which tells the public one.
    pub public_pem: Option<String>,
}

impl KeySource {
    /// Reads the configured key; `None` when there is none, and the ring of the database is used.
    pub fn read(&self) -> Result<Option<KeySet>, KeyError> {
        match (&self.private_pem, &self.public_pem) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(KeyError::PublicAlone),
            (Some(private), public) => {
                let key = SigningKey::from_pem(private, "OAUTH_PRIVATE_KEY")?;
                if let Some(public) = public {
                    check_pair(&key, public)?;
                }
                KeySet::new(key, Vec::new()).map(Some)
            }
        }
    }
}

/// A private key with its name.
pub struct SigningKey {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: Jwk,
}

impl SigningKey {
    /// Makes an RSA-2048 key and gives it with its PKCS#8 PEM. Takes some 100 ms: call it off the async threads.
    pub fn generate() -> Result<(Self, Zeroizing<String>), KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::SelfTest)?;
        let der = pair.as_der().map_err(|_| KeyError::SelfTest)?;
        let pem = Zeroizing::new(to_pem("PRIVATE KEY", der.as_ref()));
        Ok((Self::from_pem(&pem, "the generated key")?, pem))
    }

    /// Reads a private key (PKCS#8 or PKCS#1 PEM); `from` is named in errors.
    pub fn from_pem(pem: &str, from: &str) -> Result<Self, KeyError> {
        install_provider();
        let refused = || KeyError::NotRsa { from: from.to_owned(), kind: "private" };
        let encoding = EncodingKey::from_rsa_pem(unescape(pem).as_bytes()).map_err(|_| refused())?;
        let pair = KeyPair::from_der(encoding.as_bytes()).map_err(|_| refused())?;
        let bits = pair.public_modulus_len() * 8;
        if bits < LEAST_BITS {
            return Err(KeyError::TooSmall { from: from.to_owned(), bits });
        }
        let mut public = Jwk::from_encoding_key(&encoding, Algorithm::RS256).map_err(|_| refused())?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| refused())?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let decoding = DecodingKey::from_jwk(&public).map_err(|_| refused())?;
        Ok(Self { kid, encoding, decoding, public })
    }

    /// The name in token headers: the key's thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half for a JWK set, with `kid`, `alg` and `use`.
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    pub(crate) const fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(crate) const fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    fn self_test(&self) -> Result<(), KeyError> {
        let signature = jsonwebtoken::crypto::sign(b"mindflow", &self.encoding, Algorithm::RS256);
        let verified = signature.and_then(|signature| {
            jsonwebtoken::crypto::verify(&signature, b"mindflow", &self.decoding, Algorithm::RS256)
        });
        if matches!(verified, Ok(true)) { Ok(()) } else { Err(KeyError::SelfTest) }
    }
}

/// The keys of the server: one signs, all of them verify.
pub struct KeySet {
    number: u64,
    active: SigningKey,
    others: Vec<SigningKey>,
}

impl KeySet {
    /// Makes a set of which `active` signs; proves that it can.
    pub fn new(active: SigningKey, others: Vec<SigningKey>) -> Result<Self, KeyError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        active.self_test()?;
        Ok(Self { number: MADE.fetch_add(1, Ordering::Relaxed), active, others })
    }

    /// Tells this set from every other of this process: what one has proven need not hold under the next.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The key that signs.
    pub const fn active(&self) -> &SigningKey {
        &self.active
    }

    /// The key of that name.
    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.all().find(|key| key.kid == kid)
    }

    /// Whether `active` signs and exactly these others verify.
    pub(super) fn consists_of<'a>(&self, active: &str, others: impl Iterator<Item = &'a str>) -> bool {
        let mut wanted: Vec<&str> = others.collect();
        let mut own: Vec<&str> = self.others.iter().map(SigningKey::kid).collect();
        wanted.sort_unstable();
        own.sort_unstable();
        self.active.kid == active && own == wanted
    }

    /// The public halves, as `/oauth/jwks` gives them (RFC 7517, section 5).
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.all().map(|key| key.public.clone()).collect() }
    }

    /// All keys, the one that signs first.
    pub fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.active).chain(&self.others)
    }
}

fn check_pair(key: &SigningKey, public_pem: &str) -> Result<(), KeyError> {
    let refused = || KeyError::NotRsa { from: "OAUTH_PUBLIC_KEY".to_owned(), kind: "public" };
    let public = DecodingKey::from_rsa_pem(unescape(public_pem).as_bytes()).map_err(|_| refused())?;
    let public = Jwk::from_decoding_key(&public, Some(Algorithm::RS256)).map_err(|_| refused())?;
    let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| refused())?;
    if kid == key.kid { Ok(()) } else { Err(KeyError::Mismatch) }
}

/// Environment variables often carry the two characters `\n` for a line break.
fn unescape(pem: &str) -> String {
    pem.trim().replace("\\r", "").replace("\\n", "\n")
}

fn to_pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + format!("-----END {label}-----\n").as_str()
}

/// jsonwebtoken panics at its first use when features of another crate leave it two providers or none.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that one is installed already; the self-test shows whether it works.
        let _ = CryptoProvider::install_default(&aws_lc::DEFAULT_PROVIDER);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(private: Option<&str>, public: Option<&str>) -> KeySource {
        KeySource { private_pem: private.map(str::to_owned), public_pem: public.map(str::to_owned) }
    }

    fn public_pem(key: &SigningKey) -> String {
        let pair = KeyPair::from_der(key.encoding.as_bytes()).unwrap();
        let public = aws_lc_rs::signature::KeyPair::public_key(&pair);
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'static> = public.as_der().unwrap();
        to_pem("PUBLIC KEY", der.as_ref())
    }

    #[test]
    fn a_configured_key_may_carry_escaped_line_breaks() {
        let (key, pem) = SigningKey::generate().unwrap();
        let (escaped, public) = (pem.replace('\n', "\\n"), public_pem(&key));

        let keys = source(Some(&escaped), Some(&public)).read().unwrap().unwrap();

        assert_eq!(keys.active().kid(), key.kid());
        assert_eq!(keys.active().kid().len(), 43);
        assert!(keys.find("other").is_none());
    }

    #[test]
    fn wrong_keys_are_refused_with_the_reason() {
        let (key, pem) = SigningKey::generate().unwrap();
        let (other, _) = SigningKey::generate().unwrap();
        let error = |private, public| source(private, public).read().err().map(|error| error.to_string());

        let (strange, own) = (public_pem(&other), public_pem(&key));
        assert_eq!(error(Some(&pem), Some(&strange)).unwrap(), "OAUTH_PUBLIC_KEY does not belong to OAUTH_PRIVATE_KEY");
        assert_eq!(error(Some("x"), None).unwrap(), "OAUTH_PRIVATE_KEY is no RSA private key in PEM form");
        assert_eq!(error(Some(&pem), Some("x")).unwrap(), "OAUTH_PUBLIC_KEY is no RSA public key in PEM form");
        assert_eq!(error(Some(&own), None).unwrap(), "OAUTH_PRIVATE_KEY is no RSA private key in PEM form");
        assert_eq!(error(None, Some("x")).unwrap(), "OAUTH_PUBLIC_KEY is set without OAUTH_PRIVATE_KEY");
    }

    #[test]
    fn an_elliptic_key_is_no_rsa_key() {
        let pair = aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING)
            .unwrap();
        let pem = to_pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref());

        assert!(matches!(SigningKey::from_pem(&pem, "it"), Err(KeyError::NotRsa { .. })));
    }

    #[test]
    fn the_name_of_a_key_is_the_thumbprint_of_its_public_half() {
        use base64::Engine as _;
        use sha2::Digest as _;

        let (key, _) = SigningKey::generate().unwrap();
        let jwk = serde_json::to_value(key.public()).unwrap();
        let text = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, jwk["e"], jwk["n"]);

        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(text.as_bytes()));
        assert_eq!(key.kid(), hash);
        assert_eq!((jwk["use"].as_str(), jwk["alg"].as_str()), (Some("sig"), Some("RS256")));
    }
}
