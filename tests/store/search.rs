//! Search: both databases find the same, whatever is asked.

use mindflow::tasks::edit::Patch;
use mindflow::tasks::filter::{Sort, TaskFilter};
use mindflow::tasks::search::{SearchTerms, words};

use crate::raw::Raw;
use crate::support::databases::{TestDatabase, both_databases};
use crate::world::{World, a_task};

fn asks(text: &str) -> TaskFilter {
    TaskFilter { search: Some(SearchTerms::parse(text)), ..TaskFilter::default() }
}

/// What a search means: each word of the question begins a word of the text.
fn is_found(text: &str, question: &SearchTerms) -> bool {
    let text = words(text);
    !question.words().is_empty()
        && question.words().iter().all(|wanted| text.split(' ').any(|word| word.starts_with(wanted.as_str())))
}

const TEXTS: [&str; 33] = [
    "Pay rent",
    "Crème brûlée, für Zoë",
    "CREME",
    "北京 烤鸭",
    "東京へ行く",
    "Привет, мир",
    "Ελληνικά Άλφα",
    "हिन्दी में लिखो",
    "עברית שלום",
    "العربية",
    "한국어 공부",
    "😀 smile 😀",
    "NEAR AND OR NOT",
    "near the sea",
    "title owner body",
    "1e5 0x12 12345678901234567890 3.14 -7",
    "v2.0.1 foo@example.org https://example.org/a?b=c",
    "C++ & C# <script>alert(1)</script>",
    "o'clock \"quoted\" it''s",
    "under_score kebab-case path/to/file",
    "①②③ №5 ½ Ⅷ",
    "🅐🅑 squared 🄰",
    "ﬁne ﬂour ǆ ß ẞ İstanbul ıI",
    "Ünïcödé",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "𝐁𝐨𝐥𝐝 𝒾𝓉𝒶𝓁𝒾𝒸 𝔣𝔯𝔞𝔨𝔱𝔲𝔯",
    "𐐀𐐨 deseret 𞤀𞤢 adlam 𠀀𪚥 𰀀",
    "ªº ʰʲ ⁿ",
    "ೊ ཱུ ฤา ไทย ကျွန်",
    "ⓐ ⒜ ㍿ ﷺ",
    "123abc abc123 1st",
    "5e10abc 7e 1e+5",
    "zero\u{200d}width\u{200b}joiner soft\u{ad}hyphen",
];

const QUESTIONS: [&str; 36] = [
    "pay",
    "RENT pay",
    "creme",
    "brulee",
    "北京",
    "東",
    "прив",
    "αλφα",
    "हिन",
    "שלום",
    "العر",
    "한국",
    "near",
    "AND",
    "title",
    "1e",
    "1e5",
    "12345678901234567890",
    "0x1",
    "example",
    "script",
    "quoted",
    "score",
    "5",
    "a",
    "𝐁",
    "𐐀",
    "𞤀",
    "𠀀",
    "𰀀",
    "adl",
    "5e10",
    "123",
    "abc1",
    "zero",
    "ª",
];

both_databases! {
    async fn both_databases_find_what_the_words_say(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        for text in TEXTS {
            world.has(&ada, a_task(text)).await;
        }
        let asked = TEXTS.iter().flat_map(|text| text.split(' ')).chain(QUESTIONS);

        let mut wrong = Vec::new();
        for question in asked {
            let terms = SearchTerms::parse(question);
            let mut expected: Vec<&str> = TEXTS.into_iter().filter(|text| is_found(text, &terms)).collect();
            let mut found = world.titles(&ada, asks(question), Sort::CreatedAt).await;
            expected.sort_unstable();
            found.sort_unstable();
            if found != expected {
                wrong.push(format!("{question} {:?}: expected {expected:?}, found {found:?}", terms.words()));
            }
        }

        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    async fn no_question_breaks_the_search(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        world.has(&ada, a_task("anything at all")).await;
        let nasty = [
            "\"", "'", "''", "\"\"", "AND", "OR", "NOT", "NEAR", "NEAR(a b)", "NEAR/2", "*", "a*", "*a", ":", "a:b", "title:x",
            "owner : x", "^a", "-a", "+a", "{a}", "(a", "a)", "((", "a & b", "a | b", "!a", "a <-> b", "a:*A", "\\", "\\'",
            "$1", "?", "%", "_", ";", "--", "/*", "a\u{0}b", "\u{7f}", "😀", "a😀b", "\u{202e}abc", "ᚠᛇᚻ", "\u{fffd}", "\u{10ffff}",
            "a\nb", "a\tb", "x'41'", "NULL", "1;DROP TABLE tasks",
        ];
        let long = ["㍿".repeat(200), "ﷺ".repeat(200), "a".repeat(200), "𝐁".repeat(200), "ab ".repeat(66), "1".repeat(200)];

        for question in nasty.into_iter().map(str::to_owned).chain(long) {
            for sort in [Sort::Relevance, Sort::DueDate] {
                world.titles(&ada, asks(&question), sort).await;
            }
        }
    }

    async fn a_text_without_a_blank_is_kept_and_found(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        let endless = "ж".repeat(2000);
        let mut patch = a_task("endless");
        patch.description = Patch::Set(endless.clone());
        world.has(&ada, patch).await;

        let by_beginning = world.titles(&ada, asks("жжж"), Sort::Relevance).await;
        let by_much = world.titles(&ada, asks(&"ж".repeat(200)), Sort::Relevance).await;

        assert_eq!(by_beginning, ["endless"]);
        assert_eq!(by_much, ["endless"]);
    }

    async fn what_the_title_says_comes_first_and_then_the_newest(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        for (title, description) in [("old milk", ""), ("a", "milk"), ("new milk", ""), ("b", "Milky way"), ("c", "none")] {
            let mut patch = a_task(title);
            patch.description = Patch::Set(description.to_owned());
            world.has(&ada, patch).await;
        }

        let found = world.titles(&ada, asks("milk"), Sort::Relevance).await;

        assert_eq!(found, ["new milk", "old milk", "b", "a"]);
    }

    async fn a_search_follows_changes_and_stays_with_the_owner(db: TestDatabase) {
        let world = World::on(db).await;
        let (ada, eve) = (world.person("ada").await, world.person("eve").await);
        let task = world.has(&ada, a_task("Buy milk")).await;
        world.has(&eve, a_task("Spill milk")).await;

        let ask = mindflow::tasks::Ask::new(ada.clone());
        world.tasks.update(ask, task.id, a_task("Buy bread")).await.unwrap();

        assert_eq!(world.titles(&ada, asks("milk"), Sort::Relevance).await, [""; 0]);
        assert_eq!(world.titles(&ada, asks("bread"), Sort::Relevance).await, ["Buy bread"]);
        assert_eq!(world.titles(&eve, asks("milk"), Sort::Relevance).await, ["Spill milk"]);
    }

    async fn a_run_without_spaces_is_found_by_any_part_of_it(db: TestDatabase) {
        let world = World::on(db).await;
        let ada = world.person("ada").await;
        for title in ["来週の会議室を予約", "会計", "東京へ行く"] {
            world.has(&ada, a_task(title)).await;
        }

        for (question, titles) in [
            ("会議", vec!["来週の会議室を予約"]),
            ("議室", vec!["来週の会議室を予約"]),
            ("会", vec!["会計", "来週の会議室を予約"]),
            ("予約", vec!["来週の会議室を予約"]),
            ("約", vec!["来週の会議室を予約"]),
            ("京", vec!["東京へ行く"]),
            ("会議 予約", vec!["来週の会議室を予約"]),
            ("議会", vec![]),
        ] {
            assert_eq!(world.titles(&ada, asks(question), Sort::Relevance).await, titles, "{question}");
        }
    }

    async fn words_that_an_older_program_folded_are_folded_anew(db: TestDatabase) {
        let world = World::on(db).await;
        let raw = Raw::open(&world.db).await;
        let ada = world.person("ada").await;
        world.has(&ada, a_task("来週の会議室")).await;
        world.store.migrate_down(3).await.unwrap();
        raw.run("UPDATE tasks SET search_title = '来週の会議室'").await;
        assert_eq!(world.titles(&ada, asks("会議"), Sort::Relevance).await, [""; 0]);

        world.store.migrate_up().await.unwrap();

        assert_eq!(world.titles(&ada, asks("会議"), Sort::Relevance).await, ["来週の会議室"]);
    }
}
