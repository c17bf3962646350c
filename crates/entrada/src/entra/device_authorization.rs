//! The device authorization endpoint (RFC 8628, section 3): a code for the person, and one to ask with whether they have
//! entered it.

use std::time::Duration;

use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::{Client, TokenEndpoint, claims, user_scope};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::platform::HttpResponse;
use crate::token::TokenRequest;
use crate::token_answer::{describe, excerpt, point};

/// What is asked with where the answer does not say (RFC 8628, section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// Longer than anybody waits between two questions.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// Entra's codes live for 15 minutes.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Entra's have nine letters and digits.
const LONGEST_CODE: usize = 64;

/// What the person is told, and what is asked with meanwhile.
pub(crate) struct DeviceAuthorization {
    pub(crate) device_code: Zeroizing<String>,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// Entra's own words to the person.
    pub(crate) message: Option<String>,
    pub(crate) lifetime: Duration,
    pub(crate) interval: Duration,
}

impl Client {
    /// Asks for a code for a person to enter.
    pub(crate) async fn device_authorization(
        &self,
        request: &TokenRequest,
        deadline: Deadline,
    ) -> Result<DeviceAuthorization, Error> {
        let target = self.tenants.resolve(request.tenant_id.as_deref(), self.platform.environment())?;
        self.confirm_authority(target.tenant_id, deadline).await?;
        let url = self.authority.device_code_endpoint(target.tenant_id);
        let asked = format!("POST {url} for client {}, scope {}", self.client_id, request.scopes.join(" "));
        let (scope, claims) = (user_scope(&request.scopes), claims(request)?);
        let mut form = vec![("client_id", self.client_id.as_str()), ("scope", &scope)];
        form.extend(claims.as_deref().map(|claims| ("claims", claims)));
        let (response, tried) = TokenEndpoint::at(url, asked).post(&self.platform, deadline, &form).await?;
        read(&response).map_err(|error| error.tried(tried))
    }
}

fn read(response: &HttpResponse) -> Result<DeviceAuthorization, Error> {
    let malformed = |what: &str| {
        Error::failed(format!("the answer to the request for a device code {what}"))
            .answer(crate::error::Answer { text: String::new(), ..describe(response) })
            .next("check that the authority is the real one, and that no proxy answers in its place")
    };
    let body: Value = serde_json::from_slice(&response.body).map_err(|_| malformed("is not JSON"))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let device_code = text("device_code").ok_or_else(|| malformed("holds no device_code"))?;
    let user_code = text("user_code").ok_or_else(|| malformed("holds no user_code"))?;
    // It is shown to a person, on a terminal mostly.
    if user_code.len() > LONGEST_CODE || !user_code.chars().all(|c| c.is_ascii_graphic()) {
        return Err(malformed("holds a user_code that nobody could enter"));
    }
    // AD FS calls it by the name it had in the drafts.
    let verification_uri = text("verification_uri").or_else(|| text("verification_url"));
    let verification_uri = verification_uri.ok_or_else(|| malformed("holds no verification_uri"))?;
    // It is printed as it is: a URL may be parsed that holds what moves a terminal's cursor.
    let printable = verification_uri.chars().all(|c| c.is_ascii_graphic());
    // And `https:/host` is read as a URL with two slashes, but nobody would type it.
    if !printable || !verification_uri.starts_with("https://") || Url::parse(verification_uri).is_err() {
        return Err(malformed("holds a verification_uri that is no https URL"));
    }
    let seconds = |name: &str, default: Duration, longest: Duration| {
        let given = body.get(name).and_then(point).and_then(|seconds| u64::try_from(seconds).ok());
        given.map_or(default, Duration::from_secs).clamp(Duration::from_secs(1), longest)
    };
    Ok(DeviceAuthorization {
        device_code: Zeroizing::new(device_code.to_owned()),
        user_code: user_code.to_owned(),
        verification_uri: verification_uri.to_owned(),
        message: text("message").map(excerpt),
        lifetime: seconds("expires_in", LIFETIME, LONGEST_LIFETIME),
        interval: seconds("interval", INTERVAL, LONGEST_INTERVAL),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::scripted::response;

    #[test]
    fn times_have_defaults_and_bounds() {
        let read = |more: &str| {
            let body = format!(
                r#"{{"device_code":"d","user_code":"ABCD-1234","verification_uri":"https://microsoft.com/devicelogin"{more}}}"#
            );
            let read = read(&response(200, &body)).expect("codes");
            (read.lifetime.as_secs(), read.interval.as_secs())
        };
        assert_eq!(read(""), (900, 5));
        assert_eq!(read(r#","expires_in":"600","interval":7"#), (600, 7));
        assert_eq!(read(r#","expires_in":-1,"interval":0"#), (900, 1));
        assert_eq!(read(r#","expires_in":1e12,"interval":1e12"#), (86_400, 60));
    }

    #[test]
    fn what_nobody_could_enter_is_refused() {
        for (body, words) in [
            ("<html>", "is not JSON"),
            (r#"{"user_code":"A","verification_uri":"https://m.example"}"#, "no device_code"),
            (r#"{"device_code":"d3v1ce","verification_uri":"https://m.example"}"#, "no user_code"),
            (r#"{"device_code":"d3v1ce","user_code":"A"}"#, "no verification_uri"),
            (r#"{"device_code":"d3v1ce","user_code":"A","verification_uri":"http://m.example"}"#, "no https URL"),
            (
                "{\"device_code\":\"d3v1ce\",\"user_code\":\"A\\u001b[2J\",\"verification_uri\":\"https://m.example\"}",
                "nobody could enter",
            ),
        ] {
            let error = read(&response(200, body)).err().expect(words).to_string();
            assert!(error.contains(words), "{words}: {error}");
            assert!(!error.contains("d3v1ce"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in ".{0,200}", number in any::<f64>()) {
            let _ = read(&response(200, &body));
            let json = serde_json::json!({"device_code": body, "user_code": body, "verification_uri": body,
                "expires_in": number, "interval": number, "message": body});
            let _ = read(&response(200, &json.to_string()));
        }
    }
}
