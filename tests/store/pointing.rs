//! Which task words point at: the same on both databases, and never a guess.

use std::time::Duration;

use mindflow::accounts::Caller;
use mindflow::tasks::edit::{Patch, TaskPatch};
use mindflow::tasks::pointing::{Among, Found};
use mindflow::tasks::{Ask, Status};

use crate::support::databases::{TestDatabase, both_databases};
use crate::world::{World, a_task};

impl World {
    async fn completed(&self, who: &Caller, title: &str) {
        let task = self.has(who, a_task(title)).await;
        self.tasks.move_to(Ask::new(who.clone()), task.id, Status::Completed).await.unwrap();
    }

    /// The title that is meant, `-`, or all titles that could be.
    async fn means(&self, who: &Caller, words: &str, among: Among) -> String {
        match self.tasks.find_by_words(who, words, among).await.unwrap() {
            Found::One(task) => task.title,
            Found::Several(tasks) => tasks.into_iter().map(|task| task.title).collect::<Vec<_>>().join(" | "),
            Found::Gone { task, others } => {
                let others: Vec<String> = others.into_iter().map(|task| format!(" | {}", task.title)).collect();
                let others = others.concat();
                format!("gone {}{others}", task.title)
            }
            Found::None => "-".to_owned(),
        }
    }
}

both_databases! {
    async fn words_find_the_one_task_that_a_person_means(db: TestDatabase) {
        let world = World::on(db).await;
        let (ada, eve) = (world.person("ada").await, world.person("eve").await);
        for title in [
            "Call the dentist", "Report", "Write the report for Zoë", "Call mum", "Call mum about dinner", "Tax return 2026",
            "Café bill", "会議室を予約", "🎉", "🚀", "Plan B", "C++", "C", "Task one", "Reporting line",
        ] {
            world.has(&ada, a_task(title)).await;
        }
        let described = TaskPatch { description: Patch::Set("insurance papers".to_owned()), ..a_task("Letters") };
        world.has(&ada, described).await;
        world.has(&eve, a_task("Secret of Eve")).await;

        for (words, meant) in [
            ("the dentist one", "Call the dentist"),
            ("dentist", "Call the dentist"),
            ("DENT", "Call the dentist"),
            ("report", "Report"),
            (" report ", "Report"),
            ("zoe report", "Write the report for Zoë"),
            ("call mum", "Call mum"),
            ("mum dinner", "Call mum about dinner"),
            ("my tax thing", "Tax return 2026"),
            ("cafe bill", "Café bill"),
            ("会議", "会議室を予約"),
            ("予約", "会議室を予約"),
            ("会", "会議室を予約"),
            ("🎉", "🎉"),
            ("b", "Plan B"),
            ("C++", "C++"),
            ("c", "C"),
            ("the task", "-"),
            ("task one", "Task one"),
            ("insurance", "Letters"),
            ("please call the dentist task", "Call the dentist"),
            ("Secret of Eve", "-"),
            ("secret", "-"),
            ("", "-"),
            ("!?", "-"),
            ("🙈", "-"),
            ("zoo", "-"),
            ("mum", "Call mum about dinner | Call mum"),
            ("the report", "Write the report for Zoë | Report"),
            ("repo", "Reporting line | Write the report for Zoë | Report"),
        ] {
            assert_eq!(world.means(&ada, words, Among::Any).await, meant, "{words}");
            assert_eq!(world.means(&ada, words, Among::Open).await, meant, "{words}");
        }
    }

    async fn what_is_done_is_meant_only_when_nothing_open_can_be(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        world.completed(&ada, "Dentist").await;
        world.completed(&ada, "Pay rent").await;
        world.completed(&ada, "Pay rent").await;
        let open = world.has(&ada, a_task("Call the dentist")).await;
        let gone = world.has(&ada, a_task("Dentist bill")).await;
        world.tasks.delete(Ask::new(ada.clone()), gone.id).await.unwrap();

        assert_eq!(world.means(&ada, "dentist", Among::Open).await, "Call the dentist");
        assert_eq!(world.means(&ada, "dentist", Among::Any).await, "Dentist");
        assert_eq!(world.means(&ada, "pay rent", Among::Open).await, "Pay rent | Pay rent");
        assert_eq!(world.means(&ada, "rent dentist", Among::Open).await, "-");
        assert_eq!(world.means(&ada, &open.id.to_string(), Among::Any).await, "Call the dentist");
        assert_eq!(world.means(&ada, &gone.id.to_string(), Among::Any).await, "-");
        world.has(&ada, a_task("Pay rent")).await;
        assert_eq!(world.means(&ada, "pay rent", Among::Any).await, "Pay rent | Pay rent | Pay rent");
    }

    async fn words_that_were_followed_do_not_lead_on_to_another_task(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        world.completed(&ada, "Ring Paula").await;
        world.has(&ada, a_task("Ring Paula about the party")).await;
        world.completed(&ada, "Same").await;
        let same = world.has(&ada, a_task("Same")).await;
        let gone = world.has(&ada, a_task("Call the dentist")).await;
        world.has(&ada, TaskPatch { description: Patch::Set("dentist".to_owned()), ..a_task("Pay the bill") }).await;

        assert_eq!(world.means(&ada, "the dentist one", Among::ToDelete).await, "Call the dentist");
        world.tasks.delete(Ask::new(ada.clone()), gone.id).await.unwrap();
        for among in [Among::ToComplete, Among::ToDelete] {
            assert_eq!(world.means(&ada, "the dentist one", among).await, "gone Call the dentist");
            assert_eq!(world.means(&ada, "ring paula", among).await, "Ring Paula");
            assert_eq!(world.means(&ada, "same", among).await, "Same | Same");
        }
        assert_eq!(world.means(&ada, "the dentist one", Among::Any).await, "Pay the bill");
        world.tasks.delete(Ask::new(ada.clone()), same.id).await.unwrap();
        assert_eq!(world.means(&ada, "same", Among::ToDelete).await, "gone Same | Same");

        world.clock.advance(Duration::from_secs(3601));
        for among in [Among::ToComplete, Among::ToDelete] {
            assert_eq!(world.means(&ada, "the dentist one", among).await, "Pay the bill");
            assert_eq!(world.means(&ada, "ring paula", among).await, "Ring Paula");
        }
        world.has(&ada, a_task("Same")).await;
        assert_eq!(world.means(&ada, "same", Among::ToComplete).await, "Same");
    }

    async fn many_tasks_that_could_be_meant_hide_neither_the_exact_one_nor_the_doubt(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        world.has(&ada, a_task("Art")).await;
        world.has(&ada, a_task("Art exam")).await;
        world.completed(&ada, "Artichoke done").await;
        for number in 0..30 {
            world.has(&ada, a_task(&format!("Artists {number}"))).await;
        }
        world.has(&ada, a_task("Modern art")).await;
        world.clock.advance(Duration::from_secs(1));

        assert_eq!(world.means(&ada, "art", Among::Open).await, "Art");
        assert_eq!(world.means(&ada, "the art thing", Among::Open).await, "Modern art | Art exam | Art");
        let Found::Several(several) = world.tasks.find_by_words(&ada, "arti", Among::Any).await.unwrap() else {
            panic!("not several")
        };
        assert_eq!(several.len(), 10);
        assert_eq!(several[0].title, "Artists 29");
    }
}
