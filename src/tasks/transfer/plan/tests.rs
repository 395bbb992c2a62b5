use super::*;

fn entry(id: u128, parent: Option<u128>) -> TaskEntry {
    TaskEntry {
        id: Some(Uuid::from_u128(id)),
        project_id: None,
        parent_id: parent.map(Uuid::from_u128),
        status: Status::Pending,
        snoozed_until: None,
        snooze_count: None,
        completed_at: None,
        created_at: None,
        fields: TaskPatch { title: Some(format!("task {id}")), ..TaskPatch::default() },
    }
}

fn make(tasks: Vec<TaskEntry>) -> Result<Plan, Vec<Fault>> {
    Plan::make(ImportFile { tasks, ..ImportFile::default() }, Timestamp::MIN)
}

#[test]
fn parents_come_first_and_ids_keep_the_order_of_the_file() {
    let plan = make(vec![entry(1, Some(2)), entry(2, Some(3)), entry(3, None), entry(4, Some(2))]).unwrap();

    let titles: Vec<_> = plan.tasks.iter().map(|task| task.title.as_str()).collect();
    assert_eq!(titles, ["task 3", "task 2", "task 1", "task 4"]);
    assert_eq!(plan.tasks[2].parent_id, Some(plan.tasks[1].id));
    let mut by_id = plan.tasks.clone();
    by_id.sort_by_key(|task| task.id);
    let titles: Vec<_> = by_id.iter().map(|task| task.title.as_str()).collect();
    assert_eq!(titles, ["task 1", "task 2", "task 3", "task 4"]);
}

#[test]
fn only_the_tasks_of_a_circle_are_at_fault() {
    let faults = make(vec![entry(1, Some(2)), entry(2, Some(1)), entry(3, Some(1)), entry(4, Some(4))]).unwrap_err();

    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["/tasks/0/parent_id", "/tasks/1/parent_id", "/tasks/3/parent_id"]);
}

#[test]
fn a_chain_of_five_thousand_is_put_in_order() {
    let chain = (1..=5000).map(|id| entry(id, (id < 5000).then_some(id + 1))).collect();

    let plan = make(chain).unwrap();

    assert_eq!(plan.tasks.len(), TASKS_MAX);
    assert!(plan.tasks.windows(2).all(|pair| pair[1].parent_id == Some(pair[0].id)));
}
