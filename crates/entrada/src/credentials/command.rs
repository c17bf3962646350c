//! A token that a program prints.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::given_token;
use crate::cache::{Cache, Principal};
use crate::credential::{Cached, Source, credential_from_cached};
use crate::developer_tools::Command;
use crate::entra::check_tenant_id;
use crate::error::Error;
use crate::platform::Platform;
use crate::scope;
use crate::token::{Fetched, TokenRequest};

/// Gives the access token that a program prints, and runs it again before that expires.
///
/// The program prints the token alone, a JWT that says when it expires; or JSON with `accessToken`, `access_token` or
/// `token`, and `expires_on`, `expiresOn` or `expires_in`; or an ExecCredential of Kubernetes.
///
/// In its arguments `{scopes}` stands for the scopes of the request, with a space between two of them; `{resource}` for
/// its one scope without `/.default`; `{tenant}` for its tenant. A request whose scopes or tenant hold anything but
/// letters, digits and `. - _ : /`, or begin with a hyphen, is refused before they get there.
///
/// It is started without a shell, by absolute path; a bare name is looked up in the absolute folders of `PATH`, never in
/// the current one. It has no input, none of the variables that change how Python, Node or the dynamic linker run, and is
/// ended with everything it started when the time is up. At most a mebibyte of its output is read.
///
/// ```
/// use entrada::CommandCredential;
///
/// let command = ["/usr/local/bin/corporate-login", "token", "--resource", "{resource}"];
/// let credential = CommandCredential::new(command, None)?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
pub struct CommandCredential {
    cached: Cached,
}

/// Options for [`CommandCredential`].
#[derive(Clone, Debug, Default)]
pub struct CommandCredentialOptions {
    /// The tenant that `{tenant}` stands for where a request names none; by default such a request is refused where the
    /// arguments need a tenant.
    pub tenant_id: Option<String>,
    /// How long the program may take; 10 seconds by default.
    pub timeout: Option<Duration>,
    /// A cache of its own; by default the one of the process.
    pub cache: Option<Arc<Cache>>,
    /// The machine; by default the real one.
    pub platform: Option<Platform>,
}

impl CommandCredential {
    /// Creates the credential of `command`: the program, and its arguments. Nothing is started.
    ///
    /// The arguments are visible to every user of the machine: they must hold no secret.
    ///
    /// # Errors
    /// Where there is no program, it is named by a relative path, or an option cannot be right.
    pub fn new<S: Into<OsString>>(
        command: impl IntoIterator<Item = S>,
        options: Option<CommandCredentialOptions>,
    ) -> Result<Arc<Self>, Error> {
        const NAME: &str = "CommandCredential";
        let options = options.unwrap_or_default();
        let platform = options.platform.unwrap_or_else(Platform::system);
        let check = || {
            options.tenant_id.as_deref().map(check_tenant_id).transpose()?;
            Ok((Command::new(command)?, Command::check_timeout(options.timeout)?))
        };
        let (command, timeout) = check().map_err(|error: Error| error.credential(NAME))?;
        let principal = Principal::new("command", &[Some(&command.identity()), options.tenant_id.as_deref()]);
        let source = Printed { command, tenant_id: options.tenant_id, timeout, platform: platform.clone() };
        Ok(Arc::new(Self { cached: Cached::new(NAME, principal, source, platform, options.cache) }))
    }
}

credential_from_cached!(CommandCredential);

struct Printed {
    command: Command,
    tenant_id: Option<String>,
    timeout: Duration,
    platform: Platform,
}

impl Printed {
    /// The arguments for a request.
    fn arguments(&self, request: &TokenRequest) -> Result<Vec<OsString>, Error> {
        self.command.arguments().iter().map(|argument| self.fill(argument, request)).collect()
    }

    fn fill(&self, argument: &OsString, request: &TokenRequest) -> Result<OsString, Error> {
        // What is no text holds no placeholder.
        let Some(text) = argument.to_str() else { return Ok(argument.clone()) };
        let mut filled = text.to_owned();
        if text.contains("{scopes}") {
            request.scopes.iter().try_for_each(|scope| check_plain(scope, "scope"))?;
            filled = filled.replace("{scopes}", &request.scopes.join(" "));
        }
        if text.contains("{resource}") {
            let resource = scope::single_resource(request)?;
            check_plain(resource, "scope")?;
            filled = filled.replace("{resource}", resource);
        }
        if text.contains("{tenant}") {
            let tenant_id = request.tenant_id.as_deref().or(self.tenant_id.as_deref()).ok_or_else(|| {
                Error::failed(format!(
                    "{} needs a tenant, and neither the request nor the credential names one",
                    self.command
                ))
                .next("pass tenant_id")
            })?;
            check_tenant_id(tenant_id)?;
            check_plain(tenant_id, "tenant id")?;
            filled = filled.replace("{tenant}", tenant_id);
        }
        Ok(filled.into())
    }
}

/// Refuses what a program could take for an option, or for anything but a name.
fn check_plain(text: &str, what: &str) -> Result<(), Error> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return Ok(());
    }
    Err(Error::invalid_argument(format!(
        "{text:?} is not a {what} that can be passed to a program: only letters, digits and . - _ : / are allowed, and no hyphen first"
    ))
    .next("use a scope such as \"https://vault.azure.net/.default\", and a tenant's id"))
}

#[async_trait]
impl Source for Printed {
    fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        given_token::check(request)?;
        self.arguments(request).map(drop)
    }

    async fn fetch(&self, request: &TokenRequest) -> Result<Fetched, Error> {
        let output = self.command.run(&self.platform, self.arguments(request)?, self.timeout).await?;
        let fetched = given_token::read(&format!("the output of {}", self.command), &output, self.platform.clock())?;
        given_token::check_tenant(fetched.token.secret(), request.tenant_id.as_deref())?;
        Ok(fetched)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::credential::Credential;
    use crate::error::Outcome;
    use crate::platform::scripted::Scripted;
    use crate::platform::{ProcessError, ProcessOutput};

    fn output(stdout: &str) -> Result<ProcessOutput, ProcessError> {
        Ok(ProcessOutput { code: Some(0), stdout: stdout.into(), stderr: Vec::new() })
    }

    fn credential(machine: &Scripted, arguments: &[&str], tenant_id: Option<&str>) -> Arc<CommandCredential> {
        machine.files.put("/opt/tool", "#!");
        let options = CommandCredentialOptions {
            tenant_id: tenant_id.map(str::to_owned),
            timeout: None,
            cache: Some(Cache::new(Default::default())),
            platform: Some(machine.platform.clone()),
        };
        CommandCredential::new([&["/opt/tool"], arguments].concat(), Some(options)).expect("valid")
    }

    #[tokio::test]
    async fn it_is_run_once_while_its_token_lives() {
        let machine = Scripted::new(&[])
            .outputs([output(r#"{"token":"t-1","expires_in":60}"#), output(r#"{"token":"t-2","expires_in":60}"#)]);
        let credential = credential(&machine, &["get"], None);
        let request = TokenRequest::new(["https://vault.azure.net/.default"]);
        for _ in 0..3 {
            assert_eq!(credential.token(&request).await.expect("a token").secret(), "t-1");
        }
        machine.clock.advance(Duration::from_secs(60));
        assert_eq!(credential.token(&request).await.expect("a token").secret(), "t-2");
        assert_eq!(machine.processes.started().len(), 2);
    }

    #[tokio::test]
    async fn placeholders_are_filled_with_what_was_looked_at() {
        let answer = r#"{"token":"t","expires_in":60}"#;
        let machine = Scripted::new(&[]).outputs([output(answer), output(answer), output(answer)]);
        let arguments = ["--resource={resource}", "--scopes", "{scopes}", "--tenant", "{tenant}", "{other}"];
        let credential = credential(&machine, &arguments, Some("home"));
        let mut request = TokenRequest::new(["https://vault.azure.net/.default"]);
        credential.token(&request).await.expect("a token");
        request.tenant_id = Some("other.example".into());
        credential.token(&request).await.expect("a token");
        let started = machine.processes.started();
        assert_eq!(
            started[0].arguments.join(std::ffi::OsStr::new("|")),
            "--resource=https://vault.azure.net|--scopes|https://vault.azure.net/.default|--tenant|home|{other}"
        );
        assert_eq!(started[1].arguments[4], "other.example");
        for scope in ["--debug", "a;b", "$(x)", "{tenant}"] {
            let error = credential.token(&TokenRequest::new([scope])).await.expect_err(scope);
            assert!(error.is_invalid_argument(), "{error}");
        }
        request.tenant_id = Some("-x".into());
        assert!(credential.token(&request).await.expect_err("an option").is_invalid_argument());
        assert_eq!(machine.processes.started().len(), 2);
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told() {
        let machine =
            Scripted::new(&[]).outputs([output("hunter2"), Err(ProcessError::Timeout(Duration::from_secs(10)))]);
        let request = TokenRequest::new(["https://vault.azure.net/.default"]);
        let needs_tenant = credential(&machine, &["{tenant}"], None);
        let error = needs_tenant.token(&request).await.expect_err("no tenant").to_string();
        assert!(error.contains("tool needs a tenant"), "{error}");
        let credential = credential(&machine, &[], None);
        for words in ["the output of tool does not say when", "did not answer within 10 s"] {
            let error = credential.token(&request).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Failed);
            assert!(error.to_string().contains(words) && !error.to_string().contains("hunter2"), "{error}");
        }
        assert!(CommandCredential::new(["./tool"], None).expect_err("relative").is_invalid_argument());
        assert!(CommandCredential::new([""; 0], None).expect_err("none").is_invalid_argument());
    }

    proptest! {
        #[test]
        fn only_names_reach_the_arguments(scopes in proptest::collection::vec("\\PC{0,12}", 0..3), tenant in "\\PC{0,12}") {
            let machine = Scripted::new(&[]);
            let command = Command::new(["/opt/tool", "{scopes}", "{resource}", "{tenant}"]).expect("valid");
            let source = Printed { command, tenant_id: None, timeout: Duration::from_secs(1), platform: machine.platform };
            let request = TokenRequest { tenant_id: Some(tenant), ..TokenRequest::new(scopes) };
            if source.check(&request).is_ok() {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
                for argument in source.arguments(&request).expect("checked") {
                    let argument = argument.into_string().expect("text");
                    prop_assert!(!argument.starts_with('-') && argument.chars().all(plain), "{}", argument);
                }
            }
        }
    }
}
