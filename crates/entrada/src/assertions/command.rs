//! Assertions that a program prints.

use std::ffi::OsString;
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
use super::pick::{check_pointer, pick};
use crate::developer_tools::Command;
use crate::error::Error;

/// The assertion that a program prints, for example `spire-agent` or `gcloud auth print-identity-token`. It is run for
/// each exchange.
///
/// It is started without a shell, by absolute path; a bare name is looked up in the absolute folders of `PATH`, never in
/// the current one. It has no input, none of the variables that change how Python, Node or the dynamic linker run, and is
/// ended with everything it started when the time is up. At most a mebibyte of its output is read.
///
/// ```
/// use entrada::{ClientAssertionCredential, CommandAssertion, CommandAssertionOptions};
///
/// let command = ["spire-agent", "api", "fetch", "jwt", "-audience", "api://AzureADTokenExchange", "-output", "json"];
/// let options = CommandAssertionOptions { json_pointer: Some("/0/svids/0/svid".into()), ..Default::default() };
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     CommandAssertion::new(command, Some(options))?,
///     None,
/// )?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
#[derive(Debug)]
pub struct CommandAssertion {
    command: Command,
    json_pointer: Option<String>,
    timeout: Duration,
}

/// Options for [`CommandAssertion`].
#[derive(Clone, Debug, Default)]
pub struct CommandAssertionOptions {
    /// Where the assertion stands in an output of JSON, as a JSON pointer (RFC 6901) such as `/token`. By default the
    /// whole output is the assertion.
    pub json_pointer: Option<String>,
    /// How long the program may take; 10 seconds by default.
    pub timeout: Option<Duration>,
}

impl CommandAssertion {
    /// The assertion that `command` prints: the program, and its arguments.
    ///
    /// The arguments are visible to every user of the machine: they must hold no secret.
    ///
    /// # Errors
    /// Where there is no program, it is named by a relative path, or an option cannot be right.
    pub fn new<S: Into<OsString>>(
        command: impl IntoIterator<Item = S>,
        options: Option<CommandAssertionOptions>,
    ) -> Result<Self, Error> {
        let options = options.unwrap_or_default();
        check_pointer(options.json_pointer.as_deref())?;
        let timeout = Command::check_timeout(options.timeout)?;
        Ok(Self { command: Command::new(command)?, json_pointer: options.json_pointer, timeout })
    }
}

#[async_trait]
impl ClientAssertion for CommandAssertion {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        let timeout = self.timeout.min(request.time_left());
        let command = &self.command;
        let output = command.run(request.platform(), command.arguments().to_vec(), timeout).await?;
        Ok(pick(&output, self.json_pointer.as_deref()).map_err(|what| {
            Error::failed(format!("{command} printed {what}")).next("run it in a terminal to see what it prints")
        })?)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("command {} {:?}", self.command.identity(), self.json_pointer))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::assertions::testing::secret_on;
    use crate::platform::ProcessOutput;
    use crate::platform::scripted::Scripted;

    async fn printed(stdout: &str, json_pointer: Option<&str>) -> Result<String, Error> {
        let output = ProcessOutput { code: Some(0), stdout: stdout.into(), stderr: Vec::new() };
        let machine = Scripted::new(&[]).outputs([Ok(output)]);
        machine.files.put("/opt/tool", "#!");
        let options = CommandAssertionOptions { json_pointer: json_pointer.map(str::to_owned), ..Default::default() };
        let source = CommandAssertion::new(["/opt/tool", "jwt"], Some(options))?;
        let secret = secret_on(&machine, &source).await?;
        assert_eq!(machine.processes.started()[0].arguments, ["jwt"]);
        Ok(secret.as_str().to_owned())
    }

    #[tokio::test]
    async fn the_output_or_a_part_of_it_is_the_assertion() {
        assert_eq!(printed("e30.e30.c\n", None).await.expect("one"), "e30.e30.c");
        assert_eq!(printed(r#"[{"svid":"e30.e30.c"}]"#, Some("/0/svid")).await.expect("one"), "e30.e30.c");
        let error = printed("hunter2", Some("/0/svid")).await.expect_err("no JSON").to_string();
        assert!(error.contains("tool printed something other than JSON") && !error.contains("hunter2"), "{error}");
        assert!(printed("", Some("svid")).await.expect_err("no pointer").is_invalid_argument());
    }
}
