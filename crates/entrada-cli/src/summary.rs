//! What a run tells on standard error: refused names at once, and a short account at the end.

use crate::emulate::say;
use entrada_emulator::journal::NOBODY_THERE;
use entrada_emulator::{Exchange, Service};
use std::collections::{BTreeMap, BTreeSet};

/// How many kinds of refusal are told of one by one.
const SHOWN: usize = 12;

/// Counts of a run.
#[derive(Default)]
pub(crate) struct Summary {
    exchanges: usize,
    by_service: BTreeMap<&'static str, usize>,
    refused: BTreeMap<String, usize>,
    told: BTreeSet<String>,
}

impl Summary {
    /// A line about an exchange that a user should know of at once, the first time it happens.
    pub(crate) fn news(&mut self, exchange: &Exchange) -> Option<String> {
        if exchange.note.as_deref() == Some(NOBODY_THERE) {
            let line = format!("entrada: {}: {NOBODY_THERE}", exchange.host);
            return self.told.insert(line.clone()).then_some(line);
        }
        if exchange.service != Service::Gateway || exchange.host.starts_with("169.254.") {
            return None;
        }
        let reason = exchange.note.as_deref().unwrap_or("refused");
        let line = format!("entrada: refused {}: {reason}", exchange.host);
        self.told.insert(line.clone()).then_some(line)
    }

    pub(crate) fn add(&mut self, exchange: &Exchange) {
        self.exchanges += 1;
        *self.by_service.entry(exchange.service.name()).or_default() += 1;
        if exchange.refused() {
            *self.refused.entry(refusal(exchange)).or_default() += 1;
        }
    }

    pub(crate) fn print(&self) {
        for line in self.lines() {
            say(&line);
        }
    }

    fn lines(&self) -> Vec<String> {
        let services: Vec<_> = self.by_service.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let refused: usize = self.refused.values().sum();
        let mut first =
            format!("entrada: {} {}", self.exchanges, if self.exchanges == 1 { "exchange" } else { "exchanges" });
        if !services.is_empty() {
            first.push_str(&format!(" ({})", services.join(", ")));
        }
        if refused > 0 {
            first.push_str(&format!(", {refused} refused"));
        }
        let mut lines = vec![first];
        for (what, count) in self.refused.iter().take(SHOWN) {
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            lines.push(format!("entrada:   {what}{times}"));
        }
        if self.refused.len() > SHOWN {
            lines.push(format!("entrada:   and {} more kinds; see --journal", self.refused.len() - SHOWN));
        }
        lines
    }
}

fn refusal(exchange: &Exchange) -> String {
    let status = if exchange.status == 0 { "closed".to_owned() } else { exchange.status.to_string() };
    let who = exchange.principal.as_ref().map(|principal| format!(" as {}", principal.name)).unwrap_or_default();
    let note = exchange.note.as_deref().unwrap_or("no reason given");
    format!("{status} {} {}{}{who}: {note}", exchange.method, exchange.host, exchange.path)
}
