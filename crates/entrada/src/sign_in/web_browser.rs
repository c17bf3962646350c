//! Opening a page in the browser of the person at this machine.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use futures::future::BoxFuture;
use url::Url;

use crate::developer_tools::Command;
use crate::error::Error;
use crate::platform::{Platform, ProcessRequest};

/// A program that gives up so soon has not opened anything; one that ends later was closed by the person.
const SOON: Duration = Duration::from_secs(10);
/// Where Windows keeps its shell, as Linux inside it sees it.
const POWERSHELL: &str = "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe";

/// The kinds of systems that open pages in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Linux,
    MacOs,
    Windows,
}

impl System {
    fn this() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// A page that is being opened, by one program after the other until one does.
pub(super) struct Opening {
    candidates: VecDeque<ProcessRequest>,
    running: Option<Running>,
    failures: Vec<String>,
}

struct Running {
    program: String,
    since: Duration,
    /// Its exit code; `None` once nobody cares any more.
    exit: Option<BoxFuture<'static, Option<i32>>>,
}

impl Opening {
    /// Looks for the programs that can open a page here. `BROWSER` names them, as elsewhere: commands with the path
    /// separator between them, in which `%s` is the address. Otherwise it is what the system has.
    pub(super) fn new(platform: &Platform, url: &Url) -> Result<Self, Error> {
        candidates(System::this(), platform, url).map(|candidates| Self {
            candidates: candidates.into(),
            running: None,
            failures: Vec::new(),
        })
    }

    /// Opens the page; returns only when nothing could. The browser is the person's own: it is never waited for, and never
    /// ended.
    pub(super) async fn failed(&mut self, platform: &Platform) -> Error {
        let clock = platform.clock();
        loop {
            match &mut self.running {
                Some(Running { program, since, exit: Some(exit) }) => {
                    let code = exit.await;
                    if code == Some(0) || clock.elapsed().saturating_sub(*since) > SOON {
                        self.running = Some(Running { program: std::mem::take(program), since: *since, exit: None });
                    } else {
                        let how = code.map_or("was ended by a signal".into(), |code| format!("ended with code {code}"));
                        self.failures.push(format!("{program} {how}"));
                        self.running = None;
                    }
                }
                Some(Running { exit: None, .. }) => std::future::pending().await,
                None => {
                    let Some(request) = self.candidates.pop_front() else {
                        return no_browser(&format!(
                            "none of the programs here opened it: {}",
                            self.failures.join("; ")
                        ));
                    };
                    let program = request.program.display().to_string();
                    match platform.processes().launch(&request) {
                        Ok(exit) => {
                            tracing::debug!(program, "opening the sign-in page");
                            self.running = Some(Running { program, since: clock.elapsed(), exit: Some(exit) });
                        }
                        Err(error) => self.failures.push(format!("{program} {error}")),
                    }
                }
            }
        }
    }
}

fn candidates(system: System, platform: &Platform, url: &Url) -> Result<Vec<ProcessRequest>, Error> {
    let environment = platform.environment();
    if let Some(browser) = environment.var("BROWSER") {
        let separator = if system == System::Windows { ';' } else { ':' };
        let chosen: Vec<_> =
            browser.split(separator).filter_map(|command| chosen(system, platform, command, url)).collect();
        if chosen.is_empty() {
            return Err(no_browser(&format!("BROWSER is \"{browser}\", in which there is no program to be found")));
        }
        return Ok(chosen);
    }
    let over_ssh = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| environment.var(name).is_some());
    let found: Vec<_> = match system {
        System::MacOs | System::Windows if over_ssh => return Err(no_browser("this is an SSH session")),
        System::MacOs => found(platform, &["/usr/bin/open"], url).into_iter().collect(),
        System::Windows => {
            let root = environment.var("SYSTEMROOT").unwrap_or_else(|| "C:\\Windows".into());
            let program = Path::new(&root).join("System32\\rundll32.exe");
            vec![request(program, vec!["url.dll,FileProtocolHandler".into(), url.as_str().into()])]
        }
        System::Linux => {
            let in_windows = ["WSL_DISTRO_NAME", "WSL_INTEROP"].iter().any(|name| environment.var(name).is_some());
            let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| environment.var(name).is_some());
            let mut all = Vec::new();
            if in_windows {
                all.extend(found(platform, &["wslview"], url));
                all.extend(by_powershell(platform, url));
            }
            if has_display {
                all.extend(found(platform, &["xdg-open"], url));
                all.extend(found(platform, &["x-www-browser"], url));
            }
            match (in_windows || has_display, over_ssh) {
                (true, _) => all,
                (false, true) => return Err(no_browser("this is an SSH session without a display")),
                (false, false) => {
                    return Err(no_browser("this machine has no display: neither DISPLAY nor WAYLAND_DISPLAY is set"));
                }
            }
        }
    };
    if found.is_empty() {
        return Err(no_browser("neither xdg-open nor any other program that opens pages is on PATH"));
    }
    Ok(found)
}

/// A command of `BROWSER`, if its program is there.
fn chosen(system: System, platform: &Platform, command: &str, url: &Url) -> Option<ProcessRequest> {
    let command = command.trim();
    let words: Vec<String> = match system {
        // Backslashes are no escapes there; and a path with spaces is the whole command.
        System::Windows if !command.contains("%s") => vec![command.to_owned()],
        System::Windows => command.split_whitespace().map(str::to_owned).collect(),
        _ => shlex::split(command)?,
    };
    // An ampersand means "in the background" to Python, which reads the variable too; here it always is.
    let words: Vec<_> = words.into_iter().filter(|word| word != "&").collect();
    let (program, arguments) = words.split_first()?;
    let program = Command::new([program.as_str()]).ok()?.find(platform).ok()?;
    let mut arguments: Vec<OsString> =
        arguments.iter().map(|argument| argument.replace("%s", url.as_str()).into()).collect();
    if !command.contains("%s") {
        arguments.push(url.as_str().into());
    }
    Some(request(program, arguments))
}

fn found(platform: &Platform, command: &[&str], url: &Url) -> Option<ProcessRequest> {
    let program = Command::new(command.iter().copied()).ok()?.find(platform).ok()?;
    Some(request(program, vec![url.as_str().into()]))
}

/// The browser of Windows, from Linux inside it.
fn by_powershell(platform: &Platform, url: &Url) -> Option<ProcessRequest> {
    // Between single quotes nothing has a meaning but a single quote, which stands in no URL that was encoded.
    if url.as_str().contains('\'') {
        return None;
    }
    let find = |name: &str| Command::new([name]).ok()?.find(platform).ok();
    let program = find("powershell.exe").or_else(|| find(POWERSHELL))?;
    let start = format!("Start-Process '{url}'");
    Some(request(program, ["-NoProfile", "-NonInteractive", "-Command", &start].map(OsString::from).into()))
}

fn request(program: impl Into<std::path::PathBuf>, arguments: Vec<OsString>) -> ProcessRequest {
    ProcessRequest { program: program.into(), arguments, variables: Vec::new(), timeout: Duration::ZERO }
}

fn no_browser(why: &str) -> Error {
    Error::unavailable(format!("no web browser can be opened: {why}")).next(
        "use DeviceCodeCredential, which needs no browser on this machine; or name in BROWSER the command that opens a page",
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::error::Outcome;
    use crate::platform::scripted::Scripted;

    const PAGE: &str = "https://login.microsoftonline.com/t/oauth2/v2.0/authorize?client_id=c&state=s";

    fn look(system: System, variables: &[(&str, &str)], programs: &[&str]) -> Result<Vec<String>, Error> {
        let machine = Scripted::new(variables);
        for program in programs {
            machine.files.put(program, "#!");
        }
        let found = candidates(system, &machine.platform, &PAGE.parse().expect("a URL"))?;
        Ok(found
            .into_iter()
            .map(|request| {
                let arguments: Vec<_> = request.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
                format!("{} {}", request.program.display(), arguments.join(" ")).replace(PAGE, "PAGE")
            })
            .collect())
    }

    #[test]
    fn the_persons_choice_comes_first() {
        let programs = ["/usr/bin/firefox", "/opt/a b/browse", "/usr/bin/xdg-open", "evil", "./evil"];
        for (browser, expected) in [
            ("firefox", vec!["/usr/bin/firefox PAGE"]),
            ("/opt/a b/browse", vec![]),
            ("'/opt/a b/browse' --new", vec!["/opt/a b/browse --new PAGE"]),
            ("missing:firefox -P 'my own' %s &", vec!["/usr/bin/firefox -P my own PAGE"]),
            ("firefox --url=%s:firefox", vec!["/usr/bin/firefox --url=PAGE", "/usr/bin/firefox PAGE"]),
            ("./evil:evil:'unclosed", vec![]),
        ] {
            let variables = [("BROWSER", browser), ("PATH", ".:/usr/bin"), ("DISPLAY", ":0")];
            match look(System::Linux, &variables, &programs) {
                Ok(found) => assert_eq!(found, expected, "{browser}"),
                Err(error) => {
                    assert!(expected.is_empty(), "{browser}: {error}");
                    assert!(error.to_string().contains("in which there is no program"), "{error}");
                }
            }
        }
    }

    #[test]
    fn each_system_has_its_own_way() {
        let path = ("PATH", "/usr/bin:/usr/local/bin");
        let linux = ["/usr/bin/xdg-open", "/usr/bin/x-www-browser"];
        assert_eq!(
            look(System::Linux, &[path, ("WAYLAND_DISPLAY", "wayland-0")], &linux).expect("a browser"),
            ["/usr/bin/xdg-open PAGE", "/usr/bin/x-www-browser PAGE"]
        );
        let windows_inside = [path, ("WSL_DISTRO_NAME", "Debian")];
        assert_eq!(
            look(System::Linux, &windows_inside, &["/usr/bin/wslview", POWERSHELL]).expect("a browser"),
            [
                "/usr/bin/wslview PAGE".to_owned(),
                format!("{POWERSHELL} -NoProfile -NonInteractive -Command Start-Process 'PAGE'"),
            ]
        );
        assert_eq!(look(System::MacOs, &[], &["/usr/bin/open"]).expect("a browser"), ["/usr/bin/open PAGE"]);
        let windows = look(System::Windows, &[("SYSTEMROOT", "D:\\Windows")], &[]).expect("a browser");
        assert!(windows[0].ends_with("rundll32.exe url.dll,FileProtocolHandler PAGE"), "{windows:?}");
    }

    #[test]
    fn where_there_is_none_the_error_says_how_to_go_on() {
        let path = ("PATH", "/usr/bin");
        for (system, variables, words) in [
            (System::Linux, vec![path], "neither DISPLAY nor WAYLAND_DISPLAY"),
            (System::Linux, vec![path, ("SSH_CONNECTION", "1 2")], "an SSH session without a display"),
            (System::MacOs, vec![path, ("SSH_TTY", "/dev/pts/0")], "an SSH session"),
            (System::Windows, vec![path, ("SSH_CLIENT", "1")], "an SSH session"),
            (System::Linux, vec![path, ("DISPLAY", ":0")], "is on PATH"),
            (System::Linux, vec![path, ("BROWSER", "nothing")], "BROWSER is \"nothing\""),
        ] {
            let error = look(system, &variables, &[]).expect_err(words);
            assert_eq!(error.outcome(), Outcome::Unavailable);
            assert!(error.to_string().contains(words), "{words}: {error}");
            assert!(error.remedy().is_some_and(|next| next.contains("DeviceCodeCredential")), "{error}");
        }
    }

    #[tokio::test]
    async fn the_next_program_opens_what_the_first_one_did_not() {
        let machine = Scripted::new(&[("BROWSER", "/a:/b:/c")]);
        for program in ["/a", "/b", "/c"] {
            machine.files.put(program, "#!");
        }
        machine.processes.when_launched(|request| request.program.ends_with("a").then_some(3));
        let mut opening = Opening::new(&machine.platform, &PAGE.parse().expect("a URL")).expect("browsers");
        let opened = futures::FutureExt::now_or_never(opening.failed(&machine.platform));
        assert!(opened.is_none(), "the second one shows it");
        let started: Vec<_> = machine.processes.started().into_iter().map(|request| request.program).collect();
        assert_eq!(started, [Path::new("/a"), Path::new("/b")]);
    }

    #[tokio::test]
    async fn when_none_opens_it_all_are_named() {
        let machine = Scripted::new(&[("BROWSER", "/a:/b")]);
        for program in ["/a", "/b"] {
            machine.files.put(program, "#!");
        }
        machine.processes.when_launched(|_| Some(4));
        let mut opening = Opening::new(&machine.platform, &PAGE.parse().expect("a URL")).expect("browsers");
        let error = opening.failed(&machine.platform).await.to_string();
        assert!(error.contains("/a ended with code 4; /b ended with code 4"), "{error}");
        // One that ends well has handed the page on to a browser that runs already.
        machine.processes.when_launched(|_| Some(0));
        let mut opening = Opening::new(&machine.platform, &PAGE.parse().expect("a URL")).expect("browsers");
        assert!(futures::FutureExt::now_or_never(opening.failed(&machine.platform)).is_none());
    }
}
