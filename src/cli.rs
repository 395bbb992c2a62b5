//! The command line: one file per subcommand, each thin.

pub mod policy;
pub mod user;
