//! Where the window is.

/// The path at the stand-in's address that all pages begin with.
pub(crate) const PATH: &str = "/_stripe/window";
