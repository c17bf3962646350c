//! The second proof: a code, which the page shows as the authenticator app of the user would.

use super::layout::{Frame, page};
use crate::call::Reply;
use maud::html;

/// The page that asks for the code.
pub(in crate::entra) fn reply(frame: &Frame, user: &str, code: &str) -> Reply {
    let body = html! {
        p class="who" id="displayName" { (user) }
        h1 { "Enter code" }
        p class="soft" { "Your organization asks for a second proof." }
        div class="shown" {
            span class="small soft" { "The emulator is your authenticator app. Its code is" }
            output id="authenticatorCode" { (code) }
        }
        (frame.problem())
        form method="post" action=(frame.path("proof")) {
            (frame.hidden())
            label for="idTxtBx_SAOTCC_OTC" { "Code" }
            input class="code" type="text" id="idTxtBx_SAOTCC_OTC" name="otc" inputmode="numeric" maxlength="6"
                autocomplete="one-time-code" autofocus
                aria-invalid=[frame.is_wrong()] aria-describedby=[frame.marked()];
            (frame.buttons(("Verify", "idSubmit_SAOTCC_Continue"), ("Cancel", "cancel"), false))
        }
    };
    page(200, "Enter code", &body, frame.target.as_deref(), None)
}

/// The page before it, for a user who has not registered yet.
pub(in crate::entra) fn register(frame: &Frame, user: &str) -> Reply {
    let body = html! {
        p class="who" id="displayName" { (user) }
        h1 { "More information required" }
        p { "Your organization needs more information to keep your account secure: it asks you to register an authenticator app. The emulator will be one." }
        form method="post" action=(frame.path("register")) {
            (frame.hidden())
            (frame.buttons(("Next", "idSubmit_ProofUp_Redirect"), ("Cancel", "cancel"), true))
        }
    };
    page(200, "More information required", &body, frame.target.as_deref(), None)
}
