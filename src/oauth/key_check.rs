//! A look at the ring of signing keys that changes nothing, for whoever checks a deployment.

use super::key_shelf::{Kept, KeyShelf};
use super::keys::KeyError;
use crate::secret_key::SecretKey;
use crate::store::Store;

/// A key of the ring, and whether it can be used.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The key.
    pub kept: Kept,
    /// Whether the server's secret opens it.
    pub opens: bool,
}

/// Looks at every key of the database, the oldest first. An empty ring stays empty.
///
/// # Errors
///
/// When the database cannot be read.
pub async fn examine(store: Store, secret: SecretKey) -> Result<Vec<Examined>, KeyError> {
    let shelf = KeyShelf::new(store, secret);
    let kept = shelf.list().await?;
    Ok(kept.into_iter().map(|kept| Examined { opens: shelf.open(&kept).is_ok(), kept }).collect())
}
