//! The page of a refusal that the person cannot do anything about here.

use super::layout::{Frame, page};
use crate::call::Reply;
use crate::clock;
use crate::entra::EntraError;
use maud::html;

/// The page; with a frame, there is a way back to the app, which is then told of the refusal.
pub(in crate::entra) fn reply(error: &EntraError, correlation: &str, frame: Option<&Frame>) -> Reply {
    let title = match error.code {
        53_003 => "You cannot access this right now",
        90_094 => "Need admin approval",
        _ => "Sorry, but we're having trouble signing you in.",
    };
    let trace = uuid::Uuid::new_v4().to_string();
    let body = html! {
        h1 { (title) }
        div class="bad" id="exceptionMessageContainer" role="alert" { p { "AADSTS" (error.code) ": " (error.text) } }
        dl {
            dt { "Error code" } dd id="errorCode" { (error.code) }
            dt { "Correlation ID" } dd id="correlationId" { (correlation) }
            dt { "Trace ID" } dd { (trace) }
            dt { "Timestamp" } dd { (clock::entra_time(clock::now())) }
        }
        @if let Some(frame) = frame {
            form method="post" action=(frame.path("give-up")) {
                (frame.hidden())
                (frame.buttons((&format!("Back to {}", frame.app), "idSIButton9"), ("Another account", "other"), true))
            }
        }
    };
    // What is refused is refused whatever the page looks like, and the journal tells it by the status.
    page(400, "Sign in", &body, frame.and_then(|frame| frame.target.as_deref()), None)
        .header("x-ms-request-id", trace)
        .note(error.short())
}
