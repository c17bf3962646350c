//! Running a program: found as a shell would, in a group of its own, ended with all it started.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tokio::process::{Child, Command};

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status, or 128 and the number of the signal that ended it.
    pub(crate) code: u8,
}

/// Why a program did not run.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The status to exit with: 127 when it was not found, 126 when it could not be started.
    pub(crate) code: u8,
    pub(crate) message: String,
}

/// Finds a program by path, or by name in `PATH`.
pub(crate) fn find(name: &OsStr) -> Result<PathBuf, Failure> {
    let shown = name.to_string_lossy();
    let missing = |message: String| Failure { code: 127, message };
    if name.is_empty() {
        return Err(missing("the command is empty".into()));
    }
    let path = Path::new(name);
    if path.components().count() > 1 || path.is_absolute() {
        if path.is_dir() {
            return Err(Failure { code: 126, message: format!("`{shown}` is a folder, not a command") });
        }
        if !path.exists() {
            return Err(missing(format!("`{shown}` does not exist")));
        }
        return Ok(path.to_path_buf());
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .flat_map(|folder| candidates(&folder, path))
        .find(|candidate| is_program(candidate))
        .ok_or_else(|| missing(format!("command `{shown}` not found in PATH; give its path, or check its spelling")))
}

#[cfg(unix)]
fn candidates(folder: &Path, name: &Path) -> Vec<PathBuf> {
    vec![folder.join(name)]
}

#[cfg(not(unix))]
fn candidates(folder: &Path, name: &Path) -> Vec<PathBuf> {
    let endings = env::var("PATHEXT").unwrap_or_else(|_| ".EXE;.CMD;.BAT;.COM".into());
    let mut all = vec![folder.join(name)];
    for ending in endings.split(';') {
        let mut named = name.as_os_str().to_owned();
        named.push(ending);
        all.push(folder.join(named));
    }
    all
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Runs a program to its end, passing on SIGINT and SIGTERM.
pub(crate) async fn run(
    program: &Path,
    arguments: &[OsString],
    environment: &[(String, String)],
    cleared: &[&str],
) -> Result<Ended, Failure> {
    let mut command = Command::new(program);
    command.args(arguments);
    for name in cleared {
        command.env_remove(name);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.kill_on_drop(true);
    // Signals are caught from before the start on: one that comes early must not leave the program behind.
    let signals = group::Signals::new()
        .map_err(|error| Failure { code: 126, message: format!("cannot catch signals: {error}") })?;
    let own_group = group::set_up(&mut command);
    let child = command.spawn().map_err(|error| not_started(program, &error))?;
    group::wait(child, signals, own_group).await
}

fn not_started(program: &Path, error: &std::io::Error) -> Failure {
    let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => "; is it executable?",
        ErrorKind::NotFound => "; is the interpreter in its first line there?",
        _ => "",
    };
    Failure { code, message: format!("cannot start `{}`: {error}{hint}", program.display()) }
}

/// Waits for SIGINT or SIGTERM (Ctrl-C elsewhere).
pub(crate) async fn stop_requested() {
    match group::Signals::new() {
        Ok(mut signals) => {
            signals.next().await;
        }
        // Signals that cannot be caught end the process by themselves.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(unix)]
mod group {
    use super::{Child, Command, Ended, Failure};
    use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
    use std::io::{self, IsTerminal};
    use std::os::unix::process::ExitStatusExt;
    use std::time::Duration;
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    /// How long what is left of a group may take to end after SIGTERM, in steps of [`STEP`].
    const STEPS: u32 = 100;
    const STEP: Duration = Duration::from_millis(20);

    /// The signals that are passed on.
    pub(super) struct Signals {
        interrupt: Stream,
        terminate: Stream,
        hang_up: Stream,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
            })
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.interrupt.recv() => Signal::INT,
                _ = self.terminate.recv() => Signal::TERM,
                _ = self.hang_up.recv() => Signal::HUP,
            }
        }
    }

    /// Gives the program a process group of its own; whether it has one.
    ///
    /// At a terminal it stays in ours: a group in the background could not read from the terminal, and
    /// Ctrl-C reaches both anyway.
    pub(super) fn set_up(command: &mut Command) -> bool {
        let own_group = !io::stdin().is_terminal();
        if own_group {
            command.process_group(0);
        }
        own_group
    }

    pub(super) async fn wait(mut child: Child, mut signals: Signals, own_group: bool) -> Result<Ended, Failure> {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                signal = signals.next() => {
                    let Some(pid) = pid else { continue };
                    // A failure means that it has just ended.
                    if own_group {
                        let _ = kill_process_group(pid, signal);
                    } else if signal != Signal::INT {
                        // The terminal sends SIGINT to the whole group, and so to the program already.
                        let _ = kill_process(pid, signal);
                    }
                }
            }
        };
        if let (true, Some(pid)) = (own_group, pid) {
            end_group(pid).await;
        }
        let status =
            status.map_err(|error| Failure { code: 126, message: format!("cannot wait for the command: {error}") })?;
        let code = status.code().or_else(|| status.signal().map(|number| 128 + number)).unwrap_or(1);
        Ok(Ended { code: u8::try_from(code).unwrap_or(1) })
    }

    /// Ends what the program has left running.
    async fn end_group(pid: Pid) {
        if kill_process_group(pid, Signal::TERM).is_err() {
            return;
        }
        for _ in 0..STEPS {
            if test_kill_process_group(pid).is_err() {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

#[cfg(not(unix))]
mod group {
    use super::{Child, Command, Ended, Failure};
    use std::io;

    /// Ctrl-C, which the system also sends to the program.
    pub(super) struct Signals;

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending().await
            }
        }
    }

    pub(super) fn set_up(_: &mut Command) -> bool {
        false
    }

    pub(super) async fn wait(mut child: Child, mut signals: Signals, _: bool) -> Result<Ended, Failure> {
        loop {
            tokio::select! {
                status = child.wait() => {
                    let status = status.map_err(|error| Failure { code: 126, message: format!("cannot wait for the command: {error}") })?;
                    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
                    return Ok(Ended { code });
                }
                () = signals.next() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::find;
    use std::ffi::OsStr;

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        assert!(find(OsStr::new("cargo")).is_ok());
        let failure = find(OsStr::new("entrada-no-such-command")).expect_err("missing");
        assert!(failure.code == 127 && failure.message.contains("not found in PATH"));
        assert_eq!(find(OsStr::new("./no/such/file")).expect_err("missing").code, 127);
        assert_eq!(find(OsStr::new("/")).expect_err("a folder").code, 126);
    }
}
