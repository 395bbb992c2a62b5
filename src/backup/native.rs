//! A copy beside the archive as the database's own tools make it, for those who prefer them.
//!
//! It is of a moment of its own, shortly after the archive's, and can be read by the same kind of database alone.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use url::Url;

use super::BackupError;
use super::crypt::Seal;
use super::make::{Parcels, WAITING, store_parcels};
use super::names::{Kind, Name};
use super::place::{Place, ScratchFile};
use crate::clock::Timestamp;
use crate::store::Store;

/// What both this program and PostgreSQL's own understand in a URL.
const LIBPQ: [&str; 8] =
    ["host", "hostaddr", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"];

/// What the copy is read from.
enum Source {
    File(File),
    Tool(Child, ChildStdout),
}

impl Source {
    /// What came is complete.
    fn finish(self) -> Result<(), BackupError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Tool(mut child, output) => {
                drop(output);
                let status = child.wait().map_err(BackupError::Write)?;
                if status.success() { Ok(()) } else { Err(BackupError::Native(format!("pg_dump: {status}"))) }
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(to),
            Self::Tool(_, output) => output.read(to),
        }
    }
}

/// Copies the database that `url` names, beside the archive that was made at `made`. Returns the copy's name; `None` when
/// PostgreSQL's `pg_dump` is not on this machine.
///
/// # Errors
///
/// [`BackupError::Native`] when the tool fails, and what is wrong with the place. Nothing was stored then.
pub async fn copy(
    store: &Store,
    url: &str,
    place: &Place,
    seal: &Arc<Seal>,
    made: Timestamp,
) -> Result<Option<String>, BackupError> {
    let Some((source, kind)) = begin(store, url).await? else { return Ok(None) };
    let name = Name { made, kind, encrypted: seal.is_closed() }.to_string();
    let upload = place.objects().begin(&name)?;
    let (packed, parcels) = mpsc::channel(WAITING);
    let packing = {
        let seal = Arc::clone(seal);
        tokio::task::spawn_blocking(move || pack(source, &seal, packed))
    };
    let (stored, packed) = tokio::join!(store_parcels(upload, parcels), packing);
    let (upload, _) = stored?;
    match packed.map_err(|_| BackupError::CutOff)? {
        Ok(()) => {
            upload.finish().await?;
            place.make_private(&name)?;
            Ok(Some(name))
        }
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

async fn begin(store: &Store, url: &str) -> Result<Option<(Source, Kind)>, BackupError> {
    if Store::is_sqlite(url) {
        let scratch = ScratchFile::new(".copy.db");
        store.copy_file(scratch.path()).await?;
        let file = File::open(scratch.path()).map_err(BackupError::Scratch)?;
        // It has no name any more, and is gone with the last who reads it.
        drop(scratch);
        return Ok(Some((Source::File(file), Kind::SqliteFile)));
    }
    let spawned = pg_dump(url).spawn();
    let mut child = match spawned {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        spawned => spawned.map_err(|error| BackupError::Native(format!("pg_dump: {error}")))?,
    };
    let output = child.stdout.take().ok_or_else(|| BackupError::Native("pg_dump has no output".to_owned()))?;
    Ok(Some((Source::Tool(child, output), Kind::PgDump)))
}

/// The tool, its password in the environment, where other users of the machine do not see it.
fn pg_dump(url: &str) -> Command {
    let mut command = Command::new("pg_dump");
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let Ok(mut url) = Url::parse(url) else { return command };
    if let Some(password) = url.password() {
        let password = percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned();
        command.env("PGPASSWORD", password);
    }
    // What cannot be a part of such a URL stays in it, and the tool says so.
    let _ = url.set_password(None);
    let known: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(key, _)| LIBPQ.contains(&key.as_str())).collect();
    url.set_query(None);
    if !known.is_empty() {
        url.query_pairs_mut().extend_pairs(known);
    }
    command.arg(format!("--dbname={url}"));
    command
}

fn pack(mut source: Source, seal: &Seal, packed: mpsc::Sender<Bytes>) -> Result<(), BackupError> {
    let mut out = seal.wrap(Parcels::to(packed)).map_err(BackupError::Write)?;
    let copied = io::copy(&mut source, &mut out).and_then(|_| out.finish());
    source.finish()?;
    copied.and_then(|mut out| out.flush()).map_err(BackupError::Write)
}
