//! What every page has around it, and the policy that goes with it.

use crate::call::Reply;
use crate::entra::EntraError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");

/// Where a form of a sign-in goes, and what it carries along.
#[derive(Clone, Debug)]
pub(in crate::entra) struct Frame {
    /// First segment of the path: the tenant, or `common`.
    pub(in crate::entra) segment: String,
    pub(in crate::entra) attempt: String,
    pub(in crate::entra) csrf: String,
    /// Where an answer may lead the browser, which a form's policy has to allow: scheme and host.
    pub(in crate::entra) target: Option<String>,
    /// Name of the app that is signed in to.
    pub(in crate::entra) app: String,
    /// What is wrong with what was entered.
    pub(in crate::entra) problem: Option<Problem>,
}

/// An error that the person can do something about, shown on the page.
#[derive(Clone, Debug)]
pub(in crate::entra) struct Problem {
    pub(in crate::entra) text: String,
    pub(in crate::entra) code: u32,
    pub(in crate::entra) correlation: String,
}

impl Problem {
    /// An error of Entra in a person's words.
    pub(in crate::entra) fn new(error: &EntraError, text: &str, correlation: &str) -> Self {
        Self { text: text.to_owned(), code: error.code, correlation: correlation.to_owned() }
    }
}

impl Frame {
    /// Path of a form for one step.
    pub(super) fn path(&self, step: &str) -> String {
        format!("/{}/login/{step}", self.segment)
    }

    /// What every form carries along.
    pub(super) fn hidden(&self) -> Markup {
        html! {
            input type="hidden" name="ctx" value=(self.attempt);
            input type="hidden" name="csrf" value=(self.csrf);
        }
    }

    /// What describes a field that was filled in wrong.
    pub(super) fn marked(&self) -> Option<&'static str> {
        self.problem.as_ref().map(|_| "problem")
    }

    /// What is wrong, for screen readers too.
    pub(super) fn problem(&self) -> Markup {
        html! {
            @if let Some(problem) = &self.problem {
                div class="bad" id="problem" role="alert" {
                    p { (problem.text) }
                    p class="small" { "AADSTS" (problem.code) " · Correlation ID " (problem.correlation) }
                }
            }
        }
    }

    /// The two buttons of a form: on, and one that leads elsewhere. Each has text, id, and the latter its step.
    pub(super) fn buttons(&self, on: (&str, &str), back: (&str, &str), focused: bool) -> Markup {
        html! {
            div class="row" {
                button class="main" type="submit" id=(on.1) autofocus[focused] { (on.0) }
                button type="submit" id="idBtn_Back" formaction=(self.path(back.1)) formnovalidate { (back.0) }
            }
        }
    }

    pub(super) fn is_wrong(&self) -> Option<&'static str> {
        self.problem.as_ref().map(|_| "true")
    }
}

/// A page as an answer. `target` is a place outside that its forms may lead to; `script` is run as it is.
pub(super) fn page(status: u16, title: &str, body: &Markup, target: Option<&str>, script: Option<&str>) -> Reply {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · entrada emulator" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                div class="tag" id="emulator" role="note" { "This is the entrada emulator on your machine. No real account, no real Azure." }
                main { div class="card" { (logo()) (body) } }
                footer { "An emulated Microsoft Entra. Nothing you enter here leaves this machine." }
                @if let Some(script) = script { script { (PreEscaped(script)) } }
            }
        }
    };
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let script = script.map_or_else(|| "'none'".to_owned(), hash);
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {script}; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        target.unwrap_or_default()
    );
    Reply::new(status)
        .header("content-type", "text/html; charset=utf-8")
        .header("content-security-policy", policy)
        .header("x-frame-options", "DENY")
        .header("referrer-policy", "no-referrer")
        .body(markup.into_string())
}

fn logo() -> Markup {
    html! {
        div class="brand" {
            svg viewBox="0 0 28 28" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" {
                path d="M9 4h12a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H9" {}
                path d="M4 14h12M12 9.5l4.5 4.5-4.5 4.5" {}
            }
            span { b { "entrada" } " emulator" }
        }
    }
}
