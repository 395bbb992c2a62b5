//! The way in: what people go through before a page that is for somebody who is signed in.
//!
//! The pages keep nothing on the server: what waits behind the door stands in the URL that the forms are sent to.

use poem::Response;
use poem::http::StatusCode;
use url::form_urlencoded;

use super::Services;
use super::answers::see_other;
use super::call::{Call, Pairs};
use super::forms::Visitor;
use super::pages::fields::Faults;
use super::pages::passkeys::Scripted;
use super::pages::sign_in::{self, Doorstep, Wishes};
use super::pages::{self, set_cookie};
use super::upstream::ANEW;
use super::{cookies, passkeys, tickets};
use crate::accounts::passkeys::Asking;
use crate::accounts::passkeys::sign_in::ShownPasskey;
use crate::accounts::registration::NewAccount;
use crate::accounts::{AccountError, Proven};
use crate::config::Registration;
use crate::fault::Fault;
use crate::oauth::OAuthError;

/// The steps of the way in; each is the value of `step` in its form.
pub(super) const STEPS: [&str; 4] = ["sign-in", "passkey", "second-factor", "sign-up"];

/// What waits behind the door.
pub(super) struct Door<'a> {
    pub(super) services: &'a Services,
    pub(super) call: &'a Call,
    pub(super) visitor: &'a Visitor,
    /// Where forms are sent, from the page's own folder.
    pub(super) action: String,
    /// Where the browser goes once somebody is signed in.
    pub(super) next: String,
    /// The page to sign in on.
    pub(super) sign_in: String,
    /// The page to make an account on.
    pub(super) sign_up: String,
    /// The application that waits.
    pub(super) client: Option<&'a str>,
    /// The URLs to which all this leads in the end.
    pub(super) destinations: Vec<&'a str>,
    /// The way to the server's root.
    pub(super) root: &'static str,
}

/// A page, or why there is none.
pub(super) type Shown = Result<Response, OAuthError>;

impl Door<'_> {
    /// Shows the page to sign in on.
    pub(super) fn ask(&self, email: &str) -> Shown {
        self.show_sign_in(email, &Faults::default(), StatusCode::OK)
    }

    /// Shows the page to make an account on; where nobody may, the one to sign in on.
    pub(super) fn ask_new(&self, email: &str) -> Shown {
        let invite = match self.services.accounts.registration() {
            Registration::Open => None,
            Registration::Invite => Some(""),
            Registration::Closed => return self.ask(email),
        };
        let wishes = Wishes { email, full_name: "", invite };
        self.show("sign-up", &Faults::default(), StatusCode::OK, |door| sign_in::sign_up(door, wishes))
    }

    /// Takes a form of one of the [`STEPS`], whose token was checked.
    pub(super) async fn take(&self, step: &str, form: &Pairs) -> Shown {
        match step {
            "passkey" => self.take_passkey(form).await,
            "second-factor" => self.take_code(form).await,
            "sign-up" => self.take_new_account(form).await,
            _ => self.take_password(form).await,
        }
    }

    async fn take_password(&self, form: &Pairs) -> Shown {
        let email = form.one("email")?.unwrap_or_default().trim();
        let password = form.one("password")?.unwrap_or_default();
        let missing = Faults::of("Enter your e-mail address and your password.");
        if email.is_empty() || password.is_empty() {
            return self.show_sign_in(email, &missing, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let accounts = &self.services.accounts;
        let proven = match accounts.prove_password(email, password, &self.call.origin).await {
            Ok(proven) => proven,
            Err(error) => {
                let (status, faults) = told(error)?;
                return self.show_sign_in(email, &faults, status);
            }
        };
        self.enter(proven).await
    }

    /// A passkey stands for both factors.
    async fn take_passkey(&self, form: &Pairs) -> Shown {
        let credential = passkeys::credential_of(form)?;
        let shown = ShownPasskey { ceremony: form.one("ceremony")?.unwrap_or_default(), credential: &credential };
        let (accounts, asking) = (&self.services.accounts, Asking::Browser(&self.visitor.cookie));
        match accounts.prove_passkey(asking, shown, &self.call.origin).await {
            Ok(proven) => self.admit(proven).await,
            Err(error) => {
                let (status, faults) = told(error)?;
                self.show_sign_in("", &faults, status)
            }
        }
    }

    /// Lets somebody in who proved who they are, after their second factor where they have one.
    pub(super) async fn enter(&self, proven: Proven) -> Shown {
        let needed = self.services.accounts.second_factor_needed(proven.user_id()).await;
        if needed.map_err(pages::account_failure)? {
            let ticket = tickets::make(&proven, &self.visitor.cookie, self.services)?;
            return self.show_second_factor(&ticket, &Faults::default(), StatusCode::OK);
        }
        self.admit(proven).await
    }

    async fn take_code(&self, form: &Pairs) -> Shown {
        let (ticket, code) = (form.one("ticket")?.unwrap_or_default(), form.one("code")?.unwrap_or_default());
        let Some(proven) = tickets::redeem(ticket, &self.visitor.cookie, self.services).await? else {
            let faults = Faults::of("That took too long. Please sign in again.");
            return self.show_sign_in("", &faults, StatusCode::UNPROCESSABLE_ENTITY);
        };
        let accounts = &self.services.accounts;
        match accounts.check_second_factor(proven.user_id(), code, &self.call.origin).await {
            Ok(()) => self.admit(proven.and("otp")).await,
            Err(error) => {
                let (status, faults) = told(error)?;
                self.show_second_factor(ticket, &faults, status)
            }
        }
    }

    async fn take_new_account(&self, form: &Pairs) -> Shown {
        let text = |name| Ok::<_, OAuthError>(form.one(name)?.unwrap_or_default());
        let (email, full_name) = (text("email")?.trim(), text("full_name")?.trim());
        let (password, invite) = (text("password")?, form.one("invite")?);
        let new = NewAccount {
            email: email.to_owned(),
            password: password.to_owned(),
            full_name: (!full_name.is_empty()).then(|| full_name.to_owned()),
            time_zone: None,
        };
        let accounts = &self.services.accounts;
        let made = match accounts.register(new, invite, &self.call.origin).await {
            Ok(_) => accounts.prove_password(email, password, &self.call.origin).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(proven) => self.admit(proven).await,
            Err(error) => {
                let (status, faults) = told(error)?;
                let needs_invite = accounts.registration() == Registration::Invite;
                let invite = needs_invite.then(|| invite.unwrap_or_default());
                let wishes = Wishes { email, full_name, invite };
                self.show("sign-up", &faults, status, |door| sign_in::sign_up(door, wishes))
            }
        }
    }

    /// Signs the browser in, with a new cookie, and sends it on.
    pub(super) async fn admit(&self, proven: Proven) -> Shown {
        let shown = self.visitor.known.then_some(self.visitor.cookie.as_str());
        let begun = self.services.accounts.begin_browser(proven, shown, &self.call.origin).await;
        match begun {
            Ok(cookie) => Ok(set_cookie(see_other(&self.next), &cookies::signed_in(&cookie, self.services))),
            Err(error) => {
                let (status, faults) = told(error)?;
                self.show_sign_in("", &faults, status)
            }
        }
    }

    fn show_sign_in(&self, email: &str, faults: &Faults, status: StatusCode) -> Shown {
        self.show("sign-in", faults, status, |door| sign_in::sign_in(door, email))
    }

    fn show_second_factor(&self, ticket: &str, faults: &Faults, status: StatusCode) -> Shown {
        self.show("second-factor", faults, status, |door| sign_in::second_factor(door, ticket))
    }

    /// The ways in through other providers: name and link. What waits behind the door goes along.
    fn upstreams(&self) -> Vec<(String, String)> {
        let path = self.next.strip_prefix(&*self.services.issuer).unwrap_or_default();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("return_to", path);
        if self.asks_anew() {
            query.append_pair(ANEW, "");
        }
        let query = query.finish();
        let link = |id: &str| format!("{}oauth/upstream/{id}?{query}", self.root);
        let buttons = self.services.upstreams.buttons().into_iter();
        buttons.map(|button| (button.name.to_owned(), link(button.id))).collect()
    }

    /// Whether what waits behind the door wants a sign-in of now (OpenID Connect Core, section 3.1.2.1).
    fn asks_anew(&self) -> bool {
        let prompt = self.call.query.one("prompt").ok().flatten().unwrap_or_default();
        prompt.split(' ').any(|word| word == "login") || self.call.query.has("max_age")
    }

    fn show(
        &self,
        step: &str,
        faults: &Faults,
        status: StatusCode,
        page: impl FnOnce(&Doorstep<'_>) -> pages::Page,
    ) -> Shown {
        let token = self.visitor.token(step, "", self.services)?;
        let open = self.services.accounts.registration() != Registration::Closed;
        let (passkey, origin) = (self.visitor.token("passkey", "", self.services)?, passkeys::origin_of(self.services));
        let passkey = Scripted { token: &passkey, server: &self.services.issuer, origin: &origin };
        let doorstep = Doorstep {
            action: &self.action,
            token: &token,
            client: self.client,
            sign_in: &self.sign_in,
            sign_up: open.then_some(&*self.sign_up),
            upstreams: &self.upstreams(),
            passkey: self.services.accounts.takes_passkeys().is_ok().then_some(passkey),
            faults,
            root: self.root,
        };
        Ok(faults.paced(page(&doorstep).answer_to(self.visitor, status, &self.destinations, self.services)))
    }
}

/// What somebody at the door is told.
pub(super) fn told(error: AccountError) -> Result<(StatusCode, Faults), OAuthError> {
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(match error {
        AccountError::Invalid(faults) => (refused, of_fields(&faults)),
        AccountError::EmailTaken => {
            (refused, Faults::at("email", "There is an account with this e-mail address already."))
        }
        AccountError::RegistrationClosed => (refused, Faults::of("This server’s operator makes the accounts here.")),
        AccountError::InviteNeeded => {
            (refused, Faults::at("invite", "This is not an unused invitation code of this server."))
        }
        AccountError::WrongCredentials => (refused, Faults::of("The e-mail address or the password is wrong.")),
        AccountError::PasskeyRefused => {
            (refused, Faults::of("Nobody can sign in with this passkey. Use another one, or your password."))
        }
        AccountError::CeremonyOver => (refused, Faults::of("That took too long. Please try again.")),
        AccountError::NoPasskeys(_) => (refused, Faults::of("This server cannot have passkeys.")),
        AccountError::WrongCode => (refused, Faults::of("The code is wrong, or was used already.")),
        AccountError::TooManyAttempts(attempts) => {
            let faults = Faults::of("There were too many attempts. Wait some minutes, then try again.");
            (StatusCode::TOO_MANY_REQUESTS, Faults { wait_seconds: Some(attempts.wait_seconds), ..faults })
        }
        error => return Err(pages::account_failure(error)),
    })
}

/// The faults of an input, each told at its field.
fn of_fields(faults: &[Fault]) -> Faults {
    const FIELDS: [(&str, &str, &str); 3] = [
        ("/email", "email", "The e-mail address"),
        ("/password", "password", "The password"),
        ("/full_name", "full_name", "The name"),
    ];
    let known = faults.iter().filter_map(|fault| {
        let (_, name, label) = FIELDS.iter().find(|(path, ..)| *path == fault.field)?;
        Some((*name, format!("{label} {}.", fault.message)))
    });
    let fields: Vec<_> = known.collect();
    let summary = match fields.as_slice() {
        [(_, only)] => only.clone(),
        [] => "Something that was filled in is not allowed.".to_owned(),
        several => format!("{} fields need another look.", several.len()),
    };
    Faults { fields, ..Faults::of(summary) }
}
