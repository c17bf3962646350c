//! The pages that a person signs in at, a file each.
//!
//! They load nothing: the stylesheet is in the page, and the policy of each page (Content-Security-Policy) allows that
//! and no more. The names and ids of fields and buttons are those of Entra's own pages, so that programs written to
//! drive those (Selenium, Playwright) drive these.

pub(super) mod accounts;
pub(super) mod consent;
pub(super) mod device;
pub(super) mod error;
pub(super) mod form_post;
mod layout;
pub(super) mod message;
pub(super) mod name;
pub(super) mod new_password;
pub(super) mod password;
pub(super) mod proof;

pub(super) use layout::{Frame, Problem};
