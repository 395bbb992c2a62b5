//! How clients see attachments.

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use crate::attachments::{Link, Linked};
use crate::hex::hex;
use crate::http::changes::Shown;
use crate::tasks::attachments::Attachment;

/// A file of a task.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Attachment")]
pub struct AttachmentView {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// The task that it belongs to.
    pub task_id: Uuid,
    /// What it is called.
    pub file_name: String,
    /// As what it is served.
    pub content_type: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// When it was attached.
    pub created_at: DateTime<Utc>,
    /// Where its file can be fetched without a token.
    pub download_url: String,
    /// Until when.
    pub download_url_expires_at: DateTime<Utc>,
}

/// One page of attachments.
#[derive(Debug, Object, Serialize)]
pub(super) struct AttachmentPage {
    /// The attachments.
    pub(super) items: Vec<AttachmentView>,
    /// Where the next page begins; `null` on the last one.
    #[oai(nullable)]
    pub(super) next_cursor: Option<String>,
}

/// A signed URL.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "SignedUrl")]
pub(super) struct LinkView {
    /// The URL; for `GET` and `HEAD`.
    pub(super) url: String,
    /// From when on it leads nowhere.
    pub(super) expires_at: DateTime<Utc>,
}

/// A file of a task, as an export names it; the file itself is not in there.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "ExportedAttachment")]
pub struct AttachmentRecord {
    /// Its id.
    pub id: Uuid,
    /// The task that it belongs to.
    pub task_id: Uuid,
    /// What it is called.
    pub file_name: String,
    /// As what it is served.
    pub content_type: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// When it was attached.
    pub created_at: DateTime<Utc>,
}

impl From<&Linked> for AttachmentView {
    fn from(linked: &Linked) -> Self {
        let Linked { attachment, link } = linked;
        Self {
            id: attachment.id.0,
            task_id: attachment.task_id.0,
            file_name: attachment.file_name.clone(),
            content_type: attachment.media_type.clone(),
            size_bytes: attachment.size_bytes,
            sha256: hex(&attachment.sha256),
            created_at: attachment.created_at.to_utc(),
            download_url: link.url.clone(),
            download_url_expires_at: link.expires_at.to_utc(),
        }
    }
}

impl From<&Attachment> for AttachmentRecord {
    fn from(attachment: &Attachment) -> Self {
        Self {
            id: attachment.id.0,
            task_id: attachment.task_id.0,
            file_name: attachment.file_name.clone(),
            content_type: attachment.media_type.clone(),
            size_bytes: attachment.size_bytes,
            sha256: hex(&attachment.sha256),
            created_at: attachment.created_at.to_utc(),
        }
    }
}

impl From<&Link> for LinkView {
    fn from(link: &Link) -> Self {
        Self { url: link.url.clone(), expires_at: link.expires_at.to_utc() }
    }
}

impl Shown for Linked {
    type View = AttachmentView;

    fn view(&self) -> AttachmentView {
        AttachmentView::from(self)
    }

    fn location(&self) -> Option<String> {
        Some(format!("/api/attachments/{}", self.attachment.id))
    }
}
