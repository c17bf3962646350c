//! Compares the tests that the documents name with the tests there are.

use crate::command::Failure;
use crate::project;

/// The page whose table says what verifies each way to sign in.
const PAGE: &str = "docs/signing-in.md";

/// Every test that the page names is there: `FILE::NAME` in its table.
pub(crate) fn check() -> Result<(), Failure> {
    let read = |name: &str| {
        std::fs::read_to_string(project::root().join(name))
            .map_err(|error| Failure::new(format!("cannot read {name}: {error}")))
    };
    let named = named(&read(PAGE)?);
    if named.is_empty() {
        return Err(Failure::new(format!("{PAGE} names no test")));
    }
    let problems: Vec<String> = named
        .into_iter()
        .filter_map(|(file, name)| match read(&file) {
            Err(failure) => Some(failure.message),
            Ok(text) if !has(&text, &name) => Some(format!("{PAGE} names `{file}::{name}`, which is not there")),
            Ok(_) => None,
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Failure::new(problems.join("\n"))) }
}

/// The tests of a page: file and name.
fn named(page: &str) -> Vec<(String, String)> {
    let quoted = page.split('`').skip(1).step_by(2);
    let tests = quoted.filter_map(|text| text.split_once("::").filter(|(file, _)| file.contains('/')));
    tests.map(|(file, name)| (file.to_owned(), name.to_owned())).collect()
}

/// Whether a file has a function of this name.
fn has(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.split_once("fn ").or_else(|| line.split_once("def ")).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with(['(', '<']))
    })
}

#[cfg(test)]
mod tests {
    use super::{has, named};

    #[test]
    fn tests_are_named_by_file_and_function() {
        let page = "| browser | `tests/real/test_a.py::test_it`, `crates/a/tests/b.rs::it_works` | `Error::new` |";
        let found = named(page);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], ("tests/real/test_a.py".into(), "test_it".into()));
    }

    #[test]
    fn a_function_is_there_under_its_whole_name() {
        assert!(has("async fn it_works() {", "it_works") && has("def test_it(run):", "test_it"));
        assert!(!has("fn it_works_too() {", "it_works") && !has("// it_works()", "it_works"));
    }
}
