//! Who may do what with policies: reading, proposing, approving and activating are separate rights.

use super::error::PolicyError;
use super::{Actor, Versions};
use crate::store::StoreResult;

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// See policies, their versions and what became of them.
    Read,
    /// Bring new versions.
    Propose,
    /// Say that somebody else's version may come into force.
    Approve,
    /// Put versions in force, and take them back.
    Activate,
}

impl Right {
    /// What somebody with it may do.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Propose => "propose",
            Self::Approve => "approve",
            Self::Activate => "activate",
        }
    }
}

/// What the configuration says of rights. Lists hold e-mail addresses of operators; an empty one means all operators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Who may read.
    pub readers: Vec<String>,
    /// Who may propose.
    pub proposers: Vec<String>,
    /// Who may approve.
    pub approvers: Vec<String>,
    /// Who may activate and roll back.
    pub activators: Vec<String>,
    /// Whether a version needs the approval of somebody other than its author before it is activated.
    pub two_person: bool,
    /// On how many tasks a version may fail at one instance before it is taken back; `None` is no limit.
    pub most_failures: Option<u64>,
}

impl Rules {
    const fn holders(&self, right: Right) -> &Vec<String> {
        match right {
            Right::Read => &self.readers,
            Right::Propose => &self.proposers,
            Right::Approve => &self.approvers,
            Right::Activate => &self.activators,
        }
    }
}

impl Versions {
    /// Whether somebody has a right. The server's shell, which holds the database, has all.
    ///
    /// # Errors
    ///
    /// [`PolicyError::NotAllowed`], or what keeps the store from reading.
    pub async fn allow(&self, actor: &Actor<'_>, right: Right) -> Result<(), PolicyError> {
        let holders = self.rules.holders(right);
        if holders.is_empty() || self.is_one_of(actor, holders).await? {
            return Ok(());
        }
        Err(PolicyError::NotAllowed(right))
    }

    async fn is_one_of(&self, actor: &Actor<'_>, holders: &[String]) -> StoreResult<bool> {
        let Actor::Person(caller) = actor else { return Ok(true) };
        let user = self.store.find_user(caller.user_id).await?;
        Ok(user.is_some_and(|user| holders.iter().any(|holder| holder.eq_ignore_ascii_case(&user.email))))
    }
}
