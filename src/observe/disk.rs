//! The room that is left where the server keeps its data.

use std::io;
use std::path::Path;

use serde_json::json;

use super::health::{Finding, Status};

/// Below this part of what should be free, nothing more may fit: SQLite needs room for its log to commit anything.
const UNHEALTHY_PART: u64 = 8;

/// A disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What this server's user may still write.
    pub free: u64,
    /// All of it.
    pub size: u64,
}

impl Disk {
    /// The disk on which `folder` lies.
    ///
    /// # Errors
    ///
    /// When the folder is not there, or the system does not tell.
    #[cfg(unix)]
    pub fn of(folder: &Path) -> io::Result<Self> {
        let told = rustix::fs::statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
        Ok(Self { free: bytes(told.f_bavail), size: bytes(told.f_blocks) })
    }

    /// The disk on which `folder` lies.
    ///
    /// # Errors
    ///
    /// Always: only Unix tells.
    #[cfg(not(unix))]
    pub fn of(_folder: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// How it is when at least `least` bytes should be free.
    pub fn judged(self, least: u64) -> Finding {
        let status = match self.free {
            free if free < least / UNHEALTHY_PART => Status::Unhealthy,
            free if free < least => Status::Degraded,
            _ => return Finding::HEALTHY,
        };
        Finding::new(
            status,
            json!({
                "reason": "there is little room left in the data folder; free some, or new data cannot be kept",
                "free_bytes": self.free,
                "size_bytes": self.size,
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_degrades_before_nothing_fits() {
        let status = |free| Disk { free, size: 10_000 }.judged(800).status;

        assert_eq!(
            [status(800), status(799), status(100), status(99)],
            [Status::Healthy, Status::Degraded, Status::Degraded, Status::Unhealthy]
        );
        assert_eq!(Disk { free: 1, size: 2 }.judged(800).details.unwrap()["free_bytes"], 1);
        assert_eq!(Disk { free: 0, size: 0 }.judged(0), Finding::HEALTHY);
    }

    #[cfg(unix)]
    #[test]
    fn the_disk_of_a_folder_is_measured() {
        let folder = tempfile::tempdir().unwrap();

        let disk = Disk::of(folder.path()).unwrap();

        assert!(disk.free <= disk.size && disk.size > 0, "{disk:?}");
        assert!(Disk::of(&folder.path().join("missing")).is_err());
    }
}
