//! Where attachments and backups are kept.

use std::path::Path;

use super::database::told;
use super::finding::{Findings, Level};
use crate::backup::crypt::Seal;
use crate::backup::place::Place;
use crate::clock::Clock;
use crate::config::Config;
use crate::objects::Objects;

/// Hours after which a backup of every night is late.
const LATE_HOURS: i64 = 36;
/// Hours after which nobody makes backups any more.
const GONE_HOURS: i64 = 8 * 24;

/// Whether a place is a folder that nobody made yet. Opening it would make it, and doctor makes nothing.
fn is_missing_folder(place: &str) -> bool {
    let path = place.strip_prefix("file://").or_else(|| place.strip_prefix("file:")).unwrap_or(place);
    !place.starts_with("s3:") && !Path::new(path).exists()
}

/// Looks at the place of attachments.
pub(super) async fn objects(config: &Config, findings: &mut Findings) {
    let check = "objects";
    let place =
        config.objects.url.clone().unwrap_or_else(|| config.storage.data_dir.join("objects").display().to_string());
    if is_missing_folder(&place) {
        return findings.ok(check, format!("{place} is made with the first attachment"));
    }
    let found = match Objects::open(config) {
        Ok(objects) => objects.check().await,
        Err(error) => Err(error),
    };
    match found {
        Ok(()) => findings.ok(check, "attachments can be kept"),
        Err(error) => findings.problem(
            check,
            told(&error),
            "look at objects.url, its bucket and its keys; attachments fail until then, and nothing else",
        ),
    }
}

/// Looks when the last backup was made.
pub(super) async fn backups(config: &Config, clock: &Clock, findings: &mut Findings) {
    let check = "backups";
    let place = config.backup.place(&config.storage.data_dir);
    if let Err(error) = Seal::choose(&config.backup.encrypt_to, config.backup.passphrase_file.as_deref()) {
        findings.problem(check, told(&error), "look at backup.encrypt_to and backup.passphrase_file");
    }
    let advice = match config.backup.every {
        Some(_) => "the server is asked to make them (backup.schedule_hours): see that it runs, and what its log says",
        None => {
            "`mindflow backup`, and every night: `systemctl enable --now mindflow-backup.timer` or backup.schedule_hours"
        }
    };
    if is_missing_folder(&place) {
        return findings.warning(check, format!("there is none: {place} does not exist"), advice);
    }
    let newest = match Place::open(&place, &config.objects) {
        Ok(place) => place.newest().await,
        Err(error) => Err(error),
    };
    match newest {
        Err(error) => findings.problem(check, format!("{place} cannot be read: {}", told(&error)), "look at backup.to"),
        Ok(None) => findings.warning(check, format!("there is none in {place}"), advice),
        Ok(Some(newest)) => {
            let hours = (clock.now().as_seconds() - newest.created_at.as_seconds()) / 3600;
            let message = format!("the newest is {hours} hour(s) old, in {place}");
            if hours <= LATE_HOURS {
                return findings.ok(check, message);
            }
            let level = if hours <= GONE_HOURS { Level::Warning } else { Level::Problem };
            findings.fault(level, check, message, advice);
        }
    }
}
