//! The page that the browser shows when it has come back.

use std::fmt::Write;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::redirect_request::Refusal;
use crate::error::Error;

/// A page with its status.
pub(super) struct Page {
    status: u16,
    html: String,
}

const CHECK: &str = r#"<path d="M8.5 16.5l5 5 10-11"/>"#;
const CROSS: &str = r#"<path d="M11 11l10 10M21 11L11 21"/>"#;
const STYLE: &str = include_str!("page.css");

/// Somebody has signed in.
pub(super) fn success(username: &str) -> Page {
    let who = if username.is_empty() { String::new() } else { format!("<p class=\"who\">{}</p>", escaped(username)) };
    let body = format!("{who}<p>You can close this tab and return to the program that asked you to sign in.</p>");
    page(200, "yes", CHECK, "You are signed in", &body)
}

/// The sign-in did not succeed.
pub(super) fn failure(error: &Error) -> Page {
    let mut body = format!("<p>{}</p>", escaped(&sentence(error.summary())));
    if let Some(next) = error.remedy() {
        let _ = write!(body, "<p class=\"next\">What to do: {}</p>", escaped(next.trim_end_matches('.')));
    }
    if let Some(answer) = error.server_answer() {
        let code = [answer.error.as_deref(), answer.code.as_deref()];
        let rows = [
            ("Answer", Some(answer.text.clone()).filter(|text| !text.is_empty())),
            ("Code", Some(code.into_iter().flatten().collect::<Vec<_>>().join(", ")).filter(|code| !code.is_empty())),
            ("Correlation id", answer.correlation_id.clone()),
            ("Trace id", answer.trace_id.clone()),
            ("Time", answer.timestamp.clone()),
        ];
        body.push_str("<dl>");
        for (name, value) in rows {
            if let Some(value) = value {
                let _ = write!(body, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
            }
        }
        body.push_str("</dl>");
    }
    body.push_str("<p>You can close this tab and return to the program that asked you to sign in.</p>");
    // The browser has done all it should.
    page(200, "no", CROSS, "You are not signed in", &body)
}

/// A request that is not the answer.
pub(super) fn refusal(refusal: Refusal) -> Page {
    let body = format!(
        "<p>{}</p><p>A program waits here for a person to come back from signing in. If that is you, go on in the tab in \
         which you were signing in.</p>",
        escaped(&sentence(refusal.why))
    );
    page(refusal.status, "no", CROSS, "This is not it", &body)
}

fn page(status: u16, kind: &str, sign: &str, title: &str, body: &str) -> Page {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main class=\"{kind}\" role=\"status\">\n\
         <svg viewBox=\"0 0 32 32\" aria-hidden=\"true\"><circle cx=\"16\" cy=\"16\" r=\"15\"/>{sign}</svg>\n\
         <h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    Page { status, html }
}

impl Page {
    /// The answer as it is sent: nothing but this page may be loaded, kept, framed or told where it came from.
    pub(super) fn to_http(&self) -> Vec<u8> {
        static POLICY: LazyLock<String> = LazyLock::new(|| {
            let style = STANDARD.encode(Sha256::digest(STYLE));
            format!(
                "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'"
            )
        });
        let status = http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::BAD_REQUEST);
        let allow = if self.status == 405 { "Allow: GET, POST\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\nContent-Security-Policy: {}\r\n\
             Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n{allow}\r\n{}",
            self.html.len(),
            *POLICY,
            self.html
        )
        .into_bytes()
    }
}

/// Text as it stands in HTML, in an element or an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// With a capital letter at the beginning and a full stop at the end.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Answer;

    fn text(page: &Page) -> String {
        String::from_utf8(page.to_http()).expect("text")
    }

    #[test]
    fn the_person_is_told_who_they_are_and_where_to_go() {
        let page = text(&success("ada@contoso.com"));
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(
            page.contains("You are signed in") && page.contains("ada@contoso.com") && page.contains("close this tab")
        );
        let (head, body) = page.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(head.contains("default-src 'none'") && head.contains("Connection: close"));
    }

    #[test]
    fn what_failed_is_shown_with_what_to_do() {
        let error = Error::failed("the person declined").next("sign in again").answer(Answer {
            error: Some("access_denied".into()),
            code: Some("AADSTS65004".into()),
            text: "AADSTS65004: User <b>declined</b>.".into(),
            correlation_id: Some("c-1".into()),
            ..Answer::default()
        });
        let page = text(&failure(&error));
        for words in ["You are not signed in", "The person declined", "sign in again", "AADSTS65004", "c-1"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(page.contains("&lt;b&gt;declined") && !page.contains("<b>"));
        assert!(page.contains("access_denied, AADSTS65004"));
    }

    #[test]
    fn nothing_is_markup_that_came_from_outside() {
        let page = text(&success("\"><script>alert('x')</script>"));
        assert!(!page.contains("<script>") && page.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)"));
    }

    #[test]
    fn other_methods_are_told_which_ones_there_are() {
        let page = text(&refusal(Refusal { status: 405, why: "only GET and POST are answered here" }));
        assert!(page.starts_with("HTTP/1.1 405 Method Not Allowed\r\n") && page.contains("\r\nAllow: GET, POST\r\n"));
    }
}
