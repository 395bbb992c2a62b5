//! What an archive says about itself.

use serde::{Deserialize, Serialize};

use super::ArchiveError;
use crate::clock::Timestamp;
use crate::store::tables::{TABLES, Table};

/// What the first file calls itself.
pub const FORMAT: &str = "mindflow-backup";
/// The version of the format that this program writes, and the last one that it reads.
pub const FORMAT_VERSION: i64 = 1;

/// The first file.
pub const HEAD: &str = "backup.json";
/// The last file but one.
pub const MANIFEST: &str = "manifest.json";
/// The last file.
pub const SUMS: &str = "SHA256SUMS";

/// The first file: what the archive is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`].
    pub format_version: i64,
    /// The program that wrote it.
    pub program_version: String,
    /// The last migration that the schema had.
    pub schema_version: i64,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// The moment as of which everything is.
    pub created_at: Timestamp,
    /// Which `SECRET_KEY` (or `secret.key`) the sealed rows need; the key itself is not in the archive.
    pub secret_fingerprint: Option<String>,
    /// Whether the files of people are in it.
    pub attachments: bool,
    /// The tables, in order.
    pub tables: Vec<HeadTable>,
}

/// A table of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadTable {
    /// Its name.
    pub name: String,
    /// What the values of a row are, in order.
    pub columns: Vec<String>,
}

impl HeadTable {
    /// A table as a schema has it.
    pub fn of(table: &Table, version: i64) -> Self {
        let columns = table.columns_at(version).map(|column| column.name.to_owned()).collect();
        Self { name: table.name.to_owned(), columns }
    }
}

impl Head {
    /// Whether this program can restore it.
    ///
    /// - `known`: the last migration that this program has.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`] says why not.
    pub fn check(&self, known: i64) -> Result<(), ArchiveError> {
        if self.format != FORMAT {
            return Err(ArchiveError::NotABackup);
        }
        if self.format_version > FORMAT_VERSION {
            return Err(ArchiveError::Newer { what: "format", found: self.format_version, known: FORMAT_VERSION });
        }
        if self.schema_version > known {
            return Err(ArchiveError::Newer { what: "schema", found: self.schema_version, known });
        }
        if self.schema_version < 1 {
            return Err(ArchiveError::Damaged(format!("there is no schema {}", self.schema_version)));
        }
        for (place, table) in self.tables.iter().enumerate() {
            let known = self.table(&table.name).filter(|known| HeadTable::of(known, self.schema_version) == *table);
            if known.is_none() || self.tables[..place].iter().any(|other| other.name == table.name) {
                return Err(ArchiveError::Damaged(format!(
                    "the schema {} has no table `{}` with these columns",
                    self.schema_version, table.name
                )));
            }
        }
        Ok(())
    }

    /// A table of the archive's schema.
    pub fn table(&self, name: &str) -> Option<&'static Table> {
        TABLES.iter().find(|table| table.name == name && table.is_at(self.schema_version))
    }
}

/// The last file but one: how much there is of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The tables, in order.
    pub tables: Vec<TableTotals>,
    /// The files of people.
    pub attachments: AttachmentTotals,
    /// SHA-256 over the checksums of all files before this one, as they stand in [`SUMS`].
    pub sha256: String,
}

/// How much there is of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTotals {
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// How many files hold them.
    pub files: u64,
    /// How many bytes they have as text.
    pub bytes: u64,
    /// The sum of the rows ([`super::digest`]), the same on both databases.
    pub digest: String,
}

/// How much there is of the files of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentTotals {
    /// How many.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many are named by rows, but were not found where they should be.
    pub missing: u64,
    /// How many have another size or checksum than their rows say.
    #[serde(default)]
    pub damaged: u64,
}

impl AttachmentTotals {
    /// What is wrong with them, in words.
    pub fn trouble(&self) -> Option<String> {
        let told = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let missing = told(self.missing, "attachments were not found where they should be");
        let damaged = told(self.damaged, "attachments are damaged: their size or checksum is not that of the upload");
        let both: Vec<String> = [missing, damaged].into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join("; "))
    }
}

impl Totals {
    /// All rows together.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// What is sealed under the server's secret, such as `signing keys`.
    pub fn sealed(&self) -> Vec<&'static str> {
        let filled = |table: &&Table| self.tables.iter().any(|total| total.name == table.name && total.rows > 0);
        TABLES.iter().filter(filled).filter_map(|table| table.sealed).collect()
    }
}
