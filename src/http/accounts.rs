//! `/api/auth`: accounts, sign-in, profile, sessions, tokens and activity.

mod bodies;
mod errors;
mod examples;
pub mod identities;
pub(in crate::http) mod origin;
pub mod passkeys;
pub mod recovery;
pub mod second_factor;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json as Body, Response};
use poem_openapi::{ApiResponse, OpenApi, Tags};
use uuid::Uuid;

use self::bodies::{ChangePassword, CreateToken, DeleteMe, Login, Logout, RefreshSession, Register, UpdateMe};
use self::origin::RequestOrigin;
use self::views::{ActivityPageView, CreatedTokenView, SessionPageView, SignedInView, TokenPageView, UserView};
use super::auth::{Reader, Writer};
use super::checked::Checked;
use super::payload::Json;
use super::problem::ApiError;
use crate::accounts::pages::Paging;
use crate::accounts::{Accounts, User};
use crate::fault::Purpose;
use crate::ids::{SessionId, TokenId};

/// The operations of accounts.
pub struct AccountsApi {
    accounts: Arc<Accounts>,
}

#[derive(Tags)]
enum Tag {
    /// Accounts and how to get in: registration, sign-in, profile and preferences, sessions, personal access tokens,
    /// and what happened.
    Accounts,
}

#[derive(ApiResponse)]
enum Registered {
    /// The new account.
    #[oai(status = 201)]
    User(Json<UserView>, #[oai(header = "Location")] String),
}

#[derive(ApiResponse)]
enum TokenCreated {
    /// The new token. Its text is never shown again.
    #[oai(status = 201)]
    Token(Json<CreatedTokenView>, #[oai(header = "Location")] String),
}

#[derive(ApiResponse)]
enum Done {
    /// It is done.
    #[oai(status = 204)]
    Done,
}

impl AccountsApi {
    /// Answers from `accounts`.
    pub const fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }

    fn show(&self, user: User) -> UserView {
        let preferences = self.accounts.preferences(&user);
        UserView::new(user, preferences)
    }
}

#[OpenApi(prefix_path = "/api/auth", tag = "Tag::Accounts")]
impl AccountsApi {
    /// Register
    ///
    /// Makes an account. The e-mail address is unique, in upper and lower case alike. A password has 12 or more
    /// characters, or 8 to 11 that are not easily guessed.
    ///
    /// - 403: Registration is closed, or needs an invitation.
    /// - 409: There is an account with this e-mail address already.
    #[oai(path = "/register", method = "post", operation_id = "register")]
    async fn register(&self, body: Checked<Register>, origin: RequestOrigin) -> Result<Registered, ApiError> {
        let (new, invite) = body.held_against(|body| body.into_domain().0.check())?.into_domain();
        let user = self.accounts.register(new, invite.as_deref(), &origin.0).await?;
        Ok(Registered::User(Json(self.show(user)), "/api/auth/me".to_owned()))
    }

    /// Sign in
    ///
    /// Begins a session. Send the access token as `Authorization: Bearer …`; when it has expired, the refresh token
    /// gives the next one. A wrong password and an unknown address get the same answer. Where a second factor is on,
    /// `code` is needed, too: without it, who has the right password gets the problem `second-factor-needed`.
    ///
    /// - 401: The e-mail address or the password is wrong, or a code of the second factor is needed or wrong.
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(&self, body: Body<Login>, origin: RequestOrigin) -> Result<Json<SignedInView>, ApiError> {
        let tokens = self.accounts.login(body.as_domain(), &origin.0).await?;
        Ok(Json(tokens.into()))
    }

    /// Refresh a session
    ///
    /// Gives new tokens for a refresh token, which is used up. For one minute the same token gets the same answer
    /// again; when it comes later, or after its successor was used, somebody else has it: the session ends.
    ///
    /// - 401: The refresh token is unknown or used up, or its session has ended.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh_session(
        &self,
        body: Body<RefreshSession>,
        origin: RequestOrigin,
    ) -> Result<Json<SignedInView>, ApiError> {
        let tokens = self.accounts.refresh(&body.refresh_token, &origin.0).await?;
        Ok(Json(tokens.into()))
    }

    /// Sign out
    ///
    /// Ends the session of the access token at once, and that of the refresh token when one of the caller's is given.
    ///
    /// - 403: A personal access token has no session; delete it instead.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(
        &self,
        caller: Reader,
        body: Body<Option<Logout>>,
        origin: RequestOrigin,
    ) -> Result<Done, ApiError> {
        let token = body.0.and_then(|body| body.refresh_token);
        self.accounts.logout(&caller, token.as_deref(), &origin.0).await?;
        Ok(Done::Done)
    }

    /// Get my account
    ///
    /// Who the caller is, and the preferences in force for them: their own, or else the policy's.
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn get_me(&self, caller: Reader) -> Result<Json<UserView>, ApiError> {
        Ok(Json(self.show(self.accounts.get_me(&caller).await?)))
    }

    /// Change my account
    ///
    /// Changes what the merge patch names: absent fields stay, `null` clears. Dates without a time mean the days of
    /// the new time zone from then on.
    #[oai(path = "/me", method = "patch", operation_id = "update_me")]
    async fn update_me(
        &self,
        caller: Writer,
        body: Checked<UpdateMe>,
        origin: RequestOrigin,
    ) -> Result<Json<UserView>, ApiError> {
        let body = body.held_against(|body| self.accounts.check_changes(&caller, body.into_domain()))?;
        let user = self.accounts.update_me(&caller, body.into_domain(), &origin.0).await?;
        Ok(Json(self.show(user)))
    }

    /// Delete my account
    ///
    /// Removes the account and everything in it for good: tasks, projects, labels, sessions, tokens and history.
    ///
    /// - 403: The password is wrong, or the credential does not allow this.
    #[oai(path = "/me", method = "delete", operation_id = "delete_me")]
    async fn delete_me(&self, caller: Writer, body: Body<DeleteMe>, origin: RequestOrigin) -> Result<Done, ApiError> {
        self.accounts.delete_me(&caller, &body.password, &origin.0).await?;
        Ok(Done::Done)
    }

    /// Change my password
    ///
    /// Ends everything else that acts for the account: other sessions, connected apps, personal access tokens. A mail
    /// says that it happened.
    ///
    /// - 403: The current password is wrong, or the credential does not allow this.
    #[oai(path = "/password/change", method = "post", operation_id = "change_password")]
    async fn change_password(
        &self,
        caller: Writer,
        body: Checked<ChangePassword>,
        origin: RequestOrigin,
    ) -> Result<Done, ApiError> {
        let (ChangePassword { current_password, new_password }, purpose) = body.open();
        if purpose == Purpose::Rehearse {
            self.accounts.check_new_password(&caller, &current_password, &new_password.0).await?;
            return Err(ApiError::rehearsed());
        }
        self.accounts.change_password(&caller, &current_password, &new_password.0, &origin.0).await?;
        Ok(Done::Done)
    }

    /// Create a personal access token
    ///
    /// Makes a token for scripts, with some of the caller's own scopes. Its text is shown only here.
    ///
    /// - 403: A personal access token cannot make tokens, and no token can have scopes that its maker does not have.
    #[oai(path = "/tokens", method = "post", operation_id = "create_token")]
    async fn create_token(
        &self,
        caller: Writer,
        body: Checked<CreateToken>,
        origin: RequestOrigin,
    ) -> Result<TokenCreated, ApiError> {
        let body = body.held_against(|body| self.accounts.check_token(&caller, &body.into_domain()))?;
        let (token, text) = self.accounts.create_token(&caller, body.into_domain(), &origin.0).await?;
        let location = format!("/api/auth/tokens/{}", token.id);
        Ok(TokenCreated::Token(Json(CreatedTokenView::new(token, text)), location))
    }

    /// List my personal access tokens
    ///
    /// Newest first, without their texts.
    #[oai(path = "/tokens", method = "get", operation_id = "list_tokens")]
    async fn list_tokens(
        &self,
        caller: Reader,
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")), default = "default_limit")] limit: Query<u32>,
        #[oai(validator(min_length = 1, max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Response<Json<TokenPageView>>, ApiError> {
        let page = self.accounts.list_tokens(&caller, &paging(&limit, cursor)).await?;
        Ok(counted(page.total, Json(page.into())))
    }

    /// Delete a personal access token
    ///
    /// It is worth nothing from then on.
    #[oai(path = "/tokens/:token_id", method = "delete", operation_id = "delete_token")]
    async fn delete_token(
        &self,
        caller: Writer,
        token_id: Path<Uuid>,
        origin: RequestOrigin,
    ) -> Result<Done, ApiError> {
        self.accounts.delete_token(&caller, TokenId(token_id.0), &origin.0).await?;
        Ok(Done::Done)
    }

    /// List my sessions
    ///
    /// Where the caller is signed in, newest sign-in first.
    #[oai(path = "/sessions", method = "get", operation_id = "list_sessions")]
    async fn list_sessions(
        &self,
        caller: Reader,
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")), default = "default_limit")] limit: Query<u32>,
        #[oai(validator(min_length = 1, max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Response<Json<SessionPageView>>, ApiError> {
        let page = self.accounts.list_sessions(&caller, &paging(&limit, cursor)).await?;
        Ok(counted(page.total, Json(page.into())))
    }

    /// End a session
    ///
    /// Signs the caller out there, at once.
    #[oai(path = "/sessions/:session_id", method = "delete", operation_id = "end_session")]
    async fn end_session(
        &self,
        caller: Writer,
        session_id: Path<Uuid>,
        origin: RequestOrigin,
    ) -> Result<Done, ApiError> {
        self.accounts.end_session(&caller, SessionId(session_id.0), &origin.0).await?;
        Ok(Done::Done)
    }

    /// List my activity
    ///
    /// What happened in the account, newest first: sign-ins and attempts, use of tokens, every change.
    #[oai(path = "/activity", method = "get", operation_id = "list_activity")]
    async fn list_activity(
        &self,
        caller: Reader,
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")), default = "default_limit")] limit: Query<u32>,
        #[oai(validator(min_length = 1, max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Response<Json<ActivityPageView>>, ApiError> {
        let page = self.accounts.list_activity(&caller, &paging(&limit, cursor)).await?;
        Ok(counted(page.total, Json(page.into())))
    }
}

const fn default_limit() -> u32 {
    crate::paging::LIMIT_DEFAULT
}

fn paging(limit: &Query<u32>, cursor: Query<Option<String>>) -> Paging {
    Paging { limit: Some(limit.0), cursor: cursor.0 }
}

fn counted<T>(total: u64, page: Json<T>) -> Response<Json<T>> {
    Response::new(page).header("X-Total-Count", total.to_string())
}
