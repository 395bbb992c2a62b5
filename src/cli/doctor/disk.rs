//! Space on disks: a database that cannot grow refuses every change.

use std::path::Path;

use super::finding::{Findings, Level};

/// Bytes below which an upgrade or a backup may not find room.
const LITTLE: u64 = 1024 * 1024 * 1024;
/// Bytes below which changes soon fail.
const ALMOST_NONE: u64 = 128 * 1024 * 1024;

/// Looks how much is free where `folder` is, or would be.
pub(super) fn check(check: &'static str, folder: &Path, findings: &mut Findings) {
    let place = folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("."));
    let Some((free, all)) = space(place) else {
        findings.warning(check, format!("the space at {} cannot be told", folder.display()), "look with `df -h`");
        return;
    };
    let (shown, percent) = (in_words(free), free.saturating_mul(100).checked_div(all).unwrap_or(100));
    let message = format!("{shown} free ({percent} %) at {}", folder.display());
    let level = match free {
        0..ALMOST_NONE => Level::Problem,
        ALMOST_NONE..LITTLE => Level::Warning,
        _ if percent < 5 => Level::Warning,
        _ => return findings.ok(check, message),
    };
    findings.fault(level, check, message, "make room, or move DATA_DIR to a larger disk");
}

/// Bytes that this user may still write, and the size of the file system.
#[cfg(unix)]
fn space(place: &Path) -> Option<(u64, u64)> {
    let found = rustix::fs::statvfs(place).ok()?;
    Some((found.f_bavail.saturating_mul(found.f_frsize), found.f_blocks.saturating_mul(found.f_frsize)))
}

#[cfg(not(unix))]
fn space(_place: &Path) -> Option<(u64, u64)> {
    None
}

/// A number of bytes as people say it.
pub(super) fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut shown = (bytes, "bytes");
    for unit in UNITS {
        if shown.0 < 10 * 1024 {
            break;
        }
        shown = (shown.0 / 1024, unit);
    }
    format!("{} {}", shown.0, shown.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_with_two_digits_or_more() {
        assert_eq!(in_words(0), "0 bytes");
        assert_eq!(in_words(10 * 1024), "10 KiB");
        assert_eq!(in_words(25 * 1024 * 1024 * 1024), "25 GiB");
    }
}
