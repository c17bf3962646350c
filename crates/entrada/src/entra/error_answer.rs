//! Entra's refusals: what they say, what they mean, what to do.

use serde_json::Value;

use super::error_codes::{Meaning, meaning};
use crate::error::{Answer, Error};
use crate::platform::HttpResponse;
use crate::token_answer::{describe, excerpt};

/// No real claims challenge is longer, in bytes.
const LONGEST_CLAIMS: usize = 16 << 10;

/// Makes an error of an answer of the token endpoint that is no success. `local` is this machine's clock in seconds.
pub(super) fn refusal(response: &HttpResponse, local: i64) -> Error {
    let Ok(body @ Value::Object(_)) = serde_json::from_slice::<Value>(&response.body) else {
        return unexpected(response);
    };
    let whole = |name: &str| body.get(name).and_then(Value::as_str);
    let text = |name: &str| whole(name).map(excerpt);
    let Some(error) = whole("error") else {
        return unexpected(response);
    };
    let mut answer = said(error, whole("error_description").unwrap_or_default());
    answer.status = Some(response.status);
    if let Some(code) = body.pointer("/error_codes/0").and_then(Value::as_i64) {
        answer.code = Some(format!("AADSTS{code}"));
    }
    answer.suberror = text("suberror").filter(|suberror| !suberror.is_empty());
    answer.trace_id = text("trace_id").or(answer.trace_id).or_else(|| header(response, "x-ms-request-id"));
    answer.correlation_id =
        text("correlation_id").or(answer.correlation_id).or_else(|| header(response, "client-request-id"));
    answer.timestamp = text("timestamp").or(answer.timestamp);
    let late = about_time(answer.code.as_deref());
    let error = judged(answer).with_claims(whole("claims").and_then(claims));
    match crate::token_answer::skew(response, local).filter(|_| late) {
        Some(skew) => error.next(format!("set this machine's clock: it is {skew}")),
        None => error,
    }
}

/// Makes an error of the `error` and `error_description` that the authorization endpoint sent along with a redirect (RFC
/// 6749, section 4.1.2.1).
pub(crate) fn refusal_of(error: &str, description: &str) -> Error {
    judged(said(error, description))
}

/// Error and description, and what stands in the description beside words.
fn said(error: &str, description: &str) -> Answer {
    let description = excerpt(description);
    let (text, rest) = match description.find("Trace ID:") {
        Some(end) => description.split_at(end),
        None => (&*description, ""),
    };
    let after = |label: &str, until: &str| {
        let (_, value) = rest.split_once(label)?;
        let value = value.split_once(until).map_or(value, |(value, _)| value).trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    Answer {
        error: Some(excerpt(error)),
        code: code_in(text),
        text: text.trim_end().to_owned(),
        trace_id: after("Trace ID:", "Correlation ID:"),
        correlation_id: after("Correlation ID:", "Timestamp:"),
        timestamp: after("Timestamp:", "\n"),
        ..Answer::default()
    }
}

/// What an answer means, and what to do.
fn judged(answer: Answer) -> Error {
    let error = answer.error.as_deref().unwrap_or_default();
    let word = match answer.status {
        // Only of a person does it say so: a proxy that answers 403 has other reasons.
        None if error == "access_denied" => "authorization_declined",
        _ => error,
    };
    let meaning = meaning(word, answer.code.as_deref());
    let what = match (meaning, answer.status) {
        (Some(meaning), _) => meaning.what,
        (None, Some(status)) => by_status(status).unwrap_or("Microsoft Entra refused the request"),
        (None, None) => "Microsoft Entra refused the sign-in",
    };
    let next = match (meaning, &answer.code, answer.status) {
        (Some(meaning), ..) => meaning.next.to_owned(),
        (None, Some(code), _) => format!(
            "look the code up at https://login.microsoftonline.com/error?code={}",
            code.trim_start_matches("AADSTS")
        ),
        (None, None, Some(status)) => next_by_status(status).to_owned(),
        (None, None, None) => "sign in again".to_owned(),
    };
    let person = needs_person(error, answer.suberror.as_deref(), meaning);
    let error = if person { Error::interaction_required(what) } else { Error::failed(what) };
    error.answer(answer).next(next)
}

/// Whether a person must act: by the error itself (OpenID Connect Core 1.0, section 3.1.2.6), by the hint that goes with
/// it, else by the code.
///
/// <https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling>
fn needs_person(error: &str, suberror: Option<&str>, meaning: Option<&Meaning>) -> bool {
    matches!(error, "interaction_required" | "login_required" | "consent_required" | "account_selection_required")
        || matches!(
            suberror,
            Some("basic_action" | "additional_action" | "message_only" | "consent_required" | "user_password_expired")
        )
        || meaning.is_some_and(|meaning| meaning.person)
}

/// The claims that the next request must bring, where they can be that.
fn claims(text: &str) -> Option<String> {
    let is_object =
        text.len() <= LONGEST_CLAIMS && serde_json::from_str::<Value>(text).is_ok_and(|json| json.is_object());
    is_object.then(|| text.to_owned())
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

fn about_time(code: Option<&str>) -> bool {
    matches!(code, Some("AADSTS700024" | "AADSTS50013" | "AADSTS500133" | "AADSTS7000222"))
}

/// `AADSTS` and the digits after it.
fn code_in(text: &str) -> Option<String> {
    let start = text.find("AADSTS")?;
    let digits: String = text[start + 6..].chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
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
    fn who_must_act_and_what_they_must_satisfy_is_kept() {
        let demand = r#"{"access_token":{"capolids":{"essential":true,"values":["p-1"]}}}"#;
        let body = serde_json::json!({
            "error": "invalid_grant",
            "suberror": "basic_action",
            "error_description": "AADSTS50076: Due to a configuration change you must use multi-factor authentication.",
            "error_codes": [50076],
            "claims": demand,
        });
        let error = refusal(&response(400, &body.to_string()), 0);
        assert_eq!(error.outcome(), Outcome::InteractionRequired);
        assert_eq!(error.claims(), Some(demand));
        assert_eq!(error.server_answer().and_then(|answer| answer.suberror.as_deref()), Some("basic_action"));
        assert!(error.to_string().contains("multifactor"), "{error}");
        for claims in ["[]", "not json", &" ".repeat(LONGEST_CLAIMS + 1)] {
            let body = serde_json::json!({"error": "interaction_required", "claims": claims});
            assert_eq!(refusal(&response(400, &body.to_string()), 0).claims(), None);
        }
    }

    #[test]
    fn by_code_a_person_is_needed_or_not() {
        let outcome = |code: u32| {
            let body = format!(r#"{{"error":"invalid_grant","error_codes":[{code}]}}"#);
            refusal(&response(400, &body), 0).outcome()
        };
        for code in [50076, 50078, 50079, 65001, 50058, 16000, 16001, 50173, 700082, 70008] {
            assert_eq!(outcome(code), Outcome::InteractionRequired, "{code}");
        }
        for code in [7000215, 700016, 53003, 50126, 500011, 1] {
            assert_eq!(outcome(code), Outcome::Failed, "{code}");
        }
    }

    #[test]
    fn a_redirect_brings_the_same_as_the_token_endpoint() {
        let description = "AADSTS65004: User declined to consent to access the app. Trace ID: t-1 Correlation ID: c-1 \
                           Timestamp: 2026-11-24 01:02:03Z";
        let error = refusal_of("access_denied", description);
        let answer = error.server_answer().expect("an answer");
        assert_eq!(error.outcome(), Outcome::InteractionRequired);
        assert_eq!(answer.code.as_deref(), Some("AADSTS65004"));
        assert_eq!(answer.text, "AADSTS65004: User declined to consent to access the app.");
        assert_eq!((answer.trace_id.as_deref(), answer.correlation_id.as_deref()), (Some("t-1"), Some("c-1")));
        assert_eq!(answer.timestamp.as_deref(), Some("2026-11-24 01:02:03Z"));
        assert!(refusal_of("server_error", "").to_string().contains("refused the sign-in"));
        assert!(refusal_of("access_denied", "").to_string().contains("was declined"));
        let forbidden = refusal(&response(403, r#"{"error":"access_denied"}"#), 0);
        assert_eq!(forbidden.outcome(), Outcome::Failed);
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

        #[test]
        fn no_redirect_makes_it_panic(error in ".{0,40}", description in "(AADSTS|Trace ID:|Timestamp:|.){0,60}") {
            let _ = refusal_of(&error, &description).to_string();
        }
    }
}
