//! Entra's refusals: what they say, what they mean, what to do.

use serde_json::Value;

use crate::error::{Answer, Error};
use crate::platform::HttpResponse;
use crate::token_answer::{describe, excerpt};

/// Makes an error of an answer that is no success. `local` is this machine's clock in seconds.
pub(super) fn refusal(response: &HttpResponse, local: i64) -> Error {
    let Ok(body @ Value::Object(_)) = serde_json::from_slice::<Value>(&response.body) else {
        return unexpected(response);
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(excerpt);
    let (Some(error), description) = (text("error"), text("error_description")) else {
        return unexpected(response);
    };
    let description = description.unwrap_or_default();
    let code = body
        .pointer("/error_codes/0")
        .and_then(Value::as_i64)
        .map(|code| format!("AADSTS{code}"))
        .or_else(|| code_in(&description));
    let advice = advice(&error, code.as_deref());
    let what = match advice {
        Some((what, _)) => what,
        None => by_status(response.status).unwrap_or("Microsoft Entra refused the request"),
    };
    let interaction = matches!(error.as_str(), "interaction_required" | "login_required" | "consent_required");
    let outcome = if interaction { Error::interaction_required(what) } else { Error::failed(what) };
    let outcome = outcome.answer(Answer {
        status: Some(response.status),
        error: Some(error),
        code: code.clone(),
        // The ids and the time stand at the end of the text as well; they are told in fields of their own.
        text: without_ids(&description).to_owned(),
        trace_id: text("trace_id").or_else(|| header(response, "x-ms-request-id")),
        correlation_id: text("correlation_id").or_else(|| header(response, "client-request-id")),
        timestamp: text("timestamp"),
    });
    match (advice, crate::token_answer::skew(response, local)) {
        (_, Some(skew)) if about_time(code.as_deref()) => {
            outcome.next(format!("set this machine's clock: it is {skew}"))
        }
        (Some((_, next)), _) => outcome.next(next),
        (None, _) => match code {
            Some(code) => outcome.next(format!(
                "look the code up at https://login.microsoftonline.com/error?code={}",
                code.trim_start_matches("AADSTS")
            )),
            None => outcome.next(next_by_status(response.status)),
        },
    }
}

fn unexpected(response: &HttpResponse) -> Error {
    let what =
        by_status(response.status).unwrap_or("the authority answered with something other than Microsoft Entra's JSON");
    Error::failed(what).answer(describe(response)).next(next_by_status(response.status))
}

/// What a status means by itself.
fn by_status(status: u16) -> Option<&'static str> {
    Some(match status {
        300..400 => "the authority answered with a redirect",
        429 => "Microsoft Entra throttles this app",
        500.. => "Microsoft Entra is not available",
        _ => return None,
    })
}

fn next_by_status(status: u16) -> &'static str {
    match status {
        429 | 500.. => "try again later",
        _ => "check AZURE_AUTHORITY_HOST, and that no proxy or captive portal answers in Microsoft Entra's place",
    }
}

/// What the frequent codes mean, and what to do. From Microsoft's list of AADSTS codes.
fn advice(error: &str, code: Option<&str>) -> Option<(&'static str, &'static str)> {
    Some(match code.unwrap_or(error) {
        "AADSTS7000215" => (
            "the client secret is wrong",
            "use the secret's value, not its id, of an app registration of this client id and tenant",
        ),
        "AADSTS7000222" => {
            ("the client secret has expired", "create a new secret in the Azure portal under Certificates & secrets")
        }
        "AADSTS700016" => {
            ("the tenant has no app with this client id", "check the client id, and that it belongs to this tenant")
        }
        "AADSTS90002" => (
            "there is no such tenant in this cloud",
            "check the tenant id, and the authority if the tenant is in a sovereign cloud",
        ),
        "AADSTS900023" => ("the tenant id is malformed", "use a GUID or a domain name"),
        "AADSTS500011" | "AADSTS500014" => (
            "the tenant does not know the resource of this scope",
            "check the scope for typing errors, and that the resource is set up in this tenant",
        ),
        "AADSTS70011" | "AADSTS1002012" => {
            ("the scope is not valid for an app that signs in by itself", "use the resource followed by /.default")
        }
        "AADSTS7000112" => ("the app is disabled", "enable it in the Azure portal under Enterprise applications"),
        "AADSTS53003" => (
            "a conditional access policy blocks this sign-in",
            "ask the tenant's administrator which policy applies to this app",
        ),
        "AADSTS700024" => ("the assertion is expired or not valid yet", "check this machine's clock"),
        _ => return None,
    })
}

fn about_time(code: Option<&str>) -> bool {
    matches!(code, Some("AADSTS700024" | "AADSTS50013" | "AADSTS7000222"))
}

/// `AADSTS` and the digits after it.
fn code_in(text: &str) -> Option<String> {
    let start = text.find("AADSTS")?;
    let digits: String = text[start + 6..].chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

fn without_ids(text: &str) -> &str {
    text.find(" Trace ID:").map_or(text, |end| &text[..end])
}

fn header(response: &HttpResponse, name: &str) -> Option<String> {
    response.header(name).map(excerpt)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Outcome;
    use crate::platform::scripted::response;

    #[test]
    fn code_ids_and_time_are_kept() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client secret value.\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: 2026-11-24 01:02:03Z","error_codes":[7000215],"timestamp":"2026-11-24 01:02:03Z","trace_id":"t-1","correlation_id":"c-1"}"#;
        let error = refusal(&response(401, body), 0).to_string();
        assert_eq!(
            error,
            "the client secret is wrong\n  answer: HTTP 401, invalid_client, AADSTS7000215: Invalid client secret \
             provided. Ensure the secret being sent is the client secret value., trace id t-1, correlation id c-1, \
             timestamp 2026-11-24 01:02:03Z\n  next: use the secret's value, not its id, of an app registration of \
             this client id and tenant"
        );
    }

    #[test]
    fn an_unknown_code_has_a_place_to_look() {
        let body = r#"{"error":"invalid_grant","error_description":"AADSTS123456: Something new."}"#;
        let error = refusal(&response(400, body), 0).to_string();
        assert!(error.contains("AADSTS123456") && error.contains("error?code=123456"), "{error}");
    }

    #[test]
    fn a_person_may_be_needed() {
        let error = refusal(&response(400, r#"{"error":"interaction_required"}"#), 0);
        assert_eq!(error.outcome(), Outcome::InteractionRequired);
    }

    #[test]
    fn what_is_not_entra_is_said_to_be_so() {
        for (status, words) in [(302, "redirect"), (403, "proxy"), (429, "throttles"), (503, "not available")] {
            let error = refusal(&response(status, "<html>hello</html>"), 0).to_string();
            assert!(error.contains(words), "{error}");
            assert!(error.contains(&format!("HTTP {status}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(status in 100u16..600, body in ".{0,200}") {
            let _ = refusal(&response(status, &body), 0).to_string();
            let body = serde_json::json!({"error": body, "error_description": body, "error_codes": [body]});
            let _ = refusal(&response(status, &body.to_string()), 0).to_string();
        }
    }
}
