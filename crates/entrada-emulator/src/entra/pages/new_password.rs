//! A password that has expired is replaced.

use super::layout::{Frame, page};
use crate::call::Reply;
use maud::html;

/// The page.
pub(in crate::entra) fn reply(frame: &Frame, user: &str) -> Reply {
    let body = html! {
        p class="who" id="displayName" { (user) }
        h1 { "Update your password" }
        p class="soft" { "Your password has expired." }
        (frame.problem())
        form method="post" action=(frame.path("new-password")) {
            (frame.hidden())
            label for="currentPassword" { "Current password" }
            input type="password" id="currentPassword" name="currentpasswd" autocomplete="current-password" autofocus;
            label for="newPassword" { "New password" }
            input type="password" id="newPassword" name="newpasswd" autocomplete="new-password";
            label for="confirmNewPassword" { "Confirm password" }
            input type="password" id="confirmNewPassword" name="confirmnewpasswd" autocomplete="new-password";
            (frame.buttons(("Sign in", "idSIButton9"), ("Cancel", "cancel"), false))
        }
    };
    page(200, "Update your password", &body, frame.target.as_deref(), None)
}
