//! `cargo xtask fuzz`: looks for bytes that make a reader of outside input break its promises.

use crate::build::cargo;
use crate::command::{Failure, Log, answer, ending, line};
use crate::project;
use crate::steps::Steps;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// The version that is installed, so that a run today is a run tomorrow.
const CARGO_FUZZ: &str = "0.13.2";
/// How long each target runs, if nothing else is said.
const SECONDS: u64 = 60;
/// A program that has not ended by itself so long after its time hangs.
const GRACE: Duration = Duration::from_secs(120);

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let wanted = targets().and_then(|targets| Wanted::read(arguments, &targets));
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(failure) => {
            anstream::eprintln!("xtask: {}", failure.message);
            return ExitCode::from(2);
        }
    };
    let mut steps = Steps::default();
    let built = steps
        .run("fuzz", "cargo-fuzz", install)
        .and_then(|program| steps.run("fuzz", "the programs", |log| build(log, &program)));
    let Some(programs) = built else { return ExitCode::FAILURE };
    for target in &wanted.targets {
        steps.noted("fuzz", target, |log| {
            fuzz(log, &programs, target, wanted.seconds).map(|found| ((), found.to_string()))
        });
    }
    anstream::println!("{}", steps.summary());
    if steps.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    targets: Vec<String>,
    seconds: u64,
}

impl Wanted {
    fn read(arguments: &[String], targets: &[String]) -> Result<Self, Failure> {
        let mut wanted = Self { targets: Vec::new(), seconds: SECONDS };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--seconds" {
                let value = arguments.next().map_or("", String::as_str);
                // None is for ever, to libFuzzer.
                wanted.seconds = value.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                    Failure::new(format!("--seconds takes a number of seconds above zero, and `{value}` is none"))
                })?;
            } else if targets.contains(argument) {
                wanted.targets.push(argument.clone());
            } else {
                let known = targets.join(", ");
                return Err(Failure::new(format!("there is no target `{argument}`; there are {known}")));
            }
        }
        if wanted.targets.is_empty() {
            wanted.targets = targets.to_vec();
        }
        Ok(wanted)
    }
}

fn folder() -> PathBuf {
    project::root().join("fuzz")
}

/// What fuzzing leaves: programs, corpora, what was found.
fn work() -> PathBuf {
    project::target().join("fuzz")
}

/// The names of the programs.
fn targets() -> Result<Vec<String>, Failure> {
    let folder = folder().join("fuzz_targets");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", project::shown(&folder))))?;
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut names: Vec<_> = entries.flatten().filter_map(|entry| stem(entry.path())).collect();
    names.sort();
    Ok(names)
}

/// Installs cargo-fuzz below `target/`, unless it is there already; returns its path.
fn install(log: &Log) -> Result<PathBuf, Failure> {
    let root = project::work().join("cargo-fuzz");
    let program = crate::build::program(&root.join("bin"), "cargo-fuzz");
    let installed = answer(Command::new(&program).arg("--version"));
    if installed.is_some_and(|version| version.ends_with(CARGO_FUZZ)) {
        log.note("installed already");
        return Ok(program);
    }
    // The lock file of cargo-fuzz itself, in CI and elsewhere.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"]).arg(root);
    log.run(&mut command)?;
    Ok(program)
}

/// Builds all programs; returns their folder.
///
/// Without a sanitizer, which would need a nightly compiler and make them several times slower: nothing of ours is
/// `unsafe`. What is looked for are panics, overflows, hangs, and promises that do not hold.
fn build(log: &Log, cargo_fuzz: &Path) -> Result<PathBuf, Failure> {
    if project::is_ci() {
        // cargo-fuzz itself does not look whether the lock file is right.
        let mut metadata = cargo("metadata");
        metadata.current_dir(folder()).args(["--format-version", "1", "--quiet"]);
        if answer(&mut metadata).is_none() {
            return Err(Failure::new("fuzz/Cargo.lock is out of date; run `cargo update --workspace` in fuzz/"));
        }
    }
    let target = work().join("build");
    let mut command = Command::new(cargo_fuzz);
    command.current_dir(project::root()).args(["fuzz", "build", "--sanitizer", "none", "--fuzz-dir"]);
    log.run(command.arg(folder()).arg("--target-dir").arg(&target))?;
    let host = answer(Command::new("rustc").arg("-vV"));
    let host = host.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("host: ")));
    let host = host.ok_or_else(|| Failure::new("`rustc -vV` does not say what it compiles for"))?;
    Ok(target.join(host).join("release"))
}

/// Lets one program look for its time; a failure names the bytes it found.
fn fuzz(log: &Log, programs: &Path, target: &str, seconds: u64) -> Result<Figures, Failure> {
    let (corpus, found) = (work().join("corpus").join(target), work().join("found").join(target));
    for folder in [&corpus, &found] {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("cannot make {}: {error}", project::shown(folder))))?;
    }
    let program = crate::build::program(programs, target);
    let mut command = Command::new(&program);
    command
        .current_dir(project::root())
        // What it finds is written to the first folder.
        .args([&corpus, &folder().join("seeds").join(target)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    let status = log.status(&mut command, Duration::from_secs(seconds) + GRACE)?;
    let text = log.text();
    if status.success() {
        return Figures::read(&text).ok_or_else(|| log.failure(format!("{target} does not say what it did")));
    }
    let input = text.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim());
    let Some(input) = input else {
        return Err(log.failure(format!("{target} {}", ending(status))));
    };
    let again = line(Command::new(&program).arg(input));
    Err(log.failure(format!(
        "{target} breaks on {shown}\nsee it again:      {again}\nmake it a test:    cp {shown} fuzz/seeds/{target}/NAME && \
         cargo test -p entrada --lib fuzzing",
        shown = project::shown(Path::new(input))
    )))
}

/// What libFuzzer says it did.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    executions: u64,
    /// Edges of the control flow that were taken.
    edges: u64,
    /// When the last new one was, in executions.
    last_new: u64,
}

impl Figures {
    fn read(log: &str) -> Option<Self> {
        let executions = log.lines().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
        let progress = log.lines().filter_map(Progress::read);
        let (mut edges, mut last_new) = (0, 0);
        for step in progress {
            if step.edges > edges {
                (edges, last_new) = (step.edges, step.executions);
            }
        }
        Some(Self { executions: executions.trim().parse().ok()?, edges, last_new })
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { executions, edges, last_new } = self;
        write!(f, "{executions} executions, {edges} edges, the last new one at {last_new}")
    }
}

/// A line such as `#4096 NEW    cov: 812 ft: 2034 corp: 211/14Kb …`.
struct Progress {
    executions: u64,
    edges: u64,
}

impl Progress {
    fn read(line: &str) -> Option<Self> {
        let (executions, rest) = line.strip_prefix('#')?.split_once(char::is_whitespace)?;
        let edges = rest.split_once("cov: ")?.1.split(' ').next()?;
        Some(Self { executions: executions.parse().ok()?, edges: edges.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Figures, Wanted};

    fn read(words: &str) -> Result<(Vec<String>, u64), String> {
        let arguments: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let wanted = Wanted::read(&arguments, &["certificate".into(), "jwt".into()]);
        wanted.map(|wanted| (wanted.targets, wanted.seconds)).map_err(|failure| failure.message)
    }

    #[test]
    fn all_targets_run_for_a_minute_unless_told_otherwise() {
        assert_eq!(read(""), Ok((vec!["certificate".into(), "jwt".into()], 60)));
        assert_eq!(read("jwt --seconds 5"), Ok((vec!["jwt".into()], 5)));
        for (words, what) in
            [("jwx", "there are certificate, jwt"), ("--seconds", "`` is none"), ("--seconds 0", "`0`")]
        {
            let message = read(words).expect_err(words);
            assert!(message.contains(what), "{message}");
        }
    }

    #[test]
    fn what_a_run_did_is_read_from_its_log() {
        let log = "INFO: Seed: 1\n#2\tINITED cov: 700 ft: 701 corp: 1/1b exec/s: 0 rss: 40Mb\n\
                   #4096\tNEW    cov: 812 ft: 2034 corp: 211/14Kb lim: 43 exec/s: 2048 rss: 61Mb\n\
                   #8192\tpulse  cov: 812 ft: 2034 corp: 211/14Kb lim: 43 exec/s: 2048 rss: 61Mb\n\
                   stat::number_of_executed_units: 9000\n";
        assert_eq!(Figures::read(log), Some(Figures { executions: 9000, edges: 812, last_new: 4096 }));
        assert_eq!(Figures::read("killed"), None);
    }
}
