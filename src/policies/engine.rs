//! The sandbox in which policies run: no I/O, no clock, no random, and a limit on everything that grows.
//!
//! Limits that Rhai leaves open are closed here: an index assignment is not counted against the size of its map (so
//! variables are measured whenever one is read), function pointers can hold function pointers without end (so `curry`
//! is not there, and the check lets closures stand only where they are used up at once), and a native call costs one operation however long it takes (so
//! containers are small and a deadline is kept). `sleep` and `timestamp` are in packages that are not loaded.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, EvalAltResult, Module, Shared, Token};

/// How many operations one call may take.
pub const MAX_OPERATIONS: u64 = 100_000;
/// How long one call may take. It may be tried twice, and together that stays below 10 ms.
pub const DEADLINE: Duration = Duration::from_millis(4);
/// How many bytes a script may have.
pub const MAX_SCRIPT_BYTES: usize = 128 * 1024;

/// Below this many operations the deadline is not looked at: containers are so small that the work is bounded anyway,
/// and a policy in good order must not fail because the system gave its thread no time.
const FREE_OPERATIONS: u64 = 512;
/// Once a batch has run into a limit this often, its other tasks get less time,
const MAX_OVERRUNS: u32 = 3;
/// so much, which is plenty for a policy in good order,
const SHORT_DEADLINE: Duration = Duration::from_micros(250);
/// and after so many overruns no more than the free operations: a batch of tasks that all run for ever must end too.
const MAX_SHORT_OVERRUNS: u32 = 400;
const MAX_CALL_DEPTH: usize = 24;
const MAX_EXPRESSION_DEPTH: usize = 48;
/// To take them apart costs the square of their number.
const MAX_FUNCTIONS: usize = 128;
const MAX_VARIABLES: usize = 128;
const MAX_ITEMS: usize = 256;
const MAX_TEXT_BYTES: usize = 8 * 1024;

thread_local! {
    static TIMER: Cell<Timer> = const { Cell::new(Timer { end: None, overruns: 0 }) };
}

#[derive(Clone, Copy)]
struct Timer {
    end: Option<Instant>,
    overruns: u32,
}

/// Whether a script changes parts of containers, so that sizes must be measured at each read of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Containers {
    /// It only reads them.
    Read,
    /// It assigns to their parts.
    Changed,
}

static PACKAGES: LazyLock<Vec<Shared<Module>>> = LazyLock::new(|| {
    vec![
        ArithmeticPackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
        BasicMathPackage::new().as_shared_module(),
        BasicStringPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
        BasicIteratorPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicMapPackage::new().as_shared_module(),
        BasicFnPackage::new().as_shared_module(),
    ]
});

/// Makes an engine whose scripts see `constants` from everywhere.
pub fn sandbox(constants: Module, containers: Containers) -> Engine {
    let mut engine = Engine::new_raw();
    for package in PACKAGES.iter() {
        engine.register_global_module(Shared::clone(package));
    }
    let constants: Shared<Module> = constants.into();
    // As `X`, and as Rhai's own `global::X`.
    engine.register_global_module(Shared::clone(&constants));
    engine.register_static_module("global", constants);
    limit(&mut engine);
    read_default_as_name(&mut engine);
    if containers == Containers::Changed {
        measure_variables(&mut engine);
    }
    engine
}

fn limit(engine: &mut Engine) {
    engine
        .set_max_operations(MAX_OPERATIONS)
        .set_max_call_levels(MAX_CALL_DEPTH)
        .set_max_expr_depths(MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_DEPTH)
        .set_max_functions(MAX_FUNCTIONS)
        .set_max_variables(MAX_VARIABLES)
        .set_max_modules(0)
        .set_max_string_size(MAX_TEXT_BYTES)
        .set_max_array_size(MAX_ITEMS)
        .set_max_map_size(MAX_ITEMS)
        .set_fail_on_invalid_map_property(true);
    for symbol in ["eval", "import", "export", "print", "debug", "curry"] {
        engine.disable_symbol(symbol);
    }
    engine.on_progress(|operations| {
        if operations < FREE_OPERATIONS || operations % 8 != 0 {
            return None;
        }
        let timer = TIMER.get();
        let spent = timer.overruns >= MAX_SHORT_OVERRUNS || timer.end.is_some_and(|end| Instant::now() >= end);
        spent.then_some(Dynamic::UNIT)
    });
}

/// Rhai keeps the word `default` for itself and does nothing with it; the parameters of a policy have a default.
#[expect(deprecated, reason = "marked as volatile, not as going away; the version of rhai is pinned")]
fn read_default_as_name(engine: &mut Engine) {
    engine.on_parse_token(|token, _, _| match token {
        Token::Reserved(word) if word.as_str() == "default" => Token::Identifier(word),
        other => other,
    });
}

#[expect(deprecated, reason = "marked as volatile, not as going away; the version of rhai is pinned")]
fn measure_variables(engine: &mut Engine) {
    engine.on_var(|name, _, context| {
        if let Some(value) = context.scope().get(name) {
            context.engine().ensure_data_size_within_limits(value)?;
        }
        Ok(None)
    });
}

/// The timed runs of one batch. Dropping it stops the clock.
pub struct Batch(());

impl Batch {
    /// Begins a batch on this thread.
    pub fn begin() -> Self {
        TIMER.set(Timer { end: None, overruns: 0 });
        Self(())
    }

    /// Runs a script's function within the deadline.
    ///
    /// A call that ran out of time is tried once more: on a busy machine the thread may have been waiting, not working.
    pub fn run<T>(&mut self, mut call: impl FnMut() -> Result<T, Box<EvalAltResult>>) -> Result<T, Box<EvalAltResult>> {
        let mut attempt = || {
            let timer = TIMER.get();
            let deadline = if timer.overruns < MAX_OVERRUNS { DEADLINE } else { SHORT_DEADLINE };
            TIMER.set(Timer { end: Instant::now().checked_add(deadline), ..timer });
            call()
        };
        let mut result = attempt();
        if TIMER.get().overruns < MAX_OVERRUNS && overrun(&result) == Some(Overrun::Time) {
            result = attempt();
        }
        if overrun(&result).is_some() {
            let timer = TIMER.get();
            TIMER.set(Timer { overruns: timer.overruns + 1, ..timer });
        }
        result
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        TIMER.set(Timer { end: None, overruns: 0 });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Overrun {
    Operations,
    Time,
}

fn overrun<T>(result: &Result<T, Box<EvalAltResult>>) -> Option<Overrun> {
    match result.as_ref().err()?.unwrap_inner() {
        EvalAltResult::ErrorTooManyOperations(_) => Some(Overrun::Operations),
        EvalAltResult::ErrorTerminated(..) => Some(Overrun::Time),
        _ => None,
    }
}
