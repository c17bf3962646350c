//! Starting programs: by absolute path, without a shell, in a scrubbed environment, with a deadline that ends the whole
//! group.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// The largest output that is read, in bytes.
const MAX_OUTPUT: u64 = 1 << 20;

/// Variables that change how a Python, Node or dynamically linked program runs. They belong to the program that asks
/// for a token, and break or subvert the tool it asks.
const SCRUBBED: &[&str] = &[
    "DYLD_INSERT_LIBRARIES",
    "DYLD_LIBRARY_PATH",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "NODE_OPTIONS",
    "PYTHONEXECUTABLE",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
];

/// A program to run.
#[derive(Clone, Debug)]
pub struct ProcessRequest {
    /// The program, as an absolute path.
    pub program: PathBuf,
    /// Its arguments. Never a secret: every user of the machine can read them.
    pub arguments: Vec<OsString>,
    /// Variables to set beside the inherited ones.
    pub variables: Vec<(&'static str, &'static str)>,
    /// When it is ended, with everything it started.
    pub timeout: Duration,
}

/// What a program left behind.
#[derive(Clone)]
pub struct ProcessOutput {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote, at most a mebibyte.
    pub stdout: Vec<u8>,
    /// What it complained, at most a mebibyte.
    pub stderr: Vec<u8>,
}

impl fmt::Debug for ProcessOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the output: it is a token as often as not.
        f.debug_struct("ProcessOutput").field("code", &self.code).finish_non_exhaustive()
    }
}

/// Why a program left nothing behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessError {
    /// It could not be started.
    NotStarted(String),
    /// It ran longer than allowed and was ended.
    Timeout(Duration),
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(reason) => write!(f, "could not be started: {reason}"),
            Self::Timeout(after) => write!(f, "did not answer within {} s", after.as_secs_f32()),
        }
    }
}

impl std::error::Error for ProcessError {}

/// Runs programs.
#[async_trait]
pub trait Processes: Send + Sync {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// [`ProcessError`] where it could not be started or took too long.
    async fn run(&self, request: &ProcessRequest) -> Result<ProcessOutput, ProcessError>;

    /// Starts a program that belongs to the person at the machine, such as a browser: nobody reads its output, no deadline
    /// ends it, and it goes on when the returned future is dropped, which is its exit code, `None` where a signal ended it.
    /// By default there is no such program.
    ///
    /// # Errors
    /// [`ProcessError`] where it could not be started.
    fn launch(&self, request: &ProcessRequest) -> Result<BoxFuture<'static, Option<i32>>, ProcessError> {
        let _ = request;
        Err(ProcessError::NotStarted("programs that go on by themselves are not started here".into()))
    }
}

/// The programs of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemProcesses;

#[async_trait]
impl Processes for SystemProcesses {
    async fn run(&self, request: &ProcessRequest) -> Result<ProcessOutput, ProcessError> {
        let not_started = |reason: String| ProcessError::NotStarted(reason);
        let mut command = command(request)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| not_started(error.to_string()))?;
        // Whatever ends this call, a deadline, a cancelled task or its success, nothing the program started goes on.
        let group = Group::of(&child);
        match tokio::time::timeout(request.timeout, finish(&mut child, group)).await {
            Ok(output) => output.map_err(|error| not_started(error.to_string())),
            Err(_) => Err(ProcessError::Timeout(request.timeout)),
        }
    }

    fn launch(&self, request: &ProcessRequest) -> Result<BoxFuture<'static, Option<i32>>, ProcessError> {
        let mut command = command(request)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| ProcessError::NotStarted(error.to_string()))?;
        Ok(Box::pin(async move { child.wait().await.ok().and_then(|status| status.code()) }))
    }
}

/// The program, in a group of its own, without input, and in an environment of its own.
fn command(request: &ProcessRequest) -> Result<Command, ProcessError> {
    if !request.program.is_absolute() {
        return Err(ProcessError::NotStarted(format!("{} is not an absolute path", request.program.display())));
    }
    let mut command = Command::new(&request.program);
    command
        .args(&request.arguments)
        .envs(request.variables.iter().copied())
        .current_dir(neutral_folder())
        .stdin(Stdio::null());
    for name in SCRUBBED {
        command.env_remove(name);
    }
    #[cfg(unix)]
    command.process_group(0);
    Ok(command)
}

async fn finish(child: &mut Child, group: Group) -> std::io::Result<ProcessOutput> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async {
        let status = child.wait().await;
        // What it left running may hold the pipes open.
        drop(group);
        status
    };
    let (stdout, stderr, status) = tokio::join!(read_bounded(stdout), read_bounded(stderr), ended);
    Ok(ProcessOutput { code: status?.code(), stdout: stdout?, stderr: stderr? })
}

async fn read_bounded(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut output = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(MAX_OUTPUT).read_to_end(&mut output).await?;
        // A program that writes more must not wait for ever for somebody to read it.
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(output)
}

/// A folder in which nothing can be mistaken for a program or a module.
fn neutral_folder() -> PathBuf {
    if cfg!(windows) {
        std::env::var_os("SYSTEMROOT").map_or_else(|| Path::new("C:\\").to_path_buf(), PathBuf::from)
    } else {
        PathBuf::from("/")
    }
}

/// Ends a process group when dropped.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        Self { leader }
    }

    #[cfg(not(unix))]
    fn of(_child: &Child) -> Self {
        Self {}
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader {
            // Gone already is what we want.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration) -> ProcessRequest {
        ProcessRequest {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            variables: vec![("NO_COLOR", "1")],
            timeout,
        }
    }

    #[tokio::test]
    async fn output_and_exit_code_come_back() {
        let output = SystemProcesses
            .run(&shell("echo out$NO_COLOR; echo err >&2; pwd >&2; exit 3", Duration::from_secs(20)))
            .await
            .expect("sh runs");
        assert_eq!(output.code, Some(3));
        assert_eq!(output.stdout, b"out1\n");
        assert_eq!(output.stderr, b"err\n/\n");
    }

    #[tokio::test]
    async fn the_deadline_ends_the_whole_group() {
        let folder = tempfile::tempdir().expect("a folder");
        let pid = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", pid.display());
        let error = SystemProcesses.run(&shell(&script, Duration::from_secs(1))).await.expect_err("it hangs");
        assert_eq!(error, ProcessError::Timeout(Duration::from_secs(1)));
        let pid: i32 = std::fs::read_to_string(pid).expect("written").trim().parse().expect("a number");
        let grandchild = rustix::process::Pid::from_raw(pid).expect("a process id");
        // It is ended, and its new parent may not have noticed yet: wait for the event, not for a time.
        while rustix::process::test_kill_process(grandchild).is_ok() && !is_zombie(pid) {
            tokio::task::yield_now().await;
        }
    }

    fn is_zombie(pid: i32) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    }

    #[tokio::test]
    async fn what_is_launched_goes_on_by_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let done = folder.path().join("done");
        let script = format!("echo said; echo $$ > {}; exit 3", done.display());
        let exit = SystemProcesses.launch(&shell(&script, Duration::ZERO)).expect("sh starts");
        assert_eq!(exit.await, Some(3));
        let script = format!("rm {0}; touch {0}.gone", done.display());
        drop(SystemProcesses.launch(&shell(&script, Duration::ZERO)).expect("sh starts"));
        while !folder.path().join("done.gone").exists() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_relative_path_is_refused() {
        let mut request = shell("", Duration::from_secs(1));
        request.program = "sh".into();
        let error = SystemProcesses.run(&request).await.expect_err("relative");
        assert!(matches!(error, ProcessError::NotStarted(_)), "{error}");
    }
}
