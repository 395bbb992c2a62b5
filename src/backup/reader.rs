//! Reads an archive and trusts nothing in it: each file must be the next one, whole, and as its checksum says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tar::{Archive, Entry, EntryType};

use super::ArchiveError;
use super::crypt::Unlock;
use super::digest::RowsDigest;
use super::format::{HEAD, Head, MANIFEST, SUMS, TableTotals, Totals};
use super::rows;
use super::writer::{rows_path, sum_line};
use crate::hex::hex;
use crate::store::dump::CHUNK_BYTES;
use crate::store::tables::{Column, Table};

/// The largest description, in bytes.
const DOCUMENT_BYTES: u64 = 16 * 1024 * 1024;
/// The largest list of checksums, in bytes: of some millions of attachments.
const SUMS_BYTES: u64 = 1024 * 1024 * 1024;
/// The largest file of rows, in bytes: a full one and a large row more.
const ROWS_BYTES: u64 = CHUNK_BYTES as u64 + 64 * 1024 * 1024;
/// The longest path.
const PATH_BYTES: usize = 255;
/// Where the files of people are.
const ATTACHMENTS: &str = "attachments/";

/// Is shown what is in an archive, in order.
pub trait Visitor {
    /// What the archive is. It can be restored by this program.
    fn head(&mut self, head: &Head) -> Result<(), ArchiveError>;
    /// Some rows, checked.
    fn rows(&mut self, table: &'static Table, rows: u64, lines: Vec<u8>) -> Result<(), ArchiveError>;
    /// A file of somebody's; whether it is what was written shows when it was read to its end.
    fn attachment(&mut self, key: &str, size: u64, bytes: &mut dyn Read) -> Result<(), ArchiveError>;
}

/// Looks at everything and keeps nothing.
pub struct Inspect;

impl Visitor for Inspect {
    fn head(&mut self, _head: &Head) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn rows(&mut self, _table: &'static Table, _rows: u64, _lines: Vec<u8>) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn attachment(&mut self, _key: &str, _size: u64, _bytes: &mut dyn Read) -> Result<(), ArchiveError> {
        Ok(())
    }
}

/// What was found in an archive that is whole and in order.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What it is.
    pub head: Head,
    /// How much there is of everything.
    pub totals: Totals,
}

/// Reads an archive from its beginning to its end.
///
/// - `known`: the last migration that this program has.
///
/// # Errors
///
/// The first thing that is wrong; what `visitor` was shown before is then worth nothing.
pub fn walk(file: File, unlock: &Unlock, known: i64, visitor: &mut dyn Visitor) -> Result<Contents, ArchiveError> {
    let unsealed = unlock.open(BufReader::with_capacity(256 * 1024, file))?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::with_capacity(64 * 1024, unsealed)));
    let mut walk = Walk {
        known,
        visitor,
        sums: String::new(),
        head: None,
        totals: Totals::default(),
        place: 0,
        digest: RowsDigest::default(),
    };
    let mut contents = None;
    // Raw: entries that rename or stretch the next one are foreign, as all but plain files.
    for entry in archive.entries().map_err(beginning)?.raw(true) {
        let entry = entry.map_err(|error| if walk.head.is_none() { beginning(error) } else { error.into() })?;
        if contents.is_some() {
            return Err(ArchiveError::Foreign(path_of(&entry)));
        }
        contents = walk.entry(entry)?;
    }
    let contents =
        contents.ok_or(if walk.head.is_none() { ArchiveError::NotABackup } else { ArchiveError::Truncated })?;
    to_the_end(archive.into_inner())?;
    Ok(contents)
}

/// Whatever cannot even begin is something else.
fn beginning(error: io::Error) -> ArchiveError {
    match error.into() {
        ArchiveError::Io(error) => ArchiveError::Io(error),
        ArchiveError::Truncated => ArchiveError::Truncated,
        _ => ArchiveError::NotABackup,
    }
}

/// Reads what is behind the last entry: the checksum of gzip and the mark of the last sealed piece are there, nothing else.
fn to_the_end<R: BufRead>(mut gzip: GzDecoder<R>) -> Result<(), ArchiveError> {
    let after = || ArchiveError::Damaged("something stands behind its end".to_owned());
    let mut buffer = [0; 4096];
    loop {
        match gzip.read(&mut buffer)? {
            0 => break,
            read if buffer[..read].iter().all(|byte| *byte == 0) => {}
            _ => return Err(after()),
        }
    }
    if gzip.into_inner().fill_buf()?.is_empty() { Ok(()) } else { Err(after()) }
}

struct Walk<'v> {
    known: i64,
    visitor: &'v mut dyn Visitor,
    sums: String,
    head: Option<Head>,
    totals: Totals,
    /// Which table is on.
    place: usize,
    /// Its rows so far.
    digest: RowsDigest,
}

fn path_of<R: Read>(entry: &Entry<'_, R>) -> String {
    String::from_utf8_lossy(&entry.path_bytes()).chars().take(PATH_BYTES).collect()
}

impl Walk<'_> {
    /// Takes the next entry; the last one completes the contents.
    fn entry<R: Read>(&mut self, mut entry: Entry<'_, R>) -> Result<Option<Contents>, ArchiveError> {
        let path = path_of(&entry);
        let foreign = || ArchiveError::Foreign(path.clone());
        if entry.header().entry_type() != EntryType::Regular {
            return Err(foreign());
        }
        let Some(head) = self.head.take() else {
            let head: Head = if path == HEAD { self.document(&mut entry, &path)? } else { return Err(foreign()) };
            head.check(self.known)?;
            self.totals.tables = head.tables.iter().map(|table| begun(&table.name)).collect();
            self.visitor.head(&head)?;
            self.head = Some(head);
            return Ok(None);
        };
        if path == SUMS {
            return self.end(&mut entry, head).map(Some);
        }
        if !self.totals.sha256.is_empty() {
            return Err(foreign());
        }
        if path == MANIFEST {
            self.manifest(&mut entry)?;
        } else if path.starts_with(ATTACHMENTS) && head.attachments && is_key(&path) {
            self.attachment(&mut entry, &path)?;
        } else {
            self.rows(&mut entry, &path, &head)?;
        }
        self.head = Some(head);
        Ok(None)
    }

    fn rows<R: Read>(&mut self, entry: &mut Entry<'_, R>, path: &str, head: &Head) -> Result<(), ArchiveError> {
        let foreign = || ArchiveError::Foreign(path.to_owned());
        // The next file of this table, or the first of a later one; after the first attachment there are no more.
        let next = |total: &TableTotals| rows_path(&total.name, total.files + 1) == path;
        let later = self.totals.tables.iter().skip(self.place).position(next).map(|steps| self.place + steps);
        let place = later.filter(|_| self.totals.attachments.count == 0).ok_or_else(foreign)?;
        if place > self.place && self.totals.tables[place].files > 0 {
            return Err(foreign());
        }
        let table = head.table(&self.totals.tables[place].name).ok_or_else(foreign)?;
        let (lines, hash) = read_all(entry, path, ROWS_BYTES)?;
        self.sums.push_str(&sum_line(&hash, path));
        let columns: Vec<&Column> = table.columns_at(head.schema_version).collect();
        let rows =
            rows::check(&lines, &columns).map_err(|fault| ArchiveError::Damaged(format!("`{path}`: {fault}")))?;
        let total = &mut self.totals.tables[place];
        if total.files == 0 {
            (self.place, self.digest) = (place, RowsDigest::default());
        }
        self.digest.add(&lines);
        total.digest = self.digest.text();
        total.files += 1;
        total.rows += rows;
        total.bytes += lines.len() as u64;
        self.visitor.rows(table, rows, lines)
    }

    fn attachment<R: Read>(&mut self, entry: &mut Entry<'_, R>, path: &str) -> Result<(), ArchiveError> {
        let size = entry.size();
        let mut bytes = Hashing { from: entry, hash: Sha256::new(), read: 0 };
        self.visitor.attachment(path, size, &mut bytes)?;
        io::copy(&mut bytes, &mut io::sink())?;
        if bytes.read != size {
            return Err(ArchiveError::Truncated);
        }
        self.sums.push_str(&sum_line(&bytes.hash.finalize(), path));
        let totals = &mut self.totals.attachments;
        (totals.count, totals.bytes) = (totals.count + 1, totals.bytes + size);
        Ok(())
    }

    fn manifest<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), ArchiveError> {
        let sha256 = hex(&Sha256::digest(self.sums.as_bytes()));
        let said: Totals = self.document(entry, MANIFEST)?;
        let wrong = |what: &str| Err(ArchiveError::Damaged(format!("{what} are not what the manifest says")));
        if said.tables != self.totals.tables {
            return wrong("the rows");
        }
        let found = self.totals.attachments;
        if (said.attachments.count, said.attachments.bytes) != (found.count, found.bytes) {
            return wrong("the attachments");
        }
        if said.sha256 != sha256 {
            return wrong("the checksums");
        }
        self.totals = said;
        Ok(())
    }

    fn end<R: Read>(&mut self, entry: &mut Entry<'_, R>, head: Head) -> Result<Contents, ArchiveError> {
        if self.totals.sha256.is_empty() {
            return Err(ArchiveError::Foreign(SUMS.to_owned()));
        }
        let (text, _) = read_all(entry, SUMS, SUMS_BYTES)?;
        if text != self.sums.as_bytes() {
            return Err(ArchiveError::Damaged("the checksums are not those of its files".to_owned()));
        }
        Ok(Contents { head, totals: std::mem::take(&mut self.totals) })
    }

    fn document<R: Read, T: DeserializeOwned>(
        &mut self,
        entry: &mut Entry<'_, R>,
        path: &str,
    ) -> Result<T, ArchiveError> {
        let (text, hash) = read_all(entry, path, DOCUMENT_BYTES)?;
        self.sums.push_str(&sum_line(&hash, path));
        serde_json::from_slice(&text).map_err(|error| ArchiveError::Damaged(format!("`{path}`: {error}")))
    }
}

fn begun(name: &str) -> TableTotals {
    TableTotals { name: name.to_owned(), digest: RowsDigest::default().text(), ..TableTotals::default() }
}

/// Whether a path is a key of an attachment: plain words, none of which leads anywhere else.
fn is_key(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    path.len() <= PATH_BYTES
        && path.split('/').all(|word| !word.is_empty() && !word.starts_with('.') && word.bytes().all(plain))
}

/// A whole entry and its SHA-256; nothing is read of one that says it is too large.
fn read_all<R: Read>(entry: &mut Entry<'_, R>, path: &str, most: u64) -> Result<(Vec<u8>, Vec<u8>), ArchiveError> {
    let size = entry.size();
    if size > most {
        return Err(ArchiveError::TooLarge(path.to_owned()));
    }
    let mut bytes = Vec::new();
    entry.take(most).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(ArchiveError::Truncated);
    }
    let hash = Sha256::digest(&bytes).to_vec();
    Ok((bytes, hash))
}

struct Hashing<'r, R> {
    from: &'r mut R,
    hash: Sha256,
    read: u64,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(bytes)?;
        self.hash.update(&bytes[..read]);
        self.read += read as u64;
        Ok(read)
    }
}
