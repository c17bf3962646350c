//! One exchange from its first byte to its line in the journal: read, meet the faults, answer, write down.

use crate::body::AnswerBody;
use crate::call::{Call, Reply, Trail};
use crate::clock;
use crate::faults::FaultRule;
use crate::journal::{self, Exchange, Service};
use crate::services::Target;
use crate::state::State;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use std::time::{Duration, Instant};

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
pub(crate) struct Closed;

/// Answers a request for a service and writes it down.
pub(crate) async fn serve(
    state: &State,
    target: Target,
    host: &str,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Closed> {
    let started = Started::now();
    let (parts, body) = request.into_parts();
    let read = Limited::new(body, target.largest_body()).collect().await;
    let body = read.as_ref().map(|_| Bytes::new()).unwrap_or_default();
    let mut call = Call::new(parts.method, host, &parts.uri, parts.headers, body);
    match read {
        Ok(collected) => call.body = collected.to_bytes(),
        Err(_) => {
            let text = format!("The body could not be read, or is longer than {} bytes.", target.largest_body());
            let reply = Reply::text(413, text.clone()).header("connection", "close").note(text);
            return Ok(finish(state, &started, target.service(), &call, reply));
        }
    }
    // The place is kept for as long as the answer takes, whatever the fault that delays it.
    let _place = match target.admit(state, &call) {
        Ok(place) => place,
        Err(reply) => return Ok(finish(state, &started, target.service(), &call, reply)),
    };
    match state.faults.take(target.service(), &call) {
        Some(rule) => with_fault(state, &started, target, call, &rule).await,
        None => {
            let reply = answer(state, target, &call).await;
            Ok(finish(state, &started, target.service(), &call, reply))
        }
    }
}

async fn answer(state: &State, target: Target, call: &Call) -> Reply {
    match state.key().await {
        Some(key) => target.answer(state, &key, call).await,
        None => Reply::text(500, "The key that signs tokens could not be made.").note("no signing key"),
    }
}

async fn with_fault(
    state: &State,
    started: &Started,
    target: Target,
    mut call: Call,
    rule: &FaultRule,
) -> Result<Response<AnswerBody>, Closed> {
    if let Some(delay) = rule.delay_ms {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    if rule.reset || rule.hang {
        let note = if rule.reset { "fault: reset" } else { "fault: hang" };
        let trail = Trail { note: Some(note.into()), ..Trail::default() };
        write(state, started, target.service(), &call, 0, trail);
        if rule.hang {
            std::future::pending::<()>().await;
        }
        return Err(Closed);
    }
    call.token_shape.clone_from(&rule.token);
    call.challenge.clone_from(&rule.challenge);
    let reply = match &rule.respond {
        Some(respond) => {
            let mut reply = Reply::new(respond.status).body(respond.bytes());
            if respond.json.is_some() {
                reply = reply.header("content-type", "application/json; charset=utf-8");
            }
            respond.headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
        }
        None => answer(state, target, &call).await,
    };
    let reply = match rule.date_skew_seconds {
        Some(skew) => reply.header("date", clock::http_date(clock::now().saturating_add(skew))),
        None => reply,
    };
    let reply = match &reply.trail.note {
        Some(note) => {
            let note = format!("fault; {note}");
            reply.note(note)
        }
        None => reply.note("fault"),
    };
    if !rule.truncate {
        return Ok(finish(state, started, target.service(), &call, reply));
    }
    let announced = reply.body.len() + 1_000;
    let sent = reply.body.slice(..reply.body.len() / 2);
    let mut response = finish(state, started, target.service(), &call, reply);
    response.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(announced));
    *response.body_mut() = AnswerBody::breaking_off(sent);
    Ok(response)
}

/// When an exchange began.
pub(crate) struct Started {
    unix_ms: u64,
    at: Instant,
}

impl Started {
    pub(crate) fn now() -> Self {
        Self { unix_ms: clock::now_millis(), at: Instant::now() }
    }
}

/// Writes an exchange down and turns its answer into HTTP.
pub(crate) fn finish(
    state: &State,
    started: &Started,
    service: Service,
    call: &Call,
    mut reply: Reply,
) -> Response<AnswerBody> {
    let trail = std::mem::take(&mut reply.trail);
    write(state, started, service, call, reply.status.as_u16(), trail);
    let mut response = Response::new(AnswerBody::whole(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if response.status() == StatusCode::NO_CONTENT {
        *response.body_mut() = AnswerBody::whole(Bytes::new());
    }
    response
}

/// Writes an exchange down.
pub(crate) fn write(state: &State, started: &Started, service: Service, call: &Call, status: u16, trail: Trail) {
    state.journal.write(Exchange {
        sequence: 0,
        started_unix_ms: started.unix_ms,
        duration_ms: started.at.elapsed().as_secs_f64() * 1_000.0,
        host: call.host.clone(),
        method: call.method.to_string(),
        path: call.path.clone(),
        query: journal::shown_query(&call.query),
        headers: journal::shown_headers(&call.headers),
        status,
        service,
        principal: trail.principal,
        grant: trail.grant.map(str::to_owned),
        audience: trail.audience,
        note: trail.note,
    });
}
