//! The answer to a client that wants it posted (OAuth 2.0 Form Post Response Mode).

use super::layout::page;
use crate::call::Reply;
use maud::html;

const SCRIPT: &str = "document.getElementById('answer').submit();";

/// A page that posts the answer by itself, or by hand where scripts are off.
pub(in crate::entra) fn reply(redirect_uri: &str, target: &str, fields: &[(&str, String)]) -> Reply {
    let body = html! {
        h1 { "Back to the app" }
        p class="soft" { "You are signed in." }
        form id="answer" name="hiddenform" method="post" action=(redirect_uri) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            noscript {
                p { "Scripts are off in this browser: press the button to go on." }
                div class="row" { button class="main" type="submit" { "Continue" } }
            }
        }
    };
    page(200, "Back to the app", &body, Some(target), Some(SCRIPT))
}
