//! Signals, and what is left when a run ends.

use crate::support::{Entrada, has_text};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, signal).expect("sent");
}

/// Starts a script inside and waits for its first line.
fn started(entrada: &Entrada, script: &str) -> (Child, String) {
    let mut child = entrada
        .command(&["emulate", "--quiet", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut line = String::new();
    let out = child.stdout.take().expect("piped");
    BufReader::new(out).read_line(&mut line).expect("a line");
    (child, line)
}

#[test]
fn signals_are_passed_on_and_the_commands_answer_counts() {
    for (sent, name, code) in [(Signal::TERM, "TERM", 21), (Signal::INT, "INT", 22)] {
        let entrada = Entrada::new();
        let script = format!("trap 'exit {code}' {name}; echo ready; while :; do sleep 0.02; done");
        let (mut child, _) = started(&entrada, &script);
        signal(&child, sent);
        assert_eq!(child.wait().expect("ended").code(), Some(code));
        assert!(entrada.left().is_empty(), "{:?}", entrada.left());
    }
}

#[test]
fn a_command_without_a_trap_ends_by_the_signal() {
    let entrada = Entrada::new();
    let (mut child, _) = started(&entrada, "echo ready; exec sleep 60");
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().expect("ended").code(), Some(143));
}

#[test]
fn what_a_command_leaves_running_is_ended() {
    let entrada = Entrada::new();
    let (mut child, line) = started(&entrada, "sleep 60 & echo $!");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    let pid = Pid::from_raw(line.trim().parse().expect("a pid")).expect("a pid");
    // Without a parent it is for the system to collect, so it may be there a moment as a zombie.
    let gone = test_kill_process(pid).is_err()
        || std::fs::read_to_string(format!("/proc/{}/stat", line.trim())).map_or(true, |stat| stat.contains(") Z "));
    assert!(gone, "the process {pid:?} is still there");
}

#[test]
fn without_a_command_it_serves_until_stopped() {
    for (shell, first) in [("sh", "unset "), ("fish", "set -e "), ("powershell", "Remove-Item Env:")] {
        let entrada = Entrada::new();
        let path = entrada.folder.path().join("vars");
        let file = std::fs::File::create(&path).expect("a file");
        let mut child = entrada
            .command(&["emulate", "--quiet", "--shell", shell, "--host", "vm"])
            .stdout(file)
            .spawn()
            .expect("started");
        while !has_text(&path) {
            assert!(child.try_wait().expect("asked").is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        let text = std::fs::read_to_string(&path).expect("written");
        assert!(text.starts_with(first) && text.contains("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "{text}");
        if shell == "sh" {
            let url = "https://login.microsoftonline.com/common/discovery/keys";
            let script = format!(". {}; curl --silent --fail --max-time 20 {url}", path.display());
            let output = std::process::Command::new("sh").args(["-c", &script]).output().expect("ran");
            assert!(String::from_utf8_lossy(&output.stdout).contains("\"keys\""), "{output:?}");
        }
        signal(&child, Signal::INT);
        assert_eq!(child.wait().expect("ended").code(), Some(0));
        assert_eq!(entrada.left(), ["vars"]);
    }
}
