//! `[backup]`: where backups go, when, for whom, and how long they stay.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::source::Values;
use super::{seconds, value};

/// What becomes of backups.
#[derive(Clone, Debug)]
pub struct Backup {
    /// A folder's path, a `file:` URL or `s3://BUCKET/PREFIX`; `None` means the folder `backups` of the data folder.
    pub to: Option<String>,
    /// How often the server makes one by itself; `None` leaves it to others.
    pub every: Option<Duration>,
    /// How many days, weeks and months stay.
    pub keep: [usize; 3],
    /// Public keys of age for which they are sealed.
    pub encrypt_to: Vec<String>,
    /// The file with the passphrase with which they are sealed.
    pub passphrase_file: Option<PathBuf>,
    /// Whether the files of people are in them.
    pub attachments: bool,
}

impl Backup {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let hours: u64 = values.get("backup.schedule_hours", value::integer(0, 8760));
        let encrypt_to = values.get("backup.encrypt_to", value::public_keys);
        let passphrase_file = values.get("backup.passphrase_file", value::optional_path);
        if !encrypt_to.is_empty() && passphrase_file.is_some() {
            values.fault("backup.passphrase_file", "either it or `backup.encrypt_to`, not both");
        }
        Self {
            to: values.get("backup.to", value::optional_place),
            every: (hours > 0).then(|| seconds(hours * 60 * 60)),
            keep: ["backup.keep_daily", "backup.keep_weekly", "backup.keep_monthly"]
                .map(|key| values.get(key, value::integer(0, 10_000))),
            encrypt_to,
            passphrase_file,
            attachments: values.get("backup.attachments", value::boolean),
        }
    }

    /// Where they go.
    pub fn place(&self, data_dir: &Path) -> String {
        self.to.clone().unwrap_or_else(|| data_dir.join("backups").display().to_string())
    }
}
