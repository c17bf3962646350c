//! Which of the accounts that are signed in?

use super::layout::{Frame, page};
use crate::call::Reply;
use maud::html;

/// The page, with name and display name of each account.
pub(in crate::entra) fn reply(frame: &Frame, accounts: &[(String, String)]) -> Reply {
    let body = html! {
        h1 { "Pick an account" }
        p class="soft" { "to continue to " b id="app" { (frame.app) } }
        form class="tiles" id="tilesHolder" method="post" action=(frame.path("account")) {
            (frame.hidden())
            @for (index, (name, display_name)) in accounts.iter().enumerate() {
                button type="submit" name="account" value=(name) data-test-id=(name) autofocus[index == 0] {
                    span class="dot" aria-hidden="true" { (display_name.chars().next().unwrap_or('?')) }
                    span { (display_name) br; span class="small soft" { (name) } }
                }
            }
            button type="submit" id="otherTile" formaction=(frame.path("other")) {
                span class="dot" aria-hidden="true" { "+" }
                span { "Use another account" }
            }
        }
    };
    page(200, "Pick an account", &body, frame.target.as_deref(), None)
}
