//! A file on its way into the store: counted, hashed and looked at as it comes.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::rand;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::error::AttachmentError;
use super::file_name::FileName;
use super::media_type::{self, HEAD_BYTES, MediaType};
use super::slots::Slot;
use super::{Announced, Attachments};
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::objects::Upload;
use crate::store::StoreError;
use crate::tasks::TaskError;

/// How long after its time an upload that nobody ended is taken for dead.
const GRACE: Duration = Duration::from_hours(1);

/// A file on its way. Dropped before [`Self::finish`], it leaves nothing.
pub struct Receiving {
    home: Attachments,
    announced: Announced,
    key: String,
    upload: Option<Upload>,
    hash: Sha256,
    head: Vec<u8>,
    _slot: Slot,
}

/// A file that lies in the store whole, but belongs to nothing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub(super) task: TaskId,
    pub(super) key: String,
    pub(super) name: FileName,
    pub(super) media_type: MediaType,
    pub(super) size_bytes: u64,
    pub(super) sha256: [u8; 32],
}

impl Received {
    /// What makes it the same file as another, for a request that is sent again.
    pub fn fingerprint(&self) -> Vec<u8> {
        [self.name.as_str().as_bytes(), b"\0", self.media_type.as_str().as_bytes(), b"\0", &self.sha256].concat()
    }
}

impl Receiving {
    pub(super) async fn begin(home: Attachments, announced: Announced, slot: Slot) -> Result<Self, AttachmentError> {
        let key = random_key()?;
        let patience = home.0.settings.upload_timeout;
        let until = home.0.clock.now().plus(patience).plus(GRACE);
        announce(&home, key.clone(), until).await?;
        let upload = Some(home.0.objects.begin(&key)?);
        Ok(Self { home, announced, key, upload, hash: Sha256::new(), head: Vec::new(), _slot: slot })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// One byte too many, bytes that are not of the declared kind, and what is wrong with the store. The upload is over
    /// then.
    pub async fn take(&mut self, bytes: &[u8]) -> Result<(), AttachmentError> {
        let Some(upload) = &mut self.upload else { return Err(AttachmentError::Empty) };
        let most = self.home.0.settings.max_bytes;
        if upload.size_bytes() + bytes.len() as u64 > most {
            return Err(AttachmentError::TooLarge(most));
        }
        if self.head.len() < HEAD_BYTES {
            let missing = HEAD_BYTES - self.head.len();
            self.head.extend_from_slice(&bytes[..missing.min(bytes.len())]);
            if self.head.len() == HEAD_BYTES {
                media_type::judge(self.announced.media_type.as_ref(), &self.head)?;
            }
        }
        self.hash.update(bytes);
        Ok(upload.write(bytes).await?)
    }

    /// Throws away what came.
    pub async fn abort(mut self) {
        if let Some(upload) = self.upload.take() {
            upload.abort().await;
            self.home.give_up(&self.key).await;
        }
    }

    /// Makes the object whole; from now on it is [`Attachments::describe`]'s and [`Attachments::keep`]'s to give it to a task.
    ///
    /// # Errors
    ///
    /// [`AttachmentError::Empty`], bytes that are not of the declared kind, and what is wrong with the store.
    pub async fn finish(mut self) -> Result<Received, AttachmentError> {
        let (media_type, extension) = media_type::judge(self.announced.media_type.as_ref(), &self.head)?;
        let Some(upload) = self.upload.take_if(|upload| upload.size_bytes() > 0) else {
            return Err(AttachmentError::Empty);
        };
        let finished = upload.finish().await;
        let size_bytes = match finished {
            Ok(size_bytes) => size_bytes,
            Err(error) => {
                self.home.give_up(&self.key).await;
                return Err(error.into());
            }
        };
        let name = self.announced.name.take().unwrap_or_else(|| FileName::unnamed(extension));
        let sha256 = self.hash.clone().finalize().into();
        let (task, key) = (self.announced.task, self.key.clone());
        Ok(Received { task, key, name, media_type, size_bytes, sha256 })
    }
}

/// The client went away, or its file was refused: nobody waits for the object any more.
impl Drop for Receiving {
    fn drop(&mut self) {
        if self.upload.take().is_some()
            && let Ok(runtime) = Handle::try_current()
        {
            let (home, key) = (self.home.clone(), self.key.clone());
            runtime.spawn(async move { home.give_up(&key).await });
        }
    }
}

impl fmt::Debug for Receiving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving").field("upload", &self.upload).finish_non_exhaustive()
    }
}

async fn announce(home: &Attachments, key: String, until: Timestamp) -> Result<(), AttachmentError> {
    let announced = home
        .0
        .store
        .write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.announce_upload(&key, until).await }));
    Ok(announced.await.map_err(TaskError::from)?)
}

/// 128 random bits; a folder for each of 256 keeps file systems fast.
fn random_key() -> Result<String, AttachmentError> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).map_err(|_| TaskError::from(StoreError::Dropped))?;
    let name = u128::from_be_bytes(bytes);
    Ok(format!("attachments/{:02x}/{name:032x}", bytes[0]))
}
