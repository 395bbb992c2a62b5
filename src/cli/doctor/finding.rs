//! What was found: each check as one line, and what to do where something is wrong.

use std::io::Write;

use serde::Serialize;

/// How a check came out; the later the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but somebody should look at it.
    Warning,
    /// It does not work, or it is not safe.
    Problem,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What one check found. Never a secret: findings are copied into tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, as a dotted name that stays the same.
    pub check: &'static str,
    /// How it came out.
    pub level: Level,
    /// What was found.
    pub message: String,
    /// What to do; absent where all is well.
    pub advice: Option<String>,
}

/// What all checks found, in their order.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// All is well.
    pub fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Ok, message: message.into(), advice: None });
    }

    /// Somebody should look at it.
    pub fn warning(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(Level::Warning, check, message.into(), advice.into());
    }

    /// It must be put right.
    pub fn problem(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(Level::Problem, check, message.into(), advice.into());
    }

    /// A fault whose weight depends on something else.
    pub fn fault(&mut self, level: Level, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(level, check, message.into(), advice.into());
    }

    fn add(&mut self, level: Level, check: &'static str, message: String, advice: String) {
        self.0.push(Finding { check, level, message, advice: Some(advice) });
    }

    /// Takes over what another round of checks found.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The worst of all.
    pub fn worst(&self) -> Level {
        self.0.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// Every finding, in order.
    pub fn all(&self) -> &[Finding] {
        &self.0
    }

    /// Writes one line each, with the advice below it, and how many there are of each kind.
    pub fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let width = self.0.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
        for Finding { check, level, message, advice } in &self.0 {
            writeln!(out, "{:<8} {check:<width$}  {message}", level.as_str())?;
            if let Some(advice) = advice {
                writeln!(out, "{:<8} {:<width$}  -> {advice}", "", "")?;
            }
        }
        let count = |level| self.0.iter().filter(|finding| finding.level == level).count();
        let (ok, warnings, problems) = (count(Level::Ok), count(Level::Warning), count(Level::Problem));
        writeln!(out, "\n{ok} ok, {warnings} warning(s), {problems} problem(s)")
    }

    /// Writes them as JSON: the worst level, and the list.
    pub fn print_json(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let told = serde_json::json!({ "status": self.worst(), "findings": self.0 });
        Ok(writeln!(out, "{told:#}")?)
    }
}
