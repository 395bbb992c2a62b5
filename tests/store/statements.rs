//! Every statement is listed, and both databases understand it.

use std::fs;
use std::path::Path;

use mindflow::store::{ALL_STATEMENTS, Dialect};
use sqlx::{Executor as _, SqlSafeStr as _};

use crate::raw::Raw;
use crate::support::databases::{TestDatabase, both_databases};

/// What only one of the databases understands; the tests of what uses it run it there.
const OF_ONE_DATABASE: [&str; 5] = ["SQLITE_FACTS", "POSTGRES_FACTS", "CHANNEL", "NOTIFY", "FILE_VERSION"];

both_databases! {
    async fn every_statement_can_be_prepared_on_the_migrated_schema(db: TestDatabase) {
        let dialect = db.store().await.dialect();
        let raw = Raw::open(&db).await;

        let mut refused = Vec::new();
        for (name, sql) in ALL_STATEMENTS.concat() {
            let text = sql.on(dialect).into_sql_str();
            let prepared = match &raw {
                Raw::Sqlite(pool) => pool.prepare(text).await.map(drop),
                Raw::Postgres(pool) => pool.prepare(text).await.map(drop),
            };
            refused.extend(prepared.err().map(|error| format!("{name}: {error}")));
        }

        assert!(refused.is_empty(), "{refused:#?}");
    }
}

#[test]
fn every_statement_of_the_source_is_listed() {
    let listed: Vec<&str> = ALL_STATEMENTS.concat().iter().map(|(name, _)| *name).collect();

    let known = |name: &str| listed.contains(&name) || OF_ONE_DATABASE.contains(&name);
    let unlisted: Vec<String> = constants().into_iter().filter(|name| !known(name)).collect();

    assert_eq!(unlisted, [""; 0], "these constants hold SQL and are in no `STATEMENTS`");
}

#[test]
fn the_name_of_a_listed_statement_is_its_constants() {
    let constants = constants();

    for (name, _) in ALL_STATEMENTS.concat() {
        assert_eq!(constants.iter().filter(|constant| *constant == name).count(), 1, "{name}");
    }
}

#[test]
fn both_dialects_of_a_statement_take_the_same_parameters() {
    for (name, sql) in ALL_STATEMENTS.concat() {
        assert_eq!(parameters(sql.on(Dialect::Sqlite)), parameters(sql.on(Dialect::Postgres)), "{name}");
    }
}

/// The names of the constants that hold statements, in `src/store`.
fn constants() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut names = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // The questions about the schema differ so much that each database has its own; every migration asks them.
        if path.ends_with("migrations.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for item in source.split("const ").skip(1) {
            let Some((name, rest)) = item.split_once(": ") else { continue };
            let is_statement = ["Sql ", "Sql=", "&str "].iter().any(|kind| rest.starts_with(kind));
            if is_statement && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                names.push(name.to_owned());
            }
        }
        let inline = source.matches("sqlx::query(\"").count() + source.matches("query_as(\"").count();
        assert_eq!(inline, 0, "{}: a statement that is no constant", path.display());
    }
    names
}

/// The highest `$n`.
fn parameters(sql: &str) -> Option<u32> {
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    sql.split('$').skip(1).filter_map(number).max()
}
