//! How archives are called: by the moment as of which everything in them is.

use chrono::{NaiveDateTime, SubsecRound as _};

use crate::clock::Timestamp;

/// What every name begins with.
const PREFIX: &str = "mindflow-";
/// The moment in UTC, to the millisecond: names sort as the moments do.
const MOMENT: &str = "%Y%m%dT%H%M%S%.3fZ";
/// How many characters that has.
const MOMENT_LENGTH: usize = "20261121T164018.123Z".len();

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An archive, from which either database can be made.
    Archive,
    /// A copy of the SQLite file.
    SqliteFile,
    /// What `pg_dump` wrote.
    PgDump,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Archive, Self::SqliteFile, Self::PgDump];

    const fn ending(self) -> &'static str {
        match self {
            Self::Archive => ".tar.gz",
            Self::SqliteFile => ".sqlite",
            Self::PgDump => ".pgdump",
        }
    }
}

/// What the name of a file of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The moment as of which everything is.
    pub made: Timestamp,
    /// What kind of file it is.
    pub kind: Kind,
    /// Whether it is encrypted.
    pub encrypted: bool,
}

impl Name {
    /// Reads a file's name; `None` for whatever this program would not write.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let (moment, ending) = rest.split_at_checked(MOMENT_LENGTH)?;
        let made = Timestamp::from(NaiveDateTime::parse_from_str(moment, MOMENT).ok()?.and_utc());
        let (ending, encrypted) = ending.strip_suffix(".age").map_or((ending, false), |ending| (ending, true));
        let kind = Kind::ALL.into_iter().find(|kind| kind.ending() == ending)?;
        let name = Self { made, kind, encrypted };
        // Not what merely means the same.
        (name.to_string() == text).then_some(name)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = self.made.to_utc().trunc_subsecs(3).format(MOMENT);
        write!(f, "{PREFIX}{moment}{}{}", self.kind.ending(), if self.encrypted { ".age" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_is_of() {
        let made = Timestamp::from_micros(1_795_279_218_123_456);
        let name = Name { made, kind: Kind::Archive, encrypted: true }.to_string();

        let read = Name::parse(&name).unwrap();

        assert_eq!(name, "mindflow-20261121T164018.123Z.tar.gz.age");
        assert_eq!(read.made.as_micros(), 1_795_279_218_123_000);
        assert!(read.encrypted && read.kind == Kind::Archive);
        assert_eq!(Name::parse("mindflow-20261121T164018.123Z.sqlite").unwrap().kind, Kind::SqliteFile);
    }

    #[test]
    fn what_others_wrote_is_not_ours() {
        for text in [
            "",
            "mindflow-",
            "mindflow-20261121T164018.123Z",
            "mindflow-20261121T164018.123Z.tar",
            "mindflow-20261121T164018.123Z.tar.gz#1",
            "mindflow-20261121T164018.123Z.tar.gz.age.age",
            "mindflow-20261321T164018.123Z.tar.gz",
            "mindflow-20261121T164018.123Z.tar.gz.bak",
            "mindflow-20261121T164018Z.tar.gz",
            "mindflow-+0261121T164018.12Z.tar.gz",
            "backup-20261121T164018.123Z.tar.gz",
            "mindflow-2026112ö164018.123Z.tar.gz",
        ] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
