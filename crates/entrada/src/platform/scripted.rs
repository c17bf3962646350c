//! A machine that does what a test says.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::io::DuplexStream;
use zeroize::Zeroizing;

use super::{
    Clock, FileError, FileStamp, Files, Http, HttpError, HttpRequest, HttpResponse, Loopback, LoopbackError,
    LoopbackHost, LoopbackListener, LoopbackStream, Platform, ProcessError, ProcessOutput, ProcessRequest, Processes,
};

/// An answer with a JSON body.
pub(crate) fn response(status: u16, body: &str) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    HttpResponse { status, headers, body: body.to_owned().into() }
}

/// A clock that stands still until it is moved; sleeping moves it.
#[derive(Clone)]
pub(crate) struct ScriptedClock(Arc<Mutex<(Duration, i64)>>);

impl ScriptedClock {
    pub(crate) fn at(unix_time: i64) -> Self {
        Self(Arc::new(Mutex::new((Duration::from_secs(1000), unix_time))))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut now = self.0.lock().expect("no panic");
        now.0 += by;
        now.1 += i64::try_from(by.as_secs()).expect("small");
    }

    /// Sets the wall clock forwards or backwards.
    pub(crate) fn jump(&self, seconds: i64) {
        self.0.lock().expect("no panic").1 += seconds;
    }
}

impl Clock for ScriptedClock {
    fn elapsed(&self) -> Duration {
        self.0.lock().expect("no panic").0
    }

    fn unix_time(&self) -> i64 {
        self.0.lock().expect("no panic").1
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}

/// What a scripted request looked like.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
    pub(crate) route: super::Route,
}

/// Answers requests from a list, in order, and remembers them.
#[derive(Default)]
pub(crate) struct ScriptedHttp {
    answers: Mutex<VecDeque<Result<HttpResponse, HttpError>>>,
    always: Mutex<Option<HttpResponse>>,
    sent: Mutex<Vec<Sent>>,
}

impl ScriptedHttp {
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl Http for ScriptedHttp {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.sent.lock().expect("no panic").push(Sent {
            line: format!("{} {}", request.method, request.url),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            route: request.route,
        });
        let answer = self.answers.lock().expect("no panic").pop_front();
        let always = || self.always.lock().expect("no panic").clone();
        answer.or_else(|| always().map(Ok)).unwrap_or_else(|| Err(HttpError::Connect("nothing was scripted".into())))
    }
}

/// Answers program starts from a list, in order, and remembers them.
#[derive(Default)]
pub(crate) struct ScriptedProcesses {
    outputs: Mutex<VecDeque<Result<ProcessOutput, ProcessError>>>,
    started: Mutex<Vec<ProcessRequest>>,
    launched: Mutex<Option<Box<Launched>>>,
}

/// What a program that goes on by itself does when it is started: its exit code, if it ends.
type Launched = dyn FnMut(&ProcessRequest) -> Option<i32> + Send;

impl ScriptedProcesses {
    pub(crate) fn started(&self) -> Vec<ProcessRequest> {
        self.started.lock().expect("no panic").clone()
    }

    /// Says what launched programs do.
    pub(crate) fn when_launched(&self, does: impl FnMut(&ProcessRequest) -> Option<i32> + Send + 'static) {
        *self.launched.lock().expect("no panic") = Some(Box::new(does));
    }
}

#[async_trait]
impl Processes for ScriptedProcesses {
    async fn run(&self, request: &ProcessRequest) -> Result<ProcessOutput, ProcessError> {
        self.started.lock().expect("no panic").push(request.clone());
        let output = self.outputs.lock().expect("no panic").pop_front();
        output.unwrap_or_else(|| Err(ProcessError::NotStarted("nothing was scripted".into())))
    }

    fn launch(&self, request: &ProcessRequest) -> Result<BoxFuture<'static, Option<i32>>, ProcessError> {
        self.started.lock().expect("no panic").push(request.clone());
        match self.launched.lock().expect("no panic").as_mut().map(|does| does(request)) {
            Some(Some(code)) => Ok(Box::pin(std::future::ready(Some(code)))),
            Some(None) => Ok(Box::pin(std::future::pending())),
            None => Err(ProcessError::NotStarted("nothing was scripted".into())),
        }
    }
}

/// Connections from a list, in order.
#[derive(Clone, Default)]
pub(crate) struct ScriptedLoopback {
    connections: Arc<Mutex<VecDeque<DuplexStream>>>,
    /// Ports that others listen at.
    taken: Arc<Mutex<Vec<u16>>>,
}

impl ScriptedLoopback {
    /// The port that is free.
    pub(crate) const FREE: u16 = 8400;

    /// Connects, and says something; what is answered can be read from the other end.
    pub(crate) fn connect(&self, said: &[u8]) -> DuplexStream {
        let (mut ours, theirs) = tokio::io::duplex(256 << 10);
        let written = futures::FutureExt::now_or_never(tokio::io::AsyncWriteExt::write_all(&mut ours, said));
        written.expect("there is room").expect("open");
        self.connections.lock().expect("no panic").push_back(theirs);
        ours
    }

    pub(crate) fn take(&self, port: u16) {
        self.taken.lock().expect("no panic").push(port);
    }
}

#[async_trait]
impl Loopback for ScriptedLoopback {
    async fn listen(&self, _host: LoopbackHost, port: Option<u16>) -> Result<Box<dyn LoopbackListener>, LoopbackError> {
        let port = port.unwrap_or(Self::FREE);
        if self.taken.lock().expect("no panic").contains(&port) {
            return Err(LoopbackError::InUse(port));
        }
        Ok(Box::new(ScriptedListener { port, connections: Arc::clone(&self.connections) }))
    }
}

struct ScriptedListener {
    port: u16,
    connections: Arc<Mutex<VecDeque<DuplexStream>>>,
}

#[async_trait]
impl LoopbackListener for ScriptedListener {
    fn port(&self) -> u16 {
        self.port
    }

    async fn accept(&mut self) -> Box<dyn LoopbackStream> {
        let next = self.connections.lock().expect("no panic").pop_front();
        match next {
            Some(stream) => Box::new(stream),
            None => std::future::pending().await,
        }
    }
}

/// Files with a content, all of them programs; and links.
#[derive(Default)]
pub(crate) struct ScriptedFiles {
    contents: Mutex<HashMap<PathBuf, Vec<u8>>>,
    links: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl ScriptedFiles {
    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        self.contents.lock().expect("no panic").insert(path.into(), content.as_ref().to_vec());
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        self.links.lock().expect("no panic").insert(path.into(), target.into());
    }
}

impl Files for ScriptedFiles {
    fn stamp(&self, path: &Path) -> Option<FileStamp> {
        let size = self.contents.lock().expect("no panic").get(path)?.len() as u64;
        Some(FileStamp { modified: None, size })
    }

    fn is_program(&self, path: &Path) -> bool {
        self.contents.lock().expect("no panic").contains_key(path)
    }

    fn real_path(&self, path: &Path) -> Result<PathBuf, FileError> {
        Ok(self.links.lock().expect("no panic").get(path).cloned().unwrap_or_else(|| path.to_owned()))
    }

    fn read(&self, path: &Path, at_most: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let path = self.real_path(path)?;
        let content = self.contents.lock().expect("no panic").get(&path).cloned().ok_or(FileError::Missing)?;
        if content.len() > at_most {
            return Err(FileError::TooLarge(at_most));
        }
        Ok(Zeroizing::new(content))
    }
}

/// A scripted machine and the handles to look at it.
pub(crate) struct Scripted {
    pub(crate) platform: Platform,
    pub(crate) clock: ScriptedClock,
    pub(crate) http: Arc<ScriptedHttp>,
    pub(crate) processes: Arc<ScriptedProcesses>,
    pub(crate) files: Arc<ScriptedFiles>,
    pub(crate) loopback: ScriptedLoopback,
}

impl Scripted {
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        let variables: HashMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let clock = ScriptedClock::at(1_800_000_000);
        let http = Arc::new(ScriptedHttp::default());
        let processes = Arc::new(ScriptedProcesses::default());
        let files = Arc::new(ScriptedFiles::default());
        let loopback = ScriptedLoopback::default();
        Self {
            platform: Platform::with_environment(Arc::new(variables))
                .with_clock(Arc::new(clock.clone()))
                .with_http(http.clone())
                .with_processes(processes.clone())
                .with_files(files.clone())
                .with_loopback(Arc::new(loopback.clone())),
            clock,
            http,
            processes,
            files,
            loopback,
        }
    }

    pub(crate) fn answers(self, answers: impl IntoIterator<Item = Result<HttpResponse, HttpError>>) -> Self {
        self.http.answers.lock().expect("no panic").extend(answers);
        self
    }

    /// Answers like this whatever is asked, when the list of answers is used up.
    pub(crate) fn always(self, answer: HttpResponse) -> Self {
        *self.http.always.lock().expect("no panic") = Some(answer);
        self
    }

    pub(crate) fn outputs(self, outputs: impl IntoIterator<Item = Result<ProcessOutput, ProcessError>>) -> Self {
        self.processes.outputs.lock().expect("no panic").extend(outputs);
        self
    }
}
