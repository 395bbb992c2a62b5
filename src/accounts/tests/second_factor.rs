use futures_util::future::join_all;
use totp_rs::Totp;

use super::*;
use crate::mail::Message;

/// Somebody's authenticator.
pub(crate) struct Authenticator(Totp);

impl Authenticator {
    pub(crate) fn code(&self, world: &World) -> String {
        self.0.generate(u64::try_from(world.clock.now().as_seconds()).unwrap()).to_string()
    }
}

impl World {
    /// Sets a second factor up; gives the recovery codes, too. The code that was used for it is used up.
    pub(crate) async fn enrol(&self, caller: &Caller) -> (Authenticator, Vec<String>) {
        let enrolment = self.accounts.begin_second_factor(caller, &origin()).await.unwrap();
        let authenticator = Authenticator(Totp::from_url(&*enrolment.otpauth_url).unwrap());
        let code = authenticator.code(self);
        let recovery = self.accounts.confirm_second_factor(caller, &code, &origin()).await.unwrap();
        (authenticator, recovery)
    }

    async fn login_with(&self, code: Option<&str>) -> Result<SignedIn, AccountError> {
        self.accounts.login(SignIn { email: "ada@example.org", password: GOOD, code }, &origin()).await
    }
}

fn wrong(outcome: &Result<SignedIn, AccountError>) -> bool {
    matches!(outcome, Err(AccountError::WrongCode))
}

#[tokio::test]
async fn signing_in_needs_a_code_once_the_factor_is_confirmed() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let begun = world.accounts.begin_second_factor(&ada, &origin()).await.unwrap();
        assert!(begun.otpauth_url.starts_with("otpauth://totp/MindFlow:ada%40example.org?secret="));
        assert!(!world.accounts.second_factor_needed(ada.user_id).await.unwrap());
        world.login("ada@example.org").await;

        let (authenticator, _) = world.enrol(&ada).await;
        world.clock.advance(Duration::from_secs(30));

        assert!(matches!(world.login_with(None).await, Err(AccountError::SecondFactorNeeded)), "{}", world.name);
        let stranger = SignIn { email: "ada@example.org", password: "not the password", code: None };
        let stranger = world.accounts.login(stranger, &origin()).await;
        assert!(matches!(stranger, Err(AccountError::WrongCredentials)), "who has no password is told nothing");
        assert!(wrong(&world.login_with(Some("000000")).await) || authenticator.code(&world) == "000000");
        world.login_with(Some(&authenticator.code(&world))).await.unwrap();
        let actions = world.actions(&ada).await;
        assert!(actions.contains(&"second_factor.refused".to_owned()) && actions[0] == "session.created");
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_no_earlier_one_after_it() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let (authenticator, _) = world.enrol(&ada).await;
        assert!(wrong(&world.login_with(Some(&authenticator.code(&world))).await), "the setup used it up");
        let early = authenticator.code(&world);
        world.clock.advance(Duration::from_secs(30));
        let late = authenticator.code(&world);

        world.login_with(Some(&format!(" {} {} ", &late[..3], &late[3..]))).await.unwrap();

        assert!(wrong(&world.login_with(Some(&late)).await) && wrong(&world.login_with(Some(&early)).await));
    }
}

#[tokio::test]
async fn clocks_may_differ_by_one_step() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let (authenticator, _) = world.enrol(&ada).await;
        world.clock.advance(Duration::from_mins(5));
        let code = authenticator.code(&world);

        world.clock.advance(Duration::from_mins(1));
        assert!(wrong(&world.login_with(Some(&code)).await), "two steps are too many");
        let code = authenticator.code(&world);
        world.clock.advance(Duration::from_secs(30));
        world.login_with(Some(&code)).await.unwrap();
    }
}

#[tokio::test]
async fn of_many_with_one_code_one_comes_in() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let (authenticator, recovery) = world.enrol(&ada).await;
        world.clock.advance(Duration::from_secs(30));

        for code in [authenticator.code(&world), recovery[0].clone()] {
            let outcomes = join_all((0..6).map(|_| world.login_with(Some(&code)))).await;
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{}", world.name);
            world.clock.advance(Duration::from_mins(15));
        }
    }
}

#[tokio::test]
async fn recovery_codes_stand_in_once_and_are_told_by_mail() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        world.letterbox.next_token().await;
        let (_, recovery) = world.enrol(&ada).await;
        assert_eq!(world.letterbox.next().await.message, Message::SecondFactorOn);

        world.login_with(Some(&recovery[3].to_uppercase())).await.unwrap();

        assert!(wrong(&world.login_with(Some(&recovery[3])).await));
        assert_eq!(world.letterbox.next().await.message, Message::RecoveryCodeUsed);
        assert_eq!(world.accounts.get_second_factor(&ada).await.unwrap().recovery_codes_left, 9);
        let renewed = world.accounts.renew_recovery_codes(&ada, GOOD, &origin()).await.unwrap();
        assert!(wrong(&world.login_with(Some(&recovery[4])).await), "the old ones are gone");
        world.login_with(Some(&renewed[0])).await.unwrap();
        assert!(matches!(
            world.accounts.renew_recovery_codes(&ada, "not the password", &origin()).await,
            Err(AccountError::WrongPassword)
        ));
    }
}

#[tokio::test]
async fn the_factor_goes_with_password_and_code_alone() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let (authenticator, recovery) = world.enrol(&ada).await;
        world.clock.advance(Duration::from_secs(30));
        let delete = async |password: &str, code: &str| {
            world.accounts.delete_second_factor(&ada, password, code, &origin()).await
        };

        assert!(matches!(delete("not the password", &recovery[0]).await, Err(AccountError::WrongPassword)));
        assert!(matches!(delete(GOOD, "4f7k-9w2m-x0qz-7bda").await, Err(AccountError::WrongCode)));
        assert!(matches!(world.accounts.begin_second_factor(&ada, &origin()).await, Err(AccountError::SecondFactorOn)));
        delete(GOOD, &authenticator.code(&world)).await.unwrap();

        world.login_with(None).await.unwrap();
        assert_eq!(world.accounts.get_second_factor(&ada).await.unwrap().recovery_codes_left, 0);
        assert!(matches!(delete(GOOD, &recovery[0]).await, Err(AccountError::NotFound(_))));
    }
}

#[tokio::test]
async fn guesses_of_codes_and_passwords_are_limited() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let (_, recovery) = world.enrol(&ada).await;
        for _ in 0..MOST_FAILURES {
            assert!(wrong(&world.login_with(Some("no code")).await));
        }
        assert!(matches!(world.login_with(Some(&recovery[0])).await, Err(AccountError::TooManyAttempts(_))));
        world.clock.advance(Duration::from_mins(15));
        world.login_with(Some(&recovery[0])).await.unwrap();

        for email in ["ada@example.org", "nobody@example.org"] {
            for attempt in 0..=MOST_FAILURES {
                let sign_in = SignIn { email, password: "not the password", code: None };
                let outcome = world.accounts.login(sign_in, &origin()).await;
                let refused = matches!(outcome, Err(AccountError::TooManyAttempts(_)));
                assert_eq!(refused, attempt == MOST_FAILURES, "{email} {attempt}");
            }
        }
        let right = world.login_with(Some(&recovery[1])).await;
        assert!(matches!(right, Err(AccountError::TooManyAttempts(_))), "the right password waits, too");
    }
}

#[tokio::test]
async fn programs_do_not_change_how_their_user_signs_in() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        for credential in [Credential::PersonalToken(crate::ids::TokenId::new(world.clock.now())), Credential::Shell] {
            let program = Caller { credential, ..ada.clone() };
            let refused = world.accounts.begin_second_factor(&program, &origin()).await;
            assert!(matches!(refused, Err(AccountError::SessionNeeded)));
        }
        let wrong = world.accounts.confirm_second_factor(&ada, "123456", &origin()).await;
        assert!(matches!(wrong, Err(AccountError::NotFound(_))));
        world.accounts.begin_second_factor(&ada, &origin()).await.unwrap();
        let wrong = world.accounts.confirm_second_factor(&ada, "no code", &origin()).await.unwrap_err();
        assert_eq!(fields(wrong), ["/code"]);
    }
}
