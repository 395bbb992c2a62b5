//! `/oauth/unsubscribe`: the link in mails of the morning, which ends them without a sign-in.
//!
//! `GET` shows a page with a button and ends nothing, as mail scanners follow links. `POST` to the same address ends them: by
//! the button, or by a mail program (RFC 8058, List-Unsubscribe=One-Click), which has no cookie.

use poem::http::StatusCode;

use super::call::Call;
use super::pages::{self, recovery};
use super::recovery::private;
use super::{Answer, Services};
use crate::accounts::AccountError;

/// Asks whether to end the mails.
pub(super) async fn show(_services: &Services, call: Call) -> Answer {
    let token = call.query.one("token")?.unwrap_or_default();
    Ok(private(recovery::unsubscribe(token), StatusCode::OK))
}

/// Ends them.
pub(super) async fn submit(services: &Services, call: Call) -> Answer {
    let token = call.query.one("token")?.unwrap_or_default();
    Ok(match services.accounts.unsubscribe(token, &call.origin).await {
        Ok(()) => private(recovery::unsubscribed(), StatusCode::OK),
        Err(AccountError::Invalid(_)) => private(recovery::no_such_link(), StatusCode::UNPROCESSABLE_ENTITY),
        Err(error) => pages::failure(&pages::account_failure(error)),
    })
}
