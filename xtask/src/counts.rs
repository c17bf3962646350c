//! How many tests a log tells of: cargo's and pytest's closing lines.

/// Tests of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    /// Adds up every closing line of a log.
    pub(crate) fn of(log: &str) -> Self {
        let mut counts = Self::default();
        for line in log.lines() {
            if let Some(result) = line.strip_prefix("test result: ok. ") {
                counts.add(result.split(';'));
            } else if line.starts_with("===") && line.contains(" in ") {
                counts.add(line.trim_matches('=').split(" in ").next().unwrap_or_default().split(','));
            }
        }
        counts
    }

    fn add<'a>(&mut self, parts: impl Iterator<Item = &'a str>) {
        for part in parts {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match what {
                "passed" => self.passed += number,
                "skipped" | "ignored" | "xfailed" => self.skipped += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn closing_lines_are_added_up() {
        let cargo = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        let pytest = "==== 353 passed, 2 skipped in 101.26s (0:01:41) ====\n==== short test summary info ====\n";
        assert_eq!(Counts::of(&format!("{cargo}{cargo}")), Counts { passed: 24, skipped: 2 });
        assert_eq!(Counts::of(pytest), Counts { passed: 353, skipped: 2 });
        assert_eq!(Counts::of("nothing"), Counts::default());
    }
}
