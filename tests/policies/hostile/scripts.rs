//! Scripts that mean harm, or only did not think: what they want to take, each named.
//!
//! The tests and the benchmark share this.

/// The bodies of `score`, each with what it is after.
const BODIES: [(&str, &str); 32] = [
    ("an endless loop", "while true {}"),
    ("an endless loop with work", "let i = 0; loop { i += 1; }"),
    ("a loop that catches its end", "loop { try { loop {} } catch { } }"),
    ("loops in loops", "for a in 0..100000 { for b in 0..100000 { for c in 0..100000 { } } }"),
    ("a range without end", "let sum = 0; for i in 0..9223372036854775807 { sum = i; } sum"),
    ("recursion", "score(task, ctx)"),
    ("recursion that branches", "score(task, ctx) + score(task, ctx)"),
    ("recursion that carries a text", "let s = \"xxxxxxxxxxxxxxxx\"; deeper(s)"),
    ("a text that doubles", "let s = \"x\"; loop { s += s; }"),
    ("a text that doubles by interpolation", "let s = \"x\"; loop { s = `${s}${s}`; }"),
    ("a text that is padded", "let s = \"x\"; s.pad(1000000000, 'y'); s.len()"),
    (
        "texts that are replaced",
        "let s = \"ab\"; s.pad(8000, 'x'); loop { let t = s.to_upper(); t.replace(\"X\", \"yyyyyyyy\"); }",
    ),
    ("texts that are split", "let s = \"a,\"; s.pad(8000, ','); loop { let t = s.split(\",\"); }"),
    ("texts in an array", "let s = \"x\"; s.pad(8000, 'x'); let a = []; loop { a.push(s + a.len()); }"),
    ("texts in a map", "let s = \"x\"; s.pad(8000, 'x'); let m = #{}; let i = 0; loop { i += 1; m[`k${i}`] = s + i; }"),
    ("an array that doubles", "let a = [1]; loop { a += a; }"),
    ("an array that grows", "let a = []; loop { a.push([1, 2, 3]); }"),
    ("an array that is padded", "let a = [1]; a.pad(1000000000, 1); 1"),
    ("an array that holds itself", "let a = [0, 0]; loop { a[0] = a; a[1] = a; }"),
    ("an array deep in itself", "let a = []; loop { a = [a]; }"),
    ("map assignment in a loop", "let m = #{}; let i = 0; loop { i += 1; m[`k${i}`] = i; }"),
    ("a map that holds itself", "let m = #{ a: 0, b: 0 }; loop { m.a = m; m.b = m; }"),
    ("a map that holds itself under ever new names", "let m = #{}; let i = 0; loop { i += 1; m[`k${i}`] = m; }"),
    ("sort in a loop", "let a = []; for i in 0..250 { a.push(250 - i); } loop { let b = a; b.sort(); }"),
    (
        "sort by a closure in a loop",
        "let a = []; for i in 0..250 { a.push(i); } loop { let b = a; b.sort(|x, y| y - x); }",
    ),
    (
        "map and filter in a loop",
        "let a = []; for i in 0..250 { a.push(i); } loop { let b = a.map(|x| x * 2).filter(|x| x > 3); }",
    ),
    (
        "reduce to a map",
        "let a = []; for i in 0..250 { a.push(i); } loop { let b = a.reduce(|m, x| { m.push(x); m }, []); }",
    ),
    (
        "drain and insert in a loop",
        "let a = []; for i in 0..250 { a.push(i); } loop { let b = a; b.insert(0, 1); b.drain(|x| x > 100); }",
    ),
    ("a closure that calls itself", "let f = |g| 1; loop { [1].map(|x| [x].map(|y| [y].map(|z| z))); }"),
    ("many variables", "let a = 1; loop { let b = a; let a = b; }"),
    ("an overflow", "let x = 9223372036854775807; loop { x *= x; }"),
    ("labels in a loop", "loop { for label in task.labels { let l = label + label; } let b = task.labels; b += b; }"),
];

/// All of them as whole scripts, each with what it is after.
pub(crate) fn scripts() -> Vec<(String, String)> {
    let explain = "fn explain(task, ctx) { #{ total: 1, parts: [], recommendation: \"\" } }\n";
    let whole = |body: &str| {
        format!("fn score(task, ctx) {{ {body} }}\n{explain}fn deeper(s) {{ let t = s + s; deeper(t) + deeper(t) }}\n")
    };
    let mut all: Vec<(String, String)> = BODIES.iter().map(|(name, body)| ((*name).to_owned(), whole(body))).collect();
    let nested = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    let bodies = [
        ("parentheses nested deeply", nested("(", ")", 60_000)),
        ("arrays nested deeply", nested("[", "]", 60_000)),
        ("maps nested deeply", nested("#{a:", "}", 20_000)),
        ("blocks nested deeply", nested("{", "}", 60_000)),
        ("branches nested deeply", nested("if true {", "} else { 2 }", 5_000)),
        ("calls nested deeply", nested("abs(", ")", 20_000)),
        ("negations nested deeply", format!("{}1", "-".repeat(100_000))),
        ("a sum without end", format!("1{}", " + 1".repeat(30_000))),
        ("a chain without end", format!("task{}", ".priority".repeat(13_000))),
        (
            "a switch with too many cases",
            format!("switch task.priority {{ {} }}", many(9_000, |case| format!("{case}=>1,"))),
        ),
        ("statements without end", "1;".repeat(60_000)),
        ("variables without end", many(9_000, |number| format!("let v{number}=1;"))),
        ("unknown fields without end", many(9_000, |number| format!("task.f{number};"))),
        ("unknown parameters without end", many(7_000, |number| format!("ctx.params.p{number};"))),
        ("unknown functions without end", many(9_000, |number| format!("f{number}(1);"))),
        ("a long text", format!("\"{}\".len()", "x".repeat(120_000))),
        ("a long array", format!("[{}].len()", "1,".repeat(60_000))),
        ("a long map", format!("#{{{}}}.len()", many(10_000, |key| format!("k{key}:1,")))),
        ("texts put together without end", format!("`{}`.len()", "${1}".repeat(30_000))),
    ];
    all.extend(bodies.map(|(name, body)| (name.to_owned(), whole(&body))));
    let others = [
        ("a script of 1 MB", format!("// {}\n{}", "x".repeat(1 << 20), whole("1"))),
        ("a script of 1 MB of code", whole(&"1;".repeat(1 << 19))),
        ("functions without end", many(7_000, |number| format!("fn f{number}() {{ 1 }}\n"))),
        ("functions that hand on", handing_on("1;", |before| format!("f{before}(t, c)"))),
        ("functions that call two", handing_on("", |before| format!("f{before}(t, c) + f{before}(t, c)"))),
        ("a constant without end", format!("const X = {{ loop {{}} }};\n{}", whole("1"))),
        ("a constant that doubles", format!("const X = {{ let s = \"x\"; loop {{ s += s; }} s }};\n{}", whole("1"))),
        ("a constant that is padded", format!("const X = [1].pad(1000000, 2);\n{}", whole("1"))),
        ("constants of constants", constants("[A, A, A, A]") + &*whole("1")),
        ("constants of constants in maps", constants("#{ a: A, b: A, c: A }") + &*whole("1")),
        ("constants of constants, of which a part is named", constants("[A, A]") + &*whole("A30[0][0][0]")),
        ("constants of constants in a function", whole(&constants("[A, A, A, A]"))),
        ("texts of constants of constants", constants("`${A}${A}`") + &*whole("1")),
        ("texts of constants of constants in a function", whole(&constants("`${A}${A}`"))),
        ("a constant that is named without end", named_often(&format!("[{}]", "1,".repeat(250)), "A")),
        ("a computed constant that is named without end", named_often("[1].pad(250, 2)", "A")),
        ("a text that is put together without end", named_often("\"x\".pad(8000, 'x')", "A + 1")),
        ("functions whose names are nearly known", whole(&many(2_900, |number| format!("to_floa{number}(1);")))),
        ("a function with a long name", whole(&format!("{}(1)", "x".repeat(100_000)))),
        ("constants without end", many(5_000, |number| format!("const C{number} = [1, 2, 3];\n")) + &*whole("1")),
        ("a comment in comments", format!("{}\n{}", "/*".repeat(60_000), whole("1"))),
    ];
    all.extend(others.map(|(name, script)| (name.to_owned(), script)));
    all
}

/// Thirty constants, each made of the one before, which `value` calls `A`.
fn constants(value: &str) -> String {
    let level = |level: usize| format!("const A{} = {};\n", level + 1, value.replace('A', &format!("A{level}")));
    "const A0 = [1, 2, 3, 4];\n".to_owned() + &*many(30, level)
}

/// A constant as large as it may be, named as often as there is room for.
fn named_often(value: &str, named: &str) -> String {
    let named = format!("{named}, ").repeat(12_000);
    format!("const A = {value};\nfn score(task, ctx) {{ [{named}]; 1 }}\nfn explain(task, ctx) {{ 1 }}\n")
}

/// A chain of functions up to `score`, each of which calls the one before.
fn handing_on(filler: &str, call: impl Fn(usize) -> String) -> String {
    let filler = filler.repeat(200);
    let chain = many(120, |number| format!("fn f{}(t, c) {{ {filler} {} }}\n", number + 1, call(number)));
    format!(
        "fn f0(t, c) {{ t.priority }}\n{chain}fn score(task, ctx) {{ f120(task, ctx) }}\nfn explain(task, ctx) {{ 1 }}\n"
    )
}

fn many(times: usize, one: impl Fn(usize) -> String) -> String {
    (0..times).map(one).collect()
}
