//! A program that asks on behalf of people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::redirect::{self, RedirectKind};
use super::scope::{OAuthScope, OAuthScopes};
use crate::clock::Timestamp;
use crate::ids::ClientRef;
use crate::store::oauth_clients::ClientRecord;
use crate::store::{StoreError, StoreResult};

/// How a client came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// An operator made it.
    Static,
    /// It registered itself (RFC 7591).
    Registered,
    /// It is described by the document at its `client_id` (Client ID Metadata Documents).
    Document,
}

impl ClientKind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Registered => "registered",
            Self::Document => "document",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Static, Self::Registered, Self::Document].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How a client proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthMethod {
    /// Not at all: a public client.
    #[serde(rename = "none")]
    None,
    /// A secret in the header `Authorization: Basic` (RFC 6749, section 2.3.1).
    #[serde(rename = "client_secret_basic")]
    SecretBasic,
    /// A secret in the body (RFC 6749, section 2.3.1).
    #[serde(rename = "client_secret_post")]
    SecretPost,
    /// A signed assertion (RFC 7523).
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    /// The name in metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// What a client says of itself (RFC 7591, section 2), as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientMetadata {
    /// Where answers may be sent.
    pub redirect_uris: Vec<String>,
    /// The grant types it may use.
    pub grant_types: Vec<String>,
    /// The scopes it may ask for, separated by blanks; `None` when it named none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its logo; never fetched by this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Its privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Whom to write to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// The only algorithm of its assertions; `None` is any that this server takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// Its public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where its public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// `web` or `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    /// Its own name for this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

/// A client that is known.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its row.
    pub id: ClientRef,
    /// Its name in the protocol.
    pub client_id: String,
    /// How it came to be known.
    pub kind: ClientKind,
    /// What people call it.
    pub name: String,
    /// How it proves who it is; more than one only for documents that list several.
    pub auth_methods: Vec<AuthMethod>,
    /// SHA-256 of its secret.
    pub secret_hash: Option<[u8; 32]>,
    /// What it says of itself.
    pub metadata: ClientMetadata,
    /// The scopes it may ask for.
    pub scopes: OAuthScopes,
    /// SHA-256 of the token that manages its registration (RFC 7592).
    pub registration_token_hash: Option<[u8; 32]>,
    /// When it was made or first seen.
    pub created_at: Timestamp,
    /// When it was last seen to be used, give or take an hour; `None` until then.
    pub last_used_at: Option<Timestamp>,
    /// Of a registered client that was never used: when it is forgotten. Of a document: when it is fetched again.
    pub expires_at: Option<Timestamp>,
    /// Of a document: when it was fetched.
    pub fetched_at: Option<Timestamp>,
}

impl Client {
    /// Whether nobody vouched for it.
    pub fn is_self_registered(&self) -> bool {
        self.kind != ClientKind::Static
    }

    /// Whether anybody on the person's device could pretend to be it: one of its redirects leads there (RFC 8252,
    /// section 8.6), so consent is asked each time.
    pub fn is_native(&self) -> bool {
        self.metadata.redirect_uris.iter().any(|uri| RedirectKind::parse(uri).is_ok_and(RedirectKind::is_native))
    }

    /// Whether answers may be sent to `uri`: one of its redirect URIs, exactly, but for the port of a loopback one.
    pub fn allows_redirect(&self, uri: &str) -> bool {
        self.metadata.redirect_uris.iter().any(|own| redirect::matches(own, uri))
    }

    /// Whether it may use a grant type.
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.metadata.grant_types.iter().any(|own| own == grant_type)
    }

    /// Whether it can be used without a proof of who it is.
    pub fn is_public(&self) -> bool {
        self.auth_methods.contains(&AuthMethod::None)
    }
}

/// The scopes that a client may ask for: those it named or all, but to operate the server only when an operator said so.
fn scopes_of(kind: ClientKind, metadata: &ClientMetadata) -> OAuthScopes {
    match (kind, &metadata.scope) {
        (ClientKind::Static, Some(scope)) => OAuthScopes::parse_known(scope),
        (_, Some(scope)) => OAuthScopes::parse_known(scope).without(OAuthScope::Admin),
        (_, None) => OAuthScope::ALL.into_iter().collect::<OAuthScopes>().without(OAuthScope::Admin),
    }
}

impl TryFrom<ClientRecord> for Client {
    type Error = StoreError;

    fn try_from(row: ClientRecord) -> StoreResult<Self> {
        let kind = ClientKind::parse(&row.kind).ok_or_else(|| StoreError::corrupt("kind", &row.kind))?;
        let metadata: ClientMetadata =
            serde_json::from_str(&row.metadata).map_err(|_| StoreError::corrupt("metadata", &row.metadata))?;
        let methods = row.auth_method.split(' ').map(AuthMethod::parse).collect::<Option<Vec<_>>>();
        let hash = |bytes: Option<Vec<u8>>| -> StoreResult<Option<[u8; 32]>> {
            bytes.map(|bytes| bytes.try_into().map_err(|_| StoreError::corrupt("hash", &row.client_id))).transpose()
        };
        Ok(Self {
            id: ClientRef(row.id),
            kind,
            name: row.name,
            auth_methods: methods.ok_or_else(|| StoreError::corrupt("auth_method", &row.auth_method))?,
            secret_hash: hash(row.secret_hash)?,
            registration_token_hash: hash(row.registration_token_hash)?,
            scopes: scopes_of(kind, &metadata),
            metadata,
            created_at: Timestamp::from_micros(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
            expires_at: row.expires_at.map(Timestamp::from_micros),
            fetched_at: row.fetched_at.map(Timestamp::from_micros),
            client_id: row.client_id,
        })
    }
}
