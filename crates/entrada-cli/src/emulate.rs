//! `entrada emulate`: a small Azure on loopback, and a program inside it.

use crate::browse;
use crate::exports::{self, Shell};
use crate::program::{self, Ended};
use crate::summary::Summary;
use clap::{Args, ValueEnum};
use entrada_emulator::{Config, Emulator, Exchange, Host, StartError};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::sync::mpsc::UnboundedReceiver;

/// Start a small Azure on this machine and run a command inside it.
///
/// Entra, managed identity, Key Vault, Resource Manager and Blob answer under their public names
/// (login.microsoftonline.com, *.vault.azure.net, …), so that a program needs no change and no option to
/// use them. Every other name is refused: nothing leaves this machine. The command's exit status is returned.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Description of the world, TOML; it adds to the built-in one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where the command believes it runs.
    #[arg(long, value_enum, default_value_t = Where::Laptop)]
    host: Where,

    /// Sign this user in wherever somebody is asked to, without a page: in the browser that the command opens, and with
    /// the code of a device. Without it, pages are shown, and BROWSER is as it was.
    #[arg(long, value_name = "USER")]
    sign_in_as: Option<String>,

    /// Write every exchange as a line of JSON to FILE, or to standard output for `-`.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Shell to write the variables for, when no command is given.
    #[arg(long, value_enum, default_value_t = Shell::Sh)]
    shell: Shell,

    /// Print the world as TOML and end: the built-in one, or that of --config.
    #[arg(long, conflicts_with = "command")]
    print_config: bool,

    /// Say nothing but errors.
    #[arg(long, short)]
    quiet: bool,

    /// The command and its arguments; without one, serve until stopped and print the variables to set.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The places a command can believe it runs in.
#[derive(Clone, Copy, ValueEnum)]
enum Where {
    /// A developer's machine: no managed identity.
    Laptop,
    /// The web app `orders-web`: IDENTITY_ENDPOINT and WEBSITE_HOSTNAME are set.
    AppService,
    /// The same as it was in 2017: MSI_ENDPOINT and MSI_SECRET.
    AppServiceLegacy,
    /// The container app `orders-api`.
    ContainerApp,
    /// The application `orders-fabric` on a Service Fabric managed cluster.
    ServiceFabric,
    /// The machine `orders-arc`; needs write access to /var/opt/azcmagent/tokens.
    AzureArc,
    /// The compute `orders-ml` of a Machine Learning workspace.
    AzureMl,
    /// The Cloud Shell of ada@contoso.onmicrosoft.com.
    CloudShell,
    /// The virtual machine `build-vm`, or `vm` for short: the metadata service answers on 169.254.169.254.
    #[value(alias = "vm")]
    VirtualMachine,
    /// The container group `orders-group`: as a virtual machine, after two seconds.
    ContainerInstance,
    /// A pod on the cluster `orders-aks`, with workload identity.
    Kubernetes,
    /// The same with an identity binding: tokens come through a proxy of the cluster.
    KubernetesIdentityBinding,
    /// A job of GitHub Actions in contoso/orders: tokens that speak of the job, and no managed identity.
    #[value(name = "github-actions")]
    GitHubActions,
    /// A job of Azure Pipelines with the service connection `azure-orders`, and no managed identity.
    AzurePipelines,
}

const EXAMPLES: &str = "\
Examples:
  A program that signs in as an app (these fakes are part of the built-in world):
    export AZURE_TENANT_ID=7e000000-0000-4000-8000-000000000001
    export AZURE_CLIENT_ID=c1000000-0000-4000-8000-000000000001
    export AZURE_CLIENT_SECRET='orders-ci~fake.secret'
    entrada emulate -- python app.py

  The same program with the identity of a web app, of a virtual machine, or of a pod:
    entrada emulate --host app-service -- python app.py
    entrada emulate --host vm -- python app.py
    entrada emulate --host kubernetes -- python app.py

  As a job of a pipeline, or with a certificate in place of a secret:
    entrada emulate --host github-actions -- python app.py
    entrada emulate -- sh -c 'AZURE_CLIENT_CERTIFICATE_PATH=$ENTRADA_EMULATOR_CERTIFICATE python app.py'

  A program that signs a person in, with the browser or a device code, where no person is:
    entrada emulate --sign-in-as ada@contoso.onmicrosoft.com -- python app.py

  A look at every exchange:
    entrada emulate --journal - --quiet -- python app.py

  A shell inside; or the variables for a shell you have, while it serves in another one:
    entrada emulate -- bash
    entrada emulate > vars.sh        # there
    . ./vars.sh                      # here

  A world of your own, beginning with the built-in one:
    entrada emulate --print-config > world.toml
    entrada emulate --config world.toml -- python app.py

The built-in world: tenant contoso.onmicrosoft.com, vault https://contoso-vault.vault.azure.net with the secret
database-password, storage account https://contosostore.blob.core.windows.net with the container orders.

The command finds the emulator's control endpoint in ENTRADA_EMULATOR_URL and its key in ENTRADA_EMULATOR_KEY, and in
ENTRADA_EMULATOR_BROWSER the browser without a person that --sign-in-as puts into BROWSER.
A certificate that signs the app orders-ci in is in the file ENTRADA_EMULATOR_CERTIFICATE, key included; with the key
encrypted in ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED, as PKCS#12 in ENTRADA_EMULATOR_CERTIFICATE_PFX, both under the
password ENTRADA_EMULATOR_CERTIFICATE_PASSWORD.

Exit status: that of the command, or 128 and the number of the signal that ended it; 127 when it was not found,
126 when it could not be started, 2 for wrong arguments or a configuration that is not valid.";

impl From<Where> for Host {
    fn from(place: Where) -> Self {
        match place {
            Where::Laptop => Host::Laptop,
            Where::AppService => Host::AppService,
            Where::AppServiceLegacy => Host::AppServiceLegacy,
            Where::ContainerApp => Host::ContainerApp,
            Where::ServiceFabric => Host::ServiceFabric,
            Where::AzureArc => Host::AzureArc,
            Where::AzureMl => Host::AzureMl,
            Where::CloudShell => Host::CloudShell,
            Where::VirtualMachine => Host::VirtualMachine,
            Where::ContainerInstance => Host::ContainerInstance,
            Where::Kubernetes => Host::Kubernetes,
            Where::KubernetesIdentityBinding => Host::KubernetesIdentityBinding,
            Where::GitHubActions => Host::GitHubActions,
            Where::AzurePipelines => Host::AzurePipelines,
        }
    }
}

/// Prints a line to standard error; when nobody reads it any more there is nobody to tell.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let config = match &arguments.config {
        None => Ok(Config::default()),
        Some(path) => Config::load(path),
    };
    let mut config = match config {
        Ok(config) => config,
        Err(error) => return fail(2, &error.to_string()),
    };
    if let Some(user) = &arguments.sign_in_as {
        config.sign_in_as = Some(user.clone());
    }
    if arguments.print_config {
        return match config.to_toml() {
            // A reader that stops reading has what it wants.
            Ok(text) => {
                let _ = io::stdout().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Err(error) => fail(1, &error.to_string()),
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("cannot start: {error}")),
    };
    let code = runtime.block_on(emulate(arguments, config));
    // The key of a short run may still be in the making; it is not waited for.
    runtime.shutdown_background();
    code
}

pub(crate) fn fail(code: u8, message: &str) -> ExitCode {
    say(&format!("entrada: {message}"));
    ExitCode::from(code)
}

async fn emulate(arguments: Arguments, config: Config) -> ExitCode {
    // The program is looked for first: a name that is not there is no reason to start anything.
    let program = match arguments.command.first().map(|name| program::find(name)).transpose() {
        Ok(program) => program,
        Err(error) => return fail(error.code, &error.message),
    };
    let output = match journal_output(&arguments) {
        Ok(output) => output,
        Err(message) => return fail(2, &message),
    };
    let has_robot = config.sign_in_as.is_some();
    let emulator = match Emulator::start(config).await {
        Ok(emulator) => emulator,
        // The world has been checked, but for what the arguments add to it.
        Err(error @ StartError::Config(_)) => return fail(2, &error.to_string()),
        Err(error) => return fail(1, &error.to_string()),
    };
    let host = Host::from(arguments.host);
    if let Err(error) = emulator.prepare(host).await {
        return fail(1, &error.to_string());
    }
    let environment = match environment(&emulator, host, has_robot) {
        Ok(environment) => environment,
        Err(error) => return fail(1, &format!("cannot write to a temporary folder: {error}")),
    };
    let exchanges = emulator.journal().follow();
    let recorder = tokio::spawn(record(exchanges, output, arguments.quiet));
    let ended = match program {
        Some(program) => {
            program::run(&program, &arguments.command[1..], &environment, emulator.cleared_environment()).await
        }
        None => serve(&emulator, &environment, arguments.shell, arguments.quiet).await,
    };
    emulator.shutdown().await;
    if let Ok(summary) = recorder.await
        && !arguments.quiet
    {
        summary.print();
    }
    match ended {
        Ok(Ended { code }) => ExitCode::from(code),
        Err(error) => fail(error.code, &error.message),
    }
}

/// The variables of the command. With a user to sign in there is nobody at a browser, and `BROWSER` names what does
/// without. A user may be named later, at the control endpoint: the program is there, under another name.
fn environment(emulator: &Emulator, host: Host, has_robot: bool) -> io::Result<Vec<(String, String)>> {
    let mut environment = emulator.environment(host);
    let authority = emulator.authority_file();
    let folder = authority.parent().unwrap_or(&authority);
    let browser = browse::write(folder, &emulator.gateway_url_of(host), &authority)?;
    let browser = browser.to_string_lossy().into_owned();
    // Those that tell that the variables are complete stay last.
    if has_robot {
        environment.insert(0, ("BROWSER".to_owned(), browser.clone()));
    }
    environment.insert(0, ("ENTRADA_EMULATOR_BROWSER".to_owned(), browser));
    Ok(environment)
}

/// Serves without a command, until SIGINT or SIGTERM.
async fn serve(
    emulator: &Emulator,
    environment: &[(String, String)],
    shell: Shell,
    quiet: bool,
) -> Result<Ended, program::Failure> {
    let mut lines = String::new();
    for name in emulator.cleared_environment() {
        lines.push_str(&exports::unset(shell, name));
        lines.push('\n');
    }
    for (name, value) in environment {
        lines.push_str(&exports::set(shell, name, value));
        lines.push('\n');
    }
    let mut out = io::stdout().lock();
    let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    drop(out);
    if !quiet {
        say("entrada: serving; set these variables where the program runs, and stop with Ctrl-C");
    }
    program::stop_requested().await;
    Ok(Ended { code: 0 })
}

fn journal_output(arguments: &Arguments) -> Result<Option<Box<dyn Write + Send>>, String> {
    let Some(path) = &arguments.journal else { return Ok(None) };
    if path.as_os_str() == "-" {
        return Ok(Some(Box::new(io::stdout())));
    }
    match std::fs::File::create(path) {
        Ok(file) => Ok(Some(Box::new(io::LineWriter::new(file)))),
        Err(error) => Err(format!("cannot write the journal {}: {error}", path.display())),
    }
}

/// Writes exchanges as they come, tells of refused names at once, and counts.
async fn record(
    mut exchanges: UnboundedReceiver<Exchange>,
    mut output: Option<Box<dyn Write + Send>>,
    quiet: bool,
) -> Summary {
    let mut summary = Summary::default();
    while let Some(exchange) = exchanges.recv().await {
        if let (Some(out), Ok(line)) = (&mut output, serde_json::to_string(&exchange))
            && writeln!(out, "{line}").and_then(|()| out.flush()).is_err()
        {
            say("entrada: the journal cannot be written any more");
            output = None;
        }
        // Clients that cannot reach a host try again for a minute: without a word here that looks like a hang.
        if !quiet && let Some(line) = summary.news(&exchange) {
            say(&line);
        }
        summary.add(&exchange);
    }
    summary
}
