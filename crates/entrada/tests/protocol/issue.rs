//! What the emulator makes for a case, and the names that stand for it in the case's file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use entrada::platform::{HttpRequest, HttpResponse, Platform, Route};
use entrada_emulator::{AssertionWish, Emulator, UserTokenWish, world};
use libtest_mimic::Failed;
use serde::Deserialize;
use url::Url;

use super::case::Case;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Something that is made for a case.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Issue {
    /// An assertion of an issuer that apps trust.
    Assertion(AssertionWish),
    /// An access token of a user.
    UserToken(UserTokenWish),
    /// An access token that an app got for itself.
    AppToken(AppToken),
    /// An authorization code that a user came back with.
    Code(Code),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppToken {
    client_id: String,
    client_secret: String,
    scope: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    user: String,
    client_id: String,
    redirect_uri: String,
    #[serde(default)]
    code_challenge: Option<String>,
    /// Whether somebody has redeemed it, with this secret.
    #[serde(default)]
    redeemed_with: Option<String>,
}

/// What stands for the names in a case's file.
pub(crate) async fn known(case: &Case, emulator: &Emulator, folder: &Path) -> Result<BTreeMap<String, String>, Failed> {
    let variables: HashMap<String, String> = emulator.environment(case.host).into_iter().collect();
    let files = emulator.certificate()?;
    let pem = std::fs::read_to_string(&files.pem)?;
    let (key, certificate) = pem.split_at(pem.find("-----BEGIN CERTIFICATE").ok_or("no certificate")?);
    let mut known: BTreeMap<String, String> = [
        ("case", folder.display().to_string()),
        ("certificate", files.pem.display().to_string()),
        ("certificate.encrypted", files.encrypted_pem.display().to_string()),
        ("certificate.pfx", files.pfx.display().to_string()),
        ("certificate.password", world::CERTIFICATE_PASSWORD.to_owned()),
        ("certificate.text", pem.clone()),
        ("certificate.key", key.to_owned()),
        ("certificate.public", certificate.to_owned()),
    ]
    .map(|(name, content)| (name.to_owned(), content))
    .into();
    for name in ["SYSTEM_ACCESSTOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] {
        known.extend(variables.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    let outside = Platform::with_environment(Arc::new(variables));
    for (name, issue) in &case.issue {
        let issued = match issue {
            Issue::Assertion(wish) => emulator.issue_assertion(wish)?,
            Issue::UserToken(wish) => emulator.issue_user_token(wish)?,
            Issue::AppToken(wish) => app_token(&outside, wish).await?,
            Issue::Code(wish) => code(emulator, &outside, wish).await?,
        };
        known.insert(name.clone(), issued);
    }
    emulator.sign_in_as(case.sign_in_as.as_deref())?;
    Ok(known)
}

fn endpoint(name: &str) -> Result<Url, Failed> {
    Ok(format!("https://login.microsoftonline.com/{}/oauth2/v2.0/{name}", world::TENANT_ID).parse()?)
}

async fn post(outside: &Platform, form: &[(&str, &str)]) -> Result<HttpResponse, Failed> {
    let request = HttpRequest::post_form(endpoint("token")?, Route::Proxied, TIMEOUT, form);
    let answer = outside.http().send(&request).await?;
    if answer.status != 200 {
        return Err(String::from_utf8_lossy(&answer.body).into_owned().into());
    }
    Ok(answer)
}

async fn app_token(outside: &Platform, wish: &AppToken) -> Result<String, Failed> {
    let AppToken { client_id, client_secret, scope } = wish;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", client_secret),
        ("scope", scope),
    ];
    let answer: serde_json::Value = serde_json::from_slice(&post(outside, &form).await?.body)?;
    Ok(answer["access_token"].as_str().ok_or("no token")?.to_owned())
}

async fn code(emulator: &Emulator, outside: &Platform, wish: &Code) -> Result<String, Failed> {
    emulator.sign_in_as(Some(&wish.user))?;
    let mut url = endpoint("authorize")?;
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("response_mode", "query"),
        ("client_id", &wish.client_id),
        ("redirect_uri", &wish.redirect_uri),
        ("scope", "openid offline_access https://vault.azure.net/.default"),
    ]);
    if let Some(challenge) = &wish.code_challenge {
        url.query_pairs_mut().extend_pairs([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
    }
    let answer = outside.http().send(&HttpRequest::get(url, Route::Proxied, TIMEOUT)).await?;
    let back: Url = answer.header("location").ok_or("nobody was sent back")?.parse()?;
    let code = back.query_pairs().find(|(name, _)| name == "code").ok_or("there is no code")?.1.into_owned();
    if let Some(secret) = &wish.redeemed_with {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &wish.client_id),
            ("client_secret", secret),
            ("redirect_uri", &wish.redirect_uri),
            ("code", &code),
            ("scope", "https://vault.azure.net/.default"),
        ];
        post(outside, &form).await?;
    }
    Ok(code)
}
