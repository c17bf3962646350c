//! What the demo prints of a scene, and of all of them.

use super::journal::Exchange;
use super::run::{Performance, shown};
use super::scenes::{Scene, time_of_day};
use super::sign_in::SignIn;
use crate::project;
use crate::terminal::{self, BAD, GOOD, NAME, QUIET, TITLE, cut, duration, paint, wrap};
use std::fmt::{Display, Write as _};

/// Columns of the labels beside facts.
const LABEL: usize = 12;
const INDENT: usize = 4;

/// The block about one scene.
pub(crate) fn block(number: usize, scene: &Scene, performance: &Performance) -> String {
    let mut text = String::new();
    let width = terminal::width();
    let time = duration(performance.took);
    let mark = if performance.problem.is_none() { paint(GOOD, "✓") } else { paint(BAD, "✗") };
    let title = cut(scene.title, width.saturating_sub(time.len() + 9));
    let space = width.saturating_sub(title.chars().count() + time.len() + 8);
    let rule = "─".repeat(space.max(1));
    let _ = writeln!(
        text,
        "\n{mark} {} {} {} {}",
        paint(QUIET, format_args!("{number:>2}")),
        paint(TITLE, title),
        paint(QUIET, rule),
        paint(QUIET, time)
    );
    for line in wrap(&shown(scene), width - INDENT - 2) {
        let _ = writeln!(text, "{:INDENT$}{}", "", paint(QUIET, format_args!("$ {line}")));
    }
    if scene.timeline {
        timeline(&mut text, performance);
    } else {
        for (_, line) in &performance.story.lines {
            printed(&mut text, line);
        }
    }
    for sign_in in &performance.story.sign_ins {
        facts(&mut text, sign_in);
    }
    for (index, line) in uses(&performance.story.exchanges).into_iter().enumerate() {
        fact(&mut text, if index == 0 { "then" } else { "" }, line);
    }
    if let Some(problem) = &performance.problem {
        failure(&mut text, scene, performance, problem);
    }
    text
}

fn printed(text: &mut String, line: &str) {
    for (index, part) in wrap(line, terminal::width() - INDENT - 4).iter().enumerate() {
        let margin = if index == 0 { "" } else { "  " };
        let _ = writeln!(text, "{:INDENT$}{} {margin}{part}", "", paint(QUIET, "│"));
    }
}

/// Lines of the program and requests to the emulator, as they alternated; milliseconds count from the first line.
fn timeline(text: &mut String, performance: &Performance) {
    let story = &performance.story;
    let start = story.lines.iter().find_map(|(time, _)| *time).unwrap_or_default();
    let mut last = start;
    let mut events: Vec<(u64, usize, String)> = Vec::new();
    for (order, (time, line)) in story.lines.iter().enumerate() {
        last = time.unwrap_or(last);
        events.push((last, order, line.clone()));
    }
    for (order, exchange) in story.exchanges.iter().enumerate() {
        let outcome = exchange.note.as_deref().map(|note| format!(" {note}")).unwrap_or_default();
        let line = format!("{} {}{} → {}{outcome}", exchange.method, exchange.host, exchange.path, exchange.status);
        events.push((time_of_day(exchange.started), story.lines.len() + order, line));
    }
    events.sort_by_key(|(time, order, _)| (*time, *order));
    let room = terminal::width() - INDENT - 12;
    for (time, order, line) in events {
        #[expect(clippy::cast_possible_wrap, reason = "a time of day in milliseconds is small")]
        let at = format!("{:>5} ms", time as i64 - start as i64);
        let line = cut(&line, room);
        if order < story.lines.len() {
            let _ = writeln!(text, "{:INDENT$}{} {} {line}", "", paint(QUIET, "│"), paint(QUIET, at));
        } else {
            let _ = writeln!(text, "{:INDENT$}{} {} {}", "", paint(QUIET, "│"), paint(QUIET, at), paint(NAME, line));
        }
    }
}

fn facts(text: &mut String, sign_in: &SignIn) {
    let credential = sign_in.credential;
    fact(text, "signed in", format_args!("{}: {}", paint(NAME, credential.name()), credential.proof()));
    let principal = &sign_in.principal;
    fact(
        text,
        "as",
        format_args!(
            "{} {}",
            paint(TITLE, &principal.name),
            paint(QUIET, format_args!("(object id {})", principal.object_id))
        ),
    );
    fact(text, "for", &sign_in.audience);
    fact(text, "with", format_args!("{}, {}", counted(sign_in.requests, "token request"), milliseconds(sign_in.took)));
}

fn fact(text: &mut String, label: &str, value: impl Display) {
    let _ = writeln!(text, "{:INDENT$}{}  {value}", "", paint(QUIET, format_args!("{label:>LABEL$}")));
}

/// What was done with the tokens, service by service.
fn uses(exchanges: &[Exchange]) -> Vec<String> {
    let mut services: Vec<(&str, usize, usize, f64)> = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.is_use()) {
        let name = service(&exchange.service);
        let place = services.iter().position(|(other, ..)| *other == name).unwrap_or_else(|| {
            services.push((name, 0, 0, 0.0));
            services.len() - 1
        });
        let entry = &mut services[place];
        entry.1 += 1;
        entry.2 += usize::from(exchange.status == 403);
        entry.3 += exchange.took;
    }
    let told = services.iter().map(|(name, count, refused, took)| {
        let refused = if *refused > 0 { format!(", {refused} of them refused (403)") } else { String::new() };
        format!("{} to {name}{refused}, {}", counted(*count, "request"), milliseconds(*took))
    });
    told.collect()
}

fn service(name: &str) -> &str {
    match name {
        "key-vault" => "Key Vault",
        "resource-manager" => "Resource Manager",
        "blob" => "Blob Storage",
        "graph" => "Microsoft Graph",
        other => other,
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn milliseconds(time: f64) -> String {
    if time < 10.0 { format!("{time:.1} ms") } else { format!("{time:.0} ms") }
}

fn failure(text: &mut String, scene: &Scene, performance: &Performance, problem: &str) {
    for line in wrap(problem, terminal::width() - INDENT) {
        let _ = writeln!(text, "{:INDENT$}{}", "", paint(BAD, line));
    }
    for exchange in
        performance.story.exchanges.iter().filter(|exchange| exchange.status >= 400 && exchange.status != 401)
    {
        let note = exchange.note.as_deref().unwrap_or_default();
        let line = format!("{} {} {}{}: {note}", exchange.status, exchange.method, exchange.host, exchange.path);
        for line in wrap(&line, terminal::width() - INDENT) {
            let _ = writeln!(text, "{:INDENT$}{line}", "");
        }
    }
    fact(text, "journal", project::shown(&performance.journal));
    fact(text, "again", format_args!("cargo xtask demo {}", scene.name));
}

/// The table of all scenes, and the closing line.
pub(crate) fn summary(all: &[(&Scene, Performance)]) -> String {
    let mut text = format!("\n{}\n", paint(TITLE, "Summary"));
    let widest = |column: fn(&(&Scene, Performance)) -> usize| all.iter().map(column).max().unwrap_or(0);
    let names = widest(|(scene, _)| scene.name.len());
    let credentials = widest(|(_, performance)| credentials_of(performance).chars().count());
    let principals = widest(|(_, performance)| principals_of(performance).chars().count());
    for (scene, performance) in all {
        let mark = if performance.problem.is_none() { paint(GOOD, "✓") } else { paint(BAD, "✗") };
        let requests: usize = performance.story.sign_ins.iter().map(|sign_in| sign_in.requests).sum();
        let _ = writeln!(
            text,
            "{mark} {:names$}  {}  {:principals$}  {:>16}  {:>7}",
            scene.name,
            paint(NAME, format_args!("{:credentials$}", credentials_of(performance))),
            principals_of(performance),
            counted(requests, "token request"),
            duration(performance.took),
        );
    }
    let failed = all.iter().filter(|(_, performance)| performance.problem.is_some()).count();
    let _ = write!(text, "\n{} passed, {failed} failed", all.len() - failed);
    text
}

fn credentials_of(performance: &Performance) -> String {
    listed(performance.story.sign_ins.iter().map(|sign_in| sign_in.credential.name()))
}

fn principals_of(performance: &Performance) -> String {
    listed(performance.story.sign_ins.iter().map(|sign_in| sign_in.principal.name.as_str()))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.dedup();
    names.join(", ")
}
