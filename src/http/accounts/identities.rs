//! `/api/auth/identities`: accounts elsewhere through which one signs in.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Response;
use uuid::Uuid;

use super::origin::RequestOrigin;
use super::views::IdentityPageView;
use super::{Done, Tag, counted, default_limit, paging};
use crate::accounts::Accounts;
use crate::http::auth::{Reader, Writer};
use crate::http::payload::Json;
use crate::http::problem::ApiError;
use crate::ids::IdentityId;

/// The operations of linked identities.
pub struct IdentitiesApi {
    accounts: Arc<Accounts>,
}

impl IdentitiesApi {
    /// Answers from `accounts`.
    pub const fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }
}

#[OpenApi(prefix_path = "/api/auth", tag = "Tag::Accounts")]
impl IdentitiesApi {
    /// List my identities elsewhere
    ///
    /// The accounts of other providers through which the caller can sign in, newest first. One is linked by signing in
    /// with it on the pages of this server.
    #[oai(path = "/identities", method = "get", operation_id = "list_identities")]
    async fn list_identities(
        &self,
        caller: Reader,
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")), default = "default_limit")] limit: Query<u32>,
        #[oai(validator(min_length = 1, max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Response<Json<IdentityPageView>>, ApiError> {
        let page = self.accounts.list_identities(&caller, &paging(&limit, cursor)).await?;
        Ok(counted(page.total, Json(page.into())))
    }

    /// Unlink an identity elsewhere
    ///
    /// Nobody can sign in with it any more.
    ///
    /// - 403: A personal access token or a connected app cannot do this.
    /// - 409: It is the only way to sign in; set a password first, by `/api/auth/password/forgot`.
    #[oai(path = "/identities/:identity_id", method = "delete", operation_id = "delete_identity")]
    async fn delete_identity(
        &self,
        caller: Writer,
        identity_id: Path<Uuid>,
        origin: RequestOrigin,
    ) -> Result<Done, ApiError> {
        self.accounts.unlink_identity(&caller, IdentityId(identity_id.0), &origin.0).await?;
        Ok(Done::Done)
    }
}
