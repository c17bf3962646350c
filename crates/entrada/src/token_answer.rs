//! Reading the answer of a token endpoint: tolerant of types, strict about sense.
//!
//! Entra (RFC 6749, section 5.1) and the managed-identity hosts answer with the same few fields, but write numbers as
//! numbers, as text, or as dates, and leave some out.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use zeroize::Zeroizing;

use crate::error::{Answer, Error};
use crate::platform::{Clock, HttpResponse};
use crate::token::{Fetched, Token};

/// No real token lives longer; what says so is in other units.
pub(crate) const LONGEST_LIFE: i64 = 10 * 366 * 86_400;
/// A difference between clocks that is worth a word, in seconds.
const NOTABLE_SKEW: i64 = 60;

/// Makes a token of a successful answer.
pub(crate) fn parse(response: &HttpResponse, clock: &dyn Clock) -> Result<Fetched, Error> {
    parse_body(response, clock).map(|(fetched, _)| fetched)
}

/// Makes a token of a successful answer, for those who look for more in it.
pub(crate) fn parse_body(response: &HttpResponse, clock: &dyn Clock) -> Result<(Fetched, Value), Error> {
    let malformed = |what: &str| {
        Error::failed(what.to_owned())
            .answer(describe(response))
            .next("check that the endpoint is the real one, and that no proxy answers in its place")
    };
    if response.body.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed("the answer is empty"));
    }
    let body: Value = serde_json::from_slice(&response.body).map_err(|error| malformed(&not_json(&error)))?;
    let secret = match body.get("access_token") {
        Some(Value::String(token)) if !token.trim().is_empty() => Zeroizing::new(token.clone()),
        Some(Value::String(_)) | None | Some(Value::Null) => {
            return Err(malformed("the answer holds no access_token"));
        }
        Some(_) => return Err(malformed("the access_token in the answer is not text")),
    };
    match body.get("token_type").and_then(Value::as_str) {
        Some(kind) if !kind.eq_ignore_ascii_case("bearer") => {
            return Err(malformed(&format!("the token is of type {}, not Bearer", excerpt(kind))));
        }
        _ => {}
    }

    let local = clock.unix_time();
    // The server's clock counts, but the second or two that an answer takes is no difference between clocks.
    let server = server_time(response).filter(|server| (local - server).abs() >= NOTABLE_SKEW).unwrap_or(local);
    let seconds = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => match point(value) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(malformed(&format!("{name} in the answer is neither a number nor a date"))),
        },
    };
    let relative = seconds("expires_in")?;
    let absolute = seconds("expires_on")?.map(|at| at.saturating_sub(server));
    let in_token = jwt_expiry(&secret).map(|at| at.saturating_sub(server));
    // The earliest end is the safe one. A managed-identity host may answer from its own cache, with the `expires_in` of
    // long ago; and `expires_in` is counted from a moment that is already past when it arrives.
    let lifetime = [relative, absolute, in_token]
        .into_iter()
        .flatten()
        .min()
        .ok_or_else(|| malformed("the answer does not say when the token expires"))?;

    if lifetime > LONGEST_LIFE {
        return Err(malformed("the answer gives the token more than ten years to live"));
    }
    if lifetime <= 0 {
        let error = malformed("the token in the answer has already expired");
        return Err(error.next(format!(
            "this machine's clock says {}{}; set it right if that is wrong",
            rfc3339(local),
            skew(response, local).map_or_else(String::new, |words| format!(" ({words})")),
        )));
    }
    // Service clients compare with this machine's clock, right or wrong, so the date is given on that clock.
    let expires_on = local + lifetime;
    let refresh_in = seconds("refresh_in")?.filter(|after| (1..lifetime).contains(after));
    let fetched = Fetched {
        token: Token::new(secret, expires_on, refresh_in.map(|after| local + after)),
        lifetime: Duration::from_secs(lifetime.unsigned_abs()),
        refresh_in: refresh_in.map(|after| Duration::from_secs(after.unsigned_abs())),
    };
    Ok((fetched, body))
}

/// How far this machine's clock is from the server's, in words, where it matters.
pub(crate) fn skew(response: &HttpResponse, local: i64) -> Option<String> {
    let ahead = local - server_time(response)?;
    (ahead.abs() >= NOTABLE_SKEW).then(|| {
        let minutes = ahead.abs() / 60;
        let direction = if ahead > 0 { "ahead of" } else { "behind" };
        format!("{minutes} minutes {direction} the server's clock")
    })
}

/// The end of a JWT (RFC 7519, section 4.1.4), in seconds since 1970-01-01T00:00:00Z.
pub(crate) fn jwt_expiry(token: &str) -> Option<i64> {
    point(&jwt_claim(token, "exp")?)
}

/// A claim of a JWT, unverified: whoever gave us the token vouches for it.
pub(crate) fn jwt_claim(token: &str, name: &str) -> Option<Value> {
    jwt_claims(token)?.get_mut(name).map(Value::take)
}

/// All claims of a JWT, unverified: whoever gave us the token vouches for it.
pub(crate) fn jwt_claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok().filter(Value::is_object)
}

/// The time of an answer by the server's clock, else by this machine's, in seconds since 1970-01-01T00:00:00Z.
pub(crate) fn time_of(response: &HttpResponse, clock: &dyn Clock) -> i64 {
    server_time(response).unwrap_or_else(|| clock.unix_time())
}

/// A number of seconds, or a date as seconds since 1970-01-01T00:00:00Z, however it is written.
pub(crate) fn point(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?)).or_else(|| date(text))
        }
        _ => None,
    }
}

fn whole(number: f64) -> Option<i64> {
    // Far inside what a f64 holds exactly; anything beyond is no time.
    #[allow(clippy::cast_possible_truncation)]
    (number.is_finite() && number.abs() < 1e15).then(|| number.trunc() as i64)
}

/// A date in UTC: RFC 3339, or what App Service on Linux wrote (`06/20/2019 02:57:58 +00:00`, `1/2/2020 1:02:03 AM +00:00`).
fn date(text: &str) -> Option<i64> {
    if let Ok(date) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(date.unix_timestamp());
    }
    let text = text.strip_suffix("+00:00").unwrap_or(text).trim();
    let hours_24 =
        format_description!("[month padding:none]/[day padding:none]/[year] [hour padding:none]:[minute]:[second]");
    let hours_12 = format_description!(
        "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute]:[second] [period]"
    );
    time::PrimitiveDateTime::parse(text, hours_24)
        .or_else(|_| time::PrimitiveDateTime::parse(text, hours_12))
        .ok()
        .map(|date| date.assume_utc().unix_timestamp())
}

/// The server's clock (RFC 9110, section 6.6.1).
fn server_time(response: &HttpResponse) -> Option<i64> {
    let date = httpdate::parse_http_date(response.header("date")?).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// A time as RFC 3339 writes it, from seconds since 1970-01-01T00:00:00Z.
pub(crate) fn rfc3339(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_else(|| seconds.to_string())
}

fn not_json(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "the answer breaks off".into(),
        _ => "the answer is not JSON".into(),
    }
}

/// What came back, for an answer of no known shape. Its text is shown only where it cannot hold a token.
pub(crate) fn describe(response: &HttpResponse) -> Answer {
    let kind = response.header("content-type").unwrap_or("no content type");
    let text = String::from_utf8_lossy(&response.body);
    let shown = if text.contains("access_token") || text.trim().is_empty() {
        String::new()
    } else {
        format!(": {}", excerpt(&text))
    };
    Answer {
        status: Some(response.status),
        text: format!("{} bytes of {}{shown}", response.body.len(), excerpt(kind)),
        ..Answer::default()
    }
}

/// The start of somebody else's text, on one line, without what looks like a token.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut words = Vec::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        // Every JWT begins with the encoding of `{"`.
        let word = match word.find("eyJ") {
            Some(start) => format!("{}[token removed]", &word[..start]),
            None => word.to_owned(),
        };
        length += word.chars().count() + 1;
        if length > LONGEST {
            let room = LONGEST.saturating_sub(length - word.chars().count() - 1);
            let start: String = word.chars().take(room).collect();
            words.push(format!("{start}…"));
            break;
        }
        words.push(word);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::scripted::{ScriptedClock, response};

    fn read(body: &str) -> Result<Fetched, Error> {
        let clock = ScriptedClock::at(1_800_000_000);
        parse(&response(200, body), &clock)
    }

    fn lifetime(body: &str) -> u64 {
        read(body).expect("a token").lifetime.as_secs()
    }

    fn refusal(body: &str) -> String {
        read(body).expect_err("no token").to_string()
    }

    #[test]
    fn times_come_as_number_text_or_date() {
        for expires in [
            r#""expires_in":3600"#,
            r#""expires_in":"3600""#,
            r#""expires_in":3600.0"#,
            r#""expires_on":1800003600"#,
            r#""expires_on":"1800003600""#,
            r#""expires_on":"2027-01-15T09:00:00Z""#,
            r#""expires_on":"01/15/2027 09:00:00 +00:00""#,
            r#""expires_on":"1/15/2027 9:00:00 AM +00:00""#,
            r#""expires_on":"","expires_in":"3600""#,
        ] {
            assert_eq!(lifetime(&format!(r#"{{"access_token":"t",{expires}}}"#)), 3600, "{expires}");
        }
    }

    #[test]
    fn without_either_the_jwt_says_when_it_ends() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":1800000060}"#);
        let body = format!(r#"{{"access_token":"e30.{payload}.sig"}}"#);
        assert_eq!(lifetime(&body), 60);
    }

    #[test]
    fn of_several_ends_the_earliest_counts() {
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":86400,"expires_on":1800000600}"#), 600);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":60,"expires_on":1800000600}"#), 60);
        // The answer took two seconds, by the token's own account.
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":1800003598}"#);
        assert_eq!(lifetime(&format!(r#"{{"access_token":"e30.{payload}.s","expires_in":3600}}"#)), 3598);
    }

    #[test]
    fn answers_that_are_none_are_told_apart() {
        for (body, words) in [
            ("", "the answer is empty"),
            ("<html>Sign in to the network</html>", "the answer is not JSON"),
            (r#"{"access_token":"abc","exp"#, "the answer breaks off"),
            ("{}", "holds no access_token"),
            (r#"{"access_token":""}"#, "holds no access_token"),
            (r#"{"access_token":7}"#, "is not text"),
            (r#"{"access_token":"abc"}"#, "does not say when"),
            (r#"{"access_token":"abc","expires_in":"soon"}"#, "neither a number nor a date"),
            (r#"{"access_token":"abc","expires_on":1800000000000}"#, "more than ten years"),
            (r#"{"access_token":"abc","expires_on":1700000000}"#, "already expired"),
            (r#"{"access_token":"abc","expires_in":5,"token_type":"pop"}"#, "not Bearer"),
        ] {
            let text = refusal(body);
            assert!(text.contains(words), "{body}: {text}");
            assert!(!text.contains("abc"), "{text}");
        }
        assert!(refusal("<html>Sign in to the network</html>").contains("Sign in to the network"));
    }

    #[test]
    fn the_servers_clock_counts_and_ours_is_corrected() {
        // The server says 08:00 and gives an hour; this machine believes it is 06:00 or noon.
        for local in [1_799_992_800, 1_800_014_400] {
            let mut answer = response(200, r#"{"access_token":"t","expires_on":1800003600}"#);
            answer.headers.insert("date", http::HeaderValue::from_static("Fri, 15 Jan 2027 08:00:00 GMT"));
            let fetched = parse(&answer, &ScriptedClock::at(local)).expect("a token");
            assert_eq!(fetched.lifetime.as_secs(), 3600);
            assert_eq!(fetched.token.expires_on(), local + 3600);
            assert!(skew(&answer, local).is_some());
        }
    }

    #[test]
    fn an_excerpt_is_short_and_shows_no_token() {
        assert_eq!(excerpt("a\r\n  b\u{0}c"), "a b c");
        assert_eq!(excerpt("token=eyJhbGciOi.x.y end"), "token=[token removed] end");
        assert!(excerpt(&"ä".repeat(1000)).chars().count() <= 401);
        assert!(excerpt(&"ab ".repeat(1000)).chars().count() <= 402);
    }

    #[test]
    fn no_number_is_too_far_out() {
        for number in [i64::MIN, i64::MAX] {
            let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{number}}}"#));
            assert!(read(&format!(r#"{{"access_token":"t","expires_on":{number}}}"#)).is_err());
            assert!(read(&format!(r#"{{"access_token":"t","expires_in":"{number}"}}"#)).is_err());
            assert!(read(&format!(r#"{{"access_token":"e30.{payload}.s"}}"#)).is_err());
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_nothing_expired_gets_through(body in ".{0,200}", number in any::<f64>()) {
            let _ = read(&body);
            let _ = excerpt(&body);
            let json = serde_json::json!({"access_token": "t", "expires_on": number, "refresh_in": body});
            if let Ok(fetched) = read(&json.to_string()) {
                prop_assert!(fetched.lifetime > Duration::ZERO);
            }
        }
    }
}
