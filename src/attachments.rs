//! Files of tasks: what may be attached, how it comes into the object store, and who may fetch it.
//!
//! - [`file_name`]: what a file may be called; [`media_type`]: what it may be, and as what it is served.
//! - `receiving`: a file on its way into the store; [`Receiving`].
//! - [`links`]: signed URLs, which work without a token for a while.
//! - `slots`: how many uploads may be under way.
//! - `sweep`: the way of objects that nobody needs any more.
//!
//! Which files a task has is for [`tasks`](crate::tasks) to know. An object's key is random: neither the person nor the
//! task nor the file's name can be read off it.

mod error;
pub mod file_name;
pub mod links;
pub mod media_type;
mod receiving;
mod slots;
mod sweep;

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::accounts::Caller;
use crate::clock::Clock;
use crate::config;
use crate::ids::{AttachmentId, TaskId};
use crate::objects::{Download, Objects};
use crate::paging::Page;
use crate::secret_key::SecretKey;
use crate::store::Store;
use crate::tasks::attachments::{Attachment, Room};
use crate::tasks::{Ask, Changed, TaskError, Tasks};

pub use self::error::AttachmentError;
use self::file_name::FileName;
pub use self::links::{Link, LinkError, Links};
use self::media_type::MediaType;
pub use self::receiving::{Received, Receiving};
use self::slots::Slots;

/// What attachments stand on.
pub struct AttachmentParts {
    /// Which files a task has.
    pub tasks: Tasks,
    /// The database.
    pub store: Store,
    /// Where the files are.
    pub objects: Objects,
    /// The server's time.
    pub clock: Clock,
    /// What signed URLs are signed with.
    pub secret: SecretKey,
    /// How clients reach the server, without a slash at the end.
    pub public_url: String,
    /// What may be attached.
    pub settings: config::Attachments,
}

/// Everything that can be done with the files of tasks; shared by cloning.
#[derive(Clone)]
pub struct Attachments(Arc<Inner>);

struct Inner {
    tasks: Tasks,
    store: Store,
    objects: Objects,
    clock: Clock,
    links: Links,
    settings: config::Attachments,
    slots: Slots,
}

/// A file that somebody is about to send.
#[derive(Clone, Debug)]
pub struct Announced {
    /// To which task it shall belong.
    pub task: TaskId,
    /// What it is called; `None` leaves that to its kind.
    pub name: Option<FileName>,
    /// What it is said to be; `None` when nothing was said.
    pub media_type: Option<MediaType>,
    /// How many bytes it has, or less, when that is known.
    pub least_bytes: Option<u64>,
}

/// An attachment and the way to its file.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The attachment.
    pub attachment: Attachment,
    /// Where its file can be fetched without a token.
    pub link: Link,
}

impl Attachments {
    /// Attachments over these parts.
    pub fn new(parts: AttachmentParts) -> Self {
        let AttachmentParts { tasks, store, objects, clock, secret, public_url, settings } = parts;
        let bucket = settings.direct_downloads.then(|| objects.clone());
        let links = Links::new(secret, public_url, settings.url_life, bucket);
        Self(Arc::new(Inner { tasks, store, objects, clock, links, settings, slots: Slots::default() }))
    }

    /// What may be attached.
    pub fn settings(&self) -> &config::Attachments {
        &self.0.settings
    }

    fn room(&self) -> Room {
        Room { quota_bytes: self.0.settings.quota_bytes, per_task: self.0.settings.per_task }
    }

    /// Begins to receive a file: what can be told before its bytes come is told here.
    ///
    /// # Errors
    ///
    /// No such task, no room for it, a type that is not taken, or too many uploads at once.
    pub async fn receive(&self, caller: &Caller, announced: Announced) -> Result<Receiving, AttachmentError> {
        let slot = self.0.slots.enter(caller.user_id)?;
        let least = announced.least_bytes.unwrap_or(1).max(1);
        if least > self.0.settings.max_bytes {
            return Err(AttachmentError::TooLarge(self.0.settings.max_bytes));
        }
        self.0.tasks.check_room(caller, announced.task, least, self.room()).await?;
        media_type::check_allowed(announced.media_type.as_ref(), &self.0.settings.allowed_types)?;
        Receiving::begin(self.clone(), announced, slot).await
    }

    /// The attachment that a file becomes which was received whole, with the way to it.
    ///
    /// # Errors
    ///
    /// When nothing can be signed; the file is removed then.
    pub async fn describe(&self, received: Received) -> Result<Linked, AttachmentError> {
        let now = self.0.clock.now();
        let attachment = Attachment {
            id: AttachmentId::new(now),
            task_id: received.task,
            object_key: received.key,
            file_name: received.name.as_str().to_owned(),
            media_type: received.media_type.as_str().to_owned(),
            size_bytes: received.size_bytes,
            sha256: received.sha256,
            created_at: now,
            deleted_at: None,
            gone_at: None,
        };
        match self.0.links.to(&attachment, now).await {
            Ok(link) => Ok(Linked { attachment, link }),
            Err(error) => {
                self.give_up(&attachment.object_key).await;
                Err(error)
            }
        }
    }

    /// Gives a file to its task.
    ///
    /// # Errors
    ///
    /// What became of the task or of the room for it meanwhile, and the first answer to a request that is sent again; the
    /// file is removed then.
    pub async fn keep(&self, ask: Ask<Linked>, linked: Linked) -> Result<Changed<Linked>, TaskError> {
        let Linked { attachment, link } = linked;
        let key = attachment.object_key.clone();
        let show = move |attachment| Linked { attachment, link };
        let kept = self.0.tasks.attach(ask, attachment, self.room(), show).await;
        if kept.is_err() {
            self.give_up(&key).await;
        }
        kept
    }

    /// Removes a file that was received whole, but is not to be kept.
    pub async fn discard(&self, received: Received) {
        self.give_up(&received.key).await;
    }

    /// Takes an attachment away.
    ///
    /// # Errors
    ///
    /// As [`Tasks::remove_attachment`].
    pub async fn remove(&self, ask: Ask<()>, id: AttachmentId) -> Result<Changed<()>, TaskError> {
        self.0.tasks.remove_attachment(ask, id).await
    }

    /// The caller's attachment.
    ///
    /// # Errors
    ///
    /// As [`Tasks::get_attachment`]; what is wrong with the bucket's credentials.
    pub async fn get(&self, caller: &Caller, id: AttachmentId) -> Result<Linked, AttachmentError> {
        let attachment = self.0.tasks.get_attachment(caller, id).await?;
        self.linked(attachment).await
    }

    /// One page of a task's attachments, oldest first.
    ///
    /// # Errors
    ///
    /// As [`Tasks::list_attachments`]; what is wrong with the bucket's credentials.
    pub async fn list(
        &self,
        caller: &Caller,
        task: TaskId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Linked>, AttachmentError> {
        let found = self.0.tasks.list_attachments(caller, task, cursor, limit).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for attachment in found.items {
            items.push(self.linked(attachment).await?);
        }
        Ok(Page { items, next_cursor: found.next_cursor, total: found.total })
    }

    async fn linked(&self, attachment: Attachment) -> Result<Linked, AttachmentError> {
        let link = self.0.links.to(&attachment, self.0.clock.now()).await?;
        Ok(Linked { attachment, link })
    }

    /// The attachment that a signed URL leads to.
    ///
    /// # Errors
    ///
    /// [`AttachmentError::Link`] unless this server signed it and its time has not passed; [`TaskError::NotFound`] when
    /// the attachment is gone.
    pub async fn follow(
        &self,
        id: AttachmentId,
        expires: &str,
        signature: &str,
    ) -> Result<Attachment, AttachmentError> {
        self.0.links.check(id, expires, signature, self.0.clock.now())?;
        let found = self.0.store.find_shared_attachment(id).await.map_err(TaskError::from)?;
        Ok(found.ok_or(TaskError::NotFound("attachment"))?)
    }

    /// An attachment's file, or the bytes from `start` to `end` (exclusive) of it.
    ///
    /// # Errors
    ///
    /// What is wrong with the object store.
    pub async fn open(
        &self,
        attachment: &Attachment,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<Download, AttachmentError> {
        let key = &attachment.object_key;
        let found = match range {
            Some(range) => self.0.objects.get_range(key, range).await?,
            None => self.0.objects.get(key).await?,
        };
        if found.size_bytes != attachment.size_bytes {
            return Err(AttachmentError::Damaged(attachment.id));
        }
        Ok(found)
    }
}

impl fmt::Debug for Attachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachments").field("objects", &self.0.objects).finish_non_exhaustive()
    }
}

/// Follows the bytes of a whole file on their way out.
#[derive(Debug)]
pub struct Proof {
    hash: Sha256,
    expected: [u8; 32],
}

impl Proof {
    /// Nothing has been seen of the attachment yet.
    pub fn of(attachment: &Attachment) -> Self {
        Self { hash: Sha256::new(), expected: attachment.sha256 }
    }

    /// Sees the next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// Whether the bytes that were seen are the ones that were attached.
    pub fn holds(self) -> bool {
        self.hash.finalize()[..] == self.expected
    }
}
