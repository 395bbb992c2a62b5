//! Interpreted scores, each computed once: what a policy reads decides its score.

use std::collections::HashMap;

use super::ScriptPolicy;
use crate::policies::memo::{Key, add_task_key, context_key};
use crate::scoring::{Context, FactTable, Verdict};

impl ScriptPolicy {
    pub(super) fn score_with_memo(&self, facts: &FactTable, ctx: &Context) -> Vec<Verdict> {
        let keys = self.keys(facts, ctx);
        let mut known: Vec<Option<Verdict>> = {
            let memo = self.memo.read();
            keys.iter().map(|key| memo.get(key).cloned()).collect()
        };
        let mut found: HashMap<&Key, Verdict> = HashMap::new();
        let mut run = None;
        for (row, key) in keys.iter().enumerate() {
            if known[row].is_some() {
                continue;
            }
            let verdict = found
                .entry(key)
                .or_insert_with(|| self.judge_row(run.get_or_insert_with(|| self.run(ctx)), facts, row));
            known[row] = Some(verdict.clone());
        }
        self.memo.add(found.into_iter().map(|(key, verdict)| (key.clone(), verdict)));
        known.into_iter().map(|verdict| verdict.unwrap_or(Verdict::Ineligible)).collect()
    }

    fn keys(&self, facts: &FactTable, ctx: &Context) -> Vec<Key> {
        let shared = context_key(ctx, self.uses);
        let mut key = shared.clone();
        (0..facts.len())
            .filter_map(|row| facts.row(row))
            .map(|facts| {
                key.truncate(shared.len());
                add_task_key(&mut key, &facts, self.uses);
                Key::from(key.as_slice())
            })
            .collect()
    }
}
