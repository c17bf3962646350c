//! The table of hosts and faults in the documents, written from the cases that are played.

use std::fmt::Write as _;

use entrada_emulator::Host;
use libtest_mimic::Failed;

use super::case::{Case, Expect};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/managed-identity.md");
const BEGIN: &str = "<!-- Written from tests/cases/managed-identity; to write it anew: ENTRADA_BLESS=1 cargo test -p entrada --test protocol matrix -->\n";
const END: &str = "<!-- end -->";

/// Checks the page, or writes the table into it where `ENTRADA_BLESS` is set.
pub(crate) fn check(cases: &[(Case, Vec<Case>)]) -> Result<(), Failed> {
    let page = std::fs::read_to_string(PAGE)?;
    let (before, rest) = page.split_once(BEGIN).ok_or("the page has no place for the table")?;
    let (_, after) = rest.split_once(END).ok_or("the place for the table has no end")?;
    let wanted = format!("{before}{BEGIN}{}{END}{after}", table(cases));
    if page == wanted {
        return Ok(());
    }
    if std::env::var_os("ENTRADA_BLESS").is_some() {
        std::fs::write(PAGE, wanted)?;
        return Ok(());
    }
    Err("docs/managed-identity.md is out of date; write it anew with ENTRADA_BLESS=1".into())
}

fn table(cases: &[(Case, Vec<Case>)]) -> String {
    let hosts = Host::ALL.into_iter().filter(|host| host.has_managed_identity());
    let hosts: Vec<Host> = hosts.collect();
    let names: Vec<String> = hosts.iter().map(|host| host.name().replace('-', " ")).collect();
    let mut text = format!("\n| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(hosts.len()));
    for (case, each) in cases {
        let cells: Vec<String> = hosts
            .iter()
            .map(|host| each.iter().find(|one| one.host == *host).map_or_else(|| "–".into(), |one| cell(&one.expect)))
            .collect();
        let _ = writeln!(text, "| {} | {} |", case.about, cells.join(" | "));
    }
    text.push('\n');
    text
}

fn cell(expect: &Expect) -> String {
    match (&expect.token, &expect.error) {
        (Some(_), _) => "token".into(),
        (_, Some(error)) => match &error.condition {
            Some(condition) => condition.replace('_', " "),
            None => error.outcome.clone(),
        },
        _ => String::new(),
    }
}
