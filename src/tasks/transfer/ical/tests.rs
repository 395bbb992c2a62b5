use uuid::Uuid;

use super::*;
use crate::calendar::TimeOfDay;
use crate::ids::TaskId;

fn written(tasks: Vec<Task>) -> String {
    let mut calendar = CalendarWriter::new();
    for task in tasks {
        calendar.take(Exported::Task(Box::new(task)));
    }
    String::from_utf8(calendar.finish()).unwrap()
}

fn a_task(title: &str) -> Task {
    let now = Timestamp::from_micros(1_795_244_400_000_000);
    Task { title: title.to_owned(), ..Task::blank(TaskId(Uuid::from_u128(1)), now) }
}

#[test]
fn a_task_is_a_todo() {
    let task = Task {
        description: Some("a, b; c\\d\r\ne".to_owned()),
        status: Status::Completed,
        completed_at: Some(Timestamp::from_micros(1_795_244_400_999_999)),
        priority: 5,
        due: Some(Due::On("2026-12-24".parse().unwrap())),
        effort_minutes: Some(45),
        preferred_time: Some(TimeOfDay::Evening),
        labels: vec!["a,b".to_owned(), "c".to_owned()],
        parent_id: Some(TaskId(Uuid::from_u128(2))),
        ..a_task("Write: it")
    };

    let todo = written(vec![task]);

    let (_, todo) = todo.split_once("BEGIN:VTODO\r\n").unwrap();
    insta::assert_snapshot!(todo.replace("\r\n", "\n"), @r"
    UID:00000000-0000-0000-0000-000000000001
    DTSTAMP:20261121T070000Z
    CREATED:20261121T070000Z
    LAST-MODIFIED:20261121T070000Z
    SUMMARY:Write: it
    DESCRIPTION:a\, b\; c\\d\ne
    STATUS:COMPLETED
    COMPLETED:20261121T070000Z
    DUE;VALUE=DATE:20261224
    PRIORITY:1
    CATEGORIES:a\,b,c
    RELATED-TO;RELTYPE=PARENT:00000000-0000-0000-0000-000000000002
    X-MINDFLOW-EFFORT-MINUTES:45
    X-MINDFLOW-PREFERRED-TIME:evening
    END:VTODO
    END:VCALENDAR
    ");
}

#[test]
fn lines_are_folded_at_75_octets_between_characters() {
    for letter in ["x", "ü", "老", "😀"] {
        for length in [60, 66, 67, 68, 140, 141, 142, 143, 200] {
            let title = letter.repeat(length);

            let calendar = written(vec![a_task(&title)]);

            assert!(calendar.split("\r\n").all(|line| line.len() <= 75), "{calendar}");
            assert!(calendar.replace("\r\n ", "").contains(&format!("SUMMARY:{title}\r\n")));
        }
    }
}

#[test]
fn texts_can_be_read_back() {
    let text = "a\\n, b; c\\ \"d\"\n\te 老虎 ".repeat(40);

    let calendar = written(vec![Task { description: Some(text.clone()), ..a_task("x") }]);

    let unfolded = calendar.replace("\r\n ", "");
    let value = unfolded.lines().find_map(|line| line.strip_prefix("DESCRIPTION:")).unwrap();
    assert_eq!(unescaped(value), text);
}

/// Reads a TEXT as section 3.3.11 says.
fn unescaped(value: &str) -> String {
    let mut letters = value.chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.push(match letters.next().unwrap() {
                'n' | 'N' => '\n',
                other => other,
            }),
            letter => text.push(letter),
        }
    }
    text
}

#[test]
fn priorities_keep_their_order() {
    assert_eq!([1, 2, 3, 4, 5].map(priority), [9, 7, 5, 3, 1]);
}

#[test]
fn an_empty_calendar_still_holds_a_component() {
    assert!(written(Vec::new()).contains("\r\nBEGIN:VTIMEZONE\r\n"));
}
