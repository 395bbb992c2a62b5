//! The only user of sqlx: contracts, statements, transactions.
