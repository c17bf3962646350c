//! The password of the user who was named.

use super::layout::{Frame, page};
use crate::call::Reply;
use maud::html;

/// The page.
pub(in crate::entra) fn reply(frame: &Frame, user: &str) -> Reply {
    let body = html! {
        p class="who" id="displayName" { (user) }
        h1 { "Enter password" }
        p class="soft" { "to continue to " b id="app" { (frame.app) } }
        (frame.problem())
        form method="post" action=(frame.path("password")) {
            (frame.hidden())
            input type="text" name="loginfmt" value=(user) autocomplete="username" readonly hidden;
            label for="i0118" { "Password" }
            input type="password" id="i0118" name="passwd" autocomplete="current-password" autofocus
                aria-invalid=[frame.is_wrong()] aria-describedby=[frame.marked()];
            (frame.buttons(("Sign in", "idSIButton9"), ("Another account", "other"), false))
        }
    };
    page(200, "Enter password", &body, frame.target.as_deref(), None)
}
