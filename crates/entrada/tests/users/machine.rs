//! A laptop inside an emulated Azure, with a browser that does what the emulator's pages ask for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrada::platform::{
    Clock, HttpRequest, HttpResponse, Platform, ProcessError, ProcessOutput, ProcessRequest, Processes, Route,
    SystemClock,
};
use entrada::{Cache, CacheLimits, Credential, EntraOptions, Error, Token, TokenRequest};
use entrada_emulator::{Config, Emulator, Host, world};
use futures::future::BoxFuture;
use url::Url;

pub(crate) const VAULT: &str = "https://vault.azure.net/.default";
pub(crate) const MANAGEMENT: &str = "https://management.azure.com/.default";
const TIMEOUT: Duration = Duration::from_secs(30);

/// The emulator, and a program on a laptop.
pub(crate) struct Machine {
    pub(crate) emulator: Emulator,
    variables: HashMap<String, String>,
    cache: Arc<Cache>,
    browser: Arc<Browser>,
}

impl Machine {
    /// A laptop at which this user sits; nobody where there is none.
    pub(crate) async fn of(user: Option<&str>) -> Self {
        let mut config = Config { sign_in_as: user.map(str::to_owned), ..Config::default() };
        config.lifetimes.device_code_interval = 0;
        let emulator = Emulator::start(config).await.expect("the emulator starts");
        let mut variables: HashMap<String, String> = emulator.environment(Host::Laptop).into_iter().collect();
        // Any program; the laptop's browser is opened in its place.
        variables.insert("BROWSER".into(), "/bin/sh".into());
        let outside = Platform::with_environment(Arc::new(variables.clone()));
        let (shown, opened, picks_another) = (Arc::default(), Mutex::default(), AtomicBool::new(false));
        let browser = Arc::new(Browser { outside, shown, opened, picks_another });
        Self { emulator, variables, cache: Cache::new(CacheLimits::default()), browser }
    }

    pub(crate) fn platform(&self) -> Platform {
        Platform::with_environment(Arc::new(self.variables.clone())).with_processes(self.browser.clone())
    }

    /// Options with this machine's cache.
    pub(crate) fn options(&self) -> EntraOptions {
        EntraOptions {
            platform: Some(self.platform()),
            cache: Some(Arc::clone(&self.cache)),
            ..EntraOptions::default()
        }
    }

    /// Options of another program on this machine.
    pub(crate) fn elsewhere(&self) -> EntraOptions {
        EntraOptions { cache: Some(Cache::new(CacheLimits::default())), ..self.options() }
    }

    /// The same with time that jumps over pauses.
    pub(crate) fn hurried(&self) -> EntraOptions {
        EntraOptions { platform: Some(self.platform().with_clock(Arc::new(Hurried::default()))), ..self.options() }
    }

    /// How often the browser was opened.
    pub(crate) fn opened(&self) -> usize {
        *self.browser.opened.lock().expect("no panic")
    }

    /// Has another person sit down, who signs in with their own account whatever name is proposed.
    pub(crate) fn another_person(&self, user: &str) {
        self.emulator.sign_in_as(Some(user)).expect("a user");
        self.browser.picks_another.store(true, Ordering::SeqCst);
    }

    /// The page that the person sees in the end.
    pub(crate) async fn shown(&self) -> String {
        loop {
            if let Some(page) = self.browser.shown.lock().expect("no panic").pop() {
                return page;
            }
            tokio::task::yield_now().await;
        }
    }

    /// What the authorization endpoint sends the browser back with, to wherever.
    pub(crate) async fn authorize(&self, parameters: &[(&str, &str)]) -> HashMap<String, String> {
        let tenant = world::TENANT_ID;
        let mut url: Url =
            format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize").parse().expect("a URL");
        url.query_pairs_mut().extend_pairs([("response_type", "code"), ("response_mode", "query")]);
        url.query_pairs_mut().extend_pairs(parameters);
        let answer = self.browser.get(url).await;
        let location = answer.header("location").unwrap_or_else(|| panic!("{}", text(&answer)));
        Url::parse(location).expect("a URL").query_pairs().into_owned().collect()
    }
}

/// A browser without a window.
struct Browser {
    outside: Platform,
    shown: Arc<Mutex<Vec<String>>>,
    opened: Mutex<usize>,
    /// Whether the person picks another account than the one that is proposed.
    picks_another: AtomicBool,
}

impl Browser {
    async fn get(&self, url: Url) -> HttpResponse {
        let request = HttpRequest::get(url, Route::Proxied, TIMEOUT);
        self.outside.http().send(&request).await.expect("an answer")
    }
}

#[async_trait]
impl Processes for Browser {
    async fn run(&self, _: &ProcessRequest) -> Result<ProcessOutput, ProcessError> {
        Err(ProcessError::NotStarted("a browser is all there is".into()))
    }

    fn launch(&self, request: &ProcessRequest) -> Result<BoxFuture<'static, Option<i32>>, ProcessError> {
        *self.opened.lock().expect("no panic") += 1;
        let mut url: Url = request.arguments.last().expect("a page").to_str().expect("text").parse().expect("a URL");
        if self.picks_another.load(Ordering::SeqCst) {
            let rest: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != "login_hint").collect();
            url.query_pairs_mut().clear().extend_pairs(rest);
        }
        let (outside, shown) = (self.outside.clone(), Arc::clone(&self.shown));
        tokio::spawn(async move {
            let get = HttpRequest::get(url, Route::Proxied, TIMEOUT);
            let page = text(&outside.http().send(&get).await.expect("an answer"));
            let action = between(&page, "action=\"", "\"").unwrap_or_else(|| panic!("no form: {page}"));
            let fields: Vec<_> = page.split("<input type=\"hidden\" ").skip(1).map(field).collect();
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let post = HttpRequest::post_form(action.parse().expect("a URL"), Route::Direct, TIMEOUT, &fields);
            let answer = outside.http().send(&post).await.expect("the program answers");
            shown.lock().expect("no panic").push(text(&answer));
        });
        Ok(Box::pin(std::future::ready(Some(0))))
    }
}

fn field(input: &str) -> (String, String) {
    let part = |name: &str| between(input, &format!("{name}=\""), "\"").expect("an attribute");
    (part("name"), part("value"))
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let plain = rest.split_once(after)?.0.replace("&quot;", "\"").replace("&#39;", "'");
    Some(plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

fn text(answer: &HttpResponse) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// The real time, but it jumps over pauses.
#[derive(Clone, Default)]
struct Hurried(Arc<Mutex<Duration>>);

impl Clock for Hurried {
    fn elapsed(&self) -> Duration {
        SystemClock.elapsed() + *self.0.lock().expect("no panic")
    }

    fn unix_time(&self) -> i64 {
        SystemClock.unix_time()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        *self.0.lock().expect("no panic") += duration;
        Box::pin(tokio::task::yield_now())
    }
}

pub(crate) async fn token(credential: &dyn Credential, scope: &str) -> Result<Arc<Token>, Error> {
    credential.token(&TokenRequest::new([scope])).await
}

/// A claim of a token.
pub(crate) fn claim(token: &Token, name: &str) -> serde_json::Value {
    let payload = token.secret().split('.').nth(1).expect("a JWT");
    let claims = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let mut claims: serde_json::Value = serde_json::from_slice(&claims).expect("claims");
    claims[name].take()
}

/// The code of a refusal.
pub(crate) fn code(error: &Error) -> &str {
    let code = error.server_answer().and_then(|answer| answer.code.as_deref());
    code.unwrap_or_else(|| panic!("no code: {error}"))
}
