//! Letters to people about their accounts.

use super::Accounts;
use super::error::AccountError;
use crate::ids::UserId;
use crate::mail::{Letter, Message, Post};
use crate::store::Tx;
use crate::store::accounts::UserRecord;

impl Accounts {
    /// Lets somebody know by mail of what was done just before.
    pub(super) async fn tell(&self, user: UserId, message: Message) -> Result<(), AccountError> {
        let post = self.post.clone();
        self.store.write(move |tx| Box::pin(async move { tell(&post, tx, user, message).await })).await?;
        self.post.wake();
        Ok(())
    }
}

/// Lets somebody know by mail, if the transaction is kept.
pub(super) async fn tell(post: &Post, tx: &mut Tx<'_>, user: UserId, message: Message) -> Result<(), AccountError> {
    match tx.lock_user(user).await? {
        Some(row) => post.put(tx, letter_to(&row, message)).await,
        None => Ok(()),
    }
}

/// A letter to a person.
pub(super) fn letter_to(row: &UserRecord, message: Message) -> Letter {
    Letter::new(UserId(row.id), &row.email, message).named(row.full_name.clone())
}
