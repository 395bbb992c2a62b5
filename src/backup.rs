//! Backups: everything that a server knows, in one file that either database can be made from again.
//!
//! An archive is a tar file, compressed with gzip, sealed with age if that is wanted. In it, in this order:
//!
//! - `backup.json` ([`format::Head`]): what the archive is, of which schema, with which tables and columns;
//! - `tables/<name>/<number>.jsonl`: rows, one JSON array of values a line, some thousands a file;
//! - `attachments/…`: the files of people, as they are;
//! - `manifest.json` ([`format::Totals`]): how much there is of everything, with a digest of each table;
//! - `SHA256SUMS`: the checksum of each file before it, as `sha256sum -c` reads it.
//!
//! Nothing is held in memory but the piece that is on its way, whatever the size. Rows are read in one snapshot
//! ([`crate::store::dump`]) and written in one transaction ([`crate::store::load`]).
//!
//! - [`make`]: from a database to a place; [`restore`]: from an archive to a database; [`verify`]: whether that would work.
//! - [`native`]: a copy by the database's own tools beside it.
//! - [`place`]: where archives are; [`names`]: how they are called; [`retention`]: which stay.
//! - `writer`, `reader`: the archive itself; [`crypt`]: its seal; `rows`, [`digest`]: what rows must be, and their sum.

pub mod crypt;
pub mod digest;
mod error;
pub mod format;
pub mod make;
pub mod names;
pub mod native;
pub mod place;
pub mod reader;
pub mod restore;
pub mod retention;
mod rows;
pub mod verify;
mod writer;

pub use self::error::{ArchiveError, BackupError};

/// Is told how far it has come, from whichever thread does the work.
pub trait Progress: Send + Sync {
    /// `rows` rows of a table, `bytes` bytes as text, are done so far.
    fn table(&self, name: &str, rows: u64, bytes: u64);
    /// So many attachments are done so far.
    fn attachments(&self, count: u64, bytes: u64);
    /// A step of another kind begins.
    fn step(&self, what: &str);
}

/// Nobody looks.
pub struct Silent;

impl Progress for Silent {
    fn table(&self, _name: &str, _rows: u64, _bytes: u64) {}
    fn attachments(&self, _count: u64, _bytes: u64) {}
    fn step(&self, _what: &str) {}
}
