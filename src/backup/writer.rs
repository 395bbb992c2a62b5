//! Writes an archive, piece by piece.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use super::crypt::{Seal, Sealing};
use super::digest::RowsDigest;
use super::format::{AttachmentTotals, HEAD, Head, MANIFEST, SUMS, TableTotals, Totals};
use crate::hex::hex;
use crate::store::dump::Chunk;

/// The unit of tar.
const BLOCK: usize = 512;
/// Quick, and not much larger than the best.
const COMPRESSION: Compression = Compression::new(4);

/// An archive on its way.
pub(super) struct ArchiveWriter<W: Write> {
    out: GzEncoder<Sealing<W>>,
    seconds: u64,
    sums: String,
    totals: Totals,
    digest: RowsDigest,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive.
    pub(super) fn begin(out: W, seal: &Seal, head: &Head) -> io::Result<Self> {
        let mut writer = Self {
            out: GzEncoder::new(seal.wrap(out)?, COMPRESSION),
            seconds: u64::try_from(head.created_at.as_seconds()).unwrap_or(0),
            sums: String::new(),
            totals: Totals::default(),
            digest: RowsDigest::default(),
        };
        for table in &head.tables {
            let digest = RowsDigest::default().text();
            writer.totals.tables.push(TableTotals { name: table.name.clone(), digest, ..TableTotals::default() });
        }
        writer.document(HEAD, head)?;
        Ok(writer)
    }

    /// Adds rows; those of a table come one after the other. Returns what there is of the table so far.
    pub(super) fn rows(&mut self, chunk: &Chunk) -> io::Result<&TableTotals> {
        let place = self.totals.tables.iter().position(|table| table.name == chunk.table);
        let place = place.ok_or_else(|| io::Error::other("a table that was not announced"))?;
        let total = &mut self.totals.tables[place];
        if total.files == 0 {
            self.digest = RowsDigest::default();
        }
        self.digest.add(&chunk.lines);
        total.files += 1;
        total.rows += chunk.rows;
        total.bytes += chunk.lines.len() as u64;
        total.digest = self.digest.text();
        let path = rows_path(&total.name, total.files);
        self.file(&path, chunk.lines.len() as u64, &mut chunk.lines.as_slice())?;
        Ok(&self.totals.tables[place])
    }

    /// Adds a file of somebody's. Returns what there is of them so far.
    pub(super) fn attachment(&mut self, key: &str, size: u64, bytes: &mut dyn Read) -> io::Result<AttachmentTotals> {
        self.file(key, size, bytes)?;
        let totals = &mut self.totals.attachments;
        (totals.count, totals.bytes) = (totals.count + 1, totals.bytes + size);
        Ok(*totals)
    }

    /// Completes it.
    ///
    /// - `missing`: how many files of people were not found; `damaged`: how many are not what their rows say.
    pub(super) fn finish(mut self, missing: u64, damaged: u64) -> io::Result<(W, Totals)> {
        (self.totals.attachments.missing, self.totals.attachments.damaged) = (missing, damaged);
        self.totals.sha256 = hex(&Sha256::digest(self.sums.as_bytes()));
        let totals = self.totals.clone();
        self.document(MANIFEST, &totals)?;
        let sums = std::mem::take(&mut self.sums);
        self.file(SUMS, sums.len() as u64, &mut sums.as_bytes())?;
        // Two empty blocks end it.
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok((self.out.finish()?.finish()?, totals))
    }

    fn document(&mut self, path: &str, document: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(document)?;
        text.push(b'\n');
        self.file(path, text.len() as u64, &mut text.as_slice())
    }

    fn file(&mut self, path: &str, size: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_path(path)?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(self.seconds);
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let read = content.read(&mut buffer[..most])?;
            if read == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("`{path}` is shorter than it was said"),
                ));
            }
            hash.update(&buffer[..read]);
            self.out.write_all(&buffer[..read])?;
            left -= read as u64;
        }
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        if over > 0 {
            self.out.write_all(&[0; BLOCK][over..])?;
        }
        self.sums.push_str(&sum_line(&hash.finalize(), path));
        Ok(())
    }
}

/// The path of some rows.
pub(super) fn rows_path(table: &str, number: u64) -> String {
    format!("tables/{table}/{number:06}.jsonl")
}

/// A line of [`SUMS`], as `sha256sum` writes it.
pub(super) fn sum_line(hash: &[u8], path: &str) -> String {
    format!("{}  {path}\n", hex(hash))
}
