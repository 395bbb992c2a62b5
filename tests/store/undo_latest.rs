//! Taking back what a model did last, by saying so.

use std::time::Duration;

use mindflow::accounts::Caller;
use mindflow::tasks::undo::Undone;
use mindflow::tasks::{Ask, Changed, Channel, Status, Task, TaskError};

use crate::support::databases::{TestDatabase, both_databases};
use crate::world::{World, a_task};

const TEN_MINUTES: Duration = Duration::from_mins(10);

fn by_model<T>(who: &Caller) -> Ask<T> {
    Ask::new(who.clone()).through(Channel::Mcp)
}

impl World {
    async fn undo_latest(&self, who: &Caller) -> Result<Changed<Undone>, TaskError> {
        self.tasks.undo_latest(by_model(who), TEN_MINUTES).await
    }

    async fn made_by_model(&self, who: &Caller, title: &str) -> Task {
        self.tasks.create(by_model(who), a_task(title)).await.unwrap().value
    }
}

both_databases! {
    async fn changes_of_a_model_are_taken_back_one_by_one_and_stay_so(db: TestDatabase) {
        let world = World::on(db).await;
        let (ada, eve) = (world.person("ada").await, world.person("eve").await);
        // The clock stands: the order of changes does not hang on it.
        let task = world.made_by_model(&ada, "task").await;
        world.tasks.update(by_model(&ada), task.id, a_task("renamed")).await.unwrap();
        world.tasks.move_to(by_model(&ada), task.id, Status::Completed).await.unwrap();
        world.made_by_model(&eve, "of eve").await;

        let first = world.undo_latest(&ada).await.unwrap().value;
        let second = world.undo_latest(&ada).await.unwrap().value;
        let third = world.undo_latest(&ada).await.unwrap().value;
        let none = world.undo_latest(&ada).await;

        assert_eq!((first.action.as_str(), first.tasks[0].status), ("task.completed", Status::Pending));
        assert_eq!((second.action.as_str(), second.tasks[0].title.as_str()), ("task.updated", "task"));
        assert_eq!((third.action.as_str(), third.tasks.len(), third.gone[0].title.as_str()), ("task.created", 0, "task"));
        assert!(matches!(none, Err(TaskError::NotFound("change to undo"))), "{none:?}");
        assert_eq!(world.undo_latest(&eve).await.unwrap().value.gone[0].title, "of eve");
    }

    async fn only_what_a_model_did_lately_and_nobody_took_back_is_taken_back(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let early = world.made_by_model(&ada, "early").await;
        world.clock.advance(TEN_MINUTES);
        let edge = world.tasks.create(by_model(&ada), a_task("edge")).await.unwrap();
        world.has(&ada, a_task("by hand")).await;
        let token = edge.undo_token.unwrap();
        world.tasks.undo(by_model(&ada), token.clone()).await.unwrap();

        let none = world.undo_latest(&ada).await;

        assert!(matches!(none, Err(TaskError::NotFound("change to undo"))), "{none:?}");
        world.tasks.get_task(&ada, early.id).await.unwrap();
        let late = world.made_by_model(&ada, "late").await;
        world.clock.advance(TEN_MINUTES);
        assert_eq!(world.undo_latest(&ada).await.unwrap().value.gone[0].id, late.id);
    }

    async fn what_was_changed_since_stays_and_is_said(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let task = world.made_by_model(&ada, "task").await;
        world.tasks.update(Ask::new(ada.clone()), task.id, a_task("by hand")).await.unwrap();

        for _ in 0..2 {
            let overtaken = world.undo_latest(&ada).await;
            assert!(matches!(overtaken, Err(TaskError::UndoOvertaken("task"))), "{overtaken:?}");
        }

        assert_eq!(world.tasks.get_task(&ada, task.id).await.unwrap().title, "by hand");
    }
}
