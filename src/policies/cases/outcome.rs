//! What came of one example, held against what it expects.

use crate::clock::Timestamp;
use crate::scoring::{
    Candidate, Explanation, FactTable, Moment, Policy, Ranked, Ranking, Status, next_change, round_score,
};

use super::{Case, read_moment};

/// An example's tasks, ranked.
pub(super) struct Outcome<'a> {
    pub(super) policy: &'a dyn Policy,
    pub(super) case: &'a Case,
    pub(super) candidates: Vec<Candidate>,
    pub(super) moment: Moment,
    pub(super) ranking: Ranking,
}

impl Outcome<'_> {
    /// All that is not as expected.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = self.same_ids();
        if self.case.expect.is_empty() {
            faults.push("it expects nothing: `expect` must name an order, scores, parts, texts or changes".to_owned());
        }
        faults.extend(self.order());
        faults.extend(self.left_out());
        faults.extend(self.scores());
        faults.extend(self.explanations());
        faults.extend(self.changes());
        faults
    }

    /// Two tasks of one id could not be told apart.
    fn same_ids(&self) -> Vec<String> {
        let ids: Vec<&str> = self.case.tasks.iter().map(|task| task.id.as_str()).collect();
        let again = ids.iter().enumerate().filter(|(row, id)| ids[..*row].contains(id));
        again.map(|(_, id)| format!("there are two tasks `{id}`")).collect()
    }

    fn left_out(&self) -> Vec<String> {
        let check = |id: &String| match self.row(id) {
            Err(fault) => Some(fault),
            Ok(row) if self.recommended().any(|entry| entry.row == row) => {
                Some(format!("`{id}` must be left out, but it is ranked"))
            }
            Ok(_) => None,
        };
        self.case.expect.left_out.iter().filter_map(check).collect()
    }

    /// Those that the server would recommend, in their order: whatever the policy says, what is completed is not among them.
    fn recommended(&self) -> impl Iterator<Item = &Ranked> {
        let is_open = |entry: &&Ranked| self.candidates[entry.row].status != Status::Completed;
        self.ranking.entries.iter().filter(is_open)
    }

    fn row(&self, id: &str) -> Result<usize, String> {
        self.case.tasks.iter().position(|task| task.id == id).ok_or_else(|| format!("there is no task `{id}`"))
    }

    fn order(&self) -> Vec<String> {
        let Some(expected) = &self.case.expect.order else { return Vec::new() };
        let order: Vec<&str> = self.recommended().map(|entry| self.case.tasks[entry.row].id.as_str()).collect();
        if *expected == order {
            return Vec::new();
        }
        vec![format!("the order must be {}, but it is {}", expected.join(", "), order.join(", "))]
    }

    fn scores(&self) -> Vec<String> {
        let check = |(id, expected): (&String, &f64)| {
            let row = match self.row(id) {
                Ok(row) => row,
                Err(fault) => return Some(fault),
            };
            let entry = self.ranking.entries.iter().find(|entry| entry.row == row);
            let score = entry.and_then(|entry| entry.score);
            let fault = entry.and_then(|entry| entry.fault.as_deref());
            (score != Some(round_score(*expected)))
                .then(|| format!("`{id}` must score {expected}, but {}", found(score, fault.map(ToString::to_string))))
        };
        self.case.expect.scores.iter().filter_map(check).collect()
    }

    fn explanations(&self) -> Vec<String> {
        let facts = FactTable::new(&self.candidates, &self.moment);
        let ctx = self.policy.context(&self.moment);
        let explain = |id: &str| self.row(id).map(|row| self.policy.explain(&facts, row, &ctx));
        let mut faults = Vec::new();
        for (id, parts) in &self.case.expect.parts {
            match explain(id) {
                Err(fault) => faults.push(fault),
                Ok(explanation) => faults.extend(parts.iter().filter_map(|(name, expected)| {
                    let value = part(&explanation, name);
                    (value != Some(round_score(*expected)))
                        .then(|| format!("`{name}` of `{id}` must be {expected}, but {}", found(value, None)))
                })),
            }
        }
        for (id, expected) in &self.case.expect.recommendation {
            match explain(id) {
                Err(fault) => faults.push(fault),
                Ok(explanation) if explanation.recommendation == *expected => {}
                Ok(explanation) => faults.push(format!(
                    "`{id}` must be recommended with \"{expected}\", but it says \"{}\"",
                    explanation.recommendation
                )),
            }
        }
        faults
    }

    fn changes(&self) -> Vec<String> {
        let check = |(id, expected): (&String, &Option<String>)| -> Result<(), String> {
            let row = self.row(id)?;
            let zone = self.moment.zone;
            let expected = expected.as_deref().map(|text| read_moment("next_change", text, zone)).transpose()?;
            let change = next_change(self.policy, &self.candidates[row], &self.moment, None).map(|change| change.at);
            let name = |moment: Option<Timestamp>| moment.map_or("never".to_owned(), |moment| moment.to_string());
            if change == expected {
                return Ok(());
            }
            Err(format!("the score of `{id}` must change next: {}, but it does: {}", name(expected), name(change)))
        };
        self.case.expect.next_change.iter().filter_map(|expected| check(expected).err()).collect()
    }
}

fn found(score: Option<f64>, fault: Option<String>) -> String {
    match (score, fault) {
        (Some(score), _) => format!("it is {score}"),
        (None, Some(fault)) => format!("the policy fails: {fault}"),
        (None, None) => "it is not there".to_owned(),
    }
}

/// A classic field, the total, or the points of a named part.
fn part(explanation: &Explanation, name: &str) -> Option<f64> {
    let classic = explanation.classic.as_ref();
    let value = match name {
        "deadline_urgency" => classic.map(|classic| classic.deadline_urgency),
        "deadline_urgency_score" => classic.map(|classic| classic.deadline_urgency_score),
        "priority_score" => classic.map(|classic| classic.priority_score),
        "effort_bonus" => classic.map(|classic| classic.effort_bonus),
        "effort_bonus_score" => classic.map(|classic| classic.effort_bonus_score),
        "time_of_day_multiplier" => classic.map(|classic| classic.time_of_day_multiplier),
        "total_score" => explanation.total_score,
        _ => None,
    };
    let named = || explanation.parts.iter().find(|part| part.name == name).map(|part| part.points);
    value.or_else(named).map(round_score)
}
