//! The Azure CLI, `az`.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::program;
use crate::credential::Source;
use crate::entra::{Target, Tenants};
use crate::error::{Answer, Error};
use crate::platform::{Platform, ProcessError, ProcessOutput, ProcessRequest};
use crate::scope;
use crate::token::{Fetched, TokenRequest};
use crate::token_answer::{excerpt, jwt_expiry, point};

const NAMES: &[&str] = if cfg!(windows) { &["az.cmd", "az.exe"] } else { &["az"] };
const INSTALL: &str = "install it from https://learn.microsoft.com/cli/azure/install-azure-cli, then run: az login";

/// The signed-in account of the Azure CLI.
pub(crate) struct AzureCli {
    /// The configured tenant and those allowed beside it; any tenant where none is configured.
    pub(crate) tenants: Option<Tenants>,
    pub(crate) subscription: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) platform: Platform,
}

impl AzureCli {
    /// The folder in which the tool keeps who is signed in: `AZURE_CONFIG_DIR`, else `.azure` in the user's home.
    pub(crate) fn config_folder(platform: &Platform) -> Option<PathBuf> {
        let environment = platform.environment();
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        environment
            .var("AZURE_CONFIG_DIR")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(environment.var(home)?).join(".azure")))
    }

    fn target<'t>(&'t self, request: &'t TokenRequest) -> Result<Option<Target<'t>>, Error> {
        let requested = request.tenant_id.as_deref();
        match (&self.tenants, requested) {
            (Some(tenants), _) => tenants.resolve(requested, self.platform.environment()).map(Some),
            (None, Some(requested)) => Target::only(requested).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn arguments(&self, request: &TokenRequest) -> Result<Vec<OsString>, Error> {
        let mut arguments = vec![
            "account".into(),
            "get-access-token".into(),
            "--output".into(),
            "json".into(),
            "--resource".into(),
            scope::single_resource(request)?.into(),
        ];
        if let Some(target) = self.target(request)? {
            arguments.extend(["--tenant".into(), target.tenant_id.into()]);
        }
        if let Some(subscription) = &self.subscription {
            arguments.extend(["--subscription".into(), subscription.into()]);
        }
        Ok(arguments)
    }

    fn read(&self, output: &ProcessOutput) -> Result<Fetched, Error> {
        let answer = find_answer(&output.stdout).ok_or_else(|| {
            Error::failed("az printed something other than a token")
                .answer(said(&output.stderr))
                .next("run `az account get-access-token` to see it, and update az if it is old")
        })?;
        let secret = Zeroizing::new(answer["accessToken"].as_str().unwrap_or_default().to_owned());
        let now = self.platform.clock().unix_time();
        let expires_on = answer.get("expires_on").and_then(point).or_else(|| jwt_expiry(&secret)).ok_or_else(|| {
            Error::failed("az does not say when its token expires").next("update az to 2.54 or later")
        })?;
        Fetched::until(secret, expires_on, now).ok_or_else(|| {
            Error::failed("az answered with a token that has already expired")
                .next("check this machine's clock, then run: az login")
        })
    }
}

#[async_trait]
impl Source for AzureCli {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        let resource = scope::single_resource(request)?;
        // Nothing that az, or cmd.exe around it, could take for an option or a command.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        if resource.starts_with('-') || !resource.chars().all(plain) {
            return Err(Error::invalid_argument(format!(
                "\"{resource}\" is not a scope that az takes: only letters, digits and . - _ : / are allowed"
            ))
            .next("use a scope such as \"https://vault.azure.net/.default\""));
        }
        let target = self.target(request)?;
        if let Some(claims) = &request.claims {
            return Err(Error::unavailable("az cannot answer a claims challenge without its user").next(format!(
                "run (az 2.76 or later): az login --claims-challenge {}{}",
                STANDARD.encode(claims),
                target.map_or_else(String::new, |target| format!(" --tenant {}", target.tenant_id))
            )));
        }
        Ok(())
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let program = program::find(&self.platform, NAMES)
            .ok_or_else(|| Error::unavailable("the Azure CLI is not on PATH").next(INSTALL))?;
        let arguments = self.arguments(request)?;
        let tried = format!(
            "{} {}",
            program.display(),
            arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
        );
        let process = ProcessRequest {
            program,
            arguments,
            variables: vec![("AZURE_CORE_NO_COLOR", "true"), ("AZURE_CORE_ONLY_SHOW_ERRORS", "true")],
            timeout: self.timeout,
        };
        let outcome = match self.platform.processes().run(&process).await {
            Ok(output) if output.code == Some(0) => self.read(&output),
            Ok(output) => Err(refusal(&output)),
            Err(error @ ProcessError::Timeout(_)) => Err(Error::failed(format!("az {error}"))
                .next("raise process_timeout, or find out why az is slow by running `az account get-access-token`")),
            Err(error) => Err(Error::unavailable(format!("az {error}")).next(INSTALL)),
        };
        let fetched = outcome.map_err(|error| error.tried(tried))?;
        if let Some(target) = self.target(request)? {
            target.confirm(&fetched.token)?;
        }
        Ok(fetched)
    }

    /// The stamp of the file that az rewrites when somebody signs in or out, or chooses another subscription.
    fn fingerprint(&self) -> u64 {
        let profile = Self::config_folder(&self.platform)
            .and_then(|folder| self.platform.files().stamp(&folder.join("azureProfile.json")));
        let mut hasher = DefaultHasher::new();
        profile.hash(&mut hasher);
        hasher.finish()
    }
}

/// The answer among whatever else was printed: extensions and shells add notices before and after it.
fn find_answer(output: &[u8]) -> Option<Value> {
    output
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'{')
        // Each start is parsed at most once and to its end; more starts than this are no answer of az.
        .take(64)
        .filter_map(|(start, _)| {
            let mut values = serde_json::Deserializer::from_slice(&output[start..]).into_iter();
            values.next()?.ok()
        })
        .find(|value: &Value| {
            value.get("accessToken").and_then(Value::as_str).is_some_and(|token| !token.trim().is_empty())
        })
}

fn refusal(output: &ProcessOutput) -> Error {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let signed_out =
        (complaint.contains("az login") || complaint.contains("az account set")) && !complaint.contains("AADSTS");
    let error = if output.code == Some(127) || complaint.starts_with("'az' is not recognized") {
        Error::unavailable("the Azure CLI is on PATH but cannot run").next(INSTALL)
    } else if signed_out {
        Error::unavailable("nobody is signed in to the Azure CLI").next("run: az login")
    } else {
        let ended = match output.code {
            Some(code) => format!("ended with status {code}"),
            None => "was ended by a signal".into(),
        };
        Error::failed(format!("az {ended}"))
            .next("run `az account get-access-token` to see the whole message; `az login` signs in anew")
    };
    error.answer(said(&output.stderr))
}

/// The tool's own words.
fn said(stderr: &[u8]) -> Answer {
    Answer { text: excerpt(&String::from_utf8_lossy(stderr)), ..Answer::default() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::cache::Cache;
    use crate::credential::Credential;
    use crate::credentials::{AzureCliCredential, AzureCliCredentialOptions};
    use crate::error::Outcome;
    use crate::platform::scripted::Scripted;

    fn output(code: i32, stdout: &str, stderr: &str) -> Result<ProcessOutput, ProcessError> {
        Ok(ProcessOutput { code: Some(code), stdout: stdout.into(), stderr: stderr.into() })
    }

    fn machine() -> Scripted {
        let machine = Scripted::new(&[("PATH", "/usr/bin"), ("HOME", "/home/u")]);
        machine.files.put("/usr/bin/az", "#!");
        machine.files.put("/home/u/.azure/azureProfile.json", "{}");
        machine
    }

    fn credential(machine: &Scripted) -> Arc<AzureCliCredential> {
        AzureCliCredential::new(Some(AzureCliCredentialOptions {
            platform: Some(machine.platform.clone()),
            cache: Some(Cache::new(Default::default())),
            subscription: Some("My Subscription".into()),
            ..Default::default()
        }))
        .expect("valid")
    }

    fn request() -> TokenRequest {
        TokenRequest::new(["https://vault.azure.net/.default"])
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn az_is_run_once_and_its_token_kept_until_somebody_else_signs_in() {
        let answer = |token| output(0, &format!(r#"{{"accessToken":"{token}","expires_on":1800003600}}"#), "");
        let machine = machine().outputs([answer("t-1"), answer("t-2")]);
        let credential = credential(&machine);
        for _ in 0..3 {
            assert_eq!(credential.token(&request()).await.expect("a token").secret(), "t-1");
        }
        let started = machine.processes.started();
        assert_eq!(started.len(), 1);
        assert_eq!(started[0].program, PathBuf::from("/usr/bin/az"));
        assert_eq!(
            started[0].arguments.join(std::ffi::OsStr::new(" ")),
            "account get-access-token --output json --resource https://vault.azure.net --subscription My Subscription"
        );
        machine.files.put("/home/u/.azure/azureProfile.json", "{ }");
        assert_eq!(credential.token(&request()).await.expect("a token").secret(), "t-2");
    }

    #[tokio::test]
    async fn noise_around_the_answer_is_tolerated() {
        let noisy =
            "Welcome {user}!\n{\"notice\": 1}\n{\"accessToken\": \"t\", \"expires_on\": \"1800000060\"}\nbye {\n";
        let machine = machine().outputs([output(0, noisy, "WARNING: an update is available")]);
        let token = credential(&machine).token(&request()).await.expect("a token");
        assert_eq!((token.secret(), token.expires_on()), ("t", 1_800_000_060));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_apart() {
        use Outcome::{Failed, Unavailable};
        for (result, words, outcome) in [
            (output(1, "", "ERROR: Please run 'az login' to setup account."), "run: az login", Unavailable),
            (output(1, "", "ERROR: AADSTS50076: use MFA. Run az login"), "AADSTS50076", Failed),
            (output(127, "", "not found"), "cannot run", Unavailable),
            (output(0, "eyJhbGciOi.not.json", ""), "other than a token", Failed),
            (output(0, r#"{"accessToken":"opaque"}"#, ""), "2.54", Failed),
            (output(0, r#"{"accessToken":"opaque","expires_on":5}"#, ""), "already expired", Failed),
            (output(0, r#"{"accessToken":"opaque","expires_on":-9223372036854775808}"#, ""), "already expired", Failed),
            (Err(ProcessError::Timeout(Duration::from_secs(10))), "within 10 s", Failed),
        ] {
            let machine = machine().outputs([result]);
            let error = credential(&machine).token(&request()).await.expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("eyJ") && !error.to_string().contains("opaque"));
            assert_eq!(error.outcome(), outcome, "{error}");
        }
    }

    #[tokio::test]
    async fn az_that_is_not_there_is_not_looked_for_elsewhere() {
        let machine = Scripted::new(&[("PATH", "/usr/bin")]);
        let error = credential(&machine).token(&request()).await.expect_err("no az");
        assert!(error.to_string().contains("not on PATH"), "{error}");
        assert!(machine.processes.started().is_empty());
    }

    #[tokio::test]
    async fn nothing_odd_reaches_the_argument_list() {
        let machine = machine();
        let credential = credential(&machine);
        for scope in ["--debug", "https://x/&whoami", "a;b", "$(x)"] {
            let error = credential.token(&TokenRequest::new([scope])).await.expect_err(scope);
            assert!(error.is_invalid_argument(), "{error}");
        }
        let mut tenant = request();
        tenant.tenant_id = Some("--debug x".into());
        assert!(credential.token(&tenant).await.expect_err("tenant").is_invalid_argument());
        let mut claims = request();
        claims.claims = Some("{}".into());
        let error = credential.token(&claims).await.expect_err("claims");
        assert!(error.to_string().contains("az login --claims-challenge e30="), "{error}");
        assert!(machine.processes.started().is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_printed_is_read_without_a_panic(
            before in proptest::collection::vec(any::<u8>(), 0..200),
            braces in "[{}\\[\\]\"a:, ]{0,200}",
        ) {
            let mut output = before.clone();
            output.extend_from_slice(braces.as_bytes());
            prop_assert!(find_answer(&output).is_none());
            let mut noisy = b"Welcome\n{\"accessToken\":\"t\"}\n".to_vec();
            noisy.extend(before);
            prop_assert!(find_answer(&noisy).is_some());
        }
    }
}
