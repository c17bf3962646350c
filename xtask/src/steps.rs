//! Steps: a line each while they go, and a table of them at the end.

use crate::command::{Failure, Log};
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
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Not run, and why.
    Skipped(String),
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
        steps.record(group, name, result, took)
    }
}

struct Row {
    group: String,
    name: String,
    outcome: Outcome,
    took: Duration,
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
        announce(group, name);
        let start = Instant::now();
        let result = Log::new(&format!("{group} {name}")).and_then(|log| {
            work(&log)
                .map_err(|failure| Failure { log: failure.log.or_else(|| Some(log.path().to_owned())), ..failure })
        });
        self.record(group, name, result, start.elapsed())
    }

    fn record<T>(&mut self, group: &str, name: &str, result: Result<T, Failure>, took: Duration) -> Option<T> {
        let (made, outcome) = match result {
            Ok(made) => (Some(made), Outcome::Passed),
            Err(failure) => {
                finish(group, name, &Outcome::Failed, took);
                explain(&failure);
                self.rows.push(Row { group: group.into(), name: name.into(), outcome: Outcome::Failed, took });
                return None;
            }
        };
        finish(group, name, &outcome, took);
        self.rows.push(Row { group: group.into(), name: name.into(), outcome, took });
        made
    }

    /// Notes a step that is not run.
    pub(crate) fn skip(&mut self, group: &str, name: &str, reason: impl Into<String>) {
        let outcome = Outcome::Skipped(reason.into());
        finish(group, name, &outcome, Duration::ZERO);
        self.rows.push(Row { group: group.into(), name: name.into(), outcome, took: Duration::ZERO });
    }

    fn count(&self, wanted: fn(&Outcome) -> bool) -> usize {
        self.rows.iter().filter(|row| wanted(&row.outcome)).count()
    }

    pub(crate) fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed))
    }

    pub(crate) fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    }

    /// The table, and the closing line.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("\n{}\n", paint(TITLE, "Summary"));
        let names = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let mut last = "";
        for row in &self.rows {
            let group = if row.group == last { "" } else { &row.group };
            last = &row.group;
            let note = match &row.outcome {
                Outcome::Skipped(reason) => format!("  {}", paint(QUIET, reason)),
                _ => String::new(),
            };
            let took = if row.took.is_zero() { String::new() } else { terminal::duration(row.took) };
            let _ = writeln!(
                text,
                "  {}  {}  {:names$}  {took:>12}{note}",
                paint(NAME, format_args!("{group:<8}")),
                mark(&row.outcome),
                row.name,
            );
        }
        let passed = self.rows.len() - self.failed() - self.skipped();
        let _ = write!(text, "\n{passed} passed, {} failed, {} skipped", self.failed(), self.skipped());
        text
    }
}

fn mark(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => paint(GOOD, "ok  ").to_string(),
        Outcome::Failed => paint(BAD, "FAIL").to_string(),
        Outcome::Skipped(_) => paint(CAUTION, "skip").to_string(),
    }
}

fn announce(group: &str, name: &str) {
    if terminal::is_live() {
        anstream::print!("  ..    {group:<8}  {name} …\r");
        let _ = std::io::stdout().flush();
    }
}

fn finish(group: &str, name: &str, outcome: &Outcome, took: Duration) {
    let note = match outcome {
        Outcome::Skipped(reason) => paint(QUIET, reason).to_string(),
        _ => paint(QUIET, terminal::duration(took)).to_string(),
    };
    let clear = if terminal::is_live() { "\x1b[2K" } else { "" };
    anstream::println!("{clear}  {}  {}  {name}  {note}", mark(outcome), paint(NAME, format_args!("{group:<8}")));
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
