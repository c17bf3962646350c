//! Running programs: everything they say goes to a log, and none runs for ever.

use crate::project;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a step may take before it is stopped: a build from nothing on a slow machine fits.
pub(crate) const LIMIT: Duration = Duration::from_secs(40 * 60);

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(15);

/// How long a program that was asked to stop may take.
const GRACE: Duration = Duration::from_secs(5);

/// Why a step did not succeed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// What went wrong, and what to do where that is known.
    pub(crate) message: String,
    /// Where there is more to read.
    pub(crate) log: Option<PathBuf>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), log: None }
    }
}

/// A log of its own for a step.
#[derive(Clone)]
pub(crate) struct Log(PathBuf);

impl Log {
    /// Starts the log of a step anew.
    pub(crate) fn new(name: &str) -> Result<Self, Failure> {
        let file = project::logs().join(format!("{}.log", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
        let made = std::fs::create_dir_all(project::logs()).and_then(|()| File::create(&file));
        made.map_err(|error| Failure::new(format!("cannot write {}: {error}", file.display())))?;
        Ok(Self(file))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn note(&self, line: &str) {
        // A log that cannot be written must not end the step it tells of.
        let _ = OpenOptions::new().append(true).open(&self.0).and_then(|mut file| writeln!(file, "{line}"));
    }

    /// What it says so far.
    pub(crate) fn text(&self) -> String {
        std::fs::read(&self.0).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// A failure that this log tells more of.
    pub(crate) fn failure(&self, message: String) -> Failure {
        Failure { message, log: Some(self.0.clone()) }
    }

    /// Runs a program to its end; anything but success is a failure.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(), Failure> {
        let status = self.status(command, LIMIT)?;
        if status.success() {
            return Ok(());
        }
        Err(self.failure(format!("`{}` {}", program(command), ending(status))))
    }

    /// Runs a program to its end or to the limit.
    pub(crate) fn status(&self, command: &mut Command, limit: Duration) -> Result<ExitStatus, Failure> {
        self.note(&format!("$ {}", line(command)));
        let open = || OpenOptions::new().append(true).open(&self.0);
        let output = open().and_then(|out| Ok((out, open()?)));
        let (out, err) = output.map_err(|error| Failure::new(format!("cannot write {}: {error}", self.0.display())))?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let mut child = child.map_err(|error| self.failure(not_started(command, &error)))?;
        wait(&mut child, limit)
            .map_err(|error| self.failure(format!("cannot wait for `{}`: {error}", program(command))))?
            .ok_or_else(|| self.failure(format!("`{}` was stopped: it had run for {limit:?}", program(command))))
    }
}

/// Runs a short program and returns what it printed, if it succeeded.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program can be started at all.
pub(crate) fn exists(name: &str) -> bool {
    found(name).is_some()
}

/// Where a program is that can be started by its name.
pub(crate) fn found(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Waits for a program; none when it was stopped at the limit.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            stop(child);
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// Ends a program: asked first, so that it can end what it started.
pub(crate) fn stop(child: &mut Child) {
    #[cfg(unix)]
    {
        if let Some(id) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let end = Instant::now() + GRACE;
        while Instant::now() < end {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(LOOK);
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// How a program ended, in words.
pub(crate) fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with status {code}"),
        None => format!("was ended by a signal ({status})"),
    }
}

/// Says why a program could not be started.
pub(crate) fn not_started(command: &Command, error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        format!("`{}` is not installed, or not in PATH", program(command))
    } else {
        format!("`{}` cannot be started: {error}", program(command))
    }
}

/// The command line, as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(word).collect::<Vec<_>>().join(" ")
}

fn word(word: &OsStr) -> String {
    let text = project::shown(Path::new(word));
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || "\"'$&|;<>*()".contains(c)) {
        format!("'{}'", text.replace('\'', r"'\''"))
    } else {
        text
    }
}

fn program(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{line, wait};
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn a_command_line_can_be_pasted() {
        let mut command = Command::new("az");
        command.args(["login", "--query", "[0].name | x", "it's", ""]);
        assert_eq!(line(&command), r"az login --query '[0].name | x' 'it'\''s' ''");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_past_its_limit_is_stopped() {
        let mut child = Command::new("sleep").arg("600").spawn().expect("sleep starts");
        assert!(wait(&mut child, Duration::from_millis(1)).expect("waited").is_none());
        assert!(child.try_wait().expect("known").is_some());
    }
}
