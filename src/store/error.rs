//! What can go wrong between the domain and its database.

use sqlx::Error as SqlxError;

/// The result of asking the store.
pub type StoreResult<T> = Result<T, StoreError>;

/// A fault of the store, sorted by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that is supported.
    #[error("`DATABASE_URL` is not a database URL")]
    Url(#[source] SqlxError),
    /// The database is away, busy, full or read-only: nothing was changed, and trying again later may work.
    #[error("the database cannot be used at the moment")]
    Unavailable(#[source] SqlxError),
    /// The file of the database is not any more where it was opened.
    #[error("the database file was moved or deleted while it was open")]
    Moved,
    /// Something with this unique value exists already; the constraint's or column's name says which.
    #[error("`{0}` is taken")]
    Taken(String),
    /// A row that another row must refer to does not exist (any more).
    #[error("the row that is referred to does not exist")]
    Dangling(#[source] SqlxError),
    /// A stored value is not what the program wrote.
    #[error("the stored {what} `{value}` cannot be read")]
    Corrupt {
        /// Which column.
        what: &'static str,
        /// What it holds.
        value: String,
    },
    /// The statement itself failed: a fault of this program.
    #[error("a statement failed")]
    Statement(#[source] SqlxError),
    /// The change was not carried out because the program is stopping or an earlier change broke the batch.
    #[error("the change was not carried out")]
    Dropped,
}

impl StoreError {
    /// Makes the error of a stored value that cannot be read.
    pub fn corrupt(what: &'static str, value: impl Into<String>) -> Self {
        Self::Corrupt { what, value: value.into() }
    }

    /// Whether an error speaks of the database's state rather than of the statement.
    pub(super) fn is_passing(error: &SqlxError) -> bool {
        match error {
            SqlxError::Database(fault) => is_passing(fault.code().as_deref()),
            // A proxy whose server is away accepts a connection and closes it, which is not how the protocol goes on.
            SqlxError::Io(_)
            | SqlxError::Protocol(_)
            | SqlxError::Tls(_)
            | SqlxError::PoolTimedOut
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed
            | SqlxError::BeginFailed => true,
            _ => false,
        }
    }
}

impl From<SqlxError> for StoreError {
    fn from(error: SqlxError) -> Self {
        match &error {
            SqlxError::Database(fault) if fault.is_unique_violation() => {
                // SQLite names the columns in its message ("UNIQUE constraint failed: users.email_key").
                let name = fault.constraint().map_or_else(
                    || fault.message().rsplit(": ").next().unwrap_or_default().to_owned(),
                    ToOwned::to_owned,
                );
                Self::Taken(name)
            }
            SqlxError::Database(fault) if fault.is_foreign_key_violation() => Self::Dangling(error),
            _ if Self::is_passing(&error) => Self::Unavailable(error),
            _ => Self::Statement(error),
        }
    }
}

/// Whether an error code speaks of the database's state rather than of the statement.
///
/// SQLite gives extended result codes in decimal, whose lowest byte is the primary code: 5 busy, 6 locked, 8 read-only,
/// 10 I/O, 11 corrupt, 13 full, 14 cannot open. PostgreSQL gives SQLSTATE classes: 08 connection, 25006 read-only, 40
/// rollback, 53 resources, 55P03 lock, 57P0x shutting down, 58 system.
fn is_passing(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    if code.len() == 5 {
        let class = code.get(..2).unwrap_or_default();
        return matches!(class, "08" | "40" | "53" | "57" | "58") || code == "25006" || code == "55P03";
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 11 | 13 | 14))
}
