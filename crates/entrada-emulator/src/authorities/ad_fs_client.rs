//! How an app proves itself to AD FS: by its secret, or with its certificate (RS256, named by `x5t`).

use super::ad_fs::Refusal;
use crate::call::Call;
use crate::clock;
use crate::config::App;
use crate::entra::{self, ASSERTION_TYPE};
use crate::jwt::{BASE64, Jwt};
use crate::state::State;
use base64::Engine;

/// How far a clock may be behind, in seconds.
const SKEW: i64 = 300;

/// What proved the app.
pub(super) enum Proof {
    Secret,
    Certificate,
}

/// Finds the app of a request and checks its proof.
pub(super) fn check<'a, 'v>(
    state: &'a State,
    base: &str,
    call: &Call,
    value: &dyn Fn(&str) -> Option<&'v str>,
) -> Result<(&'a App, Proof), Refusal> {
    let basic = entra::basic(call).map_err(|_| Refusal::client("the header of HTTP Basic cannot be read"))?;
    let (client_id, secret) = match &basic {
        Some((client_id, secret)) => (Some(client_id.as_str()), secret.as_deref()),
        None => (value("client_id"), value("client_secret")),
    };
    let app = client_id.and_then(|client_id| state.directory.app(client_id)).ok_or_else(|| {
        Refusal::new(
            "invalid_client",
            "MSIS9607: The 'client_id' parameter in the request is invalid. No registered client is found with this identifier.",
        )
    })?;
    if let Some(secret) = secret {
        let is_it = |known: &&crate::config::AppSecret| {
            let expires = known.expires.as_deref().and_then(clock::parse_rfc3339);
            known.value == secret && expires.is_none_or(|time| time > clock::now())
        };
        return match app.secrets.iter().find(is_it) {
            Some(_) => Ok((app, Proof::Secret)),
            None => Err(Refusal::client("the secret is wrong, or has expired")),
        };
    }
    let assertion =
        value("client_assertion").ok_or_else(|| Refusal::client("neither a secret nor an assertion was sent"))?;
    if value("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(Refusal::client("the client_assertion_type is not that of a JWT"));
    }
    check_assertion(state, base, app, assertion).map_err(Refusal::client).map(|()| (app, Proof::Certificate))
}

fn check_assertion(state: &State, base: &str, app: &App, assertion: &str) -> Result<(), String> {
    let jwt = Jwt::read(assertion).ok_or("the assertion is not a JWT")?;
    if jwt.algorithm() != "RS256" {
        return Err(format!("the assertion is signed with '{}', and only RS256 is taken", jwt.algorithm()));
    }
    let thumbprint = jwt.header["x5t"].as_str().and_then(|text| BASE64.decode(text).ok());
    let thumbprint = thumbprint.ok_or("the assertion names no certificate by `x5t`")?;
    let certificates = state.certificates.of(&app.client_id);
    let certificate = certificates
        .iter()
        .find(|certificate| certificate.sha1 == thumbprint)
        .ok_or("the certificate that the assertion names is not registered")?;
    if !jwt.is_signed_by(&certificate.key) {
        return Err("the signature is not that of the certificate".into());
    }
    if !certificate.is_current() {
        return Err("the certificate has expired, or is not valid yet".into());
    }
    if ["iss", "sub"].iter().any(|claim| !jwt.text(claim).eq_ignore_ascii_case(&app.client_id)) {
        return Err("`iss` and `sub` of the assertion are not the client_id".into());
    }
    let endpoint = format!("{base}/oauth2/token");
    if !jwt.audiences().iter().any(|audience| audience.trim_end_matches('/').eq_ignore_ascii_case(&endpoint)) {
        return Err(format!("the audience of the assertion is not {endpoint}"));
    }
    let now = clock::now();
    let from = jwt.time("nbf").or_else(|| jwt.time("iat")).unwrap_or_default();
    if from > now.saturating_add(SKEW) || jwt.time("exp").is_none_or(|until| until <= now) {
        return Err("the assertion has expired, or is not valid yet".into());
    }
    Ok(())
}
