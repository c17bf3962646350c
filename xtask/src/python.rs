//! Python interpreters and virtual environments.

use crate::command::{Failure, Log, answer};
use crate::{debian, project};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Oldest version, as the wheel declares it.
const OLDEST: (u32, u32) = (3, 10);

/// A virtual environment.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Makes the environment `name` with exactly what the requirement files lock, unless it is there already.
    pub(crate) fn locked(log: &Log, name: &str, requirements: &[&Path]) -> Result<Self, Failure> {
        let python = interpreter()?;
        let environment = Self { folder: project::work().join("venv").join(name) };
        let mut wanted = python.description.clone();
        for file in requirements {
            let text = std::fs::read_to_string(file);
            wanted += &text.map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
        }
        let stamp = environment.folder.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
            log.note("installed already");
            return Ok(environment);
        }
        environment.create(log, &python)?;
        let mut pip = environment.pip(&["install", "--require-hashes", "--only-binary", ":all:"]);
        for file in requirements {
            pip.arg("--requirement").arg(file);
        }
        log.run(&mut pip)?;
        std::fs::write(&stamp, wanted)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", stamp.display())))?;
        Ok(environment)
    }

    /// Installs a wheel in place of another build of the same package; what it needs is locked already.
    pub(crate) fn install(&self, log: &Log, wheel: &Path) -> Result<(), Failure> {
        log.run(self.pip(&["install", "--no-deps", "--no-index", "--force-reinstall"]).arg(wheel))
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let (folder, ending) = if cfg!(windows) { ("Scripts", ".exe") } else { ("bin", "") };
        self.folder.join(folder).join(format!("{name}{ending}"))
    }

    /// A command that runs the environment's interpreter.
    pub(crate) fn python(&self) -> Command {
        Command::new(self.program("python"))
    }

    fn pip(&self, arguments: &[&str]) -> Command {
        let mut command = self.python();
        command.args(["-m", "pip", "--disable-pip-version-check", "--quiet"]).args(arguments);
        command
    }

    fn create(&self, log: &Log, python: &Interpreter) -> Result<(), Failure> {
        if answer(Command::new(&python.program).args(["-c", "import ensurepip, venv"])).is_none() {
            debian::install(log, &["python3-venv"], "this Python cannot make virtual environments")?;
        }
        log.run(Command::new(&python.program).args(["-m", "venv", "--clear"]).arg(&self.folder))
    }
}

struct Interpreter {
    program: String,
    description: String,
}

/// The interpreter in `PYTHON`, or `python3`, or `python`.
fn interpreter() -> Result<Interpreter, Failure> {
    let chosen = std::env::var("PYTHON").ok().filter(|name| !name.is_empty());
    let names = chosen.map_or_else(|| vec!["python3".to_owned(), "python".to_owned()], |name| vec![name]);
    let script = "import sys; print(*sys.version_info[:2]); print(sys.version, sys.executable)";
    let mut found = Vec::new();
    for program in names {
        let Some(text) = answer(Command::new(&program).args(["-c", script])) else { continue };
        let (version, description) = text.split_once('\n').unwrap_or((&text, ""));
        let mut numbers = version.split(' ').filter_map(|number| number.parse::<u32>().ok());
        if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST {
            return Ok(Interpreter { program, description: description.to_owned() + "\n" });
        }
        found.push(format!("{program} is {}", version.replace(' ', ".")));
    }
    let found = if found.is_empty() { "none was found".to_owned() } else { found.join(", ") };
    Err(Failure::new(format!(
        "Python {}.{} or newer is needed, and {found}; install it, or name it in the variable PYTHON",
        OLDEST.0, OLDEST.1
    )))
}
