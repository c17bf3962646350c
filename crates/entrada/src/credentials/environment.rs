//! A service principal that environment variables describe.

use std::sync::Arc;

use azure_core::credentials::Secret;

use super::described::Described;
use super::entra_options::EntraOptions;
use super::username_password::UsernamePasswordCredentialOptions;
use super::{client_certificate, client_secret, platform_of, username_password};
use crate::certificate::{AssertionOptions, CertificateAssertion};
use crate::credential::{Cached, credential_from_cached};
use crate::error::Error;
use crate::platform::Environment;

const NAME: &str = "EnvironmentCredential";

const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE_PATH: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const SEND_CERTIFICATE_CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
const USERNAME: &str = "AZURE_USERNAME";
const PASSWORD: &str = "AZURE_PASSWORD";

/// Authenticates the service principal, or the user, that environment variables describe: the first of these that is
/// complete, in the order of `azure-identity`.
///
/// | | variable | |
/// |---|---|---|
/// | a secret | `AZURE_TENANT_ID` | the tenant's id or domain |
/// | | `AZURE_CLIENT_ID` | the app's client id |
/// | | `AZURE_CLIENT_SECRET` | the app's secret |
/// | a certificate | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` | as above |
/// | | `AZURE_CLIENT_CERTIFICATE_PATH` | a file with the certificate and its private key, as [`ClientCertificateCredential`](crate::ClientCertificateCredential) reads it |
/// | | `AZURE_CLIENT_CERTIFICATE_PASSWORD` | the password of the file, if it has one |
/// | | `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` | `1` or `true` to send the certificate along; `0`, `false` or nothing not to |
/// | a person's password (deprecated) | `AZURE_CLIENT_ID` | as above |
/// | | `AZURE_USERNAME`, `AZURE_PASSWORD` | the person's name, as `user@contoso.com`, and password, as [`UsernamePasswordCredential`](crate::UsernamePasswordCredential) takes them |
/// | | `AZURE_TENANT_ID` | the tenant; that of any work or school account by default |
/// | all | `AZURE_AUTHORITY_HOST` | the authority; `https://login.microsoftonline.com` by default |
///
/// Where a second way is described as well, a warning is logged.
///
/// The variables are read when the credential is created, the certificate when a token is first requested. An empty
/// variable counts as not set. Where they describe nobody, requests fail with an error that says which are missing, and a
/// chain goes on.
pub struct EnvironmentCredential {
    cached: Described,
}

/// Options for [`EnvironmentCredential`].
#[derive(Clone, Debug, Default)]
pub struct EnvironmentCredentialOptions {
    /// What it has in common with other credentials of Entra.
    pub entra: EntraOptions,
}

impl EnvironmentCredential {
    /// Creates the credential. Nothing is sent.
    ///
    /// # Errors
    /// None today: what is wrong with the variables shows when a token is requested, so that a chain that contains this
    /// credential can still be made.
    pub fn new(options: Option<EnvironmentCredentialOptions>) -> Result<Arc<Self>, Error> {
        let found = find(options.unwrap_or_default().entra);
        Ok(Arc::new(Self { cached: Described::new(NAME, found) }))
    }
}

/// How the environment signs in.
enum Way {
    Secret { tenant_id: String, client_id: String, secret: String },
    Certificate { tenant_id: String, client_id: String, path: String },
    User { tenant_id: Option<String>, client_id: String, username: String, password: String },
}

fn find(entra: EntraOptions) -> Result<Cached, Error> {
    let platform = platform_of(&entra);
    let environment = platform.environment();
    match describe(environment)? {
        Way::Secret { tenant_id, client_id, secret } => {
            client_secret::cached(NAME, &tenant_id, &client_id, &Secret::new(secret), entra)
        }
        Way::Certificate { tenant_id, client_id, path } => {
            let password = environment.var(CERTIFICATE_PASSWORD).map(Secret::new);
            let options = AssertionOptions { send_certificate_chain: sends_chain(environment)?, algorithm: None };
            let assertion =
                CertificateAssertion::from_path_later(path.as_ref(), password.as_ref(), options, platform.files());
            client_certificate::cached(NAME, &tenant_id, &client_id, assertion, entra)
        }
        Way::User { tenant_id, client_id, username, password } => {
            let options = UsernamePasswordCredentialOptions { tenant_id, entra };
            username_password::cached(NAME, client_id, &username, Secret::new(password), options)
        }
    }
}

/// What the environment describes, or which variables are missing.
fn describe(environment: &dyn Environment) -> Result<Way, Error> {
    let [tenant_id, client_id, secret, path] =
        [TENANT_ID, CLIENT_ID, SECRET, CERTIFICATE_PATH].map(|name| environment.var(name));
    let [username, password] = [USERNAME, PASSWORD].map(|name| environment.var(name));
    if let (Some(tenant_id), Some(client_id)) = (&tenant_id, &client_id) {
        let (tenant_id, client_id) = (tenant_id.clone(), client_id.clone());
        if let Some(secret) = secret {
            let others = [path.is_some().then_some(CERTIFICATE_PATH), username.is_some().then_some(USERNAME)];
            for other in others.into_iter().flatten() {
                tracing::warn!("{other} and {SECRET} are both set; the secret is used");
            }
            return Ok(Way::Secret { tenant_id, client_id, secret });
        }
        if let Some(path) = path {
            if username.is_some() {
                tracing::warn!("{USERNAME} and {CERTIFICATE_PATH} are both set; the certificate is used");
            }
            return Ok(Way::Certificate { tenant_id, client_id, path });
        }
    }
    match (client_id, username, password) {
        (Some(client_id), Some(username), Some(password)) => Ok(Way::User { tenant_id, client_id, username, password }),
        _ => Err(incomplete(environment)),
    }
}

/// Says what is missing of the way that was begun.
fn incomplete(environment: &dyn Environment) -> Error {
    let is_set = |name: &&str| environment.var(name).is_some();
    let of_user = [USERNAME, PASSWORD].iter().any(&is_set);
    let (wanted, others): (&[&str], &str) = if is_set(&SECRET) {
        (&[TENANT_ID, CLIENT_ID, SECRET], "")
    } else if is_set(&CERTIFICATE_PATH) {
        (&[TENANT_ID, CLIENT_ID, CERTIFICATE_PATH], "")
    } else if of_user {
        (&[CLIENT_ID, USERNAME, PASSWORD], "")
    } else {
        (&[TENANT_ID, CLIENT_ID, SECRET], "; for a certificate, AZURE_CLIENT_CERTIFICATE_PATH instead of the secret")
    };
    let missing: Vec<_> = wanted.iter().filter(|name| !is_set(name)).copied().collect();
    if missing.len() == wanted.len() {
        return Error::unavailable("no service principal is described by environment variables")
            .next(format!("to use one, set {TENANT_ID}, {CLIENT_ID} and {SECRET}{others}"));
    }
    let whom = if of_user && !is_set(&SECRET) && !is_set(&CERTIFICATE_PATH) { "user" } else { "service principal" };
    Error::unavailable(format!(
        "the environment describes a {whom} incompletely: {} is not set or empty",
        missing.join(" and ")
    ))
    .next(format!("set {}{others}", missing.join(" and ")))
}

fn sends_chain(environment: &dyn Environment) -> Result<bool, Error> {
    let Some(value) = environment.var(SEND_CERTIFICATE_CHAIN) else { return Ok(false) };
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Error::failed(format!("{SEND_CERTIFICATE_CHAIN} is {value:?}, which is neither yes nor no"))
            .next(format!("set {SEND_CERTIFICATE_CHAIN} to true or to false"))),
    }
}

credential_from_cached!(EnvironmentCredential);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::error::Outcome;
    use crate::platform::scripted::{Scripted, response};
    use crate::platform::{HttpError, HttpResponse};
    use crate::token::{Token, TokenRequest};

    async fn outcome(variables: &[(&str, &str)]) -> Result<Arc<Token>, Error> {
        ask(&Scripted::new(variables).answers([answer()])).await
    }

    fn answer() -> Result<HttpResponse, HttpError> {
        Ok(response(200, r#"{"access_token":"t","expires_in":60}"#))
    }

    async fn ask(machine: &Scripted) -> Result<Arc<Token>, Error> {
        EnvironmentCredential::new(Some(EnvironmentCredentialOptions {
            entra: EntraOptions {
                platform: Some(machine.platform.clone()),
                cache: Some(Cache::new(Default::default())),
                ..Default::default()
            },
        }))?
        .token(&TokenRequest::new(["https://vault.azure.net/.default"]))
        .await
    }

    #[tokio::test]
    async fn three_variables_are_enough() {
        let variables = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")];
        assert!(outcome(&variables).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        for (variables, words) in [
            (vec![], "no service principal is described"),
            (vec![("AZURE_CLIENT_ID", "c")], "AZURE_TENANT_ID and AZURE_CLIENT_SECRET is not set"),
            (
                vec![("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "")],
                "AZURE_CLIENT_SECRET is not set or empty",
            ),
            (
                vec![("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem")],
                "a service principal incompletely: AZURE_TENANT_ID is not set or empty",
            ),
            (vec![("AZURE_USERNAME", "u")], "a user incompletely: AZURE_CLIENT_ID and AZURE_PASSWORD is not set"),
            (
                vec![("AZURE_TENANT_ID", "t"), ("AZURE_USERNAME", "u"), ("AZURE_CLIENT_SECRET", "s")],
                "a service principal incompletely: AZURE_CLIENT_ID is not set or empty",
            ),
        ] {
            let error = outcome(&variables).await.expect_err("unavailable");
            assert_eq!(error.outcome(), Outcome::Unavailable);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_a_failure_under_this_name() {
        let variables = [("AZURE_TENANT_ID", "t t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")];
        let error = outcome(&variables).await.expect_err("malformed");
        assert_eq!(error.outcome(), Outcome::Failed);
        assert!(error.to_string().starts_with("EnvironmentCredential: \"t t\""), "{error}");
    }

    #[tokio::test]
    async fn a_person_signs_in_with_a_password() {
        let variables = [("AZURE_CLIENT_ID", "c"), ("AZURE_USERNAME", "u@contoso.com"), ("AZURE_PASSWORD", "p&q")];
        let managed = || Ok(response(200, r#"{"account_type":"Managed"}"#));
        let machine = Scripted::new(&variables).answers([managed(), answer()]);
        ask(&machine).await.expect("a token");
        let sent = machine.http.sent();
        assert_eq!(sent[1].line, "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token");
        assert!(
            sent[1].body.contains("&grant_type=password&username=u%40contoso.com&password=p%26q&"),
            "{}",
            sent[1].body
        );
    }

    #[tokio::test]
    async fn the_first_way_that_is_complete_is_taken() {
        let all = [
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_USERNAME", "u@contoso.com"),
            ("AZURE_PASSWORD", "p"),
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem"),
            ("AZURE_CLIENT_SECRET", "s"),
        ];
        let machine = Scripted::new(&all).answers([answer()]);
        ask(&machine).await.expect("a token");
        assert!(machine.http.sent()[0].body.contains("client_secret=s"));
        let error = outcome(&all[..5]).await.expect_err("no such file");
        assert!(error.to_string().contains("the certificate /c.pem cannot be used"), "{error}");
        // The variables of a certificate are not complete without the tenant; those of a person are.
        let machine = Scripted::new(&[&all[..3], &all[4..]].concat())
            .answers([Ok(response(200, r#"{"account_type":"Managed"}"#)), answer()]);
        ask(&machine).await.expect("a token");
        assert!(machine.http.sent()[1].body.contains("grant_type=password"));
    }
}
