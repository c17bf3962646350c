//! Who is it? The first page.

use super::layout::{Frame, page};
use crate::call::Reply;
use maud::html;

/// The page, with the names of users to choose from, and one that is filled in.
pub(in crate::entra) fn reply(frame: &Frame, filled: &str, users: &[String]) -> Reply {
    let body = html! {
        h1 { "Sign in" }
        p class="soft" { "to continue to " b id="app" { (frame.app) } }
        (frame.problem())
        form method="post" action=(frame.path("name")) novalidate {
            (frame.hidden())
            label for="i0116" { "Email address" }
            input type="email" id="i0116" name="loginfmt" value=(filled) list="users" autocomplete="username"
                autocapitalize="none" spellcheck="false" autofocus required
                aria-invalid=[frame.is_wrong()] aria-describedby=[frame.marked()];
            datalist id="users" { @for user in users { option value=(user) {} } }
            (frame.buttons(("Next", "idSIButton9"), ("Cancel", "cancel"), false))
        }
        details {
            summary { "Who can sign in here?" }
            p { "The users of this world, such as " code { (users.first().map_or("", String::as_str)) } "." }
            p { code { "entrada emulate --print-config" } " prints them with their passwords, which are fakes." }
        }
    };
    page(200, "Sign in", &body, frame.target.as_deref(), None)
}
