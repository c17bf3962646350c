//! A page that says how it ended.

use super::layout::page;
use crate::call::Reply;
use maud::html;

/// The page.
pub(in crate::entra) fn reply(title: &str, text: &str) -> Reply {
    let body = html! {
        h1 id="message" { (title) }
        p class="soft" { (text) }
    };
    page(200, title, &body, None, None)
}
