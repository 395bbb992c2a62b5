//! The HTTP edge: the only user of poem.
