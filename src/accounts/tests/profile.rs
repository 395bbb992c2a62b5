use super::*;
use crate::accounts::digest::DigestChoice;
use crate::accounts::profile::{Change, ProfileChanges, WindowChanges};

fn window(start: &str, end: &str) -> Change<[String; 2]> {
    Change::Set([start.to_owned(), end.to_owned()])
}

fn page(limit: u32, cursor: Option<&str>) -> Paging {
    Paging { limit: Some(limit), cursor: cursor.map(str::to_owned) }
}

#[tokio::test]
async fn a_profile_changes_field_by_field() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let changes = ProfileChanges {
            full_name: Change::Set("  Ada Lovelace ".to_owned()),
            time_zone: Some("Europe/Vienna".to_owned()),
            ..ProfileChanges::default()
        };

        let user = world.accounts.update_me(&ada, changes, &origin()).await.unwrap();
        assert_eq!(user.full_name.as_deref(), Some("Ada Lovelace"));
        assert_eq!(*world.follower.0.lock().unwrap(), [(ada.user_id, Tz::Europe__Vienna)]);

        world.tick();
        let clear = ProfileChanges { full_name: Change::Clear, ..ProfileChanges::default() };
        let user = world.accounts.update_me(&ada, clear, &origin()).await.unwrap();
        assert_eq!((user.full_name, user.zone), (None, Tz::Europe__Vienna));
        assert_eq!(world.follower.0.lock().unwrap().len(), 1, "the zone stayed");
        assert_eq!(world.actions(&ada).await[..2], ["user.updated", "user.updated"]);
    }
}

#[tokio::test]
async fn the_next_caller_sees_a_change_and_counts_it() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let token = world.login("ada@example.org").await.access_token;
        let before = world.identify(&token).await.unwrap();
        let changes = ProfileChanges { time_zone: Some("Asia/Tokyo".to_owned()), ..ProfileChanges::default() };

        world.accounts.update_me(&before, changes.clone(), &origin()).await.unwrap();
        world.accounts.update_me(&before, changes, &origin()).await.unwrap();

        let after = world.identify(&token).await.unwrap();
        assert_eq!(after.zone, Tz::Asia__Tokyo);
        assert_eq!(after.data_version, before.data_version + 1, "the same again is no change");
    }
}

#[tokio::test]
async fn windows_merge_onto_ones_own_or_the_policys() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let user = world.accounts.get_me(&ada).await.unwrap();
        assert_eq!((user.windows, world.accounts.preferences(&user).windows), (None, Policies.windows(None)));

        let mut changes = ProfileChanges { policy: Change::Set("eisenhower".to_owned()), ..ProfileChanges::default() };
        let windows = WindowChanges { evening: window("20:00", "02:00"), ..WindowChanges::default() };
        changes.windows = Change::Set(windows);
        let user = world.accounts.update_me(&ada, changes, &origin()).await.unwrap();
        let shown = world.accounts.preferences(&user);
        assert_eq!(shown.policy, "eisenhower");
        assert_eq!(shown.windows.evening, Window::parse("20:00", "02:00").unwrap());
        assert_eq!(shown.windows.morning, Window::parse("08:00", "12:00").unwrap());

        let clear = ProfileChanges { windows: Change::Clear, policy: Change::Clear, ..ProfileChanges::default() };
        let user = world.accounts.update_me(&ada, clear, &origin()).await.unwrap();
        assert_eq!(world.accounts.preferences(&user).windows, Policies.windows(None));
    }
}

#[tokio::test]
async fn all_faults_of_a_profile_are_told_and_nothing_changes() {
    let world = worlds().await.remove(0);
    let ada = world.caller("ada@example.org").await;
    let windows =
        WindowChanges { morning: window("25:00", "x"), evening: window("18:00", "18:00"), ..Default::default() };
    let changes = ProfileChanges {
        full_name: Change::Set("x".repeat(201)),
        time_zone: Some("Europe/Atlantis".to_owned()),
        windows: Change::Set(windows),
        policy: Change::Set("none".to_owned()),
        policy_params: Change::Keep,
        digest: Change::Set(DigestChoice::Daily),
    };

    let error = world.accounts.update_me(&ada, changes, &origin()).await.unwrap_err();

    let expected = [
        "/full_name",
        "/time_zone",
        "/preferences/windows/morning",
        "/preferences/windows/evening",
        "/preferences/policy",
    ];
    assert_eq!(fields(error), expected);
    assert_eq!(world.accounts.get_me(&ada).await.unwrap().zone, Tz::UTC);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let other = world.login("ada@example.org").await;
        let change = |current: &'static str, new: &'static str| {
            let (accounts, ada) = (&world.accounts, &ada);
            async move { accounts.change_password(ada, current, new, &origin()).await }
        };

        assert!(matches!(change("wrong", "another good password").await, Err(AccountError::WrongPassword)));
        assert_eq!(fields(change(GOOD, "short").await.unwrap_err()), ["/new_password"]);
        assert_eq!(fields(change(GOOD, GOOD).await.unwrap_err()), ["/new_password"]);
        change(GOOD, "another good password").await.unwrap();

        assert!(world.identify(&other.access_token).await.is_err());
        assert_eq!(world.accounts.list_sessions(&ada, &Paging::default()).await.unwrap().total, 1);
        assert!(world.try_login("ada@example.org", GOOD).await.is_err());
        assert!(world.try_login("ada@example.org", "another good password").await.is_ok());
    }
}

#[tokio::test]
async fn deleting_an_account_takes_everything_with_it() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let tokens = world.login("ada@example.org").await;
        let ada = world.identify(&tokens.access_token).await.unwrap();

        let refused = world.accounts.delete_me(&ada, "wrong", &origin()).await;
        assert!(matches!(refused, Err(AccountError::WrongPassword)));
        world.accounts.delete_me(&ada, GOOD, &origin()).await.unwrap();

        assert!(world.identify(&tokens.access_token).await.is_err());
        assert!(world.accounts.refresh(&tokens.refresh_token, &origin()).await.is_err());
        assert!(world.actions(&ada).await.is_empty());
        world.person("ada@example.org").await;
    }
}

#[tokio::test]
async fn activity_is_paged_newest_first_while_rows_are_added() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        for name in ["Ada", "Augusta", "King"] {
            world.clock.advance(Duration::from_secs(1));
            let changes = ProfileChanges { full_name: Change::Set(name.to_owned()), ..ProfileChanges::default() };
            world.accounts.update_me(&ada, changes, &origin()).await.unwrap();
        }

        world.tick();
        let first = world.accounts.list_activity(&ada, &page(2, None)).await.unwrap();
        let cursor = first.next_cursor.clone().unwrap();
        world.clock.advance(Duration::from_secs(1));
        world.login("ada@example.org").await;
        let second = world.accounts.list_activity(&ada, &page(3, Some(&cursor))).await.unwrap();

        assert_eq!((first.total, second.total), (5, 6));
        let actions: Vec<&str> = second.items.iter().map(|activity| activity.action.as_str()).collect();
        assert_eq!(actions, ["user.updated", "session.created", "user.registered"]);
        assert_eq!(second.next_cursor, None);
        let error = world.accounts.list_activity(&ada, &page(2, Some("made up"))).await.unwrap_err();
        assert_eq!(fields(error), ["?cursor"]);
    }
}
