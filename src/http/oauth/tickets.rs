//! Between the password and the second factor: a sealed note in the form that the password was right.
//!
//! It is worth something for five minutes, in the browser it was made for, and only as long as the password stays.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Services;
use super::pages::account_failure;
use crate::accounts::Proven;
use crate::accounts::secrets::hash_secret;
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::oauth::OAuthError;

const PURPOSE: &str = "second factor";
const LIFE: Duration = Duration::from_mins(5);

#[derive(Serialize, Deserialize)]
struct Ticket {
    user: Uuid,
    /// Of the password's hash.
    fingerprint: [u8; 32],
    methods: String,
    cookie: [u8; 32],
    expires_at: i64,
}

/// Notes that somebody proved who they are, but for the second factor.
pub(super) fn make(proven: &Proven, cookie: &str, services: &Services) -> Result<String, OAuthError> {
    let ticket = Ticket {
        user: proven.user_id().0,
        fingerprint: proven.fingerprint(),
        methods: proven.methods().to_owned(),
        cookie: hash_secret(cookie),
        expires_at: services.clock.now().plus(LIFE).as_micros(),
    };
    let plain = serde_json::to_vec(&ticket).map_err(OAuthError::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(services.secret.seal(PURPOSE, &plain)?))
}

/// Who it was, if the note is still worth something.
pub(super) async fn redeem(text: &str, cookie: &str, services: &Services) -> Result<Option<Proven>, OAuthError> {
    let sealed = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let ticket = services.secret.open(PURPOSE, &sealed).and_then(|plain| serde_json::from_slice::<Ticket>(&plain).ok());
    let good = |ticket: &Ticket| {
        ticket.cookie == hash_secret(cookie) && services.clock.now() < Timestamp::from_micros(ticket.expires_at)
    };
    let Some(ticket) = ticket.filter(good) else { return Ok(None) };
    let again = services.accounts.prove_again(UserId(ticket.user), ticket.fingerprint, ticket.methods).await;
    again.map_err(account_failure)
}
