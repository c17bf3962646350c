//! A program that a user configured, to be run for what it prints.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::program;
use crate::error::{Answer, Error};
use crate::platform::{Platform, ProcessError, ProcessRequest};
use crate::token_answer::excerpt;

/// How long a program may take whose user says nothing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The program and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Command {
    /// The program comes first: an absolute path, or a bare name.
    pub(crate) fn new<S: Into<OsString>>(command: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let mut words = command.into_iter().map(Into::into);
        let program = words.next().map(PathBuf::from).filter(|program| !program.as_os_str().is_empty());
        let program = program.ok_or_else(|| {
            Error::invalid_argument("the command is empty").next("name a program, then its arguments, each by itself")
        })?;
        if !program.is_absolute() && !is_bare(&program) {
            return Err(Error::invalid_argument(format!("the program {} is a relative path", program.display())).next(
                "give its absolute path, or its bare name to have it looked up in PATH; the current folder is no place to take it from",
            ));
        }
        Ok(Self { program, arguments: words.collect() })
    }

    /// How long it may take, by default 10 seconds.
    pub(crate) fn check_timeout(given: Option<Duration>) -> Result<Duration, Error> {
        match given.unwrap_or(TIMEOUT) {
            Duration::ZERO => {
                Err(Error::invalid_argument("the command's timeout is zero").next("give it some seconds"))
            }
            timeout => Ok(timeout),
        }
    }

    pub(crate) fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// What tells it from another one.
    pub(crate) fn identity(&self) -> String {
        // Quoted and escaped, so that no two lists read alike.
        format!("{:?} {:?}", self.program, self.arguments)
    }

    /// Runs it with these arguments; what it printed where it ended well.
    pub(crate) async fn run(
        &self,
        platform: &Platform,
        arguments: Vec<OsString>,
        timeout: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let program = self.find(platform)?;
        let request = ProcessRequest { program, arguments, variables: Vec::new(), timeout };
        // Its path and not its arguments: users have put passwords there.
        let tried = request.program.display().to_string();
        let output = match platform.processes().run(&request).await {
            Ok(output) => output,
            Err(error @ ProcessError::Timeout(_)) => {
                let next = "find out what it waits for, or raise its timeout; it has no terminal to ask at";
                return Err(Error::failed(format!("{self} {error}")).tried(tried).next(next));
            }
            Err(error) => {
                let next = "run it in a terminal to see what is wrong with it";
                return Err(Error::failed(format!("{self} {error}")).tried(tried).next(next));
            }
        };
        let stdout = Zeroizing::new(output.stdout);
        let ended = match output.code {
            Some(0) => return Ok(stdout),
            Some(code) => format!("ended with status {code}"),
            None => "was ended by a signal".into(),
        };
        Err(Error::failed(format!("{self} {ended}"))
            .tried(tried)
            .answer(Answer { text: excerpt(&String::from_utf8_lossy(&output.stderr)), ..Answer::default() })
            .next("run it in a terminal to see what is wrong with it"))
    }

    /// Where the program is, as an absolute path.
    pub(crate) fn find(&self, platform: &Platform) -> Result<PathBuf, Error> {
        if self.program.is_absolute() {
            return Some(&self.program).filter(|path| platform.files().is_program(path)).cloned().ok_or_else(|| {
                Error::unavailable(format!("{} is no program that this user may start", self.program.display()))
                    .next("install it, or correct the path")
            });
        }
        // Windows' programs have an ending that nobody types.
        let name = self.program.to_string_lossy();
        let names = [name.clone().into_owned(), format!("{name}.exe")];
        let names: Vec<&str> = names.iter().map(String::as_str).take(if cfg!(windows) { 2 } else { 1 }).collect();
        program::find(platform, &names).ok_or_else(|| {
            Error::unavailable(format!("{name} is not on PATH"))
                .next("install it, or give its absolute path; only the absolute folders of PATH are looked into")
        })
    }
}

/// Whether a path is but a name.
fn is_bare(path: &Path) -> bool {
    let mut components = path.components();
    let (first, more) = (components.next(), components.next());
    matches!(first, Some(std::path::Component::Normal(name)) if name == path.as_os_str()) && more.is_none()
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program.file_name().unwrap_or(OsStr::new("the program")).to_string_lossy())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::error::Outcome;
    use crate::platform::ProcessOutput;
    use crate::platform::scripted::Scripted;

    async fn run(machine: &Scripted, command: &[&str]) -> Result<String, Error> {
        let command = Command::new(command.iter().copied())?;
        let output = command.run(&machine.platform, command.arguments().to_vec(), TIMEOUT).await?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn output(code: Option<i32>, stdout: &str, stderr: &str) -> Result<ProcessOutput, ProcessError> {
        Ok(ProcessOutput { code, stdout: stdout.into(), stderr: stderr.into() })
    }

    #[tokio::test]
    async fn a_program_is_found_by_its_absolute_path_or_on_path() {
        let machine =
            Scripted::new(&[("PATH", ".:bin:/usr/bin")]).outputs([output(Some(0), "t", ""), output(Some(0), "t", "")]);
        for path in ["tool", "./tool", "bin/tool", "/usr/bin/tool", "/opt/tool"] {
            machine.files.put(path, "#!");
        }
        assert_eq!(run(&machine, &["tool", "a b", "$(c)"]).await.expect("it runs"), "t");
        assert_eq!(run(&machine, &["/opt/tool"]).await.expect("it runs"), "t");
        let started = machine.processes.started();
        assert_eq!(started[0].program, PathBuf::from("/usr/bin/tool"));
        assert_eq!(started[0].arguments, ["a b", "$(c)"]);
        assert_eq!((started[1].program.to_str(), started[1].timeout), (Some("/opt/tool"), TIMEOUT));
    }

    #[tokio::test]
    async fn what_cannot_be_run_is_told() {
        let machine = Scripted::new(&[("PATH", "/usr/bin")]);
        for (command, words) in [
            (&[][..], "the command is empty"),
            (&[""], "the command is empty"),
            (&["./tool"], "is a relative path"),
            (&["bin/tool"], "is a relative path"),
            (&[".."], "is a relative path"),
            (&["tool/"], "is a relative path"),
        ] {
            let error = run(&machine, command).await.expect_err(words);
            assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
        }
        for (command, words) in [(["tool"], "not on PATH"), (["/opt/tool"], "is no program")] {
            let error = run(&machine, &command).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Unavailable);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(Command::check_timeout(Some(Duration::ZERO)).expect_err("none").is_invalid_argument());
        assert!(machine.processes.started().is_empty());
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_in_the_programs_words() {
        for (outcome, words) in [
            (output(Some(3), "hunter2", "no such\nprofile eyJhbGci.x.y"), "tool ended with status 3"),
            (output(None, "hunter2", ""), "tool was ended by a signal"),
            (Err(ProcessError::Timeout(TIMEOUT)), "did not answer within 10 s"),
            (Err(ProcessError::NotStarted("exec format error".into())), "exec format error"),
        ] {
            let machine = Scripted::new(&[]).outputs([outcome]);
            machine.files.put("/opt/tool", "#!");
            let error = run(&machine, &["/opt/tool", "--password=hunter3"]).await.expect_err(words);
            assert_eq!(error.outcome(), Outcome::Failed);
            let text = error.to_string();
            assert!(text.contains(words) && text.contains("/opt/tool"), "{text}");
            assert!(!text.contains("hunter") && !text.contains("eyJ"), "{text}");
        }
    }

    #[test]
    fn commands_that_differ_are_told_apart() {
        let identity = |command: &[&str]| Command::new(command.iter().copied()).expect("valid").identity();
        assert_eq!(identity(&["a", "b"]), identity(&["a", "b"]));
        assert_ne!(identity(&["a", "b c"]), identity(&["a", "b", "c"]));
        assert_ne!(identity(&["a", "b\" \"c"]), identity(&["a", "b", "c"]));
    }
}
