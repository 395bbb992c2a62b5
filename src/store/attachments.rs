//! Attachments: one row for each file, and a list of the objects that no row speaks for.
//!
//! A key is put on that list *before* its object is written, and leaves it in the transaction that makes the attachment's
//! row; it comes back in the transaction that removes the row. So whatever dies in between, each object has either a row or
//! a place on the list, from which it is removed when its time has come.

use sqlx::FromRow;
use uuid::Uuid;

use super::tasks::ids_json;
use super::{Sql, Store, StoreError, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{AttachmentId, TaskId, UserId};
use crate::tasks::attachments::{Attachment, Usage};
use crate::tasks::filter::Position;

/// What [`AttachmentRow`] reads, from a table called `a`.
macro_rules! attachment_columns {
    () => {
        "a.id, a.task_id, a.object_key, a.file_name, a.media_type, a.size_bytes, a.sha256, a.created_at, a.deleted_at,
         a.gone_at"
    };
}

/// `$1` attachment, `$2` owner, `$3` task, then the columns in this order.
const INSERT_ATTACHMENT: &str = "
    INSERT INTO attachments (id, user_id, task_id, object_key, file_name, media_type, size_bytes, sha256, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
";
/// `$1` owner, `$2` attachment. At most one row, gone or not.
const FIND_ATTACHMENT: &str =
    concat!("SELECT ", attachment_columns!(), " FROM attachments a WHERE a.user_id = $1 AND a.id = $2");
/// `$1` attachment, whose owner handed out a signed URL.
const FIND_SHARED_ATTACHMENT: &str =
    concat!("SELECT ", attachment_columns!(), " FROM attachments a WHERE a.id = $1 AND a.gone_at IS NULL");
/// `$1` owner, `$2` task, `$3`, `$4` the last row shown or NULL, `$5` how many rows.
const LIST_ATTACHMENTS: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM attachments a
      WHERE a.user_id = $1 AND a.task_id = $2 AND a.gone_at IS NULL
        AND (CAST($3 AS BIGINT) IS NULL OR (a.created_at, a.id) > ($3, $4))
      ORDER BY a.created_at, a.id LIMIT $5"
);
/// `$1` owner, `$2` task.
const COUNT_ATTACHMENTS: &str =
    "SELECT COUNT(*) FROM attachments WHERE user_id = $1 AND task_id = $2 AND gone_at IS NULL";
/// `$1` owner. The bytes of what is there, and of all that is kept.
const SUM_ATTACHMENTS: &str = "
    SELECT CAST(COALESCE(SUM(CASE WHEN gone_at IS NULL THEN size_bytes ELSE 0 END), 0) AS BIGINT) AS shown,
           CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS kept
      FROM attachments WHERE user_id = $1
";
/// `$1` owner. All that are not gone, oldest first.
pub(super) const EXPORT_ATTACHMENTS: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM attachments a WHERE a.user_id = $1 AND a.gone_at IS NULL ORDER BY a.created_at, a.id"
);
/// `$1` owner, `$2` attachment, `$3` when it was taken away, or NULL to bring it back.
const SET_ATTACHMENT_GONE: &str = "UPDATE attachments SET deleted_at = $3, gone_at = $3 WHERE user_id = $1 AND id = $2";
/// `$1` owner, `$2` task, `$3` when the task was deleted, or NULL when it is back.
const FOLLOW_TASK: &str =
    "UPDATE attachments SET gone_at = COALESCE(deleted_at, $3) WHERE user_id = $1 AND task_id = $2";
/// `$1` owner, `$2` tasks as a JSON array of ids. How many attachments they have, but for those that are gone.
const COUNT_ATTACHED: Sql = Sql {
    // SQLite has no arrays; ids are compared as the bytes that they are kept as.
    sqlite: "
        SELECT COUNT(*) FROM attachments
         WHERE user_id = $1 AND gone_at IS NULL AND task_id IN (SELECT unhex(value) FROM json_each($2))
    ",
    postgres: "
        SELECT COUNT(*) FROM attachments
         WHERE user_id = $1 AND gone_at IS NULL
           AND task_id IN (SELECT value::uuid FROM json_array_elements_text($2::json))
    ",
};

/// `$1` owner. Before the owner's rows go.
const DOOM_OBJECTS_OF_USER: &str = "
    INSERT INTO object_removals (object_key, state, due_at)
    SELECT object_key, 'doomed', 0 FROM attachments WHERE user_id = $1
";
/// `$1` owner, `$2` tasks as a JSON array of ids. Before the tasks' rows go.
const DOOM_OBJECTS_OF_TASKS: Sql = Sql {
    sqlite: "
        INSERT INTO object_removals (object_key, state, due_at)
        SELECT object_key, 'doomed', 0 FROM attachments
         WHERE user_id = $1 AND task_id IN (SELECT unhex(value) FROM json_each($2))
    ",
    postgres: "
        INSERT INTO object_removals (object_key, state, due_at)
        SELECT object_key, 'doomed', 0 FROM attachments
         WHERE user_id = $1 AND task_id IN (SELECT value::uuid FROM json_array_elements_text($2::json))
    ",
};
/// `$1` a moment, `$2` how many. Removes rows that were gone before then; gives their objects' keys.
const PURGE_ATTACHMENTS: &str = "
    DELETE FROM attachments
     WHERE id IN (SELECT id FROM attachments WHERE gone_at < $1 ORDER BY gone_at LIMIT $2)
    RETURNING object_key
";
/// `$1` keys as a JSON array.
const DOOM_OBJECTS: Sql = Sql {
    // The functions that take JSON apart have other names.
    sqlite: "
        INSERT INTO object_removals (object_key, state, due_at) SELECT value, 'doomed', 0 FROM json_each($1) WHERE true
    ",
    postgres: "
        INSERT INTO object_removals (object_key, state, due_at)
        SELECT value, 'doomed', 0 FROM json_array_elements_text($1::json)
    ",
};
/// `$1` key, `$2` until when the upload may take.
const ANNOUNCE_UPLOAD: &str = "INSERT INTO object_removals (object_key, state, due_at) VALUES ($1, 'uploading', $2)";
/// `$1` key. No row when the upload was given up meanwhile.
const CLAIM_UPLOAD: &str = "DELETE FROM object_removals WHERE object_key = $1 AND state = 'uploading'";
/// `$1` key. Nothing, when an attachment has it.
const GIVE_UP_UPLOAD: &str =
    "UPDATE object_removals SET state = 'doomed', due_at = 0 WHERE object_key = $1 AND state = 'uploading'";
/// `$1` now, `$2` when to try again if this process dies, `$3` how many. Gives the keys of objects that are to go.
const TAKE_REMOVALS: &str = "
    UPDATE object_removals SET state = 'doomed', due_at = $2
     WHERE object_key IN (SELECT object_key FROM object_removals WHERE due_at <= $1 ORDER BY due_at LIMIT $3)
    RETURNING object_key
";
/// `$1` keys as a JSON array.
const FORGET_REMOVALS: Sql = Sql {
    sqlite: "DELETE FROM object_removals WHERE object_key IN (SELECT value FROM json_each($1)) AND state = 'doomed'",
    postgres: "
        DELETE FROM object_removals
         WHERE object_key IN (SELECT json_array_elements_text($1::json)) AND state = 'doomed'
    ",
};

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_ATTACHMENT", Sql::same(INSERT_ATTACHMENT)),
    ("FIND_ATTACHMENT", Sql::same(FIND_ATTACHMENT)),
    ("FIND_SHARED_ATTACHMENT", Sql::same(FIND_SHARED_ATTACHMENT)),
    ("LIST_ATTACHMENTS", Sql::same(LIST_ATTACHMENTS)),
    ("COUNT_ATTACHMENTS", Sql::same(COUNT_ATTACHMENTS)),
    ("SUM_ATTACHMENTS", Sql::same(SUM_ATTACHMENTS)),
    ("EXPORT_ATTACHMENTS", Sql::same(EXPORT_ATTACHMENTS)),
    ("SET_ATTACHMENT_GONE", Sql::same(SET_ATTACHMENT_GONE)),
    ("FOLLOW_TASK", Sql::same(FOLLOW_TASK)),
    ("COUNT_ATTACHED", COUNT_ATTACHED),
    ("DOOM_OBJECTS_OF_USER", Sql::same(DOOM_OBJECTS_OF_USER)),
    ("DOOM_OBJECTS_OF_TASKS", DOOM_OBJECTS_OF_TASKS),
    ("PURGE_ATTACHMENTS", Sql::same(PURGE_ATTACHMENTS)),
    ("DOOM_OBJECTS", DOOM_OBJECTS),
    ("ANNOUNCE_UPLOAD", Sql::same(ANNOUNCE_UPLOAD)),
    ("CLAIM_UPLOAD", Sql::same(CLAIM_UPLOAD)),
    ("GIVE_UP_UPLOAD", Sql::same(GIVE_UP_UPLOAD)),
    ("TAKE_REMOVALS", Sql::same(TAKE_REMOVALS)),
    ("FORGET_REMOVALS", FORGET_REMOVALS),
];

#[derive(FromRow)]
pub(super) struct AttachmentRow {
    id: Uuid,
    task_id: Uuid,
    object_key: String,
    file_name: String,
    media_type: String,
    size_bytes: i64,
    sha256: Vec<u8>,
    created_at: i64,
    deleted_at: Option<i64>,
    gone_at: Option<i64>,
}

impl TryFrom<AttachmentRow> for Attachment {
    type Error = StoreError;

    fn try_from(row: AttachmentRow) -> Result<Self, StoreError> {
        let sha256 = row.sha256.try_into().map_err(|_| StoreError::corrupt("sha256", "an attachment"))?;
        Ok(Self {
            id: AttachmentId(row.id),
            task_id: TaskId(row.task_id),
            object_key: row.object_key,
            file_name: row.file_name,
            media_type: row.media_type,
            size_bytes: row.size_bytes.unsigned_abs(),
            sha256,
            created_at: Timestamp::from_micros(row.created_at),
            deleted_at: row.deleted_at.map(Timestamp::from_micros),
            gone_at: row.gone_at.map(Timestamp::from_micros),
        })
    }
}

fn read(row: Option<AttachmentRow>) -> StoreResult<Option<Attachment>> {
    row.map(Attachment::try_from).transpose()
}

impl Store {
    /// The owner's attachment, if it is not gone.
    pub async fn find_attachment(&self, owner: UserId, id: AttachmentId) -> StoreResult<Option<Attachment>> {
        let row = on_database!(self.reader, |db| {
            sqlx::query_as(FIND_ATTACHMENT).bind(owner.0).bind(id.0).fetch_optional(db).await?
        });
        Ok(read(row)?.filter(|attachment| attachment.gone_at.is_none()))
    }

    /// An attachment that is not gone, whoever's it is.
    pub async fn find_shared_attachment(&self, id: AttachmentId) -> StoreResult<Option<Attachment>> {
        read(on_database!(self.reader, |db| {
            sqlx::query_as(FIND_SHARED_ATTACHMENT).bind(id.0).fetch_optional(db).await?
        }))
    }

    /// A task's attachments after a place in the list, oldest first.
    pub async fn list_attachments(
        &self,
        owner: UserId,
        task: TaskId,
        after: Option<Position>,
        limit: u32,
    ) -> StoreResult<Vec<Attachment>> {
        let (key, id) = after.map(|after| (after.key, after.id)).unzip();
        let rows: Vec<AttachmentRow> = on_database!(self.reader, |db| {
            let rows = sqlx::query_as(LIST_ATTACHMENTS).bind(owner.0).bind(task.0).bind(key).bind(id);
            rows.bind(i64::from(limit)).fetch_all(db).await?
        });
        rows.into_iter().map(Attachment::try_from).collect()
    }

    /// How many attachments a task has.
    pub async fn count_attachments(&self, owner: UserId, task: TaskId) -> StoreResult<u64> {
        let count: i64 = on_database!(self.reader, |db| {
            sqlx::query_scalar(COUNT_ATTACHMENTS).bind(owner.0).bind(task.0).fetch_one(db).await?
        });
        Ok(count.unsigned_abs())
    }

    /// How much the owner has, and the task of it.
    pub async fn attachment_usage(&self, owner: UserId, task: TaskId) -> StoreResult<Usage> {
        let (shown, kept): (i64, i64) =
            on_database!(self.reader, |db| sqlx::query_as(SUM_ATTACHMENTS).bind(owner.0).fetch_one(db).await?);
        let of_task = self.count_attachments(owner, task).await?;
        Ok(Usage { shown_bytes: shown.unsigned_abs(), kept_bytes: kept.unsigned_abs(), of_task })
    }
}

impl Tx<'_> {
    /// The owner's attachment, gone or not.
    pub async fn find_attachment(&mut self, owner: UserId, id: AttachmentId) -> StoreResult<Option<Attachment>> {
        read(on_database!(self, |db| {
            sqlx::query_as(FIND_ATTACHMENT).bind(owner.0).bind(id.0).fetch_optional(db).await?
        }))
    }

    /// How much the owner has, and the task of it.
    pub async fn attachment_usage(&mut self, owner: UserId, task: TaskId) -> StoreResult<Usage> {
        let (shown, kept): (i64, i64) =
            on_database!(self, |db| sqlx::query_as(SUM_ATTACHMENTS).bind(owner.0).fetch_one(db).await?);
        let of_task: i64 = on_database!(self, |db| {
            sqlx::query_scalar(COUNT_ATTACHMENTS).bind(owner.0).bind(task.0).fetch_one(db).await?
        });
        Ok(Usage {
            shown_bytes: shown.unsigned_abs(),
            kept_bytes: kept.unsigned_abs(),
            of_task: of_task.unsigned_abs(),
        })
    }

    /// Makes the row of an object whose upload was announced; `false`, and no row, when that was given up meanwhile.
    pub async fn insert_attachment(&mut self, owner: UserId, attachment: &Attachment) -> StoreResult<bool> {
        let claimed = on_database!(self, |db| {
            sqlx::query(CLAIM_UPLOAD).bind(&attachment.object_key).execute(db).await.map(|done| done.rows_affected())?
        });
        if claimed == 0 {
            return Ok(false);
        }
        on_database!(self, |db| {
            sqlx::query(INSERT_ATTACHMENT)
                .bind(attachment.id.0)
                .bind(owner.0)
                .bind(attachment.task_id.0)
                .bind(&attachment.object_key)
                .bind(&attachment.file_name)
                .bind(&attachment.media_type)
                .bind(attachment.size_bytes.cast_signed())
                .bind(&attachment.sha256[..])
                .bind(attachment.created_at.as_micros())
                .execute(db)
                .await?;
        });
        Ok(true)
    }

    /// Takes an attachment away, or brings it back.
    pub async fn set_attachment_gone(
        &mut self,
        owner: UserId,
        id: AttachmentId,
        gone: Option<Timestamp>,
    ) -> StoreResult<()> {
        on_database!(self, |db| {
            let gone = gone.map(Timestamp::as_micros);
            sqlx::query(SET_ATTACHMENT_GONE).bind(owner.0).bind(id.0).bind(gone).execute(db).await?;
        });
        Ok(())
    }

    /// Takes a task's attachments away with it, or brings them back with it.
    pub async fn attachments_follow(
        &mut self,
        owner: UserId,
        task: TaskId,
        deleted: Option<Timestamp>,
    ) -> StoreResult<()> {
        on_database!(self, |db| {
            let deleted = deleted.map(Timestamp::as_micros);
            sqlx::query(FOLLOW_TASK).bind(owner.0).bind(task.0).bind(deleted).execute(db).await?;
        });
        Ok(())
    }

    /// How many attachments these tasks have.
    pub async fn count_attached(&mut self, owner: UserId, tasks: &[TaskId]) -> StoreResult<u64> {
        let statement = COUNT_ATTACHED.on(self.dialect());
        let count: i64 = on_database!(self, |db| {
            sqlx::query_scalar(statement).bind(owner.0).bind(ids_json(tasks)).fetch_one(db).await?
        });
        Ok(count.unsigned_abs())
    }

    /// Has all objects of a person removed; before the person is.
    pub(super) async fn doom_objects_of_user(&mut self, owner: UserId) -> StoreResult<()> {
        on_database!(self, |db| sqlx::query(DOOM_OBJECTS_OF_USER).bind(owner.0).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Has all objects of tasks removed; before the tasks are.
    pub(super) async fn doom_objects_of_tasks(&mut self, owner: UserId, tasks: &[TaskId]) -> StoreResult<()> {
        let statement = DOOM_OBJECTS_OF_TASKS.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(statement).bind(owner.0).bind(ids_json(tasks)).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Removes the rows of attachments that were gone before a moment, `most` at a time, and has their objects removed;
    /// says how many.
    pub async fn purge_attachments(&mut self, before: Timestamp, most: u32) -> StoreResult<usize> {
        let statement = DOOM_OBJECTS.on(self.dialect());
        let keys: Vec<String> = on_database!(self, |db| {
            sqlx::query_scalar(PURGE_ATTACHMENTS).bind(before.as_micros()).bind(i64::from(most)).fetch_all(db).await?
        });
        if !keys.is_empty() {
            let list = serde_json::json!(keys).to_string();
            on_database!(self, |db| sqlx::query(statement).bind(list).execute(db).await.map(drop))?;
        }
        Ok(keys.len())
    }

    /// Notes that an object is about to be written, and until when its upload may take.
    pub async fn announce_upload(&mut self, key: &str, until: Timestamp) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(ANNOUNCE_UPLOAD).bind(key).bind(until.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Has the object of an upload removed that came to nothing; says whether there is something to remove.
    pub async fn give_up_upload(&mut self, key: &str) -> StoreResult<bool> {
        let given_up = on_database!(self, |db| {
            sqlx::query(GIVE_UP_UPLOAD).bind(key).execute(db).await.map(|done| done.rows_affected())?
        });
        Ok(given_up > 0)
    }

    /// Takes up to `most` keys whose objects are to go; they come again at `retry`, unless they are forgotten before.
    pub async fn take_removals(&mut self, now: Timestamp, retry: Timestamp, most: u32) -> StoreResult<Vec<String>> {
        let keys = on_database!(self, |db| {
            let taken = sqlx::query_scalar(TAKE_REMOVALS).bind(now.as_micros()).bind(retry.as_micros());
            taken.bind(i64::from(most)).fetch_all(db).await?
        });
        Ok(keys)
    }

    /// Forgets keys whose objects are gone.
    pub async fn forget_removals(&mut self, keys: &[String]) -> StoreResult<()> {
        let statement = FORGET_REMOVALS.on(self.dialect());
        let list = serde_json::json!(keys).to_string();
        on_database!(self, |db| sqlx::query(statement).bind(list).execute(db).await.map(drop))?;
        Ok(())
    }
}
