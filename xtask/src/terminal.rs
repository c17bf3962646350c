//! What the commands print: colours where they are wanted, lines that fit.
//!
//! Colour is written always and taken out by `anstream` where standard output is not a terminal or `NO_COLOR` is set.

use anstyle::{AnsiColor, Style};
use std::fmt;
use std::io::IsTerminal;
use std::time::Duration;

const WIDTH_WITHOUT_TERMINAL: usize = 110;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CAUTION: Style = AnsiColor::Yellow.on_default();
pub(crate) const TITLE: Style = Style::new().bold();
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) struct Painted<T>(Style, T);

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, text) = self;
        write!(f, "{style}{text}{style:#}")
    }
}

pub(crate) fn paint<T: fmt::Display>(style: Style, text: T) -> Painted<T> {
    Painted(style, text)
}

/// Columns to write in.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(WIDTH_WITHOUT_TERMINAL, |(width, _)| usize::from(width.0)).max(60)
}

/// Whether a line may be written over by the next.
pub(crate) fn is_live() -> bool {
    std::io::stdout().is_terminal()
}

/// Where to break a word that is longer than a line: behind a slash or a semicolon, if there is one late enough.
fn break_at(word: &[char], columns: usize) -> usize {
    let mark = word[..columns].iter().rposition(|c| matches!(c, '/' | ';')).map_or(0, |at| at + 1);
    if mark > columns / 2 { mark } else { columns }
}

/// Breaks text into lines of at most `columns`, at spaces where it can.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_inclusive(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        let visible = rest.iter().filter(|c| **c != ' ').count();
        if length > 0 && length + visible > columns {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            length = 0;
        }
        while rest.len() > columns + 1 {
            let tail = rest.split_off(break_at(&rest, columns));
            lines.push(rest.into_iter().collect());
            rest = tail;
        }
        length += rest.len();
        line.extend(rest);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Cuts text to `columns`, with an ellipsis where something is missing.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// A duration in the unit a person would use.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::{cut, duration, wrap};
    use std::time::Duration;

    #[test]
    fn lines_fit_and_lose_nothing() {
        let text = "the secret is not readable: role Key Vault Secrets User is missing";
        let lines = wrap(text, 20);
        assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert_eq!(wrap("", 20), [""]);
        assert_eq!(wrap(&"x".repeat(45), 20).concat(), "x".repeat(45));
        assert_eq!(wrap("/subscriptions/5b/resourceGroups", 20), ["/subscriptions/5b/", "resourceGroups"]);
    }

    #[test]
    fn what_is_cut_shows_it() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(Duration::from_millis(12)), "12 ms");
        assert_eq!(duration(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(duration(Duration::from_secs(61)), "1 min 01 s");
    }
}
