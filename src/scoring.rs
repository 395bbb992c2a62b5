//! The native core: facts, scores, ranking, explanation. Pure.
