//! Versions on trial beside the one in force: for a part of the people, or seen by nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::script::ScriptPolicy;
use crate::accounts::Role;
use crate::ids::UserId;

/// How finely a share of people is told.
const STEPS: u32 = 10_000;

/// A part of the people, the same people as long as it is not made smaller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// With a user's id it says who belongs to the share.
    pub salt: String,
    /// The share of all people, 0 to 100.
    pub percent: u8,
    /// Who belongs to it whatever the share.
    pub users: Vec<UserId>,
    /// Whose role belongs to it whatever the share.
    pub roles: Vec<Role>,
}

impl Part {
    /// Whether somebody belongs to it.
    pub fn includes(&self, user: UserId, role: Role) -> bool {
        self.users.contains(&user) || self.roles.contains(&role) || self.draws(user.0.as_bytes())
    }

    /// Whether the lot falls on something: the same for the same salt.
    pub fn draws(&self, what: &[u8]) -> bool {
        let digest = Sha256::new().chain_update(self.salt.as_bytes()).chain_update(what).finalize();
        let lot = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % STEPS;
        lot < u32::from(self.percent) * (STEPS / 100)
    }
}

/// A version that a part of the people has.
#[derive(Clone)]
pub struct Rollout {
    /// Who has it.
    pub part: Part,
    /// The version.
    pub candidate: Arc<ScriptPolicy>,
}

/// A version that scores what the one in force scores, for a share of the rankings.
#[derive(Clone)]
pub struct Shadow {
    /// The share.
    pub part: Part,
    /// The version.
    pub candidate: Arc<ScriptPolicy>,
}

/// Everything on trial, by policy.
#[derive(Clone, Default)]
pub struct Candidates {
    /// For a part of the people.
    pub rollouts: BTreeMap<String, Rollout>,
    /// Seen by nobody.
    pub shadows: BTreeMap<String, Shadow>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn part(percent: u8) -> Part {
        Part { salt: "a trial".to_owned(), percent, ..Part::default() }
    }

    #[test]
    fn a_share_is_about_as_large_as_it_says_and_keeps_who_is_in_it() {
        let people: Vec<UserId> =
            (0..4_000_u128).map(|number| UserId(Uuid::from_u128(number << 64 | number))).collect();
        let of = |percent: u8| -> Vec<bool> {
            people.iter().map(|user| part(percent).includes(*user, Role::User)).collect()
        };
        let (tenth, half, all, nobody) = (of(10), of(50), of(100), of(0));
        let count = |who: &[bool]| who.iter().filter(|is| **is).count();

        assert!((320..480).contains(&count(&tenth)), "{}", count(&tenth));
        assert!((1_850..2_150).contains(&count(&half)), "{}", count(&half));
        assert_eq!((count(&all), count(&nobody)), (4_000, 0));
        assert!(tenth.iter().zip(&half).all(|(tenth, half)| !tenth || *half), "who has it keeps it");
    }

    #[test]
    fn who_is_named_belongs_to_it_and_another_salt_draws_others() {
        let user = UserId(Uuid::from_u128(7));
        let named = Part { users: vec![user], ..part(0) };
        let operators = Part { roles: vec![Role::Admin], ..part(0) };

        assert!(named.includes(user, Role::User) && !named.includes(UserId(Uuid::from_u128(8)), Role::User));
        assert!(operators.includes(user, Role::Admin) && !operators.includes(user, Role::User));
        let other = Part { salt: "another".to_owned(), ..part(50) };
        assert!((0..200_u128).any(|number| {
            let user = UserId(Uuid::from_u128(number));
            part(50).includes(user, Role::User) != other.includes(user, Role::User)
        }));
    }
}
