//! The pages of a device that has no browser: its code is entered, and the sign-in confirmed.

use super::layout::{Frame, page};
use crate::call::Reply;
use maud::html;

/// The page where the code is entered.
pub(in crate::entra) fn code(frame: &Frame, filled: &str) -> Reply {
    let body = html! {
        h1 { "Enter code to allow access" }
        p class="soft" { "Enter the code that your app or device shows." }
        (frame.problem())
        form method="post" action="/common/oauth2/deviceauth" {
            (frame.hidden())
            label for="otc" { "Code" }
            input class="code" type="text" id="otc" name="otc" value=(filled) maxlength="16" autocomplete="off"
                autocapitalize="characters" spellcheck="false" autofocus
                aria-invalid=[frame.is_wrong()] aria-describedby=[frame.marked()];
            div class="row" { button class="main" type="submit" id="idSIButton9" { "Next" } }
        }
    };
    page(200, "Enter code", &body, None, None)
}

/// The page that asks whether the person knows what they do.
pub(in crate::entra) fn confirm(frame: &Frame, user: &str) -> Reply {
    let body = html! {
        p class="who" id="displayName" { (user) }
        h1 { "Are you trying to sign in to " (frame.app) "?" }
        p { "Continue only if you started this on another device or in another program, and trust it." }
        form method="post" action=(frame.path("confirm")) {
            (frame.hidden())
            (frame.buttons(("Continue", "idSIButton9"), ("Cancel", "cancel"), true))
        }
    };
    page(200, "Confirm", &body, None, None)
}
