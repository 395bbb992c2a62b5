//! Every component, built once from the configuration.
