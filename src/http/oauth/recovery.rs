//! `/oauth/verify-email`, `/oauth/reset-password`, `/oauth/forgot-password`: pages behind links of e-mails.
//!
//! `GET` shows a page and uses nothing up. The secret of the link is what a form needs; nothing else is known about who
//! sends it. No address of these pages is passed on to other sites (`Referrer-Policy`).

use poem::Response;
use poem::http::header::REFERRER_POLICY;
use poem::http::{HeaderValue, StatusCode};

use super::call::Call;
use super::door::told;
use super::forms::Visitor;
use super::pages::fields::Faults;
use super::pages::{self, Page, recovery};
use super::{Answer, Services, untrusted};
use crate::accounts::AccountError;
use crate::oauth::OAuthError;

/// What the form to ask for a link is made for.
const STEP: &str = "forgot-password";

/// Asks whether to confirm an address.
pub(super) async fn show_verify(_services: &Services, call: Call) -> Answer {
    let token = call.query.one("token")?.unwrap_or_default();
    Ok(private(if token.is_empty() { recovery::spent("verify") } else { recovery::verify(token) }, StatusCode::OK))
}

/// Confirms an address.
pub(super) async fn verify(services: &Services, call: Call) -> Answer {
    let form = call.form()?;
    let token = form.one("token")?.unwrap_or_default();
    Ok(match services.accounts.verify_email(token, &call.origin).await {
        Ok(()) => private(recovery::verified(), StatusCode::OK),
        Err(AccountError::Invalid(_)) => private(recovery::spent("verify"), StatusCode::UNPROCESSABLE_ENTITY),
        Err(error) => pages::failure(&pages::account_failure(error)),
    })
}

/// Asks for a new password.
pub(super) async fn show_reset(services: &Services, call: Call) -> Answer {
    let token = call.query.one("token")?.unwrap_or_default();
    Ok(match services.accounts.can_reset(token).await {
        Ok(true) => private(recovery::reset(token, &Faults::default()), StatusCode::OK),
        Ok(false) => private(recovery::spent("reset"), StatusCode::OK),
        Err(error) => pages::failure(&pages::account_failure(error)),
    })
}

/// Sets a new password.
pub(super) async fn reset(services: &Services, call: Call) -> Answer {
    let form = call.form()?;
    let (token, new) = (form.one("token")?.unwrap_or_default(), form.one("new_password")?.unwrap_or_default());
    Ok(match services.accounts.reset_password(token, new, &call.origin).await {
        Ok(()) => private(recovery::reset_done(), StatusCode::OK),
        Err(AccountError::Invalid(faults)) => match faults.iter().find(|fault| fault.field == "/new_password") {
            Some(fault) => {
                let text = format!("The password {}.", fault.message);
                let faults = Faults::at("new_password", text);
                private(recovery::reset(token, &faults), StatusCode::UNPROCESSABLE_ENTITY)
            }
            None => private(recovery::spent("reset"), StatusCode::UNPROCESSABLE_ENTITY),
        },
        Err(error) => match told(error) {
            Ok((status, faults)) => faults.paced(private(recovery::reset(token, &faults), status)),
            Err(error) => pages::failure(&error),
        },
    })
}

/// Asks whose password was forgotten.
pub(super) async fn show_forgot(services: &Services, call: Call) -> Answer {
    let shown = async {
        let visitor = Visitor::find(&call, services).await?;
        let token = visitor.token(STEP, "", services)?;
        let page = recovery::forgot(&token, &Faults::default());
        Ok::<_, OAuthError>(page.answer_to(&visitor, StatusCode::OK, &[], services))
    };
    Ok(shown.await.unwrap_or_else(|error| pages::failure(&error)))
}

/// Sends a link to choose a new password, if there is such an account: which is not told.
pub(super) async fn forgot(services: &Services, call: Call) -> Answer {
    let taken = async {
        let (visitor, form) = (Visitor::find(&call, services).await?, call.form()?);
        if let Err(reason) = visitor.check(&call, &form, (STEP, ""), services) {
            return Ok(untrusted(reason, "forgot-password", "../"));
        }
        let email = form.one("email")?.unwrap_or_default();
        Ok::<_, OAuthError>(match services.accounts.forgot_password(email, &call.origin) {
            Ok(()) => private(recovery::sent(), StatusCode::OK),
            Err(_) => private(recovery::no_mail(), StatusCode::SERVICE_UNAVAILABLE),
        })
    };
    Ok(taken.await.unwrap_or_else(|error| pages::failure(&error)))
}

/// A page whose address holds a secret.
pub(super) fn private(page: Page, status: StatusCode) -> Response {
    let mut response = page.answer(status, &[]);
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
