//! `/oauth/sign-out`: signs a browser out, after a question.

use poem::http::StatusCode;

use super::answers::see_other;
use super::call::Call;
use super::forms::{Untrusted, Visitor};
use super::pages::{self, notice, set_cookie};
use super::{Answer, Services, cookies, untrusted};

const STEP: &str = "sign-out";

/// Asks whether to sign out.
pub(super) async fn show(services: &Services, call: Call) -> Answer {
    let shown = async {
        let visitor = Visitor::find(&call, services).await?;
        let Some(browser) = &visitor.browser else { return Ok(notice::signed_out().answer(StatusCode::OK, &[])) };
        let token = visitor.token(STEP, "", services)?;
        Ok(notice::sign_out(&browser.email, &token).answer_to(&visitor, StatusCode::OK, &[], services))
    };
    Ok(shown.await.unwrap_or_else(|error| pages::failure(&error)))
}

/// Signs out.
pub(super) async fn submit(services: &Services, call: Call) -> Answer {
    let done = async {
        let (visitor, form) = (Visitor::find(&call, services).await?, call.form()?);
        let here = format!("{}/oauth/sign-out", services.issuer);
        match visitor.check(&call, &form, (STEP, ""), services) {
            // Nobody is signed in: there is nothing to protect.
            Err(Untrusted::Stale) if visitor.browser.is_none() => {}
            Err(reason) => return Ok(untrusted(reason, &here, "../")),
            Ok(()) => {
                let ended = services.accounts.end_browser(&visitor.cookie, &call.origin).await;
                ended.map_err(pages::account_failure)?;
            }
        }
        Ok(set_cookie(see_other(&here), &cookies::gone(services)))
    };
    Ok(done.await.unwrap_or_else(|error| pages::failure(&error)))
}
