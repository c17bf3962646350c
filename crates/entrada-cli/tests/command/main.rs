//! The `entrada` command, as a terminal or a script runs it.

#![cfg(unix)]

mod emulate;
mod signals;
mod support;
