//! Does the user let the app act in their name?

use super::layout::{Frame, page};
use crate::call::Reply;
use maud::html;

/// The page, with the permissions that the app asks for.
pub(in crate::entra) fn reply(frame: &Frame, user: &str, permissions: &[String]) -> Reply {
    let body = html! {
        p class="who" id="displayName" { (user) }
        h1 { "Permissions requested" }
        p { b id="app" { (frame.app) } " would like to, in your name:" }
        ul class="plain" id="permissions" { @for permission in permissions { li { (permission) } } }
        form method="post" action=(frame.path("consent")) {
            (frame.hidden())
            (frame.buttons(("Accept", "idSIButton9"), ("Cancel", "cancel"), true))
        }
    };
    page(200, "Permissions requested", &body, frame.target.as_deref(), None)
}
