use super::*;

fn account(email: &str, password: &str) -> NewAccount {
    NewAccount { email: email.to_owned(), password: password.to_owned(), ..NewAccount::default() }
}

#[tokio::test]
async fn an_address_has_one_account_in_whatever_case() {
    for world in worlds().await {
        let user = world.person("Ada@Example.org").await;

        let again = world.accounts.register(account("aDA@example.ORG", GOOD), None, &origin()).await;

        assert_eq!((user.email.as_str(), user.zone, user.role), ("Ada@Example.org", Tz::UTC, Role::User));
        assert!(matches!(again, Err(AccountError::EmailTaken)), "{}", world.name);
    }
}

#[tokio::test]
async fn of_two_who_register_one_address_at_once_one_gets_it() {
    for world in worlds().await {
        let from = origin();
        let (one, two) = tokio::join!(
            world.accounts.register(account("ada@example.org", GOOD), None, &from),
            world.accounts.register(account("ADA@example.org", GOOD), None, &from),
        );

        let taken = |outcome: &Result<User, AccountError>| matches!(outcome, Err(AccountError::EmailTaken));
        assert!((one.is_ok() && taken(&two)) || (two.is_ok() && taken(&one)), "{}", world.name);
    }
}

#[tokio::test]
async fn all_faults_of_a_registration_are_told() {
    let world = worlds().await.remove(0);
    let new = NewAccount {
        email: "nobody".to_owned(),
        password: "short".to_owned(),
        full_name: Some(" \n ".to_owned()),
        time_zone: Some("Mars/Olympus".to_owned()),
    };

    let error = world.accounts.register(new, None, &origin()).await.unwrap_err();

    assert_eq!(fields(error), ["/email", "/password", "/full_name", "/time_zone"]);
}

#[tokio::test]
async fn a_closed_server_takes_nobody_but_its_operator_adds_people() {
    let settings = AccountSettings { registration: Registration::Closed, ..SETTINGS };
    for world in worlds_with(settings).await {
        let refused = world.accounts.register(account("ada@example.org", GOOD), None, &origin()).await;
        assert!(matches!(refused, Err(AccountError::RegistrationClosed)));

        assert!(!world.accounts.has_users().await.unwrap());
        let admin = world.accounts.create_user(account("eve@example.org", GOOD), Role::Admin).await.unwrap();
        assert!(admin.role == Role::Admin && world.accounts.has_users().await.unwrap());

        let caller = world.identify(&world.login("eve@example.org").await.access_token).await.unwrap();
        assert_eq!(caller.scopes.to_string(), "read write admin");
    }
}

#[tokio::test]
async fn an_invitation_is_good_once_and_for_seven_days() {
    let settings = AccountSettings { registration: Registration::Invite, ..SETTINGS };
    for world in worlds_with(settings).await {
        let register = |email: &str, code: Option<String>| {
            let (accounts, new) = (&world.accounts, account(email, GOOD));
            async move { accounts.register(new, code.as_deref(), &origin()).await }
        };
        let (code, expires_at) = world.accounts.invite().await.unwrap();
        let (late, _) = world.accounts.invite().await.unwrap();

        assert!(matches!(register("a@example.org", None).await, Err(AccountError::InviteNeeded)));
        assert!(matches!(register("a@example.org", Some("guess".into())).await, Err(AccountError::InviteNeeded)));
        assert!(register("a@example.org", Some(code.clone())).await.is_ok());
        assert!(matches!(register("b@example.org", Some(code)).await, Err(AccountError::InviteNeeded)));
        world.clock.set(expires_at);
        assert!(matches!(register("b@example.org", Some(late)).await, Err(AccountError::InviteNeeded)));
    }
}

#[tokio::test]
async fn a_taken_address_does_not_use_the_invitation_up() {
    let settings = AccountSettings { registration: Registration::Invite, ..SETTINGS };
    for world in worlds_with(settings).await {
        world.accounts.create_user(account("ada@example.org", GOOD), Role::User).await.unwrap();
        let (code, _) = world.accounts.invite().await.unwrap();

        let taken = world.accounts.register(account("ada@example.org", GOOD), Some(&code), &origin()).await;
        assert!(matches!(taken, Err(AccountError::EmailTaken)));

        assert!(world.accounts.register(account("bob@example.org", GOOD), Some(&code), &origin()).await.is_ok());
    }
}
