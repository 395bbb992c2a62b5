//! `/api/tasks/{task_id}/attachments`, `/api/attachments` and `/files`: files of tasks.
//!
//! - `upload`: bodies that are files, as they are or in a form; never held whole.
//! - `download`: files on their way out: ranges, entity tags, what browsers must not do with them.
//! - `disposition`: `Content-Disposition` as clients write it; `errors`, `views`.

mod disposition;
mod download;
mod errors;
mod upload;
mod views;

use std::time::Duration;

use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use crate::accounts::Caller;
use crate::attachments::{Attachments, Linked, Received};
use crate::ids::{AttachmentId, TaskId};
use crate::tasks::attachments::Attachment;

use self::download::{FileAnswer, Wanted};
use self::upload::{Incoming, Patience};
use self::views::{AttachmentPage, LinkView};
pub use self::views::{AttachmentRecord, AttachmentView};
use super::auth::{Reader, Writer};
use super::changes::{Conditions, Created, Done, Gone, IdempotencyKey, change};
use super::lists::Listed;
use super::payload::Json;
use super::problem::ApiError;
use super::tags::Tag;
use super::tasks::default_limit;

/// The operations on files.
#[derive(Debug)]
pub struct AttachmentsApi {
    attachments: Attachments,
    patience: Patience,
}

impl AttachmentsApi {
    /// The operations over a service; `silence` is how long a client may send nothing.
    pub fn new(attachments: Attachments, silence: Duration) -> Self {
        let patience = Patience { silence, whole: attachments.settings().upload_timeout };
        Self { attachments, patience }
    }

    async fn file(&self, attachment: &Attachment, wanted: Wanted) -> Result<FileAnswer, ApiError> {
        Ok(download::answer(&self.attachments, attachment, wanted).await?)
    }

    async fn kept(
        &self,
        caller: &Caller,
        key: IdempotencyKey,
        received: Received,
    ) -> Result<Created<Linked>, ApiError> {
        let on = Conditions::repeatable(key.with(&received.fingerprint()));
        let linked = self.attachments.describe(received).await?;
        change(caller, on, |ask| self.attachments.keep(ask, linked)).await
    }
}

#[OpenApi(tag = "Tag::Attachments")]
impl AttachmentsApi {
    /// List a task's attachments
    ///
    /// Oldest first. Each has a URL from which its file can be fetched for a while.
    #[oai(path = "/api/tasks/:task_id/attachments", method = "get", operation_id = "list_attachments")]
    async fn list_attachments(
        &self,
        caller: Reader,
        task_id: Path<Uuid>,
        /// How many attachments, at most.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u32>,
        /// Where the page begins: the `next_cursor` of the page before.
        #[oai(validator(max_length = 512))]
        cursor: Query<Option<String>>,
    ) -> Result<Listed<AttachmentPage>, ApiError> {
        let page = self.attachments.list(&caller, TaskId(task_id.0), cursor.0.as_deref(), limit.0).await?;
        let items = page.items.iter().map(AttachmentView::from).collect();
        Ok(Listed::new(&AttachmentPage { items, next_cursor: page.next_cursor }, page.total))
    }

    /// Attach a file to a task
    ///
    /// The body is the file as it is, of the type that `Content-Type` says, and its name stands in `?filename=` or in the
    /// header `Content-Disposition`; or it is a form (`multipart/form-data`) with one part called `file`.
    ///
    /// Its first bytes must fit the type. What a browser would run, such as HTML and SVG, is taken but served as
    /// `application/octet-stream`.
    ///
    /// - 400: The form cannot be read.
    /// - 408: The file did not come in time.
    /// - 409: The task has as many attachments as it may have, the upload was given up, or the first request with this key still runs.
    /// - 413: The file is larger than the server takes, or than what is left of your share.
    /// - 415: The type is not taken here, or the file is of another type than it is said to be.
    #[oai(path = "/api/tasks/:task_id/attachments", method = "post", operation_id = "create_attachment")]
    async fn create_attachment(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// What the file is called: no path, at most 255 bytes.
        #[oai(validator(min_length = 1, max_length = 255))]
        filename: Query<Option<String>>,
        /// Makes a repetition safe: the same key and file within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        body: Incoming,
    ) -> Result<Created<Linked>, ApiError> {
        let task = TaskId(task_id.0);
        let received = body.receive(&self.attachments, &caller, task, filename.0, self.patience).await?;
        self.kept(&caller, idempotency_key, received).await
    }

    /// Get an attachment
    ///
    /// What there is to know about the file, and a URL from which it can be fetched for a while.
    #[oai(path = "/api/attachments/:attachment_id", method = "get", operation_id = "get_attachment")]
    async fn get_attachment(&self, caller: Reader, attachment_id: Path<Uuid>) -> Result<Done<Linked>, ApiError> {
        Ok(Done::shown(self.attachments.get(&caller, AttachmentId(attachment_id.0)).await?))
    }

    /// Get a URL of an attachment's file
    ///
    /// Whoever has it can fetch the file without a token, until it expires.
    #[oai(path = "/api/attachments/:attachment_id/url", method = "get", operation_id = "get_attachment_url")]
    async fn get_attachment_url(&self, caller: Reader, attachment_id: Path<Uuid>) -> Result<Json<LinkView>, ApiError> {
        let found = self.attachments.get(&caller, AttachmentId(attachment_id.0)).await?;
        Ok(Json(LinkView::from(&found.link)))
    }

    /// Fetch an attachment's file
    ///
    /// With a token. Takes `Range` and `If-None-Match`.
    ///
    /// - 416: The file has no such part.
    /// - 503: The object store does not answer at the moment.
    #[oai(path = "/api/attachments/:attachment_id/content", method = "get", operation_id = "get_attachment_content")]
    async fn get_attachment_content(
        &self,
        caller: Reader,
        attachment_id: Path<Uuid>,
        request: &Request,
    ) -> Result<FileAnswer, ApiError> {
        let found = self.attachments.get(&caller, AttachmentId(attachment_id.0)).await?;
        self.file(&found.attachment, Wanted::of(request)).await
    }

    /// Delete an attachment
    ///
    /// For a day, the undo token brings it back; then its file is removed. Attachments go with their task, and come back
    /// with it within that day.
    #[oai(path = "/api/attachments/:attachment_id", method = "delete", operation_id = "delete_attachment")]
    async fn delete_attachment(&self, caller: Writer, attachment_id: Path<Uuid>) -> Result<Gone, ApiError> {
        let id = AttachmentId(attachment_id.0);
        change(&caller, Conditions::default(), |ask| self.attachments.remove(ask, id)).await
    }

    /// Download a file
    ///
    /// Where signed URLs lead to; no token is needed. Takes `Range` and `If-None-Match`. The file always comes as a
    /// download, never as a page.
    ///
    /// - 403: The URL is not one that this server signed, or its time has passed.
    /// - 416: The file has no such part.
    /// - 503: The object store does not answer at the moment.
    #[oai(path = "/files/:attachment_id", method = "get", operation_id = "download_file")]
    async fn download_file(
        &self,
        attachment_id: Path<Uuid>,
        /// When the URL expires, in seconds since 1970.
        #[oai(validator(max_length = 100))]
        expires: Query<Option<String>>,
        /// The signature.
        #[oai(validator(max_length = 200))]
        signature: Query<Option<String>>,
        request: &Request,
    ) -> Result<FileAnswer, ApiError> {
        let (expires, signature) = (expires.0.unwrap_or_default(), signature.0.unwrap_or_default());
        let found = self.attachments.follow(AttachmentId(attachment_id.0), &expires, &signature).await?;
        self.file(&found, Wanted::of(request)).await
    }
}
