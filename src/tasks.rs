//! Tasks and their rules.
