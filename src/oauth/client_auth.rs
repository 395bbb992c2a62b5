//! How clients prove who they are (RFC 6749, section 2.3; RFC 7523, section 2.2).

use std::borrow::Cow;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use super::client::{AuthMethod, Client};
use super::clients::Clients;
use super::{ErrorCode, OAuthError, assertions};
use crate::accounts::secrets::{SecretHash, hash_secret};

/// What a secret is compared with when there is none, so that it takes the same time.
const NO_SECRET: SecretHash = [0; 32];

/// What a request shows of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientProof<'a> {
    /// A name alone.
    Name(Cow<'a, str>),
    /// Name and secret in the header `Authorization`.
    Basic {
        /// The client's name.
        client_id: Cow<'a, str>,
        /// The secret.
        secret: Cow<'a, str>,
    },
    /// Name and secret in the body.
    Post {
        /// The client's name.
        client_id: Cow<'a, str>,
        /// The secret.
        secret: Cow<'a, str>,
    },
    /// A signed assertion, which says the name itself.
    Assertion {
        /// The client's name, if it is said beside the assertion too.
        client_id: Option<Cow<'a, str>>,
        /// The JWT.
        assertion: Cow<'a, str>,
    },
}

impl ClientProof<'_> {
    const fn method(&self) -> AuthMethod {
        match self {
            Self::Name(_) => AuthMethod::None,
            Self::Basic { .. } => AuthMethod::SecretBasic,
            Self::Post { .. } => AuthMethod::SecretPost,
            Self::Assertion { .. } => AuthMethod::PrivateKeyJwt,
        }
    }
}

/// Told to whoever is not the client they say they are, whatever the reason: which clients there are is not told.
pub(super) fn refused() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, "client authentication failed")
}

impl Clients {
    /// The client behind a request to the endpoint at `endpoint_url`.
    ///
    /// A client may only use what it registered: a secret in the body is refused where it said header, and a name alone
    /// wherever it has something better.
    ///
    /// # Errors
    ///
    /// `invalid_client`, the same and after the same work for unknown clients and for wrong proofs.
    pub async fn authenticate(&self, proof: ClientProof<'_>, endpoint_url: &str) -> Result<Arc<Client>, OAuthError> {
        let method = proof.method();
        match &proof {
            ClientProof::Name(client_id) => {
                let client = self.find_for_proof(client_id).await?;
                client.filter(|client| client.auth_methods.contains(&method)).ok_or_else(refused)
            }
            ClientProof::Basic { client_id, secret } | ClientProof::Post { client_id, secret } => {
                let client = self.find_for_proof(client_id).await?;
                let stored = client.as_ref().and_then(|client| client.secret_hash);
                let right = hash_secret(secret).ct_eq(&stored.unwrap_or(NO_SECRET));
                let right = bool::from(right) && stored.is_some();
                client.filter(|client| right && client.auth_methods.contains(&method)).ok_or_else(refused)
            }
            ClientProof::Assertion { client_id, assertion } => {
                let claimed = assertions::claimed_client(assertion).ok_or_else(refused)?;
                if client_id.as_ref().is_some_and(|client_id| **client_id != claimed) {
                    return Err(refused());
                }
                let client = self.find_for_proof(&claimed).await?;
                let client = client.filter(|client| client.auth_methods.contains(&method)).ok_or_else(refused)?;
                self.check_assertion(&client, assertion, endpoint_url).await?;
                Ok(client)
            }
        }
    }

    /// The client of that name, if there is one.
    async fn find_for_proof(&self, client_id: &str) -> Result<Option<Arc<Client>>, OAuthError> {
        match self.find(client_id).await {
            Ok(client) => Ok(Some(client)),
            Err(error) if error.code == ErrorCode::InvalidClient => Ok(None),
            Err(error) => Err(error),
        }
    }
}
