//! Everything a credential may touch on the machine, as one injectable value.
//!
//! Nothing else in the crate reads an environment variable, opens a file, starts a process, asks for the time or sends
//! a request.

mod azure_transport;
mod clock;
mod environment;
mod files;
mod http;
mod http_client;
mod loopback;
mod memory;
mod pinned;
mod processes;
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code, reason = "only tests look at all that was asked"))]
pub(crate) mod scripted;
mod shared_memory;
mod tls;

use std::fmt;
use std::sync::{Arc, OnceLock};

pub(crate) use azure_transport::configured as http_from;
pub use azure_transport::transport;
pub use clock::{Clock, SystemClock};
pub use environment::{Environment, SystemEnvironment};
pub use files::{FileError, FileStamp, Files, SystemFiles};
pub use http::{Http, HttpError, HttpRequest, HttpResponse, Method, Route, Trust};
pub use http_client::HttpClient;
pub use loopback::{Loopback, LoopbackError, LoopbackHost, LoopbackListener, LoopbackStream, SystemLoopback};
use memory::Memory;
pub use processes::{ProcessError, ProcessOutput, ProcessRequest, Processes, SystemProcesses};
pub(crate) use shared_memory::{SharedFile, SharedMemory, Unshareable};

/// The machine as credentials see it. Cheap to clone; clones share everything.
///
/// [`Platform::system`] is what every credential uses unless it is given another one.
#[derive(Clone)]
pub struct Platform {
    environment: Arc<dyn Environment>,
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
    processes: Arc<dyn Processes>,
    http: Arc<dyn Http>,
    loopback: Arc<dyn Loopback>,
    memory: Arc<Memory>,
    shared_memory: SharedMemory,
}

impl Platform {
    /// The machine itself: one value for the whole process, with one HTTP client that all credentials share.
    pub fn system() -> Self {
        static SYSTEM: OnceLock<Platform> = OnceLock::new();
        SYSTEM
            .get_or_init(|| Self::with_environment(Arc::new(SystemEnvironment)).with_http(HttpClient::system()))
            .clone()
    }

    /// The machine, but with these environment variables instead of the process's. The HTTP client takes its proxy and
    /// its certificates from them too.
    ///
    /// ```
    /// use std::{collections::HashMap, sync::Arc};
    /// use entrada::platform::Platform;
    ///
    /// let variables = HashMap::from([("AZURE_TENANT_ID".to_owned(), "contoso.onmicrosoft.com".to_owned())]);
    /// let platform = Platform::with_environment(Arc::new(variables));
    /// assert_eq!(platform.environment().var("AZURE_TENANT_ID").as_deref(), Some("contoso.onmicrosoft.com"));
    /// ```
    pub fn with_environment(environment: Arc<dyn Environment>) -> Self {
        Self {
            http: Arc::new(HttpClient::new(Arc::clone(&environment))),
            environment,
            files: Arc::new(SystemFiles),
            clock: Arc::new(SystemClock),
            processes: Arc::new(SystemProcesses),
            loopback: Arc::new(SystemLoopback),
            memory: Arc::default(),
            shared_memory: SharedMemory::default(),
        }
    }

    /// The same machine with another HTTP client.
    #[must_use]
    pub fn with_http(mut self, http: Arc<dyn Http>) -> Self {
        self.http = http;
        self
    }

    /// The same machine with other files.
    #[must_use]
    pub fn with_files(mut self, files: Arc<dyn Files>) -> Self {
        self.files = files;
        self
    }

    /// The same machine with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same machine with another way to start programs.
    #[must_use]
    pub fn with_processes(mut self, processes: Arc<dyn Processes>) -> Self {
        self.processes = processes;
        self
    }

    /// The same machine with another way to listen on loopback.
    #[must_use]
    pub fn with_loopback(mut self, loopback: Arc<dyn Loopback>) -> Self {
        self.loopback = loopback;
        self
    }

    /// The same machine with what processes share in a folder of a test's own.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn with_shared_memory(mut self, shared_memory: SharedMemory) -> Self {
        self.shared_memory = shared_memory;
        self
    }

    /// What the processes of this user share.
    pub(crate) fn shared_memory(&self) -> &SharedMemory {
        &self.shared_memory
    }

    /// The environment variables.
    pub fn environment(&self) -> &dyn Environment {
        &*self.environment
    }

    /// The files.
    pub fn files(&self) -> &dyn Files {
        &*self.files
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The way to start programs.
    pub fn processes(&self) -> &dyn Processes {
        &*self.processes
    }

    /// The loopback interface.
    pub fn loopback(&self) -> &dyn Loopback {
        &*self.loopback
    }

    /// What protocols remember of this machine, whichever credential found it out.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The HTTP client.
    pub fn http(&self) -> &dyn Http {
        &*self.http
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").finish_non_exhaustive()
    }
}
