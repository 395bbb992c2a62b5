//! Takes archives apart and puts them together otherwise.

use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// A file of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) kind: EntryType,
    /// What its header says, when that is not how long it is.
    pub(crate) said: Option<u64>,
}

impl Part {
    pub(crate) fn new(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), bytes: bytes.into(), kind: EntryType::Regular, said: None }
    }
}

/// The files of an archive, in order.
pub(crate) fn take_apart(archive: &Path) -> Vec<Part> {
    let mut tar = tar::Archive::new(GzDecoder::new(std::fs::File::open(archive).unwrap()));
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().to_vec()).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        Part::new(&path, bytes)
    });
    entries.collect()
}

/// An archive of these files, just as they are given.
pub(crate) fn put_together(parts: &[Part]) -> Vec<u8> {
    let mut tar = Vec::new();
    for part in parts {
        let mut header = Header::new_ustar();
        // Past the library's own care for paths.
        let name = part.path.as_bytes();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        if part.kind == EntryType::Symlink {
            header.set_link_name_literal("/etc/passwd").unwrap();
        }
        header.set_entry_type(part.kind);
        header.set_size(part.said.unwrap_or(part.bytes.len() as u64));
        header.set_mode(0o600);
        header.set_mtime(0);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(&part.bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    zip(&tar)
}

pub(crate) fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// Makes the checksums right again, as somebody would who wants a changed archive to be taken.
pub(crate) fn make_sums_right(parts: &mut Vec<Part>) {
    let hash = |bytes: &[u8]| mindflow::hex::hex(&Sha256::digest(bytes));
    let line = |part: &Part| format!("{}  {}\n", hash(&part.bytes), part.path);
    parts.retain(|part| part.path != "SHA256SUMS");
    let manifest = parts.iter().position(|part| part.path == "manifest.json").unwrap();
    let before: String = parts[..manifest].iter().map(line).collect();
    let mut totals: serde_json::Value = serde_json::from_slice(&parts[manifest].bytes).unwrap();
    for table in totals["tables"].as_array_mut().unwrap() {
        let folder = format!("tables/{}/", table["name"].as_str().unwrap());
        let files: Vec<&Part> = parts.iter().filter(|part| part.path.starts_with(&folder)).collect();
        let mut digest = mindflow::backup::digest::RowsDigest::default();
        for part in &files {
            digest.add(&part.bytes);
        }
        table["files"] = files.len().into();
        table["rows"] = digest.rows().into();
        table["bytes"] = files.iter().map(|part| part.bytes.len()).sum::<usize>().into();
        table["digest"] = digest.text().into();
    }
    totals["sha256"] = hash(before.as_bytes()).into();
    parts[manifest].bytes = totals.to_string().into_bytes();
    let sums: String = parts.iter().map(line).collect();
    parts.push(Part::new("SHA256SUMS", sums));
}
