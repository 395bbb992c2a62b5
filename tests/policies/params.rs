//! What a script lets people set.

use std::collections::BTreeMap;

use mindflow::accounts::Role;
use mindflow::clock::Clock;
use mindflow::ids::UserId;
use mindflow::policies::candidates::{Candidates, Part, Rollout};
use mindflow::policies::{CaseRule, LivePolicies};
use mindflow::scoring::Policy;
use mindflow::scoring::params::{ParamSetting, ParamValue, ParamValues};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{a_task, at, faults, good, morning, score, with_score};

const PARAMS: &str = "const PARAMS = #{
    weight: #{ type: \"number\", min: 0.0, max: 10.0, default: 2, user: true },
    days: #{ type: \"whole\", min: 0, max: 9, default: 1 },
    loud: #{ type: \"bool\", default: false },
    mood: #{ type: \"word\", words: [\"calm\", \"wild\"], default: \"calm\" }
};
";

fn values(values: &[(&str, ParamValue)]) -> ParamValues {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>()
}

#[test]
fn a_script_reads_the_values_that_are_in_force() {
    let body = "ctx.params.weight * 10.0 + ctx.params.days + if ctx.params.loud { 100 } else { 0 } \
                + if ctx.params[\"mood\"] == \"wild\" { 1000 } else { 0 }";
    let policy = good(&(PARAMS.to_owned() + &*with_score(body)));
    assert_eq!(score(&policy, &a_task(1), &morning()), 21.0);

    let own = values(&[
        ("weight", ParamValue::Whole(3)),
        ("days", ParamValue::Whole(2)),
        ("loud", ParamValue::Bool(true)),
        ("mood", ParamValue::Word("wild".to_owned())),
    ]);
    let tuned = policy.tuned(&own).unwrap();

    assert_eq!(score(&*tuned, &a_task(1), &morning()), 1132.0);
    assert_eq!((tuned.name(), tuned.version()), (policy.name(), policy.version()));
    assert_ne!(tuned.variant(), policy.variant());
    assert_eq!(score(&policy, &a_task(1), &morning()), 21.0);
}

#[test]
fn values_outside_of_their_range_are_refused_with_the_rule() {
    let policy = good(&(PARAMS.to_owned() + &*with_score("ctx.params.weight")));
    let refused = |name: &str, value: ParamValue| policy.tuned(&values(&[(name, value)])).err().unwrap();

    assert_eq!(refused("weight", ParamValue::Number(10.5)), "the parameter `weight` must be a number from 0 to 10");
    assert_eq!(refused("days", ParamValue::Number(1.0)), "the parameter `days` must be a whole number from 0 to 9");
    assert_eq!(refused("loud", ParamValue::Whole(1)), "the parameter `loud` must be true or false");
    assert_eq!(refused("mood", ParamValue::Word("grim".into())), "the parameter `mood` must be one of calm, wild");
    assert_eq!(refused("colour", ParamValue::Bool(true)), "the policy has no parameter `colour`");
}

#[test]
fn what_is_wrong_with_a_declaration_is_told_where_it_stands() {
    let declared = |params: &str| {
        let mut faults = faults(&format!("const PARAMS = #{{\n  {params}\n}};\n{}", with_score("1")));
        assert_eq!(faults.len(), 1, "{faults:#?}");
        faults.remove(0)
    };
    let cases = [
        ("a: 1", "policy.rhai:2:3: the parameter `a` must be a map"),
        ("a: #{ default: 1 }", "policy.rhai:2:3: the parameter `a` needs a `type`"),
        ("a: #{ type: \"numbr\", default: 1 }", "did you mean `number`?"),
        ("a: #{ type: \"number\", min: 1, default: 1 }", "needs a `min` and a `max` above it"),
        ("a: #{ type: \"whole\", min: 5, max: 5, default: 5 }", "needs a `min` and a `max` above it"),
        (
            "a: #{ type: \"whole\", min: 0, max: 5, default: 6 }",
            "has a `default` that must be a whole number from 0 to 5",
        ),
        ("a: #{ type: \"bool\", max: 5, default: true }", "of the type `bool` has no `max`"),
        ("a: #{ type: \"word\", words: [], default: \"x\" }", "needs `words`"),
        ("a: #{ type: \"bool\" }", "needs a `default`"),
        ("a: #{ type: \"bool\", defalt: true }", "has a key `defalt`; known: default, label"),
    ];
    for (params, expected) in cases {
        let fault = declared(params);
        assert!(fault.contains(expected), "{params}: {fault}");
    }
    let second = declared("b: #{ type: \"bool\", default: true },\n  a: #{ type: \"bool\", default: 1 }");
    assert!(second.starts_with("policy.rhai:3:3: "), "{second}");
}

#[test]
fn a_parameter_that_nobody_declared_is_found_by_name() {
    let fault = faults(&(PARAMS.to_owned() + &*with_score("ctx.params.wieght"))).remove(0);
    assert!(
        fault.contains("`PARAMS` has no `wieght`; known: days, loud, mood, weight; did you mean `weight`?"),
        "{fault}"
    );
    let fault = faults(&with_score("ctx.params.weight")).remove(0);
    assert!(fault.contains("the script declares no `PARAMS`"), "{fault}");
}

#[test]
fn the_ends_of_every_range_are_tried_before_a_policy_goes_live() {
    let fault = faults(&(PARAMS.to_owned() + &*with_score("task.priority / ctx.params.weight"))).remove(0);
    assert!(
        fault.starts_with("policy.rhai:7:4: `score` must return a finite number, not inf (for a task with priority 1"),
        "{fault}"
    );
    assert!(fault.ends_with("with `days` 0, `loud` false, `mood` calm, `weight` 0"), "{fault}");

    let whole = "if ctx.params.days == 9 && ctx.params.mood == \"wild\" { throw \"too much\" } 1.0";
    let fault = faults(&(PARAMS.to_owned() + &*with_score(whole))).remove(0);
    assert!(
        fault.contains("too much") && fault.ends_with("with `days` 9, `loud` true, `mood` wild, `weight` 10"),
        "{fault}"
    );
}

/// A folder with one policy, `mine`, that scores its own parameter.
fn folder() -> TempDir {
    let home = TempDir::new().unwrap();
    std::fs::create_dir(home.path().join("mine")).unwrap();
    write(&home, "ctx.params.weight * 100 + ctx.params.days");
    home
}

fn write(home: &TempDir, body: &str) {
    std::fs::write(home.path().join("mine/policy.rhai"), PARAMS.to_owned() + &*with_score(body)).unwrap();
}

fn somebody() -> (UserId, Role) {
    (UserId(Uuid::from_u128(7)), Role::User)
}

fn settings(texts: &[&str]) -> Vec<ParamSetting> {
    texts.iter().map(|text| ParamSetting::parse(text).unwrap()).collect()
}

#[test]
fn an_operator_sets_them_for_everybody_and_people_those_that_they_may() {
    let (home, clock) = (folder(), Clock::fixed(at("2025-10-31T09:00:00Z")));
    let set = settings(&["mine.days=3", "mine.weight=4", "mine.mood=grim", "mine.colour=red", "none.days=1"]);
    let policies = LivePolicies::open(home.path(), CaseRule::Warn, clock).unwrap().with_settings(set);
    let of = |own: Option<&ParamValues>| {
        let policy = policies.choose("mine", somebody(), own).unwrap();
        (score(&*policy, &a_task(1), &morning()), policy.set_values().into_keys().collect::<Vec<_>>().join(" "))
    };

    assert_eq!(of(None), (403.0, "days weight".to_owned()));
    // People may set `weight` alone; what does not fit is passed over.
    let own = values(&[("weight", ParamValue::Whole(5)), ("days", ParamValue::Whole(9))]);
    assert_eq!(of(Some(&own)), (503.0, "days weight".to_owned()));
    assert_eq!(of(Some(&values(&[("weight", ParamValue::Whole(11))]))), (403.0, "days weight".to_owned()));
    assert_eq!(of(Some(&values(&[("weight", ParamValue::Whole(2))]))), (203.0, "days".to_owned()));
    let open: Vec<(String, ParamValue)> =
        policies.open_params("mine").iter().map(|param| (param.name.clone(), param.default.clone())).collect();
    assert_eq!(open, [("weight".to_owned(), ParamValue::Number(4.0))]);
    // A policy that changed is what counts from then on.
    write(&home, "ctx.params.weight * 1000");
    policies.reload();
    assert_eq!(of(Some(&own)).0, 5_000.0);
}

#[test]
fn a_version_that_is_rolled_out_has_the_values_that_somebody_set_too_and_its_failures_count() {
    let home = folder();
    let policies = LivePolicies::open(home.path(), CaseRule::Warn, Clock::fixed(at("2025-10-31T09:00:00Z"))).unwrap();
    let text = PARAMS.to_owned() + &*with_score("ctx.params.weight");
    let candidate = policies.candidate("mine", "next", &text).unwrap();
    let part = Part { users: vec![somebody().0], ..Part::default() };
    let rollouts = [("mine".to_owned(), Rollout { part, candidate })].into();
    policies.set_candidates(Candidates { rollouts, ..Candidates::default() });

    let own = values(&[("weight", ParamValue::Whole(5))]);
    let policy = policies.choose("mine", somebody(), Some(&own)).unwrap();

    assert_eq!(score(&*policy, &a_task(1), &morning()), 5.0);
    assert_eq!(policies.rollout_failures()[0].2, 0);
    policy.note_failures(&mut [a_task(1).id, a_task(1).id].into_iter());
    assert_eq!(policies.rollout_failures()[0].2, 1);
}
