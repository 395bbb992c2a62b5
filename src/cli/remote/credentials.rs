//! What `mindflow login` keeps: a file in the user's configuration folder that nobody else can read.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use oauth2::TokenResponse as _;
use oauth2::basic::BasicTokenResponse;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

const FILE: &str = "credentials.json";
/// A token that ends sooner than this is refreshed before it is used.
const MARGIN: Duration = Duration::from_secs(30);

/// Who is signed in where.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Credentials {
    /// The server of the last login.
    pub(super) current: Option<String>,
    /// By the server's public URL.
    #[serde(default)]
    pub(super) servers: BTreeMap<String, Credential>,
    #[serde(skip)]
    folder: PathBuf,
}

/// A sign-in at one server.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Credential {
    /// Which client this program is there.
    pub(super) client_id: String,
    /// For requests.
    pub(super) access_token: String,
    /// For the next access token.
    pub(super) refresh_token: Option<String>,
    /// When the access token ends, in seconds since the epoch.
    pub(super) expires_at: i64,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Credential {
    pub(super) fn new(client_id: String, tokens: &BasicTokenResponse, now: Timestamp) -> Self {
        let mut credential = Self { client_id, access_token: String::new(), refresh_token: None, expires_at: 0 };
        credential.renew(tokens, now);
        credential
    }

    /// Takes new tokens.
    pub(super) fn renew(&mut self, tokens: &BasicTokenResponse, now: Timestamp) {
        let life = tokens.expires_in().unwrap_or(Duration::from_hours(1));
        tokens.access_token().secret().clone_into(&mut self.access_token);
        self.expires_at = now.plus(life).as_seconds();
        if let Some(token) = tokens.refresh_token() {
            self.refresh_token = Some(token.secret().clone());
        }
    }

    /// Whether the access token has ended, or nearly so.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        now.plus(MARGIN).as_seconds() >= self.expires_at
    }
}

impl Credentials {
    /// Reads the file of this folder; where there is none, nobody is signed in.
    pub(super) fn load(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let read = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("`{}` is damaged", path.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        };
        Ok(Self { folder: folder.to_owned(), ..read })
    }

    pub(super) fn put(&mut self, server: &str, credential: Credential) {
        self.servers.insert(server.to_owned(), credential);
        self.current = Some(server.to_owned());
    }

    pub(super) fn remove(&mut self, server: &str) {
        self.servers.remove(server);
        if self.current.as_deref() == Some(server) {
            self.current = self.servers.keys().next().cloned();
        }
    }

    /// Writes the file anew, whole or not at all, for this user alone.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let path = self.folder.join(FILE);
        self.write(&path).with_context(|| format!("`{}` cannot be written", path.display()))
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)?;
        let draft = self.folder.join(format!(".{FILE}.{}", std::process::id()));
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        Ok(fs::rename(&draft, path)?)
    }
}
