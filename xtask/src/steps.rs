//! Steps: a line each while they go, and a table of them at the end.

use crate::command::{Failure, Log};
use crate::counts::Counts;
use crate::project;
use crate::terminal::{self, BAD, CAUTION, GOOD, NAME, QUIET, TITLE, paint};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Lines of a log shown when its step failed.
const TAIL: usize = 40;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// A step that goes on beside others: fetching needs the network, building the processor.
pub(crate) struct Background<T>(JoinHandle<(Result<T, Failure>, Duration)>);

impl<T: Send + 'static> Background<T> {
    /// Starts a step, with a log of its own.
    pub(crate) fn start(log: &'static str, work: impl FnOnce(&Log) -> Result<T, Failure> + Send + 'static) -> Self {
        Self(thread::spawn(move || {
            let start = Instant::now();
            (Log::new(log).and_then(|log| work(&log)), start.elapsed())
        }))
    }

    /// Waits for the step to end, and counts it. Returns what it made, if it succeeded.
    pub(crate) fn join(self, steps: &mut Steps, group: &str, name: &str) -> Option<T> {
        announce(group, name);
        let panicked = |_| (Err(Failure::new("the step panicked")), Duration::ZERO);
        let (result, took) = self.0.join().unwrap_or_else(panicked);
        steps.record(group, name, result.map(|made| (made, String::new())), took)
    }
}

struct Row {
    group: String,
    name: String,
    outcome: Outcome,
    took: Duration,
    /// What came of it, or why it was skipped.
    note: String,
}

/// The steps of a run.
#[derive(Default)]
pub(crate) struct Steps {
    rows: Vec<Row>,
}

impl Steps {
    /// Runs a step with a log of its own, and prints a line about it. Returns what it made, if it succeeded.
    pub(crate) fn run<T>(
        &mut self,
        group: &str,
        name: &str,
        work: impl FnOnce(&Log) -> Result<T, Failure>,
    ) -> Option<T> {
        self.noted(group, name, |log| work(log).map(|made| (made, String::new())))
    }

    /// Runs a step that has something to say of what came of it.
    pub(crate) fn noted<T>(
        &mut self,
        group: &str,
        name: &str,
        work: impl FnOnce(&Log) -> Result<(T, String), Failure>,
    ) -> Option<T> {
        announce(group, name);
        let start = Instant::now();
        let result = Log::new(&format!("{group} {name}")).and_then(|log| {
            work(&log)
                .map_err(|failure| Failure { log: failure.log.or_else(|| Some(log.path().to_owned())), ..failure })
        });
        self.record(group, name, result, start.elapsed())
    }

    /// Runs a step whose log tells of tests: there must have been some, and in CI none may have been skipped.
    pub(crate) fn tests(&mut self, group: &str, name: &str, work: impl FnOnce(&Log) -> Result<(), Failure>) {
        self.noted(group, name, |log| {
            work(log)?;
            let counts = Counts::of(&log.text());
            if counts.passed == 0 {
                return Err(log.failure("no test ran".into()));
            }
            if counts.skipped > 0 && project::is_ci() {
                let skipped = format!("{} tests were skipped, and CI is set", counts.skipped);
                return Err(log.failure(skipped));
            }
            let skipped = if counts.skipped > 0 { format!(", {} skipped", counts.skipped) } else { String::new() };
            Ok(((), format!("{} tests{skipped}", counts.passed)))
        });
    }

    /// Takes a step's result, and a note on what came of it.
    fn record<T>(
        &mut self,
        group: &str,
        name: &str,
        result: Result<(T, String), Failure>,
        took: Duration,
    ) -> Option<T> {
        let row = |outcome, note| Row { group: group.into(), name: name.into(), outcome, took, note };
        match result {
            Ok((made, note)) => {
                self.add(row(Outcome::Passed, note));
                Some(made)
            }
            Err(failure) => {
                self.add(row(Outcome::Failed, String::new()));
                explain(&failure);
                None
            }
        }
    }

    fn add(&mut self, row: Row) {
        let clear = if terminal::is_live() { "\x1b[2K" } else { "" };
        let took = if row.took.is_zero() { String::new() } else { terminal::duration(row.took) };
        let note = if row.note.is_empty() { String::new() } else { format!("  {}", row.note) };
        anstream::println!(
            "{clear}  {}  {}  {}  {}",
            mark(row.outcome),
            paint(NAME, format_args!("{:<8}", row.group)),
            row.name,
            paint(QUIET, format_args!("{took}{note}"))
        );
        self.rows.push(row);
    }

    /// Notes a step that is not run, and why.
    pub(crate) fn skip(&mut self, group: &str, name: &str, reason: &str) {
        let (outcome, took, note) = (Outcome::Skipped, Duration::ZERO, reason.into());
        self.add(Row { group: group.into(), name: name.into(), outcome, took, note });
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }

    pub(crate) fn failed(&self) -> usize {
        self.count(Outcome::Failed)
    }

    pub(crate) fn skipped(&self) -> usize {
        self.count(Outcome::Skipped)
    }

    /// The table, and the closing line.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("\n{}\n", paint(TITLE, "Summary"));
        let names = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let mut last = "";
        for row in &self.rows {
            let group = if row.group == last { "" } else { &row.group };
            last = &row.group;
            let took = if row.took.is_zero() { String::new() } else { terminal::duration(row.took) };
            let note = if row.note.is_empty() { String::new() } else { format!("  {}", paint(QUIET, &row.note)) };
            let _ = writeln!(
                text,
                "  {}  {}  {:names$}  {took:>12}{note}",
                paint(NAME, format_args!("{group:<8}")),
                mark(row.outcome),
                row.name,
            );
        }
        let passed = self.count(Outcome::Passed);
        let _ = write!(text, "\n{passed} passed, {} failed, {} skipped", self.failed(), self.skipped());
        text
    }
}

fn mark(outcome: Outcome) -> String {
    match outcome {
        Outcome::Passed => paint(GOOD, "ok  ").to_string(),
        Outcome::Failed => paint(BAD, "FAIL").to_string(),
        Outcome::Skipped => paint(CAUTION, "skip").to_string(),
    }
}

fn announce(group: &str, name: &str) {
    if terminal::is_live() {
        anstream::print!("  ..    {group:<8}  {name} …\r");
        let _ = std::io::stdout().flush();
    }
}

/// Shows a failure with the end of its log.
pub(crate) fn explain(failure: &Failure) {
    for line in failure.message.lines() {
        anstream::println!("        {}", paint(BAD, line));
    }
    if let Some(log) = &failure.log {
        for line in tail(log) {
            anstream::println!("        {} {line}", paint(QUIET, "│"));
        }
        anstream::println!("        {}", paint(QUIET, format_args!("all of it: {}", project::shown(log))));
    }
}

fn tail(log: &Path) -> Vec<String> {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| (*line).to_owned()).collect()
}
