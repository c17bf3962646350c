//! A machine whose clock, servers, files and programs are a test's.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use entrada::Cache;
use entrada::platform::{
    Clock, FileError, FileStamp, Files, Http, HttpError, HttpRequest, HttpResponse, Platform, ProcessError,
    ProcessOutput, ProcessRequest, Processes,
};
use futures::future::BoxFuture;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// The wall clock at the start.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn answer(status: u16, body: &str) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    HttpResponse { status, headers, body: body.to_owned().into() }
}

pub(crate) fn token(secret: &str, lifetime: u32) -> HttpResponse {
    answer(200, &format!(r#"{{"access_token":"{secret}","token_type":"Bearer","expires_in":{lifetime}}}"#))
}

/// A clock that moves when it is told to, and when somebody sleeps.
#[derive(Clone, Default)]
pub(crate) struct Hands(Arc<Mutex<Duration>>);

impl Hands {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().expect("no panic") += by;
    }

    pub(crate) fn now(&self) -> Duration {
        *self.0.lock().expect("no panic")
    }
}

impl Clock for Hands {
    fn elapsed(&self) -> Duration {
        Duration::from_secs(1000) + self.now()
    }

    fn unix_time(&self) -> i64 {
        NOW + i64::try_from(self.now().as_secs()).expect("small")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}

/// What an answer waits for.
#[derive(Clone)]
pub(crate) struct Gate {
    open: Arc<watch::Sender<bool>>,
    reached: Arc<watch::Sender<bool>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { open: Arc::new(watch::Sender::new(false)), reached: Arc::new(watch::Sender::new(false)) }
    }
}

impl Gate {
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until somebody stands before it.
    pub(crate) async fn reached(&self) {
        self.reached.subscribe().wait_for(|reached| *reached).await.expect("the sender is here");
    }

    async fn pass(&self) {
        self.reached.send_replace(true);
        self.open.subscribe().wait_for(|open| *open).await.expect("the sender is here");
    }
}

type Answers = Box<dyn Fn(&str) -> HttpResponse + Send>;

/// Answers by the body of the request.
struct Servers {
    answers: Mutex<Answers>,
    /// What requests with a certain text in their body wait for.
    slow: Mutex<Option<(Gate, &'static str)>>,
    bodies: Mutex<Vec<String>>,
    answered: watch::Sender<usize>,
}

#[async_trait]
impl Http for Servers {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.bodies.lock().expect("no panic").push(body.clone());
        let gate = self.slow.lock().expect("no panic").clone();
        if let Some((gate, _)) = gate.filter(|(_, text)| body.contains(text)) {
            gate.pass().await;
        }
        let answer = (self.answers.lock().expect("no panic"))(&body);
        self.answered.send_modify(|count| *count += 1);
        Ok(answer)
    }
}

#[derive(Default)]
struct Disk(Mutex<HashMap<PathBuf, String>>);

impl Files for Disk {
    fn stamp(&self, path: &Path) -> Option<FileStamp> {
        let size = self.0.lock().expect("no panic").get(path)?.len() as u64;
        Some(FileStamp { modified: None, size })
    }

    fn is_program(&self, path: &Path) -> bool {
        self.0.lock().expect("no panic").contains_key(path)
    }

    fn real_path(&self, path: &Path) -> Result<PathBuf, FileError> {
        Ok(path.to_owned())
    }

    fn read(&self, path: &Path, _at_most: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let content = self.0.lock().expect("no panic").get(path).cloned().ok_or(FileError::Missing)?;
        Ok(Zeroizing::new(content.into_bytes()))
    }
}

/// Programs that hang until their deadline.
struct Hanging;

#[async_trait]
impl Processes for Hanging {
    async fn run(&self, request: &ProcessRequest) -> Result<ProcessOutput, ProcessError> {
        Err(ProcessError::Timeout(request.timeout))
    }
}

pub(crate) struct Machine {
    pub(crate) platform: Platform,
    pub(crate) clock: Hands,
    pub(crate) cache: Arc<Cache>,
    servers: Arc<Servers>,
    disk: Arc<Disk>,
}

impl Machine {
    pub(crate) fn answering(answers: impl Fn(&str) -> HttpResponse + Send + 'static) -> Self {
        let servers = Arc::new(Servers {
            answers: Mutex::new(Box::new(answers)),
            slow: Mutex::default(),
            bodies: Mutex::default(),
            answered: watch::Sender::new(0),
        });
        let (clock, disk) = (Hands::default(), Arc::new(Disk::default()));
        let variables = HashMap::from([("PATH".to_owned(), "/usr/bin".to_owned())]);
        let platform = Platform::with_environment(Arc::new(variables))
            .with_clock(Arc::new(clock.clone()))
            .with_http(servers.clone())
            .with_files(disk.clone())
            .with_processes(Arc::new(Hanging));
        Self { platform, clock, cache: Cache::new(Default::default()), servers, disk }
    }

    pub(crate) fn answer_from_now_on(&self, answers: impl Fn(&str) -> HttpResponse + Send + 'static) {
        *self.servers.answers.lock().expect("no panic") = Box::new(answers);
    }

    /// Requests with this text in their body wait for the gate.
    pub(crate) fn slow(self, gate: Gate, text: &'static str) -> Self {
        *self.servers.slow.lock().expect("no panic") = Some((gate, text));
        self
    }

    pub(crate) fn with_program(self, path: &str) -> Self {
        self.put_file(path, "#!");
        self
    }

    pub(crate) fn put_file(&self, path: &str, content: &str) {
        self.disk.0.lock().expect("no panic").insert(path.into(), content.to_owned());
    }

    pub(crate) fn requests(&self) -> usize {
        self.servers.bodies.lock().expect("no panic").len()
    }

    pub(crate) fn last_body(&self) -> String {
        self.servers.bodies.lock().expect("no panic").last().cloned().unwrap_or_default()
    }

    /// Waits until so many requests were answered.
    pub(crate) async fn answered(&self, wanted: usize) {
        self.servers.answered.subscribe().wait_for(|count| *count >= wanted).await.expect("the sender is here");
    }
}
