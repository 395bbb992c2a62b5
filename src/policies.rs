//! Policy scripts: sandbox, checks, live reload.
