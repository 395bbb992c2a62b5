//! Arguments as models send them: under another name, one value where a list belongs, `null` for what is left out. They are
//! put right before they are held against the schema, which models are shown without all this.

use serde_json::{Map, Value, json};

use super::schemas::pointer;
use super::tool::Effect;

/// What some models write for `id`.
const OTHER_ID: &str = "task_id";

/// Puts arguments right.
pub(super) fn mend(fields: &mut Map<String, Value>, schema: &Value, effect: Effect) {
    rename_id(fields, schema);
    match effect {
        // In a patch `null` means something, but for what points at the task.
        Effect::Patches => fields.retain(|name, value| !value.is_null() || pointer().get(name).is_none()),
        Effect::Reads | Effect::Adds | Effect::Sets | Effect::Deletes => drop_nulls(fields, schema),
    }
    make_lists(fields, schema);
}

/// Takes `task_id` for `id`, unless both are given and differ.
fn rename_id(fields: &mut Map<String, Value>, schema: &Value) {
    let takes = |name: &str| schema["properties"].get(name).is_some();
    if !takes("id") || takes(OTHER_ID) {
        return;
    }
    let Some(other) = fields.get(OTHER_ID).cloned() else { return };
    let own = fields.get("id").filter(|id| !id.is_null());
    if own.is_none_or(|own| *own == other) {
        fields.remove(OTHER_ID);
        fields.insert("id".to_owned(), other);
    }
}

/// Leaves out what is `null` and cannot be, in the arguments and in rows of them.
fn drop_nulls(fields: &mut Map<String, Value>, schema: &Value) {
    fields.retain(|name, value| !value.is_null() || !says_no_null(&schema["properties"][name]));
    each_row(fields, schema, drop_nulls);
}

/// Makes a list of one text where a list of texts belongs, in the arguments and in rows of them.
fn make_lists(fields: &mut Map<String, Value>, schema: &Value) {
    for (name, value) in &mut *fields {
        let known = &schema["properties"][name.as_str()];
        if value.is_string() && is(known, "array") && is(&known["items"], "string") {
            *value = Value::Array(vec![value.take()]);
        }
    }
    each_row(fields, schema, make_lists);
}

fn each_row(fields: &mut Map<String, Value>, schema: &Value, mend: impl Fn(&mut Map<String, Value>, &Value)) {
    for (name, value) in fields {
        let rows = &schema["properties"][name.as_str()]["items"];
        for row in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            mend(row, rows);
        }
    }
}

/// Whether a value may be of a type.
fn is(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.contains(&json!(kind)),
        own => own == kind,
    }
}

/// Whether a known argument cannot be `null`.
fn says_no_null(schema: &Value) -> bool {
    !schema["type"].is_null() && !is(schema, "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::schemas::{nullable, object, plain, with};

    fn mended(fields: Value, effect: Effect) -> Value {
        let labels = json!({ "type": "array", "items": plain(50) });
        let rows = json!({ "type": "array", "items": object(&json!({ "labels": labels })) });
        let schema = object(&with(pointer(), json!({ "labels": nullable(labels), "title": plain(9), "tasks": rows })));
        let Value::Object(mut fields) = fields else { panic!("no object") };
        mend(&mut fields, &schema, effect);
        Value::Object(fields)
    }

    #[test]
    fn another_name_of_the_id_counts_where_it_says_the_same() {
        assert_eq!(mended(json!({ "task_id": "7" }), Effect::Sets), json!({ "id": "7" }));
        assert_eq!(mended(json!({ "task_id": "7", "id": null }), Effect::Patches), json!({ "id": "7" }));
        assert_eq!(mended(json!({ "task_id": "7", "id": "7" }), Effect::Sets), json!({ "id": "7" }));
        let both = json!({ "task_id": "7", "id": "8" });
        assert_eq!(mended(both.clone(), Effect::Sets), both);
    }

    #[test]
    fn one_text_is_a_list_of_one() {
        assert_eq!(mended(json!({ "labels": "home" }), Effect::Sets), json!({ "labels": ["home"] }));
        assert_eq!(
            mended(json!({ "tasks": [{ "labels": "home" }] }), Effect::Adds),
            json!({ "tasks": [{ "labels": ["home"] }] })
        );
        assert_eq!(mended(json!({ "labels": 7, "title": "x" }), Effect::Sets), json!({ "labels": 7, "title": "x" }));
    }

    #[test]
    fn null_stays_where_it_means_something() {
        assert_eq!(
            mended(json!({ "labels": null, "title": null, "id": null }), Effect::Sets),
            json!({ "labels": null })
        );
        assert_eq!(mended(json!({ "title": null, "id": null }), Effect::Patches), json!({ "title": null }));
    }
}
