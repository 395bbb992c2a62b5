//! The server's own secret, from which everything is derived that it must seal or sign for itself.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::accounts::secrets::RandomError;
use crate::hex::hex;

/// The fewest bytes of a configured secret.
pub const LEAST_BYTES: usize = 32;
/// The file of the data folder that holds a generated one.
const FILE: &str = "secret.key";
/// Bytes of a nonce of AES-GCM, which stands before what was sealed.
const NONCE_BYTES: usize = 12;

/// The secret. Each use names a purpose, so that what is made for one is worth nothing for another.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<Vec<u8>>);

impl SecretKey {
    /// Takes a configured secret.
    pub fn new(secret: &str) -> Self {
        Self(Zeroizing::new(secret.as_bytes().to_vec()))
    }

    /// Reads the secret of the data folder, or makes one there (mode 0600). Of several processes that start at once, one
    /// makes it.
    ///
    /// # Errors
    ///
    /// When the file can neither be read nor made, or holds too little.
    pub fn load_or_generate(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        if !path.try_exists()? {
            Self::generate(folder, &path)?;
        }
        let text = Zeroizing::new(fs::read_to_string(&path)?);
        if text.trim().len() < LEAST_BYTES {
            let message = format!("`{}` holds less than {LEAST_BYTES} characters", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Self::new(text.trim()))
    }

    /// Reads the secret of the data folder, if there is one; makes none.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or holds too little.
    pub fn load(folder: &Path) -> io::Result<Option<Self>> {
        if folder.join(FILE).try_exists()? { Self::load_or_generate(folder).map(Some) } else { Ok(None) }
    }

    /// Says which secret this is without telling anything of it: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> Option<String> {
        let tag = self.mac("fingerprint", &[]).ok()?;
        Some(hex(tag.get(..8)?))
    }

    /// Encrypts for one purpose (AES-256-GCM under a key derived by HKDF-SHA-256).
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, RandomError> {
        let mut sealed = plain.to_vec();
        let key = self.sealing_key(purpose)?;
        let nonce = key.seal_in_place_append_tag(Aad::empty(), &mut sealed).map_err(|_| RandomError)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Self::seal`] made; `None` when it was made with another secret, for another purpose, or changed.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self.sealing_key(purpose).ok()?.open_in_place(nonce, Aad::empty(), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// HMAC-SHA-256 of the parts, each with its length, for one purpose.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> Result<[u8; 32], RandomError> {
        let tag = hmac::sign(&self.mac_key(purpose)?, &joined(parts));
        tag.as_ref().try_into().map_err(|_| RandomError)
    }

    /// Whether `tag` is the [`Self::mac`] of the parts; takes the same time either way.
    pub fn mac_matches(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.mac_key(purpose).is_ok_and(|key| hmac::verify(&key, &joined(parts), tag).is_ok())
    }

    fn generate(folder: &Path, path: &Path) -> io::Result<()> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| io::Error::other(RandomError))?;
        let draft = folder.join(format!(".{FILE}.{}", uuid::Uuid::now_v7()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        writeln!(file, "{}", URL_SAFE_NO_PAD.encode(bytes.as_slice()))?;
        file.sync_all()?;
        // A link never replaces a file: whoever comes second uses what is there.
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                // Some file systems have no links; there, two first starts at the same moment may have to be repeated.
                tracing::debug!(%error, "the data folder takes no links");
                fs::rename(&draft, path)
            }
            _ => fs::remove_file(&draft),
        }
    }

    fn sealing_key(&self, purpose: &str) -> Result<RandomizedNonceKey, RandomError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.derive("seal", purpose)?.as_ref()).map_err(|_| RandomError)
    }

    fn mac_key(&self, purpose: &str) -> Result<hmac::Key, RandomError> {
        Ok(hmac::Key::new(hmac::HMAC_SHA256, self.derive("mac", purpose)?.as_ref()))
    }

    fn derive(&self, way: &str, purpose: &str) -> Result<Zeroizing<[u8; 32]>, RandomError> {
        let mut key = Zeroizing::new([0_u8; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"mindflow secret key")
            .extract(&self.0)
            .expand(&[way.as_bytes(), b" ", purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|material| material.fill(key.as_mut()))
            .map_err(|_| RandomError)?;
        Ok(key)
    }
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_for_one_purpose_is_worth_nothing_for_another() {
        let (key, other) = (SecretKey::new(&"k".repeat(32)), SecretKey::new(&"l".repeat(32)));
        let sealed = key.seal("one", b"text").unwrap();
        let tag = key.mac("one", &[b"a", b"bc"]).unwrap();

        assert_eq!(key.open("one", &sealed).unwrap().as_slice(), b"text");
        assert!(key.open("two", &sealed).is_none() && other.open("one", &sealed).is_none());
        assert!(key.open("one", &sealed[..5]).is_none());
        assert!(key.mac_matches("one", &[b"a", b"bc"], &tag));
        assert!(!key.mac_matches("one", &[b"ab", b"c"], &tag) && !key.mac_matches("two", &[b"a", b"bc"], &tag));
    }

    #[test]
    fn a_generated_secret_stays_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();

        let first = SecretKey::load_or_generate(folder.path()).unwrap();
        let second = SecretKey::load_or_generate(folder.path()).unwrap();

        assert_eq!(first.0, second.0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_that_is_too_short_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "short").unwrap();

        assert!(SecretKey::load_or_generate(folder.path()).is_err());
    }
}
