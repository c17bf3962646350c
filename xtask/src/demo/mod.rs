//! The demo: programs inside the emulator, and what its journal tells of them.

pub(crate) mod journal;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod scenes;
pub(crate) mod sign_in;
