//! What the demo fills an account with.

use crate::calendar::TimeOfDay;
use crate::tasks::Status;

use super::{AFTERNOON, EVENING, MORNING};

/// The projects that the tasks name.
pub(super) const PROJECTS: [&str; 4] = ["Household", "Quarterly report", "Summer trip", "Learn Rust"];

/// When a task is due, counted from the day of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// In so many days, all day long.
    Day(i64),
    /// In so many days, at this hour.
    Hour(i64, u32),
}

/// One task.
#[derive(Clone, Copy, Debug)]
pub(super) struct DemoTask {
    pub(super) title: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) status: Status,
    pub(super) priority: u8,
    pub(super) due: Option<When>,
    pub(super) minutes: Option<u32>,
    pub(super) preferred: Option<TimeOfDay>,
    pub(super) labels: &'static [&'static str],
    pub(super) project: Option<&'static str>,
}

const fn task(title: &'static str, priority: u8) -> DemoTask {
    DemoTask {
        title,
        description: None,
        status: Status::Pending,
        priority,
        due: None,
        minutes: None,
        preferred: None,
        labels: &[],
        project: None,
    }
}

/// The tasks, as somebody's life might have them.
pub(super) const DEMO_TASKS: &[DemoTask] = &[
    DemoTask {
        due: Some(When::Day(-1)),
        minutes: Some(10),
        preferred: MORNING,
        labels: &["finance"],
        project: Some("Household"),
        ..task("Pay the electricity bill", 5)
    },
    DemoTask {
        due: Some(When::Day(0)),
        minutes: Some(10),
        preferred: MORNING,
        labels: &["phone", "health"],
        ..task("Call the dentist for an appointment", 4)
    },
    DemoTask {
        description: Some("Figures are in the shared sheet; mention the new customers."),
        status: Status::InProgress,
        due: Some(When::Hour(0, 17)),
        minutes: Some(45),
        preferred: AFTERNOON,
        labels: &["work"],
        project: Some("Quarterly report"),
        ..task("Send the quarterly report to Maria", 5)
    },
    DemoTask {
        due: Some(When::Hour(0, 12)),
        minutes: Some(30),
        preferred: MORNING,
        labels: &["work"],
        project: Some("Quarterly report"),
        ..task("Review the draft of the report", 4)
    },
    DemoTask {
        status: Status::Completed,
        due: Some(When::Day(-2)),
        minutes: Some(60),
        labels: &["work"],
        project: Some("Quarterly report"),
        ..task("Collect the sales figures", 4)
    },
    DemoTask {
        due: Some(When::Day(5)),
        minutes: Some(90),
        preferred: MORNING,
        labels: &["work", "meeting"],
        project: Some("Quarterly report"),
        ..task("Agree on next quarter's goals", 4)
    },
    DemoTask {
        description: Some("The saver fare ends this week."),
        due: Some(When::Day(2)),
        minutes: Some(15),
        preferred: EVENING,
        labels: &["travel"],
        project: Some("Summer trip"),
        ..task("Book the train to Graz", 4)
    },
    DemoTask {
        description: Some("Two photos, the old passport, the form from the town hall."),
        due: Some(When::Day(6)),
        minutes: Some(60),
        preferred: MORNING,
        labels: &["travel", "errand"],
        project: Some("Summer trip"),
        ..task("Renew the passport", 5)
    },
    DemoTask {
        due: Some(When::Day(14)),
        minutes: Some(45),
        preferred: EVENING,
        labels: &["travel", "finance"],
        project: Some("Summer trip"),
        ..task("Compare travel insurances", 2)
    },
    DemoTask {
        due: Some(When::Day(9)),
        minutes: Some(5),
        preferred: EVENING,
        labels: &["phone"],
        project: Some("Summer trip"),
        ..task("Ask Ana to water the plants", 2)
    },
    DemoTask {
        description: Some("He likes maps and hiking."),
        due: Some(When::Day(3)),
        minutes: Some(60),
        preferred: AFTERNOON,
        labels: &["errand", "family"],
        ..task("Buy a birthday present for Jonas", 4)
    },
    DemoTask {
        due: Some(When::Day(3)),
        minutes: Some(15),
        preferred: EVENING,
        labels: &["family"],
        ..task("Write the birthday card", 3)
    },
    DemoTask {
        due: Some(When::Day(0)),
        minutes: Some(10),
        preferred: EVENING,
        labels: &["home"],
        project: Some("Household"),
        ..task("Water the balcony plants", 2)
    },
    DemoTask {
        minutes: Some(45),
        preferred: AFTERNOON,
        labels: &["home"],
        project: Some("Household"),
        ..task("Fix the dripping tap", 3)
    },
    DemoTask {
        due: Some(When::Day(1)),
        minutes: Some(15),
        labels: &["home"],
        project: Some("Household"),
        ..task("Replace the smoke detector's battery", 5)
    },
    DemoTask {
        minutes: Some(20),
        preferred: MORNING,
        labels: &["home"],
        project: Some("Household"),
        ..task("Descale the coffee machine", 1)
    },
    DemoTask {
        minutes: Some(90),
        preferred: AFTERNOON,
        labels: &["home"],
        project: Some("Household"),
        ..task("Sort the papers on the desk", 2)
    },
    DemoTask {
        description: Some("Still missing: the donation receipt."),
        status: Status::InProgress,
        due: Some(When::Day(10)),
        minutes: Some(180),
        preferred: AFTERNOON,
        labels: &["finance"],
        project: Some("Household"),
        ..task("Hand in the tax return", 5)
    },
    DemoTask {
        due: Some(When::Day(4)),
        minutes: Some(15),
        preferred: EVENING,
        labels: &["finance"],
        project: Some("Household"),
        ..task("Find the donation receipt", 3)
    },
    DemoTask {
        due: Some(When::Day(7)),
        minutes: Some(10),
        labels: &["finance", "health"],
        ..task("Cancel the unused gym membership", 3)
    },
    DemoTask {
        due: Some(When::Day(0)),
        minutes: Some(40),
        preferred: MORNING,
        labels: &["health"],
        ..task("Run five kilometres", 3)
    },
    DemoTask {
        minutes: Some(60),
        preferred: EVENING,
        labels: &["learning"],
        project: Some("Learn Rust"),
        ..task("Read two chapters of the Rust book", 2)
    },
    DemoTask {
        due: Some(When::Day(8)),
        minutes: Some(120),
        preferred: EVENING,
        labels: &["learning"],
        project: Some("Learn Rust"),
        ..task("Do the exercises on lifetimes", 2)
    },
    DemoTask {
        description: Some("Something that renames photos by date."),
        minutes: Some(240),
        preferred: EVENING,
        labels: &["learning"],
        project: Some("Learn Rust"),
        ..task("Write a small command-line tool", 1)
    },
    DemoTask {
        status: Status::Completed,
        minutes: Some(20),
        labels: &["learning"],
        project: Some("Learn Rust"),
        ..task("Install the toolchain", 3)
    },
    DemoTask {
        due: Some(When::Day(-3)),
        minutes: Some(25),
        preferred: MORNING,
        labels: &["home"],
        project: Some("Household"),
        ..task("Answer the landlord's letter", 4)
    },
    DemoTask {
        due: Some(When::Day(1)),
        minutes: Some(15),
        preferred: EVENING,
        labels: &["tech"],
        ..task("Back up the laptop", 4)
    },
    DemoTask { minutes: Some(30), preferred: EVENING, labels: &["tech"], ..task("Update the router's firmware", 2) },
    DemoTask { due: Some(When::Day(12)), minutes: Some(90), labels: &["tech"], ..task("Change the old passwords", 3) },
    DemoTask {
        due: Some(When::Hour(1, 9)),
        minutes: Some(75),
        preferred: AFTERNOON,
        labels: &["work", "meeting"],
        ..task("Prepare slides for the team meeting", 4)
    },
    DemoTask {
        due: Some(When::Hour(0, 15)),
        minutes: Some(10),
        preferred: MORNING,
        labels: &["work", "mail"],
        ..task("Reply to the customer about the invoice", 5)
    },
    DemoTask { minutes: Some(5), labels: &["work", "errand"], ..task("Order printer paper", 1) },
    DemoTask {
        description: Some("Portfolio is linked in the calendar."),
        due: Some(When::Hour(2, 14)),
        minutes: Some(60),
        preferred: AFTERNOON,
        labels: &["work", "meeting"],
        ..task("Interview the new designer", 4)
    },
    DemoTask { status: Status::Snoozed, minutes: Some(120), labels: &["work"], ..task("Clean up the shared drive", 1) },
    DemoTask {
        status: Status::Snoozed,
        due: Some(When::Day(30)),
        minutes: Some(60),
        labels: &["work"],
        ..task("Plan the summer party", 2)
    },
    DemoTask {
        description: Some("The shop closes at six."),
        due: Some(When::Hour(0, 18)),
        minutes: Some(20),
        preferred: AFTERNOON,
        labels: &["errand"],
        ..task("Pick up the parcel", 3)
    },
    DemoTask { preferred: MORNING, ..task("Try the new bakery", 1) },
    DemoTask {
        due: Some(When::Day(1)),
        minutes: Some(30),
        preferred: EVENING,
        labels: &["family", "phone"],
        ..task("Call grandma", 3)
    },
    DemoTask {
        due: Some(When::Day(2)),
        minutes: Some(25),
        preferred: AFTERNOON,
        labels: &["errand"],
        ..task("Return the library books", 3)
    },
    DemoTask { ..task("Think about what to learn next", 1) },
];
