//! `/api/auth/apps`: the programs that somebody connected.

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;
use uuid::Uuid;

use super::accounts::origin::RequestOrigin;
use super::auth::{Reader, Writer};
use super::lists::Listed;
use super::problem::ApiError;
use super::tags::Tag;
use super::tasks::default_limit;
use crate::accounts::pages::Paging;
use crate::ids::ClientRef;
use crate::oauth::apps::ConnectedApp;
use crate::oauth::grants::Grants;
use crate::paging::Page;

/// The operations of connected programs.
pub struct AppsApi {
    grants: Arc<Grants>,
}

/// A program that you connected.
#[derive(Object, Serialize)]
#[oai(rename = "ConnectedApp")]
struct AppView {
    /// Its id in this list.
    id: Uuid,
    /// Its name in the protocol, the `client_id`.
    client_id: String,
    /// What it calls itself, which nobody has checked unless an operator made it.
    name: String,
    /// The host that it belongs to, as far as that is known.
    host: Option<String>,
    /// Whether an operator of this server made it.
    made_by_operator: bool,
    /// What it may do.
    scopes: Vec<String>,
    /// Where: `api`, `mcp`.
    resources: Vec<String>,
    /// How often it is connected: once for each place where you allowed it.
    connections: u64,
    /// When it was first connected.
    created_at: chrono::DateTime<chrono::Utc>,
    /// When it was last used, give or take a minute.
    last_used_at: chrono::DateTime<chrono::Utc>,
}

impl From<ConnectedApp> for AppView {
    fn from(app: ConnectedApp) -> Self {
        Self {
            id: app.id.0,
            client_id: app.client_id,
            name: app.name,
            host: app.host,
            made_by_operator: app.made_by_operator,
            scopes: app.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            resources: app.resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            connections: app.connections,
            created_at: app.created_at.to_utc(),
            last_used_at: app.last_used_at.to_utc(),
        }
    }
}

/// A page of connected programs.
#[derive(Object, Serialize)]
#[oai(rename = "ConnectedAppPage")]
pub struct AppPageView {
    /// The items.
    items: Vec<AppView>,
    /// Where the next page begins; `null` on the last one.
    next_cursor: Option<String>,
}

impl From<Page<ConnectedApp>> for AppPageView {
    fn from(page: Page<ConnectedApp>) -> Self {
        Self { items: page.items.into_iter().map(AppView::from).collect(), next_cursor: page.next_cursor }
    }
}

#[derive(ApiResponse)]
enum Ended {
    /// It is disconnected.
    #[oai(status = 204)]
    Done,
}

impl AppsApi {
    /// Answers from `grants`.
    pub const fn new(grants: Arc<Grants>) -> Self {
        Self { grants }
    }
}

#[OpenApi(prefix_path = "/api/auth/apps", tag = "Tag::Apps")]
impl AppsApi {
    /// List my connected programs
    ///
    /// What you allowed other programs to do for you, the newest connection first.
    #[oai(path = "/", method = "get", operation_id = "list_apps")]
    async fn list_apps(
        &self,
        caller: Reader,
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")), default = "default_limit")] limit: Query<u32>,
        #[oai(validator(min_length = 1, max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Listed<AppPageView>, ApiError> {
        let page = self.grants.list_apps(&caller, &Paging { limit: Some(limit.0), cursor: cursor.0 }).await?;
        let total = page.total;
        Ok(Listed::new(&AppPageView::from(page), total))
    }

    /// Disconnect a program
    ///
    /// Ends every connection of the program at once: all tokens that it holds are worth nothing from then on. It must
    /// ask you again before it comes back.
    #[oai(path = "/:app_id", method = "delete", operation_id = "end_app")]
    async fn end_app(&self, caller: Writer, app_id: Path<Uuid>, origin: RequestOrigin) -> Result<Ended, ApiError> {
        self.grants.end_app(&caller, ClientRef(app_id.0), &origin.0).await?;
        Ok(Ended::Done)
    }
}
