//! Configuration: defaults, then `mindflow.toml`, then the environment.
